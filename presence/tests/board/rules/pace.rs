//! How often one user is written: the bucket against flapping, and the budget of the hour.

use m365_presence::board::{Board, Outcome};
use m365_presence::ports::PresenceChange;

use crate::stage::{DAY, Stage, WEEK, member, rules, set_call, set_preferred};

#[test]
fn over_twenty_changes_the_newest_choice_waits_for_the_bucket() {
    let mut stage = Stage::alice();
    for turn in 0..20 {
        let (choice, state, lifetime) = if turn % 2 == 0 {
            ("busy", "Busy", DAY)
        } else {
            ("away", "Away", WEEK)
        };
        stage.choose(choice);
        stage.accept(&set_preferred(state, lifetime));
    }
    stage.choose("dnd");
    stage.choose("lunch");
    stage.silence();
    stage.seconds(1);
    stage.accept(&set_preferred("BeRightBack", WEEK));
}

/// Lets the choice change every second; answers how many writes to Teams left.
fn flap(stage: &mut Stage, seconds: u64) -> usize {
    let mut written = 0;
    for second in 0..seconds {
        stage.choose(if second % 2 == 0 { "busy" } else { "away" });
        while !stage.teams.is_empty() {
            stage.teams_write();
            stage.answer_teams(&Outcome::Accepted);
            written += 1;
        }
        stage.seconds(1);
    }
    written
}

#[test]
fn a_runaway_gets_240_writes_in_an_hour_and_then_one_a_minute_with_the_newest_state() {
    let mut stage = Stage::alice();
    let written = flap(&mut stage, 3_600);
    assert!((240..=300).contains(&written), "{written}");
    stage.choose("lunch");
    stage.seconds(60);
    stage.accept(&set_preferred("BeRightBack", WEEK));
}

#[test]
fn neither_a_restart_nor_a_leave_of_absence_renews_the_budget() {
    let mut stage = Stage::alice();
    flap(&mut stage, 300);
    stage.choose("");
    stage.seconds(60);
    stage.accept(&PresenceChange::ClearPreferred);
    stage.board.set_roster([], stage.now);
    stage.pump();
    assert!(stage.board.is_empty());
    stage.board.set_roster([member()], stage.now);
    stage.choose("dnd");
    stage.read("Available", "Available");
    stage.silence();

    let paces = stage.board.take_paces(stage.now);
    stage.board = Board::new(rules(), stage.ledger.clone());
    stage.board.resume_paces(paces);
    stage.board.set_roster([member()], stage.now);
    stage.choose("dnd");
    stage.read("Available", "Available");
    stage.silence();
    stage.seconds(60);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}

#[test]
fn a_call_is_renewed_although_the_budget_is_used_up() {
    let mut stage = Stage::alice();
    flap(&mut stage, 300);
    stage.choose("");
    stage.seconds(60);
    stage.accept(&PresenceChange::ClearPreferred);
    stage.calls(1);
    stage.silence();
    stage.seconds(60);
    stage.accept(&set_call());
    for _ in 0..4 {
        stage.seconds(300);
        stage.accept(&set_call());
    }
}

#[test]
fn our_entry_has_a_bucket_of_its_own_and_no_budget() {
    let mut stage = Stage::alice();
    let mut written = 0;
    for second in 0..600 {
        let state = if second % 2 == 0 { "Busy" } else { "Away" };
        stage.read(state, state);
        while !stage.entries.is_empty() {
            stage.entry_write();
            stage.answer_entry(&Outcome::Accepted);
            written += 1;
        }
        stage.seconds(1);
    }
    assert_eq!(written, 600);
    stage.choose("dnd");
    stage.accept(&set_preferred("DoNotDisturb", DAY));
}
