//! What users choose at the PBX is seen in Teams, with exactly these writes.

use crate::world::World;

/// The activity at the PBX, what Teams shows, and how long it is set for.
const STATES: [(&str, &str, &str); 6] = [
    ("busy", "Busy", "PT24H"),
    ("meeting", "Busy", "PT24H"),
    ("dnd", "DoNotDisturb", "PT24H"),
    ("away", "Away", "PT168H"),
    ("vacation", "Away", "PT168H"),
    ("lunch", "BeRightBack", "PT168H"),
];

#[test]
fn every_state_is_set_once_and_cleared_once() {
    let names = STATES.map(|(activity, _, _)| activity);
    let world = World::of(&names).start();
    world.until_synchronised(6);
    let mark = world.cloud_mark();
    for (activity, _, _) in STATES {
        world.choose_at_pbx(activity, activity);
    }
    for (activity, state, life) in STATES {
        world.until_seen_in_teams(activity, state, state);
        let set = format!("setUserPreferredPresence {state}/{state} {life}");
        world.until_teams_writes(activity, mark, std::slice::from_ref(&set));
        world.choose_at_pbx(activity, "");
        world.until_seen_in_teams(activity, "Available", "Available");
        world.until_teams_writes(activity, mark, &[set, "clearUserPreferredPresence".to_owned()]);
    }
}

#[test]
fn a_change_of_mind_replaces_what_was_set() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    for (activity, seen) in [("dnd", "DoNotDisturb"), ("away", "Away"), ("busy", "Busy")] {
        world.choose_at_pbx("anna", activity);
        world.until_seen_in_teams("anna", seen, seen);
    }
    let writes = world.teams_writes("anna", mark);
    assert!(
        writes
            .iter()
            .all(|write| write.starts_with("setUserPreferredPresence")),
        "{writes:?}"
    );
}

#[test]
fn an_activity_without_a_meaning_claims_nothing() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let mark = world.cloud_mark();
    world.choose_at_pbx("anna", "gone-fishing");
    world.until_user("anna", "seen", |anna| anna["pbx_presence"] == "gone-fishing");
    world.choose_at_pbx("bert", "busy");
    world.until_seen_in_teams("bert", "Busy", "Busy");
    assert!(world.teams_writes("anna", mark).is_empty());
}

#[test]
fn chat_and_other_apps_are_not_the_users_choice() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let mark = world.cloud_mark();
    world.master().set_chat("anna", true, "away");
    world.master().set_presence("anna", "app:calendar", "dnd", "");
    world.choose_at_pbx("bert", "busy");
    world.until_seen_in_teams("bert", "Busy", "Busy");
    assert!(world.teams_writes("anna", mark).is_empty());
}

#[test]
fn the_table_can_be_changed() {
    let world = World::of(&["anna"])
        .settings("mapping.pbx_to_teams = { siesta = 'OffWork' }")
        .start();
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "siesta");
    world.until_seen_in_teams("anna", "Offline", "OffWork");
}
