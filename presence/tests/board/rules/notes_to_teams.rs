//! The user's note at the PBX as the status message of Teams.

use std::time::Duration;

use m365_presence::board::{ClaimState, Outcome, Place, Restraint, Rules, Side};
use m365_presence::pbx::PresenceEntry;
use m365_presence::ports::{LedgerState, Slot};

use crate::stage::{DAY, Stage, WEEK, guid, home, saying};

/// Alice, known on both sides, who says nothing on either.
pub(super) fn alice() -> Stage {
    let mut stage = Stage::empty(saying());
    notes(&mut stage, "", "");
    shows(&mut stage, "");
    stage.silence();
    stage
}

/// The PBX tells Alice's own entry.
pub(super) fn notes(stage: &mut Stage, activity: &str, note: &str) {
    tells(stage, &[("tel:", activity, note)]);
}

fn tells(stage: &mut Stage, entries: &[(&str, &str, &str)]) {
    let entry = |(contact, activity, note): &(&str, &str, &str)| PresenceEntry {
        contact: (*contact).to_owned(),
        activity: (*activity).to_owned(),
        note: (*note).to_owned(),
    };
    let entries: Vec<PresenceEntry> = entries.iter().map(entry).collect();
    stage.board.see_presence(&home(), &guid(), &entries);
    stage.pump();
}

/// A read of Teams shows this status message.
pub(super) fn shows(stage: &mut Stage, message: &str) {
    stage.note = Some(message.to_owned());
    stage.read("Available", "Available");
}

/// Expects this status message and lets it be accepted, and a read shows it two seconds later.
pub(super) fn accept(stage: &mut Stage, message: &str, life: Duration) {
    let (text, told) = stage.message_write();
    assert_eq!(text, message);
    let told = told.to_std().unwrap();
    assert!(told <= life && told + Duration::from_secs(5) > life, "{told:?}");
    stage.answer_message(&Outcome::Accepted);
    stage.seconds(2);
    shows(stage, message);
}

/// Expects that the message is taken back, after a read that shows it.
pub(super) fn accept_end(stage: &mut Stage, shown: &str) {
    stage.silence();
    shows(stage, shown);
    assert_eq!(stage.message_write().0, "");
    stage.answer_message(&Outcome::Accepted);
    assert_eq!(stage.row(Slot::StatusMessage), None);
    stage.silence();
}

pub(super) fn state(stage: &Stage) -> Option<ClaimState> {
    stage.board.view(&guid(), stage.now).unwrap().note_in_teams
}

/// Alice's note stands in Teams, and a read has shown it.
pub(super) fn noted() -> Stage {
    let mut stage = alice();
    notes(&mut stage, "", "back at 3");
    accept(&mut stage, "back at 3", DAY);
    assert_eq!(state(&stage), Some(ClaimState::Shown));
    stage
}

#[test]
fn a_note_is_said_in_teams_and_taken_back_when_it_goes() {
    let mut stage = noted();
    assert_eq!(stage.state(Slot::StatusMessage), Some(LedgerState::Confirmed));
    notes(&mut stage, "", "back at 4 #busy");
    accept(&mut stage, "back at 4", DAY);
    notes(&mut stage, "", "");
    accept_end(&mut stage, "back at 4");
    assert_eq!(state(&stage), None);
}

#[test]
fn the_note_is_the_newest_of_the_users_own_and_never_that_of_our_entry() {
    let mut stage = alice();
    tells(&mut stage, &[("teams:", "", "ours"), ("im:", "", "chat")]);
    stage.entries.clear();
    stage.answer_entry(&Outcome::Accepted);
    tells(&mut stage, &[]);
    stage.silence();
    let own = [
        ("calendar:", "", "#busy"),
        ("other:", "", "in Berlin"),
        ("tel:", "", "back at 3"),
    ];
    tells(&mut stage, &own);
    accept(&mut stage, "in Berlin", DAY);
}

#[test]
fn neither_the_ledger_nor_the_timeline_nor_the_view_holds_the_text() {
    let mut stage = noted();
    notes(&mut stage, "", "");
    let row = format!("{:?}", stage.row(Slot::StatusMessage).unwrap());
    let view = format!("{:?}", stage.board.view(&guid(), stage.now));
    accept_end(&mut stage, "back at 3");
    for text in [row, view, format!("{:?}", stage.transitions)] {
        assert!(!text.contains("at 3"), "{text}");
    }
    let seen = stage.transitions.iter().flat_map(|transition| &transition.seen);
    let seen: Vec<_> = seen.map(|seen| (seen.place, seen.what.as_str())).collect();
    for what in ["another note", "no note"] {
        assert!(seen.contains(&(Place::PbxNote, what)), "{seen:?}");
    }
    let sides = stage
        .transitions
        .iter()
        .flat_map(|transition| &transition.planned);
    let told: Vec<_> = sides
        .map(|planned| (planned.side, planned.what.as_str()))
        .collect();
    assert!(
        told.contains(&(Side::TeamsNote, "status message cleared")),
        "{told:?}"
    );
}

#[test]
fn beside_away_a_note_lives_a_week_and_is_renewed_before_it_ends() {
    let mut stage = alice();
    notes(&mut stage, "away", "in Berlin");
    let _presence = stage.teams.pop();
    accept(&mut stage, "in Berlin", WEEK);
    stage.pass(WEEK - Duration::from_mins(62));
    assert!(stage.messages.is_empty());
    let reads = stage.reads;
    stage.pass(Duration::from_mins(2));
    assert!(
        stage.messages.is_empty() && stage.reads > reads,
        "a read comes first"
    );
    shows(&mut stage, "in Berlin");
    let (text, life) = stage.message_write();
    assert_eq!((text.as_str(), life.to_std().unwrap()), ("in Berlin", WEEK));
    assert!(
        stage
            .transitions
            .iter()
            .all(|told| told.seen.iter().all(|seen| seen.place != Place::Clock))
    );
}

#[test]
fn a_message_that_was_changed_in_teams_is_neither_renewed_nor_overwritten_nor_taken_back() {
    for later in ["gone fishing", ""] {
        let mut stage = noted();
        stage.seconds(60);
        shows(&mut stage, later);
        assert_eq!(stage.state(Slot::StatusMessage), Some(LedgerState::Overridden));
        assert_eq!(state(&stage), Some(ClaimState::Overridden));
        stage.pass(2 * DAY);
        shows(&mut stage, later);
        stage.silence();
        notes(&mut stage, "", "");
        stage.silence();
        assert_eq!(stage.row(Slot::StatusMessage), None);
        notes(&mut stage, "", "back at 5");
        accept(&mut stage, "back at 5", DAY);
    }
}

#[test]
fn a_note_that_changes_takes_the_message_again() {
    let mut stage = noted();
    stage.seconds(60);
    shows(&mut stage, "gone fishing");
    notes(&mut stage, "", "back at 5");
    accept(&mut stage, "back at 5", DAY);
}

#[test]
fn what_was_changed_in_teams_just_before_the_note_goes_is_seen_first() {
    let mut stage = noted();
    notes(&mut stage, "", "");
    assert_eq!(state(&stage), Some(ClaimState::WaitingForRead));
    stage.silence();
    shows(&mut stage, "gone fishing");
    stage.silence();
    assert_eq!(stage.row(Slot::StatusMessage), None);
}

#[test]
fn a_read_that_is_late_is_no_later_choice() {
    let mut stage = noted();
    notes(&mut stage, "", "back at 4");
    assert_eq!(stage.message_write().0, "back at 4");
    stage.answer_message(&Outcome::Accepted);
    stage.seconds(3);
    shows(&mut stage, "back at 3");
    stage.seconds(15);
    shows(&mut stage, "back at 4");
    assert_eq!(state(&stage), Some(ClaimState::Shown));
    stage.silence();
}

#[test]
fn where_teams_tells_no_messages_nothing_is_taken_for_removed() {
    let mut stage = alice();
    notes(&mut stage, "", "back at 3");
    assert_eq!(stage.message_write().0, "back at 3");
    stage.answer_message(&Outcome::Accepted);
    stage.seconds(60);
    shows(&mut stage, "");
    stage.silence();
    assert_eq!(state(&stage), Some(ClaimState::Accepted));
    notes(&mut stage, "", "");
    shows(&mut stage, "");
    assert_eq!(stage.message_write().0, "");
}

#[test]
fn during_a_call_the_note_stays_what_it_was() {
    let mut stage = noted();
    notes(&mut stage, "on-the-phone", "");
    assert_eq!(stage.teams.len(), 1, "the call is shown");
    assert!(stage.messages.is_empty());
}

#[test]
fn a_refused_note_holds_no_presence_back_and_is_told() {
    let mut stage = alice();
    notes(&mut stage, "", "back at 3");
    assert_eq!(stage.message_write().0, "back at 3");
    let message = "403 Forbidden: no".to_owned();
    stage.answer_message(&Outcome::Refused { message, gone: false });
    assert_eq!(state(&stage), Some(ClaimState::Refused));
    assert_eq!(stage.row(Slot::StatusMessage), None);
    let view = stage.board.view(&guid(), stage.now).unwrap();
    assert!(view.why.contains("403 Forbidden: no"), "{}", view.why);
    assert_eq!(stage.board.tally(stage.now).divergent, 1);
    notes(&mut stage, "dnd", "back at 3");
    assert_eq!(stage.teams.len(), 1, "the choice leaves at once");
    stage.answer_teams(&Outcome::Accepted);
    stage.teams.clear();
    stage.pass(Duration::from_mins(16));
    assert_eq!(stage.message_write().0, "back at 3", "it is tried again");
}

#[test]
fn a_write_without_an_answer_is_repeated() {
    let mut stage = alice();
    notes(&mut stage, "", "back at 3");
    assert_eq!(stage.message_write().0, "back at 3");
    stage.answer_message(&Outcome::Failed { wait: None });
    assert_eq!(state(&stage), Some(ClaimState::WaitingForRetry));
    shows(&mut stage, "");
    stage.seconds(2);
    accept(&mut stage, "back at 3", DAY);
}

#[test]
fn what_is_paused_or_only_looked_at_is_not_written() {
    let paused = Restraint {
        teams: true,
        ..Restraint::default()
    };
    let shadow = Restraint {
        shadow: true,
        ..Restraint::default()
    };
    for (restraint, told) in [(paused, ClaimState::Paused), (shadow, ClaimState::Shadow)] {
        let mut stage = Stage::empty(Rules {
            restraint,
            ..saying()
        });
        notes(&mut stage, "", "back at 3");
        shows(&mut stage, "");
        stage.silence();
        assert_eq!(state(&stage), Some(told));
        let view = stage.board.view(&guid(), stage.now).unwrap();
        let held: Vec<_> = view.held_back.iter().map(|receipt| receipt.side).collect();
        assert_eq!(held, [Side::TeamsNote]);
    }
}

#[test]
fn a_note_that_changes_to_and_fro_leaves_room_for_the_presence() {
    let mut stage = alice();
    let mut written = 0;
    for number in 0..30 {
        notes(&mut stage, "", &format!("back at {number}"));
        written += stage.messages.len();
        stage.messages.clear();
        stage.answer_message(&Outcome::Accepted);
    }
    assert_eq!(written, 10);
    assert_eq!(state(&stage), Some(ClaimState::WaitingForPace));
    notes(&mut stage, "dnd", "back at 29");
    assert_eq!(stage.teams.len(), 1, "the choice leaves at once");
    stage.seconds(2);
    assert_eq!(stage.message_write().0, "back at 29", "the newest is not lost");
}

#[test]
fn where_both_are_carried_over_a_late_notification_of_our_own_words_comes_not_back() {
    let mut stage = Stage::empty(Rules {
        notes_to_pbx: true,
        ..saying()
    });
    notes(&mut stage, "", "");
    shows(&mut stage, "");
    notes(&mut stage, "", "back at 3");
    accept(&mut stage, "back at 3", DAY);
    notes(&mut stage, "", "");
    accept_end(&mut stage, "back at 3");
    stage.seconds(2);
    shows(&mut stage, "");
    for (told, carried) in [("back at 3", false), ("gone fishing", true)] {
        stage.seconds(20);
        stage.note = Some(told.to_owned());
        stage.notify("Available", "Available");
        let notes = stage.entries.iter().map(|write| write.note.as_str());
        assert_eq!(
            notes.collect::<Vec<_>>(),
            if carried { vec![told] } else { vec![] }
        );
    }
}
