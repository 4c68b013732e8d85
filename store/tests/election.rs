//! One of several instances is active, whatever happens to it and to the way to the database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod stage;

use std::time::{Duration, Instant};

use m365_presence::ports::{SettingChange, SettingsStore, Slot, Store, StoredSetting};
use m365_presence::secret::Secret;
use m365_presence::tenure::Permit;
use m365_store::{Candidacy, KeySource, OpenError, PostgresAddress, SqlStore, StandingBy};
use stage::cable::Cable;
use stage::postgres::Postgres;
use stage::put;

/// Another one is active after this time at the latest.
const TAKEOVER: Duration = Duration::from_secs(10);

/// What comes soon may take longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn begin(url: &str) -> Candidacy {
    try_begin(url, &KeySource::Beside).unwrap()
}

fn try_begin(url: &str, key: &KeySource) -> Result<Candidacy, OpenError> {
    Candidacy::begin(&PostgresAddress::parse(url, None).unwrap(), key)
}

async fn elected(candidate: &mut Candidacy) -> SqlStore {
    tokio::time::timeout(PATIENCE, candidate.elected())
        .await
        .expect("nobody was elected");
    candidate.open().await.unwrap()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn through(cable: &Cable, server: &Postgres, url: &str) -> String {
    url.replace(&format!(":{}/", server.port()), &format!(":{}/", cable.port()))
}

#[tokio::test]
async fn the_first_is_active_and_the_next_follows_when_it_resigns() {
    let url = Postgres::shared().new_database();
    let mut first = begin(&url);
    let store = elected(&mut first).await;
    store.change_ledger(&[put("01ab", Slot::Session)]).await.unwrap();
    assert!(first.fence().is_granted());
    assert_eq!(first.standing_by(), None);

    let mut second = begin(&url);
    until("the second to stand by", || {
        second.standing_by() == Some(StandingBy::AnotherIsActive)
    })
    .await;
    until("the second to be seen", || first.has_successor()).await;
    assert!(!second.fence().is_granted());

    store.close().await;
    first.resign().await;
    let store = elected(&mut second).await;
    until("the second to be active", || second.fence().is_granted()).await;
    assert_eq!(store.ledger().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_standby_reads_what_the_active_one_has_stored_and_writes_nothing() {
    let url = Postgres::shared().new_database();
    let mut first = begin(&url);
    assert!(first.look_into().is_none(), "there is nothing yet");
    let store = elected(&mut first).await;
    let setting = StoredSetting {
        key: "matching.pbx".to_owned(),
        value: Secret::new("\"h323\""),
    };
    store
        .change_settings(&[SettingChange::Put(setting.clone())], &[])
        .await
        .unwrap();

    let second = begin(&url);
    let looking = second.look_into().expect("there is something");
    assert_eq!(looking.settings().await.unwrap(), [setting]);
    let error = looking
        .change_ledger(&[put("01ab", Slot::Session)])
        .await
        .unwrap_err();
    assert!(error.detail.contains("takes no writes"), "{error}");
}

#[tokio::test]
async fn whoever_is_cut_off_stops_before_another_one_begins_and_stores_nothing_afterwards() {
    let server = Postgres::shared();
    let url = server.new_database();
    let cable = Cable::to(server.port());
    let mut first = begin(&through(&cable, server, &url));
    let store = elected(&mut first).await;
    let mut second = begin(&url);
    until("the second to be seen", || first.has_successor()).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(first.fence().is_granted());

    cable.cut();
    let cut_at = Instant::now();
    let fence = first.fence();
    let closed = tokio::spawn(async move {
        while fence.is_granted() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Instant::now()
    });
    let successor = elected(&mut second).await;
    let elected_at = Instant::now();
    assert!(elected_at - cut_at < TAKEOVER, "{:?}", elected_at - cut_at);
    assert!(closed.await.unwrap() < elected_at, "two were active at once");

    cable.mend();
    tokio::time::timeout(PATIENCE, first.deposed())
        .await
        .expect("it does not notice");
    assert!(!first.fence().is_granted());
    store
        .change_ledger(&[put("01ab", Slot::Session)])
        .await
        .unwrap_err();
    let error = store
        .change_ledger(&[put("01ab", Slot::Session)])
        .await
        .unwrap_err();
    assert!(error.detail.contains("taken over by another instance"), "{error}");
    assert!(successor.ledger().await.unwrap().is_empty());
}

#[tokio::test]
async fn whoever_is_alone_goes_on_while_the_database_is_away_and_is_active_still_when_it_is_back() {
    let mut server = Postgres::start(&[]);
    let url = server.new_database();
    let mut only = begin(&url);
    let store = elected(&mut only).await;
    server.stop();
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(4)).await;
    while begun.elapsed() < Duration::from_secs(8) {
        assert!(only.fence().is_granted(), "after {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.start_again();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(only.fence().is_granted());
    store.change_ledger(&[put("01ab", Slot::Session)]).await.unwrap();
    assert_eq!(only.standing_by(), None);
}

#[tokio::test]
async fn a_database_that_is_away_at_the_start_is_waited_for() {
    let mut server = Postgres::start(&[]);
    let url = server.new_database();
    server.stop();
    let mut only = begin(&url);
    until("the reason", || {
        matches!(only.standing_by(), Some(StandingBy::DatabaseAway(reason)) if reason.contains("cannot be reached"))
    })
    .await;
    server.start_again();
    elected(&mut only).await;
}

#[tokio::test]
async fn what_waiting_would_not_mend_is_told_at_once() {
    let server = Postgres::shared();
    let url = server.new_database();
    let given = |byte: &str| KeySource::Given(byte.repeat(32).parse().unwrap());
    let mut first = try_begin(&url, &given("5a")).unwrap();
    let _store = elected(&mut first).await;
    let error = try_begin(&url, &given("5b")).err().unwrap();
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error:?}");
    let error = try_begin(&url.replace("postgres:p%", "postgres:q%"), &given("5a"))
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("refuses the user name or the password"),
        "{error}"
    );
    server.run(
        url.rsplit('/').next().unwrap(),
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')",
    );
    let error = try_begin(&url, &given("5a")).err().unwrap();
    assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
}
