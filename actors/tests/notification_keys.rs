//! What one notices of the key pairs for resource data.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use std::rc::Rc;
use std::time::Duration;

use chrono::TimeDelta;
use m365_actors::notification_keys::{GetStatus, Status};
use m365_presence::cadence::Reading;
use m365_presence::clock::Clock;
use m365_presence::identity::Account;
use m365_presence::ports::SubscriptionKind;
use stage::house::{Cast, House, play, play_on, restart};
use stage::people::ANNA;
use stage::ring::{DAMAGED, key};
use stage::shelf::Shelf;
use stage::subscriptions::URL;
use stage::{minutes, pass, seconds};

const CREATE: &str = "graph: create anna";

fn anna() -> SubscriptionKind {
    SubscriptionKind::Presence(Account::new(ANNA))
}

fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

async fn status(cast: &Cast) -> Status {
    cast.keys.ask(GetStatus).await.unwrap()
}

async fn ids(cast: &Cast) -> Vec<String> {
    status(cast).await.keys.into_iter().map(|key| key.id).collect()
}

/// The key that Anna's subscription encrypts for.
fn named(cast: &Cast) -> Option<String> {
    cast.house
        .registry
        .of(&anna())
        .expect("a living subscription")
        .certificate_id
}

/// What the shelf says that Anna's subscription encrypts for.
fn stored_name(shelf: &Shelf) -> Option<String> {
    shelf.subscriptions.borrow()[&anna()].certificate_id.clone()
}

/// A start that has made a key and a subscription, and its shelf afterwards.
fn started_before() -> Rc<Shelf> {
    let shelf = Rc::new(Shelf::default());
    play_on(
        Rc::clone(&shelf),
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
        },
    );
    assert_eq!(stored_name(&shelf).as_deref(), Some("key-1"));
    shelf.journal.clear();
    shelf
}

/// A house in which that subscription still lives, and further keys get higher numbers.
fn still_there(house: &House) {
    house.ring.begin_after(1);
    let stored = house.shelf.subscriptions.borrow()[&anna()].clone();
    let id = house.registry.plant(anna(), &stored.users, URL);
    let mut live = house.registry.live.borrow_mut();
    let (_, planted) = live.iter_mut().find(|(_, known)| known.id == id).unwrap();
    planted.id = stored.id;
    planted.certificate_id = stored.certificate_id;
}

#[test]
fn the_first_start_makes_a_key_and_stores_it_before_any_subscription_names_it() {
    play(
        1,
        |house| house.shelf.delay.set(Duration::from_millis(300)),
        async |_, cast| {
            cast.settle().await;
            pass(seconds(5)).await;
            cast.journal()
                .assert_order("ring: make key-1", "store: key key-1");
            cast.journal().assert_order("store: key key-1", CREATE);
            assert_eq!(named(&cast).as_deref(), Some("key-1"));
            assert_eq!(ids(&cast).await, ["key-1"]);
        },
    );
}

#[test]
fn a_restart_uses_the_same_key_again() {
    play_on(
        started_before(),
        1,
        |house| still_there(house),
        async |_, cast| {
            cast.settle().await;
            assert_eq!(cast.journal().count("ring: make"), 0);
            assert_eq!(cast.journal().count(CREATE), 0);
            assert_eq!(named(&cast).as_deref(), Some("key-1"));
        },
    );
}

#[test]
fn polling_needs_no_key() {
    play(
        1,
        |house| house.reading = Reading::Polling,
        async |_, cast| {
            cast.settle().await;
            pass(hours(2)).await;
            assert_eq!(cast.journal().count("ring: make"), 0);
        },
    );
}

#[test]
fn an_old_key_gives_way_in_the_running_process_and_stays_for_a_day() {
    let short_lived = |house: &mut House| house.key_life = hours(10);
    play(1, short_lived, async |_, cast| {
        cast.settle().await;
        let id = cast.house.registry.of(&anna()).unwrap().id;
        pass(hours(9)).await;
        assert_eq!(ids(&cast).await, ["key-1"]);
        pass(hours(1) + minutes(15)).await;
        assert_eq!(ids(&cast).await, ["key-2", "key-1"]);
        // the same subscription goes on with the new key: nothing was deleted, nobody was blind
        assert_eq!(cast.house.registry.of(&anna()).unwrap().id, id);
        assert_eq!(named(&cast).as_deref(), Some("key-2"));
        assert_eq!(stored_name(&cast.house.shelf).as_deref(), Some("key-2"));
        cast.journal().assert_order(
            "store: key key-2",
            &format!("graph: renew {} for key-2", id.as_str()),
        );
        assert!(
            cast.house.ring.known.borrow().contains("key-1"),
            "what is on its way still opens"
        );
        // a notification that still names it keeps it
        for _ in 0..3 {
            pass(hours(5)).await;
            cast.house.ring.named.borrow_mut().insert("key-1".to_owned());
        }
        pass(hours(22)).await;
        assert!(ids(&cast).await.contains(&"key-1".to_owned()));
        pass(hours(4)).await;
        assert!(!ids(&cast).await.contains(&"key-1".to_owned()));
        assert!(!cast.house.shelf.keys.borrow().contains_key("key-1"));
        assert!(!cast.house.ring.known.borrow().contains("key-1"));
    });
}

#[test]
fn a_key_that_grew_old_while_nothing_ran_is_replaced_at_the_start() {
    let shelf = started_before();
    shelf.keys.borrow_mut().get_mut("key-1").unwrap().created_at -= TimeDelta::days(301);
    play_on(
        shelf,
        1,
        |house| still_there(house),
        async |_, cast| {
            cast.settle().await;
            pass(minutes(11)).await;
            assert_eq!(named(&cast).as_deref(), Some("key-2"));
            assert_eq!(cast.journal().count(CREATE), 0, "the subscription itself is kept");
        },
    );
}

#[test]
fn a_crash_between_the_new_key_and_its_first_use_loses_nothing() {
    let shelf = started_before();
    let newer = shelf.keys.borrow()["key-1"].created_at + TimeDelta::days(1);
    shelf
        .keys
        .borrow_mut()
        .insert("key-2".to_owned(), key("key-2", "private", newer));
    play_on(
        shelf,
        1,
        |house| still_there(house),
        async |_, cast| {
            cast.settle().await;
            pass(minutes(11)).await;
            assert_eq!(cast.journal().count("ring: make"), 0);
            assert_eq!(named(&cast).as_deref(), Some("key-2"));
        },
    );
}

#[test]
fn a_damaged_key_is_replaced_and_so_are_the_subscriptions_that_name_it() {
    for undecryptable in [true, false] {
        let shelf = started_before();
        if undecryptable {
            shelf.keys.borrow_mut().clear();
            shelf.damaged.borrow_mut().insert("key-1".to_owned());
        } else {
            let made_at = shelf.keys.borrow()["key-1"].created_at;
            let damaged = key("key-1", DAMAGED, made_at);
            shelf.keys.borrow_mut().insert("key-1".to_owned(), damaged);
        }
        play_on(
            Rc::clone(&shelf),
            1,
            |house| still_there(house),
            async |_, cast| {
                cast.settle().await;
                pass(seconds(5)).await;
                assert_eq!(named(&cast).as_deref(), Some("key-2"));
                assert_eq!(cast.journal().count("graph: delete"), 1);
                assert!(
                    cast.journal().count("teams: read t1") > 1,
                    "what it told meanwhile is read"
                );
                assert_eq!(status(&cast).await.damaged, 1);
                cast.journal()
                    .assert_order("store: key key-2", "store: forget key key-1");
            },
        );
        assert!(shelf.damaged.borrow().is_empty() && !shelf.keys.borrow().contains_key("key-1"));
    }
}

#[test]
fn without_a_key_presence_is_subscribed_all_the_same_and_gets_one_as_soon_as_it_is_there() {
    play(
        1,
        |house| house.ring.fails.set(true),
        async |_, cast| {
            cast.settle().await;
            pass(minutes(5)).await;
            assert_eq!(named(&cast), None);
            assert!(status(&cast).await.last_failure.unwrap().contains("no entropy"));
            let attempts = cast.journal().count("ring: make");
            cast.house.ring.fails.set(false);
            pass(minutes(12)).await;
            assert_eq!(attempts, 0);
            assert_eq!(named(&cast).as_deref(), Some("key-1"));
            assert_eq!(status(&cast).await.last_failure, None);
        },
    );
}

#[test]
fn a_restart_of_either_actor_loses_no_key() {
    play(
        1,
        |_| (),
        async |play, cast| {
            cast.settle().await;
            for name in ["notification-keys", "presence-subscription", "webhook-intake"] {
                restart(play, name).await;
                pass(minutes(11)).await;
                assert_eq!(ids(&cast).await, ["key-1"]);
                assert_eq!(named(&cast).as_deref(), Some("key-1"));
            }
            assert_eq!(cast.journal().count("ring: make"), 1);
            assert_eq!(cast.journal().count(CREATE), 1);
        },
    );
}

#[test]
fn keys_of_a_second_do_not_pile_up() {
    let mad = |house: &mut House| house.key_life = seconds(1);
    play(1, mad, async |_, cast| {
        cast.settle().await;
        pass(hours(6)).await;
        assert!(ids(&cast).await.len() <= 8);
        assert!(cast.journal().count("ring: make") <= 8);
        assert!(cast.house.registry.of(&anna()).is_some());
        assert!(cast.house.clock.now() > chrono::DateTime::UNIX_EPOCH);
    });
}
