//! The status message of Teams as the note of our entry at the PBX.

use crate::world::{OURS, Plan, World};

const NOTES: &str = "sync.notes = 'teams-to-pbx'\ntimers.sweep = '2s'";

fn anna() -> Plan {
    World::of(&["anna"]).settings(NOTES)
}

fn write_message(world: &World, message: &str) {
    assert!(world.cloud().set_status_message(world.teams_id("anna"), message));
}

fn until_noted(world: &World, activity: &str, note: &str) {
    world.wait_until(&format!("'{activity}' with the note '{note}'"), || {
        let entry = world.master().entry("anna", OURS);
        let (shown, noted) = entry
            .map(|entry| (entry.activity, entry.note))
            .unwrap_or_default();
        (shown.as_str(), noted.as_str()) == (activity, note)
    });
}

#[test]
fn a_status_message_is_the_note_of_our_entry_as_long_as_it_stands() {
    let world = anna().start();
    world.until_synchronised(1);
    write_message(&world, "In Berlin &amp; back on Friday");
    until_noted(&world, "", "In Berlin & back on Friday");
    world.in_teams("anna", "Busy", "InAMeeting");
    until_noted(&world, "meeting", "In Berlin & back on Friday");
    write_message(&world, "");
    until_noted(&world, "meeting", "");
    world.in_teams("anna", "Available", "Available");
    until_noted(&world, "", "");
}

#[test]
fn a_note_ends_with_the_license_the_setting_and_the_connector() {
    let world = anna().start();
    world.until_synchronised(1);
    write_message(&world, "In Berlin");
    until_noted(&world, "", "In Berlin");
    let set = |word: &str| {
        let patch = serde_json::json!({"sync": {"notes": word}});
        assert_eq!(world.patch("/api/v1/settings", &patch).status, 200);
    };
    set("off");
    until_noted(&world, "", "");
    set("teams-to-pbx");
    until_noted(&world, "", "In Berlin");
    world.kill();
    write_message(&world, "");
    world.start_again();
    until_noted(&world, "", "");
    write_message(&world, "In Rome");
    until_noted(&world, "", "In Rome");
    assert!(world.terminate());
    until_noted(&world, "", "");
}

#[test]
fn by_default_no_message_is_carried_over() {
    let world = World::of(&["anna"]).settings("timers.sweep = '1s'").start();
    world.until_synchronised(1);
    let mark = world.pbx_mark();
    write_message(&world, "In Berlin");
    world.stay_quiet(std::time::Duration::from_secs(3));
    assert!(world.entry_writes("anna", mark).is_empty());
}
