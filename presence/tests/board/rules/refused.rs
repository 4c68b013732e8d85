//! A refused write waits; another one may leave.

use m365_presence::board::Outcome;
use m365_presence::ports::{LedgerState, PresenceChange, Slot};

use crate::stage::{DAY, Stage, WEEK, set_call, set_preferred};

fn no() -> Outcome {
    Outcome::Refused {
        message: "no".to_owned(),
        gone: false,
    }
}

/// The waits after one refusal of the same write after the other, in seconds.
const WAITS: [u64; 9] = [10, 20, 40, 80, 160, 320, 640, 900, 900];

#[test]
fn a_refused_write_is_tried_again_soon_and_then_ever_more_rarely() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    for wait in WAITS {
        assert_eq!(stage.teams_write(), set_preferred("DoNotDisturb", DAY));
        stage.answer_teams(&no());
        stage.seconds(wait - 1);
        stage.silence();
        stage.seconds(1);
    }
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    stage.choose("");
    stage.accept(&PresenceChange::ClearPreferred);
    // what was taken meanwhile begins from the start
    stage.seconds(60);
    stage.choose("dnd");
    stage.teams_write();
    stage.answer_teams(&no());
    stage.seconds(10);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}

#[test]
fn another_choice_leaves_at_once_and_the_refused_one_still_waits() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.teams_write();
    stage.answer_teams(&no());
    stage.seconds(2);
    stage.choose("away");
    stage.accept(&set_preferred("Away", WEEK));
    stage.choose("dnd");
    stage.seconds(7);
    stage.silence();
    stage.seconds(1);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}

#[test]
fn a_call_is_shown_although_a_choice_was_refused() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.teams_write();
    stage.answer_teams(&no());
    stage.calls(1);
    stage.accept(&set_call());
    stage.silence();
    stage.calls(0);
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn a_call_ends_although_the_choice_may_not_be_put_back() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.calls(1);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    stage.calls(0);
    assert_eq!(stage.teams_write(), set_preferred("DoNotDisturb", DAY));
    stage.answer_teams(&no());
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn what_was_refused_is_not_ours_to_clear() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.teams_write();
    stage.answer_teams(&no());
    assert_eq!(stage.row(Slot::Preferred), None);
    stage.choose("");
    stage.seconds(20 * 60);
    stage.silence();
}

#[test]
fn what_stood_before_a_refused_choice_still_stands() {
    let mut stage = Stage::with_choice("away", "Away", WEEK);
    stage.choose("dnd");
    stage.teams_write();
    stage.answer_teams(&no());
    assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Confirmed));
    stage.choose("");
    stage.silence();
    stage.seconds(2);
    stage.read("Away", "Away");
    stage.accept(&PresenceChange::ClearPreferred);
}

#[test]
fn a_choice_in_teams_after_a_refused_one_stays() {
    let mut stage = Stage::with_choice("away", "Away", WEEK);
    stage.choose("dnd");
    stage.teams_write();
    stage.answer_teams(&no());
    stage.choose("");
    stage.seconds(2);
    stage.read("Busy", "Busy");
    assert_eq!(stage.row(Slot::Preferred), None);
    stage.accept_entry("busy");
    stage.seconds(20 * 60);
    stage.silence();
}

#[test]
fn a_refused_entry_waits_and_another_leaves() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    assert_eq!(stage.entry_write(), "busy");
    stage.answer_entry(&no());
    stage.seconds(2);
    stage.silence();
    stage.read("Away", "Away");
    stage.accept_entry("away");
    stage.read("Busy", "Busy");
    stage.seconds(7);
    stage.silence();
    stage.seconds(1);
    stage.accept_entry("busy");
}

#[test]
fn a_refused_removal_of_our_entry_is_tried_again_later() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.read("Available", "Available");
    assert_eq!(stage.entry_write(), "");
    stage.answer_entry(&no());
    stage.seconds(9);
    stage.silence();
    stage.seconds(1);
    stage.accept_entry("");
}
