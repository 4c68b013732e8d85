//! PBX to Teams: what is set there, and for how long.

use std::time::Duration;

use m365_presence::board::{Direction, Outcome};
use m365_presence::ports::{LedgerState, PresenceChange, Slot};

use crate::stage::{DAY, Stage, WEEK, rules, set_preferred};

#[test]
fn each_choice_is_set_with_its_lifetime() {
    let table = [
        ("busy", "Busy", DAY),
        ("meeting", "Busy", DAY),
        ("dnd", "DoNotDisturb", DAY),
        ("away", "Away", WEEK),
        ("vacation", "Away", WEEK),
        ("lunch", "BeRightBack", WEEK),
    ];
    for (choice, state, lifetime) in table {
        let mut stage = Stage::alice();
        stage.choose(choice);
        assert_eq!(
            stage.state(Slot::Preferred),
            Some(LedgerState::Intended),
            "stored before it is written"
        );
        stage.accept(&set_preferred(state, lifetime));
        assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Confirmed));
        stage.seconds(600);
        stage.silence();
    }
}

#[test]
fn online_available_none_and_unknown_words_claim_nothing() {
    for choice in ["", "online", "available", "Online"] {
        let mut stage = Stage::alice();
        stage.choose(choice);
        stage.silence();
        assert!(stage.board.unmapped().is_empty());
    }
    let mut stage = Stage::alice();
    stage.choose("gardening");
    stage.silence();
    assert_eq!(stage.board.unmapped().get("gardening"), Some(&1));
}

#[test]
fn the_newest_foreign_entry_with_an_activity_is_the_choice() {
    let mut stage = Stage::alice();
    stage.pbx(&[
        ("teams:", ""),
        ("im:", "busy"),
        ("app:badge", "busy"),
        ("calendar:", ""),
        ("tel:", "away"),
        ("x:", "dnd"),
    ]);
    stage.accept(&set_preferred("Away", WEEK));
    stage.silence();
}

#[test]
fn none_clears_what_we_set_and_only_that() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.choose("");
    stage.accept(&PresenceChange::ClearPreferred);
    assert_eq!(stage.row(Slot::Preferred), None);

    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.pbx(&[("teams:", "busy"), ("tel:", "online")]);
    stage.silence();
}

#[test]
fn a_choice_takes_the_slot_even_when_teams_shows_that_state_by_itself() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.pbx(&[("tel:", "busy"), ("teams:", "busy")]);
    assert_eq!(stage.teams_write(), set_preferred("Busy", DAY));
    stage.accept_entry("");
}

#[test]
fn a_choice_that_still_holds_is_set_again_before_it_ends() {
    let mut stage = Stage::with_choice("busy", "Busy", DAY);
    stage.pass(DAY - Duration::from_hours(2));
    stage.silence();
    stage.pass(Duration::from_hours(1));
    stage.accept(&set_preferred("Busy", DAY));
}

#[test]
fn nothing_is_written_before_both_sides_are_known() {
    let mut stage = Stage::empty(rules());
    stage.choose("dnd");
    stage.silence();
    stage.read("Available", "Available");
    assert_eq!(stage.teams_write(), set_preferred("DoNotDisturb", DAY));

    let mut stage = Stage::empty(rules());
    stage.read("Busy", "Busy");
    stage.seconds(60);
    stage.silence();
}

#[test]
fn one_write_is_under_way_at_a_time_and_the_newest_choice_follows() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    assert_eq!(stage.teams_write(), set_preferred("DoNotDisturb", DAY));
    stage.choose("away");
    stage.choose("lunch");
    stage.silence();
    stage.answer_teams(&Outcome::Accepted);
    assert_eq!(stage.teams_write(), set_preferred("BeRightBack", WEEK));
}

#[test]
fn an_unanswered_write_is_repeated_and_the_patience_asked_for_is_kept() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.teams.clear();
    stage.answer_teams(&Outcome::Failed { wait: None });
    stage.silence();
    stage.seconds(1);
    stage.teams_write();
    stage.answer_teams(&Outcome::Failed {
        wait: Some(Duration::from_secs(120)),
    });
    stage.seconds(119);
    stage.silence();
    stage.seconds(1);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}

#[test]
fn a_lost_session_keeps_the_choice() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.lose_pbx();
    stage.seconds(3_600);
    stage.silence();
    stage.choose("");
    stage.accept(&PresenceChange::ClearPreferred);
}

#[test]
fn after_a_crash_a_choice_that_still_holds_is_not_written_again() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.restart(rules());
    stage.choose("dnd");
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.seconds(600);
    stage.silence();
}

#[test]
fn after_a_crash_a_choice_that_was_given_up_meanwhile_is_cleared() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.restart(rules());
    stage.choose("");
    stage.silence();
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.accept(&PresenceChange::ClearPreferred);
}

#[test]
fn an_intent_left_by_a_crash_counts_as_set() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.restart(rules());
    stage.seconds(2);
    stage.choose("");
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.accept(&PresenceChange::ClearPreferred);

    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.restart(rules());
    stage.seconds(2);
    stage.choose("dnd");
    stage.read("Available", "Available");
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}

#[test]
fn an_intent_that_a_read_proves_undone_is_not_cleared() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.restart(rules());
    stage.seconds(2);
    stage.choose("");
    stage.read("Away", "Away");
    assert!(stage.teams.is_empty());
    assert_eq!(stage.row(Slot::Preferred), None);
}

#[test]
fn a_row_past_its_end_is_dropped_unwritten() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    let ledger = std::mem::take(&mut stage.ledger);
    let later = stage.now + chrono::TimeDelta::days(2);
    let mut stage = Stage::resumed(rules(), ledger, later);
    assert_eq!(stage.row(Slot::Preferred), None);
    stage.choose("");
    stage.read("DoNotDisturb", "DoNotDisturb");
    assert!(stage.teams.is_empty());
    assert_eq!(stage.entry_write(), "dnd", "it explains nothing");
}

#[test]
fn an_unanswered_clear_is_repeated_only_after_a_read_and_also_for_somebody_offline() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.choose("");
    assert_eq!(stage.teams_write(), PresenceChange::ClearPreferred);
    stage.answer_teams(&Outcome::Failed { wait: None });
    stage.seconds(30);
    stage.silence();
    stage.read("Offline", "Offline");
    stage.accept(&PresenceChange::ClearPreferred);
}

#[test]
fn an_unanswered_clear_that_was_done_is_not_repeated() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.choose("");
    stage.teams.clear();
    stage.answer_teams(&Outcome::Failed { wait: None });
    stage.seconds(30);
    stage.read("Available", "Available");
    stage.seconds(600);
    stage.silence();
    assert_eq!(stage.row(Slot::Preferred), None);
}

#[test]
fn a_closed_direction_releases_what_it_set() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    let mut closed = rules();
    closed.direction = Direction {
        teams_to_pbx: true,
        pbx_to_teams: false,
    };
    stage.restart(closed);
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.accept(&PresenceChange::ClearPreferred);
    stage.choose("away");
    assert!(stage.teams.is_empty());
}

#[test]
fn a_choice_that_returns_after_an_unanswered_clear_is_set_anew() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.choose("");
    stage.teams.clear();
    stage.answer_teams(&Outcome::Failed { wait: None });
    stage.choose("dnd");
    stage.read("Available", "Available");
    stage.seconds(2);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}

#[test]
fn after_a_crash_before_a_write_what_it_was_to_replace_is_cleared_too() {
    let mut stage = Stage::with_choice("away", "Away", WEEK);
    stage.choose("dnd");
    stage.choose("lunch");
    stage.restart(rules());
    stage.choose("busy");
    stage.read("Away", "Away");
    assert!(stage.entries.is_empty(), "it explains what teams still shows");
    stage.restart(rules());
    stage.seconds(2);
    stage.choose("");
    stage.read("Away", "Away");
    stage.accept(&PresenceChange::ClearPreferred);
    assert_eq!(stage.row(Slot::Preferred), None);
}

#[test]
fn after_a_crash_what_outlasts_the_intent_that_was_to_replace_it_is_still_ours() {
    let mut stage = Stage::with_choice("away", "Away", WEEK);
    stage.choose("dnd");
    let ledger = std::mem::take(&mut stage.ledger);
    let later = stage.now + chrono::TimeDelta::days(3);
    let mut stage = Stage::resumed(rules(), ledger, later);
    assert_eq!(stage.row(Slot::Preferred).unwrap().value.activity, "Away");
    stage.choose("");
    stage.read("Away", "Away");
    stage.accept(&PresenceChange::ClearPreferred);
    stage.silence();
}

#[test]
fn an_accepted_write_ends_the_memory_of_what_it_replaced() {
    let mut stage = Stage::with_choice("away", "Away", WEEK);
    stage.choose("dnd");
    assert_eq!(stage.row(Slot::Preferred).unwrap().replaces.len(), 1);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    assert!(stage.row(Slot::Preferred).unwrap().replaces.is_empty());
}
