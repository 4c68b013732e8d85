//! What users do in Teams is seen at the PBX: the concept's table, row by row.

use crate::world::{World, long_name};

/// Availability and activity in Teams, and our entry at the PBX; empty means that there is none.
const ROWS: [(&str, &str, &str); 17] = [
    ("Available", "Available", ""),
    ("Away", "Away", "away"),
    ("Away", "BeRightBack", "away"),
    ("Busy", "Busy", "busy"),
    ("DoNotDisturb", "DoNotDisturb", "dnd"),
    ("Busy", "InACall", "on-the-phone"),
    ("Busy", "InAConferenceCall", "on-the-phone"),
    ("Busy", "InAMeeting", "meeting"),
    ("Away", "Inactive", ""),
    ("Offline", "Offline", ""),
    ("Offline", "OffWork", ""),
    ("Available", "OutOfOffice", "away"),
    ("PresenceUnknown", "PresenceUnknown", ""),
    ("DoNotDisturb", "Presenting", "on-the-phone"),
    ("DoNotDisturb", "UrgentInterruptionsOnly", "dnd"),
    ("DoNotDisturb", "Focusing", "dnd"),
    ("Available", "AvailableInactive", ""),
];

fn name(activity: &str) -> String {
    format!("user-{}", activity.to_lowercase())
}

/// Off work is only ever chosen by hand: a client without a session is just offline.
fn enter(world: &World, h323: &str, availability: &str, activity: &str) {
    if activity == "OffWork" {
        world.choose_in_teams(h323, availability, activity);
    } else {
        world.in_teams(h323, availability, activity);
    }
}

#[test]
fn every_row_of_the_table_is_shown_at_the_pbx() {
    let names: Vec<String> = ROWS.iter().map(|(_, activity, _)| name(activity)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::of(&names).start();
    world.until_synchronised(17);
    // whoever is to have no entry must have had one before, or the test would see nothing
    let without = || ROWS.iter().filter(|(_, _, shown)| shown.is_empty());
    for (_, activity, _) in without() {
        world.in_teams(&name(activity), "Busy", "Busy");
    }
    for (_, activity, _) in without() {
        world.until_shown_at_pbx(&name(activity), "busy");
    }
    for (availability, activity, _) in ROWS {
        enter(&world, &name(activity), availability, activity);
    }
    for (availability, activity, shown) in ROWS {
        world.until_seen_in_teams(&name(activity), availability, activity);
        world.until_shown_at_pbx(&name(activity), shown);
    }
    for (_, activity, _) in ROWS {
        world.cloud().clear_preferred(world.teams_id(&name(activity)));
        world.in_teams(&name(activity), "Available", "Available");
    }
    for (_, activity, _) in ROWS {
        world.until_shown_at_pbx(&name(activity), "");
    }
}

#[test]
fn an_unknown_activity_is_shown_by_its_availability() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.in_teams("anna", "DoNotDisturb", "SomethingNew");
    world.until_shown_at_pbx("anna", "dnd");
    world.in_teams("anna", "SomethingElse", "SomethingNewer");
    world.until_user("anna", "told", |anna| {
        anna["teams_presence"] == "SomethingElse/SomethingNewer"
    });
    assert_eq!(
        world.shown_at_pbx("anna"),
        "dnd",
        "what is not understood changes nothing"
    );
}

#[test]
fn the_table_can_be_changed() {
    let world = World::of(&["anna"])
        .settings("mapping.teams_to_pbx = { Away = 'lunch', InAMeeting = 'online' }")
        .start();
    world.until_synchronised(1);
    world.in_teams("anna", "Away", "Away");
    world.until_shown_at_pbx("anna", "lunch");
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "");
}

#[test]
fn only_the_entry_of_the_connector_is_touched() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.master().set_presence("anna", "tel:", "", "back at noon");
    world.master().set_presence("anna", "app:calendar", "meeting", "");
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    world.in_teams("anna", "Available", "Available");
    world.until_shown_at_pbx("anna", "");
    assert_eq!(world.master().entry("anna", "tel:").unwrap().note, "back at noon");
    assert_eq!(
        world.master().entry("anna", "app:calendar").unwrap().activity,
        "meeting"
    );
}

#[test]
fn a_user_of_a_slave_is_shown_there() {
    let world = World::of(&["anna"]).slave("pbx-south", &["sarah"]).start();
    world.until_synchronised(2);
    world.in_teams("sarah", "Busy", "InAMeeting");
    world.until_shown_at_pbx("sarah", "meeting");
    assert_eq!(world.user("sarah")["pbx"], "pbx-south");
    assert_eq!(world.user("sarah")["cn"], long_name("sarah"));
    let written = |pbx: &str| {
        world
            .pbx(pbx)
            .journal()
            .count(|frame| frame.is_received("SetPresence"))
    };
    assert_eq!((written("pbx-south"), written("pbx-main")), (1, 0));
}
