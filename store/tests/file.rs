//! What happens to the database file: restarts, keys, locks and damage.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod stage;

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use m365_presence::identity::Account;
use m365_presence::ports::{Slot, Store};
use m365_store::{Fault, KeyError, KeySource, OpenError, SqlStore};
use stage::filled::{SECRETS, assert_filled, fill};
use stage::{Place, ledger_row, notification_key, put, time};

/// Changes the database behind the store's back.
fn meddle(place: &Place, statements: &str) {
    let mut database = SqliteConnection::establish(place.database().to_str().unwrap()).unwrap();
    database.batch_execute(statements).unwrap();
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let place = Place::new();
    let store = place.open();
    fill(&store).await;
    store.close().await;
    let store = place.open();
    assert_filled(&store).await;
    drop(store);
    assert_filled(&place.open()).await;
}

#[tokio::test]
async fn a_damaged_notification_key_is_told_apart_and_hides_none_of_the_others() {
    let place = Place::new();
    let store = place.open();
    for id in ["good", "cut", "foreign", "ageless"] {
        let key = notification_key(id, time(0));
        store.put_notification_key(&key).await.unwrap();
    }
    store.close().await;
    meddle(
        &place,
        "UPDATE notification_keys SET private_key = substr(private_key, 1, 20) WHERE id = 'cut'; \
         UPDATE notification_keys SET private_key = (SELECT private_key FROM notification_keys WHERE id = 'good') \
             WHERE id = 'foreign'; \
         UPDATE notification_keys SET created_at = 'long ago' WHERE id = 'ageless';",
    );
    let mut found = place.open().notification_keys().await.unwrap();
    assert_eq!((found.keys.len(), found.keys[0].id.as_str()), (1, "good"));
    found.unreadable.sort();
    assert_eq!(found.unreadable, ["ageless", "cut", "foreign"]);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let place = Place::new();
    let store = place.open();
    store.close().await;
    store.close().await;
    let error = store.ledger().await.unwrap_err().to_string();
    assert!(error.ends_with("is closed; restart the service"), "{error}");
}

#[tokio::test]
async fn requests_made_before_closing_are_carried_out() {
    let place = Place::new();
    let store = place.open();
    let changes = [put("01ab", Slot::Session)];
    let (changed, ()) = futures_util::join!(store.change_ledger(&changes), store.close());
    changed.unwrap();
    assert_eq!(place.open().ledger().await.unwrap().len(), 1);
}

#[tokio::test]
async fn no_secret_stands_in_any_file() {
    let place = Place::new();
    let store = place.open();
    fill(&store).await;
    for closed in [false, true] {
        if closed {
            store.close().await;
        }
        for file in fs::read_dir(place.directory.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            for secret in SECRETS {
                let found = bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} stands in {}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn database_and_key_are_for_their_owner_only() {
    let place = Place::new();
    let _store = place.open();
    for path in [place.database(), place.key()] {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_second_open_is_refused_until_the_first_is_closed() {
    let place = Place::new();
    let store = place.open();
    let (error, text) = place.refusal();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert!(text.contains("connector.db.lock; end it"), "{text}");

    let alias = place.directory.path().join("alias.db");
    std::os::unix::fs::symlink(place.database(), &alias).unwrap();
    assert!(matches!(
        SqlStore::open_file(&alias, &KeySource::Beside),
        Err(OpenError::InUse { .. })
    ));

    store.close().await;
    place.open();
}

#[tokio::test]
async fn a_wrong_key_is_refused_by_name() {
    let place = Place::new();
    fill(&place.open()).await;
    let kept = fs::read(place.key()).unwrap();
    fs::write(place.key(), "5a".repeat(32)).unwrap();
    let (error, text) = place.refusal();
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error:?}");
    assert!(text.contains("connector.db.key does not open"), "{text}");
    assert!(text.contains("must sign in again"), "{text}");

    fs::write(place.key(), kept).unwrap();
    assert_filled(&place.open()).await;
}

#[tokio::test]
async fn a_lost_key_is_never_replaced() {
    let place = Place::new();
    fill(&place.open()).await;
    fs::remove_file(place.key()).unwrap();
    let (error, text) = place.refusal();
    assert!(
        matches!(error, OpenError::Key(KeyError::Missing { .. })),
        "{error:?}"
    );
    assert!(text.contains("connector.db.key is missing"), "{text}");
    assert!(!place.key().exists());
}

#[tokio::test]
async fn a_key_beside_the_database_that_others_may_read_is_refused() {
    let place = Place::new();
    drop(place.open());
    fs::set_permissions(place.key(), fs::Permissions::from_mode(0o640)).unwrap();
    let (error, text) = place.refusal();
    assert!(
        matches!(error, OpenError::Key(KeyError::Exposed { .. })),
        "{error:?}"
    );
    assert!(text.contains("chmod 600"), "{text}");
}

#[tokio::test]
async fn a_key_may_come_from_a_file_or_be_given() {
    let place = Place::new();
    let elsewhere = place.directory.path().join("elsewhere");
    fs::write(&elsewhere, format!("{}\n", "5a".repeat(32))).unwrap();
    let given = || KeySource::Given("5a".repeat(32).parse().unwrap());
    fill(&SqlStore::open_file(place.database(), &given()).unwrap()).await;
    assert!(!place.key().exists());
    let store = SqlStore::open_file(place.database(), &KeySource::File(elsewhere.clone())).unwrap();
    assert_filled(&store).await;
    drop(store);

    fs::write(&elsewhere, "no key").unwrap();
    let error = SqlStore::open_file(place.database(), &KeySource::File(elsewhere))
        .err()
        .unwrap();
    assert!(
        matches!(error, OpenError::Key(KeyError::FileForm { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_damaged_secret_fails_alone() {
    let place = Place::new();
    fill(&place.open()).await;
    meddle(&place, "UPDATE refresh_tokens SET token = x'0100'");
    let store = place.open();
    let error = store
        .refresh_token(&Account::new("presence1@example.com"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("secret in table refresh_tokens that the key does not open"),
        "{error}"
    );
    assert_eq!(store.ledger().await.unwrap().len(), 1);
    assert_eq!(store.client_states().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_moved_to_another_row_does_not_open() {
    let place = Place::new();
    fill(&place.open()).await;
    meddle(
        &place,
        "INSERT INTO refresh_tokens SELECT 'presence2@example.com', token FROM refresh_tokens",
    );
    let store = place.open();
    assert!(
        store
            .refresh_token(&Account::new("presence1@example.com"))
            .await
            .is_ok()
    );
    assert!(
        store
            .refresh_token(&Account::new("presence2@example.com"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_unknown_word_in_a_row_is_told() {
    let place = Place::new();
    fill(&place.open()).await;
    meddle(&place, "UPDATE ledger SET slot = 'tray'");
    let error = place.open().ledger().await.unwrap_err().to_string();
    assert!(error.contains("unknown slot in table ledger"), "{error}");
}

#[tokio::test]
async fn a_change_of_the_ledger_applies_whole_or_not_at_all() {
    let place = Place::new();
    fill(&place.open()).await;
    meddle(
        &place,
        "CREATE TRIGGER full BEFORE INSERT ON ledger WHEN NEW.pbx_user = '02cd' \
         BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    let store = place.open();
    let changes = [put("03ef", Slot::Session), put("02cd", Slot::Session)];
    store.change_ledger(&changes).await.unwrap_err();
    assert_eq!(
        store.ledger().await.unwrap(),
        [ledger_row("01ab", Slot::Preferred)]
    );
}

#[test]
fn a_database_of_a_newer_build_is_refused() {
    let place = Place::new();
    drop(place.open());
    meddle(
        &place,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')",
    );
    let (error, text) = place.refusal();
    assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
    assert!(
        text.contains("newer build (unknown migrations: 9999); run that build"),
        "{text}"
    );
}

fn fault(place: &Place) -> Fault {
    match place.refusal() {
        (OpenError::Unusable { fault, .. }, _) => fault,
        (other, _) => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_another_program_has_locked_is_told() {
    let place = Place::new();
    drop(place.open());
    let mut other = SqliteConnection::establish(place.database().to_str().unwrap()).unwrap();
    other
        .batch_execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM license_answers")
        .unwrap();
    assert_eq!(fault(&place), Fault::Busy);
}

#[test]
fn another_file_is_not_taken_for_a_database() {
    let place = Place::new();
    fs::write(place.database(), "a letter to the administrator, ".repeat(100)).unwrap();
    assert_eq!(fault(&place), Fault::NotADatabase);
}

#[test]
fn a_missing_directory_is_told() {
    let place = Place::new();
    let path = place.directory.path().join("missing/connector.db");
    let error = SqlStore::open_file(&path, &KeySource::Beside).err().unwrap();
    assert!(
        matches!(
            &error,
            OpenError::Unusable {
                fault: Fault::MissingDirectory,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("create the directory"), "{error}");
}

#[test]
fn a_directory_is_no_database() {
    let place = Place::new();
    fs::create_dir(place.database()).unwrap();
    assert_eq!(fault(&place), Fault::NotAFile);
}

#[tokio::test]
async fn a_damaged_file_is_told_at_open() {
    let place = Place::new();
    let store = place.open();
    let changes: Vec<_> = (0..2000)
        .map(|number| put(&format!("{number:032x}"), Slot::Session))
        .collect();
    store.change_ledger(&changes).await.unwrap();
    store.close().await;
    let mut file = fs::OpenOptions::new().write(true).open(place.database()).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&[0xa5; 16_384]).unwrap();
    assert!(matches!(fault(&place), Fault::Damaged { .. }));
}
