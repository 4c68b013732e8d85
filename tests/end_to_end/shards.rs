//! More users than one communication user can carry.

use crate::world::World;

/// One communication user carries so many.
const CAPACITY: u64 = 650;

/// One user more than fits.
const USERS: u64 = CAPACITY + 1;

fn names() -> Vec<String> {
    (0..USERS).map(|number| format!("user{number:03}")).collect()
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

#[test]
fn are_spread_over_two() {
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::of(&names).accounts(2).start();
    world.until_synchronised(USERS);
    world.wait_until("everybody to be watched", || {
        watched(&world).iter().sum::<u64>() == USERS
    });
    let watched = watched(&world);
    assert_eq!(watched.len(), 2);
    assert!(watched.iter().all(|users| *users <= CAPACITY), "{watched:?}");
    for user in [names[0], names[650]] {
        world.in_teams(user, "Busy", "InAMeeting");
        world.until_shown_at_pbx(user, "meeting");
    }
}

#[test]
fn are_swept_where_there_is_only_one() {
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::of(&names).settings("timers.sweep = '2s'").start();
    world.until_synchronised(USERS);
    assert_eq!(watched(&world), [CAPACITY]);
    let items = world.get("/api/v1/users?limit=1000").json();
    let items = items["items"].as_array().unwrap();
    let unwatched: Vec<_> = items
        .iter()
        .filter(|item| item["synchronised"] == true && item["shard"].is_null())
        .collect();
    assert_eq!(unwatched.len(), 1);
    let user = unwatched[0]["h323"].as_str().unwrap();
    world.in_teams(user, "Busy", "InAMeeting");
    world.until_shown_at_pbx(user, "meeting");
}
