//! The later choice wins: a user who chooses in Teams after having chosen at the PBX keeps that choice.

use std::time::Duration;

use crate::world::World;

/// A read that begins one second after a write believes what it shows.
const SETTLED: Duration = Duration::from_millis(1_500);

#[test]
fn a_choice_in_teams_is_shown_at_the_pbx_and_never_cleared() {
    let world = World::of(&["anna", "bert"])
        .settings("timers.sweep = '1s'")
        .start();
    world.until_synchronised(2);
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.stay_quiet(SETTLED);
    let mark = world.cloud_mark();
    world.choose_in_teams("anna", "Away", "Away");
    world.until_shown_at_pbx("anna", "away");
    world.choose_at_pbx("anna", "");
    world.choose_at_pbx("bert", "busy");
    world.until_seen_in_teams("bert", "Busy", "Busy");
    world.stay_quiet(Duration::from_secs(3));
    assert!(
        world.teams_writes("anna", mark).is_empty(),
        "the slot is the user's"
    );
    assert_eq!(world.seen_in_teams("anna").activity, "Away");
    assert_eq!(world.shown_at_pbx("anna"), "away");
}

#[test]
fn a_later_choice_at_the_pbx_wins_again() {
    let world = World::of(&["anna"]).settings("timers.sweep = '1s'").start();
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.stay_quiet(SETTLED);
    world.choose_in_teams("anna", "Away", "Away");
    world.until_shown_at_pbx("anna", "away");
    world.choose_at_pbx("anna", "busy");
    world.until_seen_in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "");
    world.choose_at_pbx("anna", "");
    world.until_seen_in_teams("anna", "Available", "Available");
}

#[test]
fn a_choice_at_the_pbx_takes_the_slot_from_an_earlier_one_in_teams() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.choose_in_teams("anna", "Away", "Away");
    world.until_shown_at_pbx("anna", "away");
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("anna", "");
}
