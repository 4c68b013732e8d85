//! The key pairs for encrypted notifications: replaced in the running process, and healed when one is damaged.

use std::future::Future;

use m365_presence::ports::{NotificationKey, Store as _, StoredKeys};
use m365_presence::secret::Secret;
use m365_simulator::microsoft::{CertificateChange, Family, Subscription};
use m365_store::{KeySource, SqlStore};
use uuid::Uuid;

use crate::world::World;

/// Keys of some seconds, renewals of one: what takes 300 days and ten minutes otherwise.
const HASTY: &str = "timers.notification_key = '4s'\ntimers.presence_subscription = '1s'";

/// A key that lasts longer than the test, with renewals of a second.
const RENEWING: &str = "timers.presence_subscription = '1s'";

fn presence_subscription(world: &World) -> Option<Subscription> {
    let live = world.cloud().subscriptions();
    live.into_iter().find(Subscription::is_presence)
}

/// Id of the presence subscription, and of the key that it encrypts for.
fn named(world: &World) -> Option<(Uuid, String)> {
    let found = presence_subscription(world)?;
    Some((found.id, found.lock?.certificate_id))
}

fn changes_are_shown(world: &World) {
    for (availability, activity, shown) in [("Busy", "InAMeeting", "meeting"), ("Available", "Available", "")]
    {
        world.in_teams("anna", availability, activity);
        world.until_shown_at_pbx("anna", shown);
    }
}

/// Lets another key follow, and notices what becomes of the subscription.
fn rotated_where(change: CertificateChange, stays: bool) {
    let world = World::of(&["anna"])
        .settings(HASTY)
        .cloud(move |cloud| cloud.adjust(|knobs| knobs.certificate_change = change))
        .start();
    world.until_synchronised(1);
    let (id, first) = named(&world).unwrap();
    let old = presence_subscription(&world).unwrap().lock;
    world.wait_until("a subscription with another key", || {
        named(&world).is_some_and(|(_, key)| key != first)
    });
    assert_eq!(named(&world).unwrap().0 == id, stays);
    changes_are_shown(&world);
    // what graph still encrypts for the old key opens as well
    let id = named(&world).unwrap().0;
    world
        .cloud()
        .change_subscription(id, |subscription| subscription.lock = old);
    let before = world.overview()["webhook_intake"]["presence"].as_u64();
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    let intake = world.overview()["webhook_intake"].clone();
    assert!(intake["presence"].as_u64() > before, "{intake}");
    assert_eq!(intake["discarded"]["unknown_certificate"].as_u64(), None);
}

#[test]
fn a_new_key_is_named_by_a_renewal_and_the_old_one_still_opens() {
    rotated_where(CertificateChange::Taken, true);
}

#[test]
fn where_graph_ignores_a_new_key_the_subscription_is_made_anew() {
    rotated_where(CertificateChange::Ignored, false);
}

#[test]
fn where_graph_refuses_a_new_key_the_subscription_is_made_anew() {
    rotated_where(CertificateChange::Refused, false);
}

#[test]
fn the_key_and_its_end_are_told() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let items = world.get("/api/v1/subscriptions").json()["items"].clone();
    let presence = items
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["kind"] == "presence")
        .unwrap();
    let (_, key) = named(&world).unwrap();
    assert_eq!(presence["resource_data"], true);
    assert_eq!(presence["key"]["id"], key.as_str());
    assert_eq!(presence["key"]["current"], true);
    let day = |name: &str| {
        let text = presence["key"][name].as_str().unwrap();
        text.parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    };
    assert_eq!((day("replace_at") - day("made_at")).num_days(), 300);
}

#[test]
fn a_restart_goes_on_with_the_same_key() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let before = named(&world).unwrap();
    world.kill();
    world.start_again();
    world.until_synchronised(1);
    assert_eq!(named(&world).unwrap(), before);
    changes_are_shown(&world);
}

#[test]
fn a_damaged_key_is_replaced_with_its_subscriptions_and_nothing_is_lost() {
    let world = World::of(&["anna"]).settings(RENEWING).start();
    world.until_synchronised(1);
    let (_, damaged) = named(&world).unwrap();
    world.kill();
    in_store(&world, async |store| {
        let stored: StoredKeys = store.notification_keys().await.unwrap();
        let key = NotificationKey {
            private_key: Secret::new("this is no key"),
            ..stored.keys[0].clone()
        };
        assert_eq!(key.id, damaged);
        store.put_notification_key(&key).await.unwrap();
    });
    // told while nothing runs, so that graph repeats it
    world.in_teams("anna", "Busy", "InAMeeting");
    world.start_again();
    world.until_shown_at_pbx("anna", "meeting");
    world.wait_until("a subscription with another key", || {
        named(&world).is_some_and(|(_, key)| key != damaged)
    });
    let (_, healed) = named(&world).unwrap();
    world.until_synchronised(1);
    changes_are_shown(&world);
    assert!(
        world
            .log()
            .contains(&format!("notification key {damaged} is damaged"))
    );
    world.kill();
    in_store(&world, async |store| {
        let ids: Vec<_> = store
            .notification_keys()
            .await
            .unwrap()
            .keys
            .into_iter()
            .map(|key| key.id)
            .collect();
        assert_eq!(ids, std::slice::from_ref(&healed));
    });
}

#[test]
fn a_lost_database_is_no_disaster() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let before = named(&world).unwrap();
    let mark = world.cloud_mark();
    world.kill();
    for file in [
        "connector.db",
        "connector.db.key",
        "connector.db-wal",
        "connector.db-shm",
    ] {
        let _absent_is_fine = std::fs::remove_file(world.folder().join(file));
    }
    world.start_again();
    world.until_synchronised(1);
    assert_ne!(named(&world).unwrap(), before);
    changes_are_shown(&world);
    assert_eq!(world.requests(Family::Reauthorize, mark), []);
}

/// Does something in the store of a connector that does not run.
fn in_store<F: Future<Output = ()>>(world: &World, work: impl FnOnce(SqlStore) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = SqlStore::open_file(world.folder().join("connector.db"), &KeySource::Beside).unwrap();
        work(store).await;
    });
}
