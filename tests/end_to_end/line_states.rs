//! Calls as the line states tell them: held, parked, handed over, taken at another device, counted or not, and none that
//! outlives a restart of either side.

use std::time::Duration;

use m365_simulator::pbx::{CallId, Cut, Direction, PbxOptions, Peer};

use crate::world::{MASTER, World};

const SHORT_LEASES: &str = "timers.on_the_phone = '2s'";

/// Nothing but the line states tells of a call.
fn without_phone_entries(options: &mut PbxOptions) {
    options.on_the_phone = None;
}

fn rings(world: &World, h323: &str) -> CallId {
    let pbx = world.master();
    let call = pbx
        .start_call(h323, Direction::Incoming, Peer::default())
        .unwrap();
    pbx.alert(call);
    call
}

fn until_on_the_phone(world: &World, h323: &str) {
    world.until_seen_in_teams(h323, "Busy", "InACall");
}

fn until_free(world: &World, h323: &str) {
    world.until_seen_in_teams(h323, "Available", "Available");
}

#[test]
fn a_held_call_lasts_a_parked_one_does_not_and_a_transferred_one_goes_on_elsewhere() {
    let world = World::of(&["anna", "bert"]).pbxs(without_phone_entries).start();
    world.until_synchronised(2);
    let mark = world.cloud_mark();
    let call = world.call("anna");
    until_on_the_phone(&world, "anna");
    world.master().hold(call);
    world.stay_quiet(Duration::from_secs(1));
    assert_eq!(world.teams_writes("anna", mark).len(), 1, "a held call is a call");
    world.master().park(call);
    until_free(&world, "anna");
    world.master().connect(call);
    until_on_the_phone(&world, "anna");
    let taken = world.master().hand_over(call, "bert").unwrap();
    until_on_the_phone(&world, "bert");
    until_free(&world, "anna");
    world.master().end(taken);
    until_free(&world, "bert");
}

#[test]
fn a_call_that_rings_at_two_devices_is_one_call_once_it_is_taken() {
    let world = World::of(&["anna"]).pbxs(without_phone_entries).start();
    world.until_synchronised(1);
    let (desk, mobile) = (rings(&world, "anna"), rings(&world, "anna"));
    world.master().connect(mobile);
    until_on_the_phone(&world, "anna");
    world.master().end(desk);
    world.stay_quiet(Duration::from_secs(1));
    until_on_the_phone(&world, "anna");
    world.master().end(mobile);
    until_free(&world, "anna");
}

#[test]
fn calls_are_followed_without_counts_and_with_numbers_as_text() {
    let world = World::of(&["anna"])
        .pbxs(without_phone_entries)
        .prepare(|world| {
            // from before our time: it is known by the count and by its announcement
            world.call("anna");
            world.master().inject(|faults| {
                faults.uncounted_calls = true;
                faults.numbers_as_text = true;
            });
        })
        .start();
    until_on_the_phone(&world, "anna");
    let second = world.call("anna");
    world.master().end(second);
    world.stay_quiet(Duration::from_secs(1));
    until_on_the_phone(&world, "anna");
    assert_eq!(world.user("anna")["pbx_presence"], "on-the-phone");
}

#[test]
fn where_line_states_are_refused_entries_tell_of_calls_and_the_session_says_why() {
    let world = World::of(&["anna"])
        .prepare(|world| {
            world
                .master()
                .inject(|faults| faults.lines_error = Some("no access to RCC".to_owned()));
        })
        .start();
    world.until_synchronised(1);
    let call = world.call("anna");
    until_on_the_phone(&world, "anna");
    world.master().end(call);
    until_free(&world, "anna");
    let session = world.overview()["sessions"][0].clone();
    assert_eq!(session["lines_complete"], false, "{session}");
    assert!(
        session["lines_trouble"]
            .as_str()
            .unwrap()
            .contains("no access to RCC"),
        "{session}"
    );
}

#[test]
fn a_call_that_ends_while_the_connection_is_lost_is_over_when_it_is_back() {
    let world = World::of(&["anna", "bert"]).pbxs(without_phone_entries).start();
    world.until_synchronised(2);
    let (over, lasting) = (world.call("anna"), world.call("bert"));
    until_on_the_phone(&world, "anna");
    until_on_the_phone(&world, "bert");
    let mark = world.cloud_mark();
    let logins = world.master().logins();
    world.master().cut(Cut::Abort);
    world.master().end(over);
    assert!(
        world
            .master()
            .wait_for_logins(logins + 1, Duration::from_secs(60))
    );
    until_free(&world, "anna");
    until_on_the_phone(&world, "bert");
    assert!(
        world
            .teams_writes("bert", mark)
            .iter()
            .all(|write| !write.contains("clear"))
    );
    world.master().end(lasting);
    until_free(&world, "bert");
}

#[test]
fn a_call_that_ends_while_the_connector_is_dead_is_over_when_it_is_back() {
    let world = World::of(&["anna", "bert"])
        .pbxs(without_phone_entries)
        .settings(SHORT_LEASES)
        .start();
    world.until_synchronised(2);
    let (over, lasting) = (world.call("anna"), world.call("bert"));
    until_on_the_phone(&world, "anna");
    until_on_the_phone(&world, "bert");
    world.kill();
    world.master().end(over);
    world.start_again();
    until_free(&world, "anna");
    until_on_the_phone(&world, "bert");
    world.master().end(lasting);
    until_free(&world, "bert");
    assert_eq!(world.pbx(MASTER).calls("bert"), 0);
}
