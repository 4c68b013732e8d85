//! A user who telephones at the PBX is in a call in Teams, for as long as the call lasts and no longer.

use std::time::Duration;

use m365_simulator::pbx::{Direction, Peer};

use crate::world::{World, call_at};

/// Renews every two seconds what is renewed every five minutes otherwise.
const OFTEN: &str = "timers.on_the_phone = '2s'";

const CLEAR_CALL: &str = "clearPresence";
const CLEAR_CHOICE: &str = "clearUserPreferredPresence";

/// The writes without lifetimes and without repetitions.
fn order(writes: &[String]) -> Vec<String> {
    let mut order: Vec<String> = writes
        .iter()
        .map(|write| write.split(" PT").next().unwrap().to_owned())
        .collect();
    order.dedup();
    order
}

/// The lifetime of a write in minutes.
fn minutes(write: &str) -> u64 {
    let life = write.rsplit("PT").next().unwrap();
    match life.strip_suffix('H') {
        Some(hours) => hours.parse::<u64>().unwrap() * 60,
        None => life.strip_suffix('M').unwrap().parse().unwrap(),
    }
}

#[test]
fn a_call_is_leased_renewed_and_released_at_hang_up() {
    let world = World::of(&["anna"]).settings(OFTEN).start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    let call = world.call("anna");
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.wait_until("three renewals", || world.teams_writes("anna", mark).len() >= 4);
    world.master().end(call);
    world.until_seen_in_teams("anna", "Available", "Available");
    let released = |world: &World| world.teams_writes("anna", mark);
    world.wait_until("the release", || {
        released(&world).last().is_some_and(|write| write == CLEAR_CALL)
    });
    let (last, leases) = released(&world)
        .split_last()
        .map(|(last, rest)| (last.clone(), rest.to_vec()))
        .unwrap();
    assert_eq!(last, CLEAR_CALL);
    for lease in leases {
        assert!(lease.starts_with("setPresence Busy/InACall PT"), "{lease}");
        assert!((5..=240).contains(&minutes(&lease)), "{lease}");
    }
    let count = released(&world).len();
    world.stay_quiet(Duration::from_secs(5));
    assert_eq!(released(&world).len(), count, "a released lease is not renewed");
}

#[test]
fn the_usual_lease_outlasts_its_renewal() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    world.call("anna");
    world.wait_until("the lease", || !world.teams_writes("anna", mark).is_empty());
    let lease = world.teams_writes("anna", mark).remove(0);
    assert!(
        minutes(&lease) > 5,
        "{lease} must outlast the renewal after 5 minutes"
    );
}

#[test]
fn a_call_at_a_slave_counts() {
    let world = World::of(&["anna"]).slave("pbx-south", &["sarah"]).start();
    world.until_synchronised(2);
    let call = call_at(world.pbx("pbx-south"), "sarah");
    world.until_seen_in_teams("sarah", "Busy", "InACall");
    world.pbx("pbx-south").end(call);
    world.until_seen_in_teams("sarah", "Available", "Available");
}

#[test]
fn an_entry_alone_counts() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "on-the-phone");
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.choose_at_pbx("anna", "");
    world.until_seen_in_teams("anna", "Available", "Available");
}

#[test]
fn a_phone_that_rings_is_not_yet_a_call() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let mark = world.cloud_mark();
    let call = world
        .master()
        .start_call("anna", Direction::Incoming, Peer::default())
        .unwrap();
    world.master().alert(call);
    world.call("bert");
    world.until_seen_in_teams("bert", "Busy", "InACall");
    assert!(world.teams_writes("anna", mark).is_empty());
    world.master().connect(call);
    world.until_seen_in_teams("anna", "Busy", "InACall");
}

#[test]
fn a_second_call_keeps_the_user_on_the_phone() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    let (first, second) = (world.call("anna"), world.call("anna"));
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.master().hold(first);
    world.master().end(second);
    world.master().retrieve(first);
    world.stay_quiet(Duration::from_secs(2));
    assert_eq!(
        order(&world.teams_writes("anna", mark)),
        ["setPresence Busy/InACall"]
    );
    world.master().end(first);
    world.until_seen_in_teams("anna", "Available", "Available");
}

#[test]
fn a_chosen_state_is_lifted_for_the_call_and_put_back_before_it_is_over() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    let call = world.call("anna");
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.master().end(call);
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    let (choice, call) = (
        "setUserPreferredPresence DoNotDisturb/DoNotDisturb",
        "setPresence Busy/InACall",
    );
    let expected = [choice, call, CLEAR_CHOICE, choice, CLEAR_CALL];
    world.wait_until("the order of the writes", || {
        order(&world.teams_writes("anna", mark)) == expected
    });
}

#[test]
fn a_teams_that_shall_block_calls_is_set_to_do_not_disturb() {
    let world = World::of(&["anna"])
        .settings("sync.on_the_phone = 'do-not-disturb'")
        .settings(OFTEN)
        .start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    let call = world.call("anna");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.wait_until("a renewal", || world.teams_writes("anna", mark).len() >= 2);
    let lease = world.teams_writes("anna", mark).remove(0);
    assert!(
        (5..60).contains(&minutes(&lease)),
        "{lease} ends soon when the connector dies"
    );
    world.master().end(call);
    world.until_seen_in_teams("anna", "Available", "Available");
    let expected = ["setUserPreferredPresence DoNotDisturb/DoNotDisturb", CLEAR_CHOICE];
    world.wait_until("the order of the writes", || {
        order(&world.teams_writes("anna", mark)) == expected
    });
}
