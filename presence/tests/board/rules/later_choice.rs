//! The later choice wins: what the user chooses in Teams after us stays until the PBX changes.

use std::time::Duration;

use m365_presence::board::Outcome;
use m365_presence::ports::{LedgerState, PresenceChange, Slot};

use crate::stage::{DAY, LEASE, Stage, WEEK, blocking, rules, set_call, set_preferred};

#[test]
fn a_read_one_second_after_our_write_recognises_the_users_own_choice() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    stage.pass(Duration::from_millis(900));
    stage.read("Away", "Away");
    assert_eq!(
        stage.state(Slot::Preferred),
        Some(LedgerState::Confirmed),
        "too early to tell"
    );
    stage.pass(Duration::from_millis(100));
    stage.read("Away", "Away");
    assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Overridden));
}

#[test]
fn a_read_begun_before_our_next_write_recognises_the_choice_although_that_write_has_left() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.seconds(5);
    stage.calls(1);
    assert_eq!(stage.teams_write(), set_call());
    stage.pass(Duration::from_millis(100));
    stage.read_begun(200, "Away", "Away");
    assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Overridden));
    stage.accept_entry("away");
    stage.answer_teams(&Outcome::Accepted);
    stage.seconds(60);
    stage.silence();
}

#[test]
fn a_read_begun_before_says_nothing() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    stage.seconds(3);
    stage.read_begun(2_500, "Away", "Away");
    assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Confirmed));
}

#[test]
fn what_was_taken_back_is_neither_renewed_nor_cleared_until_the_pbx_changes() {
    let mut stage = Stage::overridden();
    stage.pass(2 * DAY);
    stage.silence();
    assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Overridden));
    stage.pbx(&[("tel:", ""), ("teams:", "away")]);
    stage.seconds(60);
    stage.silence();
    stage.pbx(&[("tel:", "dnd"), ("teams:", "away")]);
    assert_eq!(stage.teams_write(), set_preferred("DoNotDisturb", DAY));
}

#[test]
fn what_was_taken_back_survives_a_restart() {
    let mut stage = Stage::overridden();
    let ledger = std::mem::take(&mut stage.ledger);
    let mut stage = Stage::resumed(rules(), ledger, stage.now + chrono::TimeDelta::days(3));
    stage.pbx(&[("tel:", "dnd"), ("teams:", "away")]);
    stage.read("Away", "Away");
    stage.seconds(600);
    stage.silence();
}

#[test]
fn offline_and_presence_unknown_say_nothing() {
    for silent in ["Offline", "PresenceUnknown"] {
        let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
        stage.read(silent, silent);
        assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Confirmed));
        stage.silence();
    }
}

#[test]
fn a_notification_alone_does_not_tell_but_orders_a_read_and_holds_the_clear_back() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.read_numbered("5", "DoNotDisturb", "DoNotDisturb");
    stage.seconds(5);
    let reads = stage.reads;
    stage.notify_numbered("6", "Away", "Away");
    stage.accept_entry("away");
    assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Confirmed));
    stage.pbx(&[("teams:", "away")]);
    stage.silence();
    stage.pass(Duration::from_millis(1_500));
    assert!(stage.reads > reads);
    stage.read_numbered("6", "Away", "Away");
    stage.seconds(60);
    stage.silence();
    assert_eq!(
        stage.row(Slot::Preferred),
        None,
        "the user's choice stays, and is not ours to clear"
    );
}

#[test]
fn a_choice_in_teams_during_a_call_is_not_overwritten_at_its_end() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.calls(1);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    stage.seconds(2);
    stage.read("Away", "Away");
    stage.accept_entry("away");
    stage.pbx(&[("teams:", "away"), ("tel:", "dnd")]);
    stage.calls(0);
    stage.accept(&PresenceChange::ClearSession);
    stage.seconds(60);
    stage.silence();
}

#[test]
fn a_choice_at_the_pbx_during_a_call_is_later_than_what_stood_in_teams_before() {
    let mut stage = Stage::overridden();
    stage.calls(1);
    stage.accept(&set_call());
    stage.pbx(&[("tel:", "lunch"), ("teams:", "away")]);
    stage.seconds(2);
    stage.read("Away", "Away");
    stage.calls(0);
    stage.accept(&set_preferred("BeRightBack", WEEK));
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn a_choice_in_teams_during_a_call_is_recognised_although_the_call_is_just_being_renewed() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.calls(1);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    stage.seconds(300);
    assert_eq!(stage.teams_write(), set_call());
    stage.read_begun(5, "Away", "Away");
    assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Overridden));
}

#[test]
fn a_choice_made_again_at_the_pbx_during_a_call_is_later_than_the_one_in_teams() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.calls(1);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    stage.seconds(2);
    stage.read("Busy", "InACall");
    stage.choose("lunch");
    stage.choose("dnd");
    stage.seconds(2);
    stage.read("Away", "Away");
    stage.accept_entry("away");
    stage.pbx(&[("teams:", "away"), ("tel:", "dnd")]);
    stage.calls(0);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}

#[test]
fn a_call_is_no_new_choice() {
    let mut stage = Stage::overridden();
    stage.calls(1);
    stage.accept(&set_call());
    stage.calls(0);
    stage.accept(&PresenceChange::ClearSession);
    stage.seconds(60);
    stage.silence();
}

#[test]
fn in_blocking_mode_a_choice_in_teams_during_a_call_stays_after_it() {
    let mut stage = Stage::of(blocking());
    stage.choose("away");
    stage.accept(&set_preferred("Away", WEEK));
    stage.calls(1);
    stage.accept(&set_preferred("DoNotDisturb", LEASE));
    stage.seconds(2);
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.pbx(&[("teams:", "busy"), ("tel:", "away")]);
    stage.calls(0);
    stage.seconds(3_600);
    stage.silence();
    assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Overridden));
}

#[test]
fn somebody_who_leaves_keeps_what_was_taken_back() {
    let mut stage = Stage::overridden();
    stage.board.set_roster([], stage.now);
    stage.pump();
    assert!(stage.teams.is_empty());
    assert_eq!(stage.entry_write(), "");
    stage.answer_entry(&Outcome::Accepted);
    assert!(stage.board.is_empty() && stage.ledger.is_empty());
}

#[test]
fn a_choice_in_teams_during_a_call_stays_although_a_restart_hides_the_choice_at_the_pbx() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.restart(rules());
    stage.pbx(&[("tel:", "on-the-phone")]);
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    stage.seconds(2);
    stage.read("Away", "Away");
    stage.accept_entry("away");
    stage.pbx(&[("teams:", "away"), ("tel:", "dnd")]);
    stage.accept(&PresenceChange::ClearSession);
    stage.seconds(60);
    stage.silence();
}

#[test]
fn in_blocking_mode_a_choice_made_anew_at_the_pbx_during_a_call_takes_the_slot_after_it() {
    let mut stage = Stage::of(blocking());
    stage.choose("away");
    stage.accept(&set_preferred("Away", WEEK));
    stage.calls(1);
    stage.accept(&set_preferred("DoNotDisturb", LEASE));
    stage.seconds(2);
    stage.read("Busy", "Busy");
    assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Overridden));
    stage.accept_entry("busy");
    stage.choose("lunch");
    stage.choose("away");
    stage.calls(0);
    assert_eq!(stage.teams_write(), set_preferred("Away", WEEK));
}
