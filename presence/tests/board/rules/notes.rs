//! The status message of Teams as the note of our entry.

use m365_presence::board::Outcome;
use m365_presence::pbx::PresenceEntry;
use m365_presence::ports::Slot;

use crate::stage::{Stage, guid, home, noting};

fn alice() -> Stage {
    let mut stage = Stage::of(noting());
    stage.pbx(&[]);
    stage
}

/// Teams shows Alice so, with a status message.
fn says(stage: &mut Stage, availability: &str, activity: &str, message: &str) {
    stage.note = Some(message.to_owned());
    stage.read(availability, activity);
}

/// Expects this entry and lets it be accepted.
fn accept(stage: &mut Stage, activity: &str, note: &str) {
    assert_eq!(stage.entries.len(), 1, "{:?}", stage.entries);
    let write = stage.entries.remove(0);
    assert_eq!((write.activity.as_str(), write.note.as_str()), (activity, note));
    stage.answer_entry(&Outcome::Accepted);
}

/// The PBX tells our entry.
fn tells(stage: &mut Stage, activity: &str, note: &str) {
    let entry = PresenceEntry {
        contact: "teams:".to_owned(),
        activity: activity.to_owned(),
        note: note.to_owned(),
    };
    stage.board.see_presence(&home(), &guid(), &[entry]);
    stage.pump();
}

#[test]
fn a_status_message_goes_with_the_activity_and_stands_alone_without_one() {
    let mut stage = alice();
    says(&mut stage, "Busy", "Busy", "back at 3");
    accept(&mut stage, "busy", "back at 3");
    tells(&mut stage, "busy", "back at 3");
    says(&mut stage, "Available", "Available", "back at 3");
    accept(&mut stage, "", "back at 3");
    assert!(
        stage.row(Slot::PbxEntry).is_some(),
        "a note alone is something of ours"
    );
    tells(&mut stage, "", "back at 3");
    says(&mut stage, "Available", "Available", "");
    accept(&mut stage, "", "");
    assert_eq!(stage.row(Slot::PbxEntry), None);
    stage.silence();
}

#[test]
fn a_look_that_tells_no_message_changes_none() {
    let mut stage = alice();
    says(&mut stage, "Busy", "Busy", "back at 3");
    accept(&mut stage, "busy", "back at 3");
    stage.note = None;
    stage.notify_numbered("5", "Away", "Away");
    accept(&mut stage, "away", "back at 3");
}

#[test]
fn a_note_that_the_pbx_tells_in_another_form_or_not_at_all_is_not_written_again() {
    for told in ["back at\u{2026}", ""] {
        let mut stage = alice();
        says(&mut stage, "Busy", "Busy", "back at 3");
        accept(&mut stage, "busy", "back at 3");
        tells(&mut stage, "busy", told);
        stage.seconds(600);
        stage.silence();
    }
}

#[test]
fn a_note_that_somebody_removed_is_written_again() {
    let mut stage = alice();
    says(&mut stage, "Busy", "Busy", "back at 3");
    accept(&mut stage, "busy", "back at 3");
    tells(&mut stage, "busy", "back at 3");
    tells(&mut stage, "busy", "");
    accept(&mut stage, "busy", "back at 3");
}

#[test]
fn who_leaves_takes_the_note_along() {
    let mut stage = alice();
    says(&mut stage, "Available", "Available", "back at 3");
    accept(&mut stage, "", "back at 3");
    stage.board.set_roster([], stage.now);
    stage.pump();
    accept(&mut stage, "", "");
    assert!(stage.board.is_empty() && stage.ledger.is_empty());
}

#[test]
fn a_note_from_before_a_crash_is_found_and_removed() {
    let mut stage = alice();
    says(&mut stage, "Available", "Available", "back at 3");
    accept(&mut stage, "", "back at 3");
    let mut stage = Stage::resumed(noting(), stage.ledger.clone(), stage.now);
    tells(&mut stage, "", "back at 3");
    says(&mut stage, "Available", "Available", "");
    accept(&mut stage, "", "");
    stage.silence();
}

#[test]
fn unless_it_is_wanted_no_message_is_carried_over() {
    let mut stage = Stage::of(crate::stage::rules());
    stage.pbx(&[]);
    says(&mut stage, "Available", "Available", "back at 3");
    stage.silence();
}
