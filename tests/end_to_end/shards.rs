//! More users than one communication user can carry.

use serde_json::Value;

use crate::world::World;

/// One communication user carries so many.
const CAPACITY: u64 = 650;

fn names(users: u64) -> Vec<String> {
    (0..users).map(|number| format!("user{number:04}")).collect()
}

/// A world of so many people.
fn of(users: u64) -> crate::world::Plan {
    let names = names(users);
    World::of(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// How many users each presence subscription watches, fewest first.
fn watched(world: &World) -> Vec<u64> {
    let subscriptions = world.status()["subscriptions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let presences = subscriptions.iter().filter(|found| found["kind"] == "presence");
    let mut users: Vec<u64> = presences.map(|found| found["users"].as_u64().unwrap()).collect();
    users.sort_unstable();
    users
}

/// Those whom no subscription watches.
fn unwatched(world: &World) -> Vec<Value> {
    let mut cursor = String::new();
    let mut found = Vec::new();
    loop {
        let page = world.get(&format!("/api/v1/users?limit=1000{cursor}")).json();
        let items = page["items"].as_array().unwrap().clone();
        let licensed = |item: &&Value| item["licensed"] == true && item["shard"].is_null();
        found.extend(items.iter().filter(licensed).cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[test]
fn are_spread_over_two() {
    let world = of(CAPACITY + 1).accounts(2).start();
    world.until_synchronised(CAPACITY + 1);
    world.wait_until("everybody to be watched", || watched(&world) == [1, CAPACITY]);
    let names = names(CAPACITY + 1);
    for user in [&names[0], &names[650]] {
        world.in_teams(user, "Busy", "InAMeeting");
        world.until_shown_at_pbx(user, "meeting");
    }
    let item = world.user(&names[0]);
    assert_eq!(item["shard_number"], 1, "{item}");
    let explanation = item["explanation"].as_str().unwrap();
    assert!(explanation.contains("650 of 650 in shard 1"), "{explanation}");
    assert_eq!(world.status()["warnings"], Value::Array(Vec::new()));
}

#[test]
fn are_warned_of_before_the_last_place_is_taken() {
    let world = of(CAPACITY - 30).start();
    world.until_synchronised(CAPACITY - 30);
    let warnings = world.status()["warnings"].clone();
    assert_eq!(warnings[0]["code"], "nearly_full", "{warnings}");
    let detail = warnings[0]["detail"].as_str().unwrap();
    assert!(detail.contains("620 of 650 in shard 1"), "{detail}");
    assert_eq!(world.log().matches(detail).count(), 1, "it is logged once");
}

#[test]
fn are_polled_where_no_place_is_left() {
    let users = 3 * CAPACITY + 1;
    let world = of(users).accounts(3).start();
    world.until_synchronised(users);
    assert_eq!(watched(&world), [CAPACITY; 3]);
    let unwatched = unwatched(&world);
    assert_eq!(unwatched.len(), 1);
    assert_eq!(unwatched[0]["synchronised"], true);
    let explanation = unwatched[0]["explanation"].as_str().unwrap();
    assert!(explanation.contains("no place is left"), "{explanation}");
    let status = world.status();
    assert_eq!(status["warnings"][0]["code"], "over_capacity", "{status}");
    assert_eq!(status["reading"]["overflow"], 1);
    let user = unwatched[0]["h323"].as_str().unwrap();
    // the sweep of five minutes would come too late
    world.in_teams(user, "Busy", "InAMeeting");
    world.until_shown_at_pbx(user, "meeting");
}

#[test]
fn are_named_where_nobody_reads_in_bulk() {
    let world = of(CAPACITY + 1).settings("sync.read = 'subscription'").start();
    world.until_light("presence_subscription", "too_many_users");
    world.wait_until("650 synchronised users", || {
        world.status()["users"]["synchronised"] == CAPACITY
    });
    let unwatched = unwatched(&world);
    assert_eq!(unwatched.len(), 1);
    assert_eq!(unwatched[0]["reason"], "over_capacity");
    assert_eq!(unwatched[0]["synchronised"], false);
    let missing = world.get("/readyz");
    assert_eq!(missing.status, 503);
    assert!(missing.text().contains("too_many_users"), "{}", missing.text());
}
