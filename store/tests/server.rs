//! What happens to a database on a server: restarts, lost connections, refusals, TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod stage;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use m365_presence::ports::{SettingsStore, Slot, Store};
use m365_store::{Fault, KeyError, KeySource, OpenError, PostgresAddress, SqlStore};
use stage::cable::Cable;
use stage::filled::{SECRETS, assert_filled, fill};
use stage::postgres::{PASSWORD, Postgres, certificate, database_of};
use stage::{open_server, put, try_open_server};

fn fault(url: &str) -> (Fault, String) {
    let error = try_open_server(url).err().expect("the store opened");
    let text = error.to_string();
    assert!(!text.contains("p@ss") && !text.contains("p%40ss"), "{text}");
    match error {
        OpenError::Unusable { fault, .. } => (fault, text),
        other => panic!("{other:?}"),
    }
}

fn given(byte: &str) -> KeySource {
    KeySource::Given(byte.repeat(32).parse().unwrap())
}

fn open_with(url: &str, key: &KeySource) -> Result<SqlStore, OpenError> {
    SqlStore::open_server(&PostgresAddress::parse(url, None).unwrap(), key)
}

/// Ends all sessions of a database, as an administrator of the server does.
fn end_sessions(server: &Postgres, url: &str) {
    let database = database_of(url);
    let sessions = format!("FROM pg_stat_activity WHERE datname = '{database}'");
    server.run(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) {sessions}"),
    );
    while server.run("postgres", &format!("SELECT count(*) {sessions}")) != "0" {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let url = Postgres::shared().new_database();
    let store = open_server(&url);
    fill(&store).await;
    store.close().await;
    assert_filled(&open_server(&url)).await;
}

#[tokio::test]
async fn no_secret_stands_in_clear() {
    let server = Postgres::shared();
    let url = server.new_database();
    fill(&open_server(&url)).await;
    for table in ["client_states", "refresh_tokens", "notification_keys"] {
        let rows = server.run(database_of(&url), &format!("SELECT {table}::text FROM {table}"));
        assert!(!rows.is_empty());
        for secret in SECRETS {
            let digits: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!rows.contains(secret) && !rows.contains(&digits), "{table}");
        }
    }
}

#[tokio::test]
async fn a_given_key_is_the_only_one_that_opens() {
    let url = Postgres::shared().new_database();
    fill(&open_with(&url, &given("5a")).unwrap()).await;
    let error = open_with(&url, &given("5b")).err().unwrap();
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error:?}");
    let error = try_open_server(&url).err().unwrap();
    assert!(
        matches!(error, OpenError::Key(KeyError::NotGiven { .. })),
        "{error:?}"
    );
    assert!(error.to_string().contains("give it as database.key"), "{error}");
    assert_filled(&open_with(&url, &given("5a")).unwrap()).await;
}

#[tokio::test]
async fn a_connection_that_the_server_has_ended_is_made_anew() {
    let server = Postgres::shared();
    let url = server.new_database();
    let store = open_server(&url);
    store.change_ledger(&[put("01ab", Slot::Session)]).await.unwrap();
    end_sessions(server, &url);
    store.change_ledger(&[put("02cd", Slot::Session)]).await.unwrap();
    assert_eq!(store.ledger().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_away_is_told_and_used_again_when_it_is_back() {
    let mut server = Postgres::start(&[]);
    let url = server.new_database();
    let store = open_server(&url);
    fill(&store).await;
    server.stop();
    let error = store.ledger().await.unwrap_err().to_string();
    assert!(
        error.contains("cannot be reached") && error.contains("check that PostgreSQL runs there"),
        "{error}"
    );
    assert!(matches!(fault(&url).0, Fault::Unreachable { .. }));
    server.start_again();
    assert_filled(&store).await;
}

#[tokio::test]
async fn a_server_that_is_frozen_is_given_up_after_a_while() {
    let server = Postgres::start(&[]);
    let url = server.new_database();
    let store = open_server(&url);
    let frozen = server.freeze();
    let begun = Instant::now();
    store.ledger().await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(30));
    drop(frozen);
    store.ledger().await.unwrap();
}

#[tokio::test]
async fn requests_that_wait_for_a_server_that_does_not_answer_fail_one_by_one_and_then_go_on() {
    let server = Postgres::shared();
    let url = server.new_database();
    let cable = Cable::to(server.port());
    let behind = url.replace(&format!(":{}/", server.port()), &format!(":{}/", cable.port()));
    let store = open_server(&behind);
    cable.cut();
    let row = [put("01ab", Slot::Session)];
    let failed = tokio::join!(store.change_ledger(&row), store.ledger(), store.settings());
    for error in [failed.0.err(), failed.1.err(), failed.2.err()] {
        let detail = error.expect("it was answered").detail;
        assert!(!detail.contains("is closed"), "the store has ended: {detail}");
    }
    cable.mend();
    let begun = Instant::now();
    while store.change_ledger(&row).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn nobody_at_the_address_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("postgres://c:p%40ss@127.0.0.1:{port}/c");
    let begun = Instant::now();
    let (silent, text) = fault(&url);
    assert!(matches!(silent, Fault::Unreachable { .. }), "{silent:?}");
    assert!(
        text.starts_with(&format!(
            "the database c at 127.0.0.1:{port} cannot be reached (no answer"
        )),
        "{text}"
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
    drop(listener);
    let (absent, text) = fault(&url);
    assert!(matches!(absent, Fault::Unreachable { .. }), "{absent:?}");
    assert!(text.contains("refused"), "{text}");
    let (unknown, _) = fault("postgres://c:p%40ss@nowhere.invalid/c");
    assert!(matches!(unknown, Fault::Unreachable { .. }), "{unknown:?}");
}

#[test]
fn a_wrong_password_and_a_wrong_user_are_told() {
    let server = Postgres::shared();
    for who in ["postgres:wrong", "nobody:wrong"] {
        let url = format!("postgres://{who}@127.0.0.1:{}/postgres", server.port());
        let (fault, text) = fault(&url);
        assert_eq!(fault, Fault::WrongPassword);
        assert!(text.contains("correct them in database.url"), "{text}");
    }
}

#[test]
fn a_database_that_does_not_exist_is_told() {
    let (fault, text) = fault(&Postgres::shared().url("missing"));
    assert_eq!(fault, Fault::NoSuchDatabase);
    assert!(text.starts_with("the database missing at 127.0.0.1"), "{text}");
}

#[test]
fn a_user_who_may_not_make_tables_is_told() {
    let server = Postgres::shared();
    let database = database_of(&server.new_database()).to_owned();
    let user = format!("weak_{database}");
    server.run(
        &database,
        &format!("CREATE USER {user} PASSWORD 'weak'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
    );
    let (fault, text) = fault(&format!(
        "postgres://{user}:weak@127.0.0.1:{}/{database}",
        server.port()
    ));
    assert!(matches!(fault, Fault::NoRight { .. }), "{fault:?}");
    assert!(text.contains("make the user the database's owner"), "{text}");
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_told_and_reads_go_on() {
    let server = Postgres::shared();
    let url = server.new_database();
    let store = open_server(&url);
    fill(&store).await;
    let read_only = format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        database_of(&url)
    );
    server.run("postgres", &read_only);
    end_sessions(server, &url);
    let changes = [put("02cd", Slot::Session)];
    let error = store.change_ledger(&changes).await.unwrap_err().to_string();
    assert!(
        error.contains("takes no writes") && error.contains("primary server"),
        "{error}"
    );
    assert_filled(&store).await;
    assert_eq!(fault(&url).0, Fault::ReadOnlyServer);
}

#[test]
fn a_database_of_a_newer_build_is_refused() {
    let server = Postgres::shared();
    let url = server.new_database();
    drop(open_server(&url));
    server.run(
        database_of(&url),
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')",
    );
    let error = try_open_server(&url).err().unwrap();
    assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
}

#[tokio::test]
async fn tls_is_as_strict_as_the_address_says() {
    let folder = tempfile::tempdir().unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), readable).unwrap();
    let (certificate, key) = certificate(folder.path());
    let server = Postgres::start(&[
        "ssl=on",
        &format!("ssl_cert_file={}", certificate.display()),
        &format!("ssl_key_file={}", key.display()),
    ]);
    let url = server.new_database();
    let by_name = url.replace("127.0.0.1", "localhost");
    let root = format!("sslrootcert={}", certificate.display());

    for (url, encrypted) in [
        (format!("{url}?sslmode=disable"), "f"),
        (url.clone(), "t"),
        (format!("{url}?sslmode=require"), "t"),
        (format!("{url}?sslmode=verify-ca&{root}"), "t"),
        (format!("{by_name}?sslmode=verify-full&{root}"), "t"),
    ] {
        let store = open_server(&url);
        store.ledger().await.unwrap();
        let seen = server.run(
            "postgres",
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'm365-connector'",
        );
        assert_eq!(seen, encrypted, "{url}");
        store.close().await;
        drop(store);
        while !server
            .run(
                "postgres",
                "SELECT 1 FROM pg_stat_activity WHERE application_name = 'm365-connector'",
            )
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    for refused in [
        format!("{by_name}?sslmode=verify-full"),
        format!("{url}?sslmode=verify-full&{root}"),
        format!("{url}?sslmode=verify-full&sslrootcert=/missing.pem"),
    ] {
        let (fault, text) = fault(&refused);
        assert!(matches!(fault, Fault::Tls { .. }), "{refused}: {text}");
    }
    let plain = Postgres::shared().url("postgres");
    let (fault, text) = fault(&format!("{plain}?sslmode=require"));
    assert!(matches!(fault, Fault::Tls { .. }), "{text}");
}

#[tokio::test]
async fn a_socket_of_this_machine_is_an_address_too() {
    let server = Postgres::shared();
    let url = server.new_database();
    let folder = server.folder().to_str().unwrap().replace('/', "%2F");
    let password = PASSWORD
        .replace('%', "%25")
        .replace('@', "%40")
        .replace('/', "%2F");
    let url = format!(
        "postgres://postgres:{password}@{folder}:{}/{}",
        server.port(),
        database_of(&url)
    );
    let store = open_server(&url);
    fill(&store).await;
    assert_filled(&store).await;
}
