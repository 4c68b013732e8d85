//! What the board hands out for the timeline: what was seen, what was decided and why, and what is written.

use std::time::Duration;

use m365_presence::board::{Brake, Outcome, Place, Side, Transition, Verdict};
use m365_presence::ports::PresenceChange;

use crate::stage::{DAY, Stage, WEEK, set_call, set_preferred};

fn only(stage: &mut Stage) -> Transition {
    assert_eq!(stage.transitions.len(), 1, "{:#?}", stage.transitions);
    stage.transitions.remove(0)
}

fn planned(transition: &Transition) -> Vec<(Side, &str)> {
    let planned = transition.planned.iter();
    planned
        .map(|planned| (planned.side, planned.what.as_str()))
        .collect()
}

#[test]
fn what_teams_notifies_is_told_with_what_follows_at_the_pbx() {
    let mut stage = Stage::alice();
    stage.transitions.clear();
    stage.notify_numbered("7", "Busy", "InAMeeting");
    let told = only(&mut stage);
    let seen = told.seen.last().unwrap();
    assert_eq!(seen.place, Place::TeamsNotified);
    assert_eq!(seen.what, "Busy/InAMeeting");
    assert_eq!(seen.verdict, Some(Verdict::BelievedUnconfirmed));
    assert_eq!(seen.at, Some(stage.now));
    assert_eq!(planned(&told), [(Side::Pbx, "meeting")]);
    assert!(told.why.contains("InAMeeting"), "{}", told.why);
}

#[test]
fn what_the_pbx_tells_is_told_with_what_follows_in_teams() {
    let mut stage = Stage::alice();
    stage.transitions.clear();
    stage.choose("dnd");
    let told = only(&mut stage);
    let seen = told.seen.last().unwrap();
    assert_eq!((seen.place, seen.what.as_str()), (Place::PbxEntry, "dnd"));
    assert_eq!(
        planned(&told),
        [(Side::Teams, "preferred DoNotDisturb/DoNotDisturb for 1440 min")]
    );
    assert!(told.why.contains("dnd"), "{}", told.why);
}

#[test]
fn looks_that_tell_nothing_new_leave_no_trace() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.transitions.clear();
    for _ in 0..5 {
        stage.read("DoNotDisturb", "DoNotDisturb");
        stage.notify("DoNotDisturb", "DoNotDisturb");
        stage.choose("dnd");
        stage.calls(0);
        stage.seconds(300);
    }
    assert_eq!(stage.transitions, []);
}

#[test]
fn a_first_look_is_no_news_but_stands_before_the_first_change() {
    let mut stage = Stage::alice();
    assert_eq!(stage.transitions, []);
    stage.choose("dnd");
    let told = only(&mut stage);
    let seen: Vec<_> = told
        .seen
        .iter()
        .map(|seen| (seen.place, seen.what.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (Place::PbxEntry, "none"),
            (Place::TeamsRead, "Available/Available"),
            (Place::PbxEntry, "dnd")
        ]
    );
}

#[test]
fn a_call_tells_each_of_its_steps_and_its_renewals_leave_no_trace() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.transitions.clear();
    stage.calls(1);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    let steps: Vec<_> = stage.transitions.iter().flat_map(planned).collect();
    assert_eq!(
        steps,
        [
            (Side::Teams, "session Busy/InACall for 10 min"),
            (Side::Teams, "preferred cleared")
        ]
    );
    assert_eq!(stage.transitions[0].seen[0].place, Place::Calls);
    stage.seconds(2);
    stage.read("Busy", "InACall");
    stage.transitions.clear();
    for _ in 0..3 {
        stage.seconds(300);
        stage.accept(&set_call());
    }
    assert_eq!(stage.transitions, []);
}

#[test]
fn the_users_own_later_choice_is_told() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.transitions.clear();
    stage.read("Away", "Away");
    let told = only(&mut stage);
    assert_eq!(told.seen[0].place, Place::TeamsRead);
    assert!(told.why.contains("overridden"), "{}", told.why);
}

#[test]
fn a_doubted_look_is_told_as_such() {
    let mut stage = Stage::alice();
    stage.read_numbered("20", "Busy", "Busy");
    stage.accept_entry("busy");
    stage.transitions.clear();
    stage.notify_numbered("19", "Away", "Away");
    assert_eq!(only(&mut stage).seen[0].verdict, Some(Verdict::Old));
}

#[test]
fn over_the_bucket_each_newest_state_gets_one_receipt() {
    let mut stage = Stage::alice();
    for turn in 0..20 {
        let (choice, set) = if turn % 2 == 0 {
            ("busy", set_preferred("Busy", DAY))
        } else {
            ("away", set_preferred("Away", WEEK))
        };
        stage.choose(choice);
        stage.accept(&set);
    }
    stage.transitions.clear();
    for choice in ["dnd", "lunch"] {
        stage.choose(choice);
        let told = only(&mut stage);
        assert_eq!(told.planned, []);
        let receipt = &told.held[0];
        assert_eq!((receipt.side, receipt.brake), (Side::Teams, Brake::Flapping));
        assert!(receipt.until > Some(stage.now));
        stage.pass(Duration::from_millis(100));
    }
    assert_eq!(stage.board.held_back(Side::Teams, Brake::Flapping), 2);
    stage.seconds(1);
    let told = only(&mut stage);
    assert_eq!(
        planned(&told),
        [(Side::Teams, "preferred BeRightBack/BeRightBack for 10080 min")]
    );
}

#[test]
fn an_entry_of_ours_that_somebody_removed_is_told() {
    let mut stage = Stage::alice();
    stage.read("Busy", "Busy");
    stage.accept_entry("busy");
    stage.transitions.clear();
    stage.pbx(&[]);
    let told = only(&mut stage);
    assert!(
        told.seen
            .iter()
            .any(|seen| seen.what.contains("our entry shows ''"))
    );
    assert_eq!(planned(&told), [(Side::Pbx, "busy")]);
}

#[test]
fn who_leaves_is_told() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.transitions.clear();
    stage.board.set_roster([], stage.now);
    stage.pump();
    let told = only(&mut stage);
    assert_eq!(told.seen[0].place, Place::Roster);
    assert_eq!(planned(&told), [(Side::Teams, "preferred cleared")]);
    stage.teams_write();
    stage.answer_teams(&Outcome::Accepted);
    assert!(stage.board.is_empty());
}
