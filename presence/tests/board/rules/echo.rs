//! Echo: what we set in Teams is not shown at the PBX as if it came from there.

use std::time::Duration;

use m365_presence::board::Verdict;
use m365_presence::ports::{PresenceChange, Slot};

use crate::stage::{DAY, Stage, WEEK, rules, set_call, set_preferred};

#[test]
fn a_pair_that_maps_to_the_same_state_is_explained() {
    let mut stage = Stage::with_choice("lunch", "BeRightBack", WEEK);
    stage.read("Away", "BeRightBack");
    stage.silence();
    stage.read("Away", "Away");
    stage.silence();
    stage.read("Busy", "Busy");
    assert_eq!(stage.entry_write(), "busy");
}

#[test]
fn a_call_of_ours_is_explained() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.notify("Busy", "InACall");
    stage.seconds(2);
    stage.read("Busy", "InACall");
    stage.silence();
}

#[test]
fn a_released_claim_explains_until_the_first_read_a_second_later() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.seconds(2);
    stage.read("Busy", "InACall");
    stage.calls(0);
    stage.accept(&PresenceChange::ClearSession);
    stage.pass(Duration::from_millis(500));
    stage.read("Busy", "InACall");
    stage.silence();
    stage.pass(Duration::from_millis(500));
    stage.read("Busy", "InACall");
    assert_eq!(
        stage.entry_write(),
        "on-the-phone",
        "beneath our call the user has one in Teams"
    );
}

#[test]
fn a_released_claim_explains_fifteen_seconds_at_most() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.seconds(2);
    stage.read("Busy", "InACall");
    stage.calls(0);
    stage.accept(&PresenceChange::ClearSession);
    stage.seconds(14);
    stage.silence();
    stage.seconds(1);
    assert_eq!(stage.entry_write(), "on-the-phone");
}

#[test]
fn the_read_beneath_a_released_claim_is_ordered_at_once() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.seconds(60);
    let reads = stage.reads;
    stage.choose("");
    stage.accept(&PresenceChange::ClearPreferred);
    stage.seconds(2);
    assert!(stage.reads > reads);
}

#[test]
fn an_observation_that_did_not_change_is_decided_anew_when_its_claim_is_gone() {
    let mut stage = Stage::alice();
    stage.read_numbered("1", "Busy", "Busy");
    stage.accept_entry("busy");
    stage.pbx(&[("tel:", "busy"), ("teams:", "busy")]);
    stage.accept(&set_preferred("Busy", DAY));
    stage.accept_entry("");
    stage.seconds(2);
    stage.read_numbered("1", "Busy", "Busy");
    stage.pbx(&[]);
    stage.accept(&PresenceChange::ClearPreferred);
    stage.silence();
    stage.seconds(2);
    stage.read_numbered("1", "Busy", "Busy");
    assert_eq!(stage.entry_write(), "busy");
}

#[test]
fn a_replaced_claim_explains_a_late_read() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.choose("away");
    stage.accept(&set_preferred("Away", WEEK));
    stage.read_begun(300, "DoNotDisturb", "DoNotDisturb");
    stage.silence();
}

#[test]
fn a_late_unnumbered_notification_of_our_own_released_state_waits_for_a_read() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.calls(0);
    stage.accept(&PresenceChange::ClearSession);
    stage.seconds(2);
    stage.read("Available", "Available");
    stage.seconds(40);
    let reads = stage.reads;
    assert_eq!(stage.notify("Busy", "InACall"), Verdict::Doubted);
    stage.silence();
    assert!(stage.reads > reads, "the read begins at once");
    stage.read("Busy", "InACall");
    assert_eq!(
        stage.entry_write(),
        "on-the-phone",
        "it was the user's own call after all"
    );
}

#[test]
fn a_read_that_began_with_a_doubted_notification_may_be_late_itself_and_is_repeated() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.calls(0);
    stage.accept(&PresenceChange::ClearSession);
    stage.seconds(2);
    stage.read("Available", "Available");
    stage.seconds(40);
    stage.notify("Busy", "InACall");
    stage.read("Available", "Available");
    let reads = stage.reads;
    stage.seconds(2);
    assert!(stage.reads > reads);
    stage.read("Busy", "InACall");
    assert_eq!(stage.entry_write(), "on-the-phone");
}

#[test]
fn a_call_of_another_kind_is_no_trace_of_ours_and_shown_at_once() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.calls(0);
    stage.accept(&PresenceChange::ClearSession);
    stage.seconds(2);
    stage.read("Available", "Available");
    stage.seconds(5);
    stage.notify("Busy", "InAConferenceCall");
    assert_eq!(stage.entry_write(), "on-the-phone");
}

#[test]
fn a_late_unnumbered_notification_of_a_lifted_choice_is_never_shown_while_no_read_is_answered() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.calls(1);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    stage.seconds(2);
    stage.notify("DoNotDisturb", "DoNotDisturb");
    stage.notify("Busy", "InACall");
    stage.seconds(3);
    stage.notify("DoNotDisturb", "DoNotDisturb");
    stage.seconds(60);
    stage.silence();
}

#[test]
fn an_expired_claim_explains_what_teams_still_tells() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.seconds(2);
    stage.read("Busy", "InACall");
    stage.lose_pbx();
    stage.pass(Duration::from_millis(598_500));
    assert_eq!(stage.row(Slot::Session), None);
    stage.pbx(&[]);
    stage.calls(0);
    stage.read("Busy", "InACall");
    stage.silence();
}

#[test]
fn after_a_crash_the_ledger_explains() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.restart(rules());
    stage.choose("dnd");
    stage.notify("DoNotDisturb", "DoNotDisturb");
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.seconds(60);
    stage.silence();
}
