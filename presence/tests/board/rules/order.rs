//! Order: which observation of Teams is the newest truth.

use std::time::Duration;

use chrono::TimeDelta;
use m365_presence::board::Verdict;
use m365_presence::ports::PresenceChange;

use crate::stage::Stage;

#[test]
fn a_lower_number_is_old_news() {
    let mut stage = Stage::alice();
    stage.read_numbered("20", "Busy", "Busy");
    stage.accept_entry("busy");
    assert_eq!(stage.notify_numbered("19", "Away", "Away"), Verdict::Old);
    assert_eq!(stage.notify_numbered("9", "Away", "Away"), Verdict::Old);
    stage.silence();
    assert_eq!(stage.notify_numbered("21", "Away", "Away"), Verdict::Believed);
    stage.accept_entry("away");
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_from_either_side() {
    let mut stage = Stage::alice();
    stage.notify("Busy", "Busy");
    stage.accept_entry("busy");
    stage.seconds(10);
    assert_eq!(stage.read("Busy", "Busy"), Verdict::Believed);
    stage.now -= TimeDelta::hours(2);
    assert_eq!(stage.read("Away", "Away"), Verdict::Believed);
    stage.accept_entry("away");
    stage.seconds(10);
    stage.notify("DoNotDisturb", "DoNotDisturb");
    stage.accept_entry("dnd");
    stage.choose("away");
    assert!(matches!(stage.teams_write(), PresenceChange::SetPreferred { .. }));
}

#[test]
fn numbers_that_are_text_are_ordered_as_text() {
    let mut stage = Stage::alice();
    stage.read_numbered("A02", "Busy", "Busy");
    assert_eq!(stage.notify_numbered("A01", "Away", "Away"), Verdict::Old);
    assert_eq!(stage.notify_numbered("A10", "Away", "Away"), Verdict::Believed);
}

#[test]
fn an_unnumbered_notification_is_shown_at_once_and_confirmed_by_a_read_within_two_seconds() {
    let mut stage = Stage::alice();
    stage.seconds(10);
    let reads = stage.reads;
    assert_eq!(stage.notify("Busy", "Busy"), Verdict::BelievedUnconfirmed);
    stage.accept_entry("busy");
    stage.seconds(2);
    assert_eq!(stage.reads, reads + 1);
}

#[test]
fn many_unnumbered_notifications_are_confirmed_by_few_reads() {
    let mut stage = Stage::alice();
    stage.seconds(10);
    let reads = stage.reads;
    for _ in 0..50 {
        stage.notify("Busy", "Busy");
    }
    stage.seconds(5);
    assert_eq!(stage.reads, reads + 1);
}

#[test]
fn a_read_begun_before_an_unnumbered_notification_is_asked_again() {
    let mut stage = Stage::alice();
    stage.seconds(10);
    stage.notify("Busy", "Busy");
    stage.accept_entry("busy");
    let reads = stage.reads;
    assert_eq!(stage.read_begun(500, "Available", "Available"), Verdict::Doubted);
    stage.silence();
    stage.seconds(1);
    assert_eq!(stage.reads, reads + 1);
    assert_eq!(stage.read("Available", "Available"), Verdict::Believed);
    stage.accept_entry("");
}

#[test]
fn a_read_with_a_lower_number_is_discarded_once_and_believed_when_the_next_repeats_it() {
    let mut stage = Stage::alice();
    stage.read_numbered("20", "Busy", "Busy");
    stage.accept_entry("busy");
    let reads = stage.reads;
    assert_eq!(stage.read_numbered("7", "Away", "Away"), Verdict::Doubted);
    stage.silence();
    stage.seconds(1);
    assert_eq!(stage.reads, reads + 1);
    assert_eq!(
        stage.read_numbered("7", "Away", "Away"),
        Verdict::BelievedUnconfirmed
    );
    stage.accept_entry("away");
}

#[test]
fn where_reads_carry_no_numbers_a_higher_number_alone_proves_nothing() {
    let mut stage = Stage::alice();
    stage.notify_numbered("7", "Busy", "Busy");
    stage.accept_entry("busy");
    stage.seconds(5);
    stage.read("Available", "Available");
    stage.accept_entry("");
    for late in ["8", "9"] {
        assert_eq!(
            stage.notify_numbered(late, "Away", "Away"),
            Verdict::BelievedUnconfirmed
        );
    }
}

#[test]
fn two_reads_that_were_late_alike_are_put_right_by_a_third() {
    let mut stage = Stage::alice();
    stage.notify_numbered("20", "Busy", "Busy");
    stage.accept_entry("busy");
    stage.read_numbered("19", "Away", "Away");
    stage.read_numbered("19", "Away", "Away");
    stage.accept_entry("away");
    let reads = stage.reads;
    stage.seconds(2);
    assert!(stage.reads > reads);
    stage.read_numbered("20", "Busy", "Busy");
    stage.accept_entry("busy");
}

#[test]
fn a_read_that_does_not_show_yet_what_was_just_notified_is_asked_again() {
    let mut stage = Stage::alice();
    stage.seconds(10);
    stage.notify("Busy", "Busy");
    stage.accept_entry("busy");
    stage.pass(Duration::from_millis(300));
    assert_eq!(stage.read("Available", "Available"), Verdict::Doubted);
    stage.silence();
    let reads = stage.reads;
    stage.seconds(2);
    assert!(stage.reads > reads);
    stage.read("Busy", "Busy");
    stage.silence();
}

#[test]
fn of_many_notifications_the_last_is_confirmed_too() {
    let mut stage = Stage::alice();
    stage.seconds(10);
    for _ in 0..50 {
        stage.notify("Busy", "Busy");
        stage.pass(Duration::from_millis(10));
    }
    stage.pass(Duration::from_millis(985));
    let reads = stage.reads;
    stage.pass(Duration::from_millis(20));
    assert!(stage.reads > reads);
}

#[test]
fn a_read_that_began_before_a_newer_read_is_old_news() {
    let mut stage = Stage::alice();
    stage.seconds(10);
    stage.read("Busy", "Busy");
    assert_eq!(stage.read_begun(3_000, "Away", "Away"), Verdict::Old);
}

#[test]
fn a_user_whom_graph_leaves_out_keeps_the_last_state() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.board.miss_teams(&crate::stage::teams(), stage.now);
    stage.pump();
    stage.seconds(600);
    stage.silence();
    assert_eq!(stage.board.tally(stage.now).synchronised, 0);
    stage.read("Busy", "Busy");
    assert_eq!(stage.board.tally(stage.now).synchronised, 1);
}
