//! The user's note at the PBX as the status message in Teams, alone and beside the other way.

use std::time::Duration;

use serde_json::json;

use crate::world::{OURS, OWN, World};

const HOUR: u64 = 3_600;

fn anna(notes: &str) -> World {
    let world = World::of(&["anna"])
        .settings(&format!("sync.notes = '{notes}'\ntimers.sweep = '1s'"))
        .start();
    world.until_synchronised(1);
    world
}

fn note(world: &World, activity: &str, note: &str) {
    world.master().set_presence("anna", OWN, activity, note);
}

fn says_in_teams(world: &World, message: &str) {
    assert!(world.cloud().set_status_message(world.teams_id("anna"), message));
}

fn said(world: &World) -> String {
    world.cloud().status_message(world.teams_id("anna"))
}

fn until_said(world: &World, message: &str) {
    world.wait_until(&format!("'{message}' as the status message"), || {
        said(world) == message
    });
}

fn until_state(world: &World, state: &str) {
    world.until_user("anna", state, |anna| anna["note_in_teams"] == state);
}

/// The note of our entry.
fn entry_note(world: &World) -> String {
    let entry = world.master().entry("anna", OURS);
    entry.map(|entry| entry.note).unwrap_or_default()
}

/// Writes of the status message since a mark.
fn writes(world: &World, mark: u64) -> usize {
    let writes = world.teams_writes("anna", mark);
    writes.iter().filter(|write| *write == "setStatusMessage").count()
}

#[test]
fn a_note_at_the_pbx_is_the_status_message_as_long_as_it_stands() {
    let world = anna("pbx-to-teams");
    note(&world, "", "back at 3 < 4 #busy #until:1700000000000");
    until_said(&world, "back at 3 < 4");
    until_state(&world, "shown");
    let life = world.cloud().status_message_life(world.teams_id("anna"));
    let hours = life.unwrap().as_secs().div_ceil(HOUR);
    assert_eq!(hours, 24);
    note(&world, "away", "##1 in Berlin");
    until_said(&world, "#1 in Berlin");
    let life = world.cloud().status_message_life(world.teams_id("anna"));
    let hours = life.unwrap().as_secs().div_ceil(HOUR);
    assert_eq!(hours, 7 * 24, "as the preferred presence beside it");
    assert_eq!(entry_note(&world), "");
    note(&world, "away", "");
    until_said(&world, "");
    world.until_user("anna", "nothing left", |anna| anna["note_in_teams"].is_null());
    let timeline = world.get("/api/v1/users/anna/timeline?limit=50").text();
    assert!(timeline.contains("status message cleared"), "{timeline}");
    assert!(!timeline.contains("Berlin") && !world.log().contains("Berlin"));
}

#[test]
fn what_is_written_in_teams_later_stays_until_the_note_changes() {
    let world = World::of(&["anna"])
        .settings("sync.notes = 'pbx-to-teams'\ntimers.sweep = '1s'")
        .prepare(|world| {
            assert!(
                world
                    .cloud()
                    .set_status_message(world.teams_id("anna"), "gone fishing")
            );
            world.master().set_presence("anna", OWN, "", "back at 2");
        })
        .start();
    until_state(&world, "overridden");
    assert!(
        said(&world).contains("gone fishing"),
        "it stood there at the start"
    );
    note(&world, "", "back at 3");
    until_said(&world, "back at 3");
    until_state(&world, "shown");
    for later in ["gone swimming", ""] {
        let mark = world.cloud_mark();
        says_in_teams(&world, later);
        until_state(&world, "overridden");
        assert_eq!(writes(&world, mark), 0);
        assert_eq!(said(&world).contains("gone swimming"), !later.is_empty());
        note(&world, "", &format!("after {later}"));
        until_state(&world, "shown");
    }
    says_in_teams(&world, "gone home");
    until_state(&world, "overridden");
    assert!(world.terminate());
    assert!(said(&world).contains("gone home"), "it is the user's own");
}

#[test]
fn a_message_is_known_after_a_kill_and_taken_back_in_the_end() {
    let world = anna("pbx-to-teams");
    note(&world, "", "back at 3");
    until_said(&world, "back at 3");
    world.kill();
    let mark = world.cloud_mark();
    world.start_again();
    until_state(&world, "shown");
    assert_eq!(writes(&world, mark), 0, "it is adopted");
    world.kill();
    let stored = ["connector.db", "connector.db-wal"].map(|name| {
        let bytes = std::fs::read(world.folder().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let stored = stored.concat();
    assert!(stored.contains("status_message") && !stored.contains("back at 3"));
    note(&world, "", "");
    world.start_again();
    until_said(&world, "");
    note(&world, "", "back at 4");
    until_said(&world, "back at 4");
    let set = |word: &str| {
        let patch = json!({"sync": {"notes": word}});
        assert_eq!(world.patch("/api/v1/settings", &patch).status, 200);
    };
    set("off");
    until_said(&world, "");
    set("both");
    until_said(&world, "back at 4");
    assert!(world.terminate());
    assert_eq!(said(&world), "");
}

#[test]
fn both_ways_nothing_comes_back() {
    let world = anna("both");
    let mark = world.pbx_mark();
    note(&world, "", "back at 3");
    until_said(&world, "back at 3");
    until_state(&world, "shown");
    assert!(world.entry_writes("anna", mark).is_empty());
    says_in_teams(&world, "gone fishing");
    world.wait_until("the user's own words at the pbx", || {
        entry_note(&world) == "gone fishing"
    });
    until_state(&world, "overridden");
    let mark = world.cloud_mark();
    note(&world, "busy", "back at 4");
    until_said(&world, "back at 4");
    world.wait_until("no words of ours at the pbx", || entry_note(&world).is_empty());
    until_state(&world, "shown");
    world.stay_quiet(Duration::from_secs(2));
    assert_eq!(writes(&world, mark), 1);
    assert_eq!(
        (said(&world).as_str(), entry_note(&world).as_str()),
        ("back at 4", "")
    );
}

#[test]
fn a_refused_message_is_told_with_what_it_lacks_and_holds_nothing_back() {
    let world = World::of(&["anna"])
        .settings("sync.notes = 'pbx-to-teams'")
        .cloud(|cloud| cloud.adjust(|knobs| knobs.refuse_status_messages = true))
        .start();
    world.until_synchronised(1);
    note(&world, "", "back at 3");
    until_state(&world, "refused");
    let explanation = world.user("anna")["explanation"].to_string();
    assert!(explanation.contains("403"), "{explanation}");
    world.wait_until("the missing permission in the light", || {
        world.status().to_string().contains("Presence.ReadWrite.All")
    });
    note(&world, "dnd", "back at 3");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    assert_eq!(said(&world), "");
}
