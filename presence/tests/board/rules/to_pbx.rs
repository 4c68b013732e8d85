//! Teams to PBX: what our entry shows.

use m365_presence::board::{Direction, Outcome, Verdict};
use m365_presence::ports::{LedgerState, Slot};

use crate::stage::{DAY, Stage, guid, home, rules, set_preferred};

#[test]
fn each_of_the_fifteen_rows_is_shown() {
    let table = [
        ("Away", "away"),
        ("BeRightBack", "away"),
        ("Busy", "busy"),
        ("DoNotDisturb", "dnd"),
        ("InACall", "on-the-phone"),
        ("InAMeeting", "meeting"),
        ("Inactive", ""),
        ("PresenceUnknown", ""),
        ("Available", ""),
        ("Offline", ""),
        ("Offwork", ""),
        ("OutOfOffice", "away"),
        ("UrgentInterruptionsOnly", "dnd"),
        ("Presenting", "on-the-phone"),
        ("InAConferenceCall", "on-the-phone"),
    ];
    for (activity, entry) in table {
        let mut stage = Stage::alice();
        stage.read("Busy", activity);
        if entry.is_empty() {
            stage.silence();
        } else {
            stage.accept_entry(entry);
        }
        stage.seconds(600);
        stage.silence();
    }
}

#[test]
fn newer_activities_are_shown() {
    for (availability, activity, entry) in [
        ("DoNotDisturb", "Focusing", "dnd"),
        ("BusyIdle", "SomethingNew", "busy"),
        ("Away", "SomethingNew", "away"),
    ] {
        let mut stage = Stage::alice();
        stage.read(availability, activity);
        assert_eq!(stage.entry_write(), entry, "{availability}/{activity}");
    }
    let mut stage = Stage::alice();
    stage.read("Available", "AvailableInactive");
    stage.silence();
}

#[test]
fn the_case_of_words_does_not_matter() {
    let mut stage = Stage::alice();
    stage.read("busy", "inAMeeting");
    assert_eq!(stage.entry_write(), "meeting");
}

#[test]
fn online_removes_our_entry() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.read("Available", "Available");
    stage.accept_entry("");
    assert_eq!(stage.row(Slot::PbxEntry), None);
}

#[test]
fn an_unknown_state_keeps_what_is_shown_and_is_counted() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.read("Levitating", "Levitating");
    stage.read("Levitating", "Levitating");
    stage.silence();
    assert_eq!(stage.board.unmapped().get("Levitating/Levitating"), Some(&2));
}

#[test]
fn the_intent_is_stored_before_the_entry_is_written_and_confirmed_after() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    assert_eq!(stage.state(Slot::PbxEntry), Some(LedgerState::Intended));
    assert_eq!(stage.entry_write(), "busy");
    stage.answer_entry(&Outcome::Accepted);
    assert_eq!(stage.state(Slot::PbxEntry), Some(LedgerState::Confirmed));
}

#[test]
fn one_entry_is_under_way_at_a_time_and_the_newest_state_follows() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    assert_eq!(stage.entry_write(), "busy");
    stage.read("Away", "Away");
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.silence();
    stage.answer_entry(&Outcome::Accepted);
    assert_eq!(stage.entry_write(), "dnd");
}

#[test]
fn over_twenty_changes_the_newest_state_waits_for_the_bucket() {
    let mut stage = Stage::alice();
    for turn in 0..20 {
        let (availability, entry) = if turn % 2 == 0 {
            ("Busy", "busy")
        } else {
            ("Away", "away")
        };
        stage.read(availability, availability);
        stage.accept_entry(entry);
    }
    stage.read("Busy", "Busy");
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.silence();
    stage.seconds(1);
    stage.accept_entry("dnd");
    stage.read("Away", "Away");
    stage.silence();
    stage.seconds(1);
    stage.accept_entry("away");
}

#[test]
fn an_entry_that_vanished_at_the_pbx_is_written_again_once() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.pbx(&[]);
    stage.accept_entry("busy");
    stage.seconds(600);
    stage.silence();
}

#[test]
fn an_entry_that_may_not_be_seen_is_not_written_in_a_loop() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    assert_eq!(stage.entry_write(), "busy");
    stage.answer_entry(&Outcome::Accepted);
    for _ in 0..3 {
        stage.pbx(&[]);
        stage.seconds(60);
    }
    stage.silence();
}

#[test]
fn an_unanswered_entry_is_repeated_even_when_the_old_state_is_wanted_again() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    assert_eq!(stage.entry_write(), "busy");
    stage.answer_entry(&Outcome::Failed { wait: None });
    stage.read("Available", "Available");
    stage.seconds(2);
    stage.accept_entry("");
}

#[test]
fn a_user_who_leaves_after_an_unanswered_entry_is_released_at_the_pbx() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    assert_eq!(stage.entry_write(), "busy");
    stage.answer_entry(&Outcome::Failed { wait: None });
    stage.board.set_roster([], stage.now);
    stage.pump();
    assert!(!stage.board.is_empty());
    stage.seconds(2);
    stage.accept_entry("");
    assert!(stage.board.is_empty());
    assert!(stage.ledger.is_empty());
}

#[test]
fn after_a_crash_an_entry_of_the_ledger_that_the_pbx_shows_is_not_written_again() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.restart(rules());
    stage.pbx(&[("teams:", "busy")]);
    stage.read("Busy", "Busy");
    stage.seconds(60);
    stage.silence();
}

#[test]
fn after_a_crash_the_entry_waits_for_a_look_at_both_sides() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.restart(rules());
    stage.read("Available", "Available");
    stage.silence();
    stage.pbx(&[("teams:", "busy")]);
    stage.accept_entry("");
}

#[test]
fn a_row_of_somebody_who_is_not_synchronised_any_more_is_cleaned_at_the_start() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    let ledger = std::mem::take(&mut stage.ledger);
    let mut board = m365_presence::board::Board::new(rules(), ledger);
    board.set_roster([], stage.now);
    let due = board.due(stage.now);
    assert_eq!(due.entries.len(), 1);
    assert_eq!(due.entries[0].activity, "");
    board.entry_written(&guid(), &Outcome::Accepted, stage.now);
    board.due(stage.now);
    assert!(board.is_empty());
}

#[test]
fn a_lost_session_keeps_the_entry_and_writes_nothing() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.lose_pbx();
    stage.read("Away", "Away");
    stage.seconds(60);
    stage.silence();
    stage.pbx(&[("teams:", "busy")]);
    stage.accept_entry("away");
}

#[test]
fn a_closed_direction_removes_our_entry() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    let mut closed = rules();
    closed.direction = Direction {
        teams_to_pbx: false,
        pbx_to_teams: true,
    };
    stage.restart(closed);
    stage.pbx(&[("teams:", "busy")]);
    stage.accept_entry("");
    stage.read("Busy", "Busy");
    stage.silence();
}

#[test]
fn what_the_user_chose_at_the_pbx_never_comes_back_as_an_entry() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    assert_eq!(
        stage.notify("DoNotDisturb", "DoNotDisturb"),
        Verdict::BelievedUnconfirmed
    );
    stage.seconds(600);
    stage.silence();
    stage.pbx(&[("teams:", "busy"), ("tel:", "dnd")]);
    stage.accept_entry("");
    stage.choose("away");
    stage.accept(&set_preferred("Away", crate::stage::WEEK));
}

#[test]
fn an_entry_that_stays_behind_at_the_old_pbx_is_removed_there_and_written_at_the_new_one() {
    let mut stage = Stage::alice();
    stage.read("Busy", "InAMeeting");
    stage.accept_entry("meeting");
    let left = stage.pbx_elsewhere("pbx-new", &[("tel:", "")]).unwrap();
    assert_eq!((&left.pbx, left.activity.as_str()), (&home(), ""));
    assert_eq!(stage.entry_write(), "meeting");
    assert!(stage.pbx_elsewhere("pbx-new", &[("tel:", "")]).is_none(), "once");
}

#[test]
fn an_entry_that_has_moved_along_is_left_alone() {
    let mut stage = Stage::alice();
    stage.read("Busy", "InAMeeting");
    stage.accept_entry("meeting");
    let left = stage.pbx_elsewhere("pbx-new", &[("teams:", "meeting"), ("tel:", "")]);
    assert!(left.is_none());
    stage.silence();
}
