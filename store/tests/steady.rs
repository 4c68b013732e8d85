//! A database that does not take what it is given holds nobody up, and has everything in the end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod stage;

use std::rc::Rc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use m365_presence::identity::{Account, PbxGuid};
use m365_presence::ports::{LedgerChange, Slot, Store, SubscriptionKind};
use m365_presence::secret::Secret;
use m365_store::{Condition, SqlStore, SteadyStore};
use stage::filled::{assert_filled, fill};
use stage::{Place, ledger_row, notification_key, put, subscription, time};

/// Another program that holds the database until it is dropped.
struct Locked(#[expect(dead_code, reason = "it is held, never read")] SqliteConnection);

impl Locked {
    fn at(place: &Place) -> Self {
        let mut other = SqliteConnection::establish(place.database().to_str().unwrap()).unwrap();
        other.batch_execute("BEGIN IMMEDIATE").unwrap();
        Self(other)
    }
}

fn steady(place: &Place) -> (Rc<SqlStore>, SteadyStore) {
    let store = Rc::new(place.open());
    (store.clone(), SteadyStore::new(store))
}

fn unsaved(store: &SteadyStore) -> usize {
    match store.health().now() {
        Condition::Ok => panic!("the database is well"),
        Condition::Away { unsaved, .. } => unsaved,
    }
}

/// Lets the store be tended while something happens.
async fn tended<T>(store: &SteadyStore, happening: impl Future<Output = T>) -> T {
    tokio::select! {
        () = store.tend() => panic!("it never ends"),
        outcome = happening => outcome,
    }
}

#[tokio::test]
async fn what_is_written_while_the_database_is_locked_is_there_in_the_end() {
    let place = Place::new();
    let (inner, store) = steady(&place);
    store
        .put_subscription(&subscription(SubscriptionKind::Users, "older"))
        .await
        .unwrap();
    let locked = Locked::at(&place);
    let begun = Instant::now();
    fill(&store).await;
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "only the first write is waited for"
    );
    assert!(matches!(store.health().now(), Condition::Away { .. }));
    assert_filled(&store).await;

    drop(locked);
    tended(&store, async {
        while store.health().is_away() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    inner.close().await;
    assert_filled(&place.open()).await;
}

#[tokio::test]
async fn only_the_newest_of_each_is_owed_however_long_it_lasts() {
    let place = Place::new();
    let (inner, store) = steady(&place);
    store.change_ledger(&[put("03ef", Slot::Session)]).await.unwrap();
    let locked = Locked::at(&place);
    for round in 0..1_000 {
        let mut row = ledger_row("01ab", Slot::Session);
        row.written_at = time(round);
        let remove = LedgerChange::Remove {
            pbx_user: PbxGuid::new("03ef"),
            slot: Slot::Session,
        };
        store
            .change_ledger(&[LedgerChange::Put(row), remove])
            .await
            .unwrap();
    }
    assert_eq!(unsaved(&store), 2);
    drop(locked);
    assert_eq!(store.save_all().await, 0);
    assert_eq!(store.health().now(), Condition::Ok);
    inner.close().await;
    let found = place.open().ledger().await.unwrap();
    assert_eq!((found.len(), found[0].written_at), (1, time(999)));
}

#[tokio::test]
async fn what_was_changed_before_it_was_read_is_read_as_changed() {
    let place = Place::new();
    fill(&place.open()).await;
    let (_inner, store) = steady(&place);
    let account = Account::new("presence1@example.com");
    store.put_refresh_token(&account, None).await.unwrap();
    store
        .put_refresh_token(&Account::new("other"), Some(&Secret::new("x")))
        .await
        .unwrap();
    store.remove_notification_key("key-1").await.unwrap();
    store
        .put_notification_key(&notification_key("key-2", time(1)))
        .await
        .unwrap();
    store.remove_subscription(&SubscriptionKind::Users).await.unwrap();
    assert_eq!(store.refresh_token(&account).await.unwrap(), None);
    assert_eq!(store.notification_keys().await.unwrap().keys[0].id, "key-2");
    assert_eq!(store.notification_keys().await.unwrap().keys.len(), 1);
    assert!(store.subscriptions().await.unwrap().is_empty());
    assert_eq!(
        store.ledger().await.unwrap(),
        [ledger_row("01ab", Slot::Preferred)]
    );
}

#[tokio::test]
async fn what_the_database_never_took_is_counted_at_the_end() {
    let place = Place::new();
    let (_inner, store) = steady(&place);
    let _locked = Locked::at(&place);
    fill(&store).await;
    assert_eq!(store.save_all().await, 6);
}
