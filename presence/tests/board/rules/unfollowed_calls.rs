//! Calls that a PBX told of before it stopped telling of calls, while presence goes on: the right to the line states was
//! taken away, or the PBX came back without it.

use m365_presence::ports::{PresenceChange, Slot};

use crate::stage::{DAY, LEASE, Stage, blocking, home, set_call, set_preferred};

fn lose_lines(stage: &mut Stage) {
    stage.board.lose_lines(&home());
    stage.pump();
}

#[test]
fn they_count_until_their_lease_ends_and_then_the_choice_is_put_back() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.calls(1);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    lose_lines(&mut stage);
    stage.seconds(2);
    stage.read("Busy", "InACall");
    stage.seconds(590);
    stage.silence();
    stage.seconds(10);
    assert_eq!(stage.row(Slot::Session), None);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}

#[test]
fn they_count_no_more_when_the_pbx_comes_back_without_line_states_after_the_lease() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.lose_pbx();
    stage.seconds(660);
    stage.choose("dnd");
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}

#[test]
fn while_their_lease_lasts_a_pbx_that_comes_back_does_not_end_them_before_it_tells() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.lose_pbx();
    stage.seconds(60);
    stage.choose("dnd");
    stage.silence();
    stage.calls(0);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn an_entry_still_tells_of_a_call() {
    let mut stage = Stage::alice();
    stage.pbx(&[("tel:", "on-the-phone")]);
    stage.accept(&set_call());
    stage.calls(1);
    lose_lines(&mut stage);
    stage.seconds(301);
    stage.accept(&set_call());
    stage.pbx(&[]);
    stage.seconds(700);
    assert_eq!(stage.row(Slot::Session), None, "the lease of the call runs out");
}

#[test]
fn in_blocking_mode_their_lease_runs_out_alike() {
    let mut stage = Stage::of(blocking());
    stage.calls(1);
    stage.accept(&set_preferred("DoNotDisturb", LEASE));
    lose_lines(&mut stage);
    stage.seconds(605);
    assert_eq!(stage.row(Slot::Preferred), None);
    stage.choose("away");
    assert!(matches!(stage.teams_write(), PresenceChange::SetPreferred { .. }));
}
