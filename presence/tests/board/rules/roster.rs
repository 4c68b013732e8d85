//! Who is on the board: joining, leaving until both sides are released, and changed counterparts.

use m365_presence::board::{Board, Outcome};
use m365_presence::identity::TeamsId;
use m365_presence::ports::PresenceChange;
use m365_presence::teams::{Source, TeamsObservation, TeamsPresence};

use crate::stage::{DAY, Stage, WEEK, guid, member, rules, set_call, set_preferred};

/// Alice, whose choice is set in Teams and whose Teams call is shown at the PBX.
fn shown_on_both_sides() -> Stage {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.notify_numbered("1", "Busy", "InAMeeting");
    stage.accept_entry("meeting");
    stage.seconds(2);
    stage.read_numbered("2", "DoNotDisturb", "DoNotDisturb");
    assert_eq!(stage.entry_write(), "");
    stage.answer_entry(&Outcome::Failed { wait: None });
    stage
}

#[test]
fn a_leaving_user_stays_until_both_releases_are_confirmed() {
    let mut stage = shown_on_both_sides();
    stage.board.set_roster([], stage.now);
    stage.pump();
    assert_eq!(stage.board.people().filter(|(_, leaving)| *leaving).count(), 1);
    stage.accept(&PresenceChange::ClearPreferred);
    assert!(!stage.board.is_empty());
    stage.seconds(2);
    stage.accept_entry("");
    assert!(stage.board.is_empty() && stage.ledger.is_empty());
}

#[test]
fn a_release_ends_the_wait_for_a_pbx_that_failed() {
    let mut stage = shown_on_both_sides();
    stage.board.release_all(stage.now);
    stage.pump();
    stage.accept(&PresenceChange::ClearPreferred);
    stage.accept_entry("");
    assert!(stage.board.is_empty() && stage.ledger.is_empty());
}

#[test]
fn a_release_ends_a_call() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.board.release_all(stage.now);
    stage.pump();
    stage.accept(&PresenceChange::ClearSession);
    assert!(stage.board.is_empty() && stage.ledger.is_empty());
}

#[test]
fn a_user_with_nothing_of_ours_leaves_at_once() {
    let mut stage = Stage::alice();
    stage.board.set_roster([], stage.now);
    stage.pump();
    assert!(stage.board.is_empty());
    stage.silence();
}

#[test]
fn a_user_who_comes_back_while_leaving_is_kept() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.board.set_roster([], stage.now);
    stage.board.set_roster([member()], stage.now);
    stage.pump();
    stage.seconds(60);
    stage.silence();
    assert_eq!(stage.board.people().filter(|(_, leaving)| *leaving).count(), 0);
}

#[test]
fn a_changed_counterpart_is_released_before_the_new_one_is_set() {
    let mut stage = Stage::with_choice("away", "Away", WEEK);
    let other = TeamsId::new("other-id");
    let mut changed = member();
    changed.teams = other.clone();
    stage.board.set_roster([changed], stage.now);
    let due = stage.board.due(stage.now);
    assert_eq!(due.teams.len(), 1);
    assert_eq!(due.teams[0].1.user, member().teams);
    assert_eq!(due.teams[0].1.change, PresenceChange::ClearPreferred);
    stage.board.teams_written(&guid(), &Outcome::Accepted, stage.now);
    stage.board.due(stage.now);
    let read = TeamsObservation {
        note: None,
        user: other.clone(),
        presence: TeamsPresence::new("Available", "Available"),
        sequence: None,
        source: Source::Read { begun_at: stage.now },
    };
    stage.board.see_teams(&read, stage.now);
    let due = stage.board.due(stage.now);
    assert_eq!(due.teams.len(), 1);
    assert_eq!(due.teams[0].1.user, other);
    assert_eq!(due.teams[0].1.change, set_preferred("Away", WEEK));
}

#[test]
fn a_joiner_is_read_in_teams() {
    let stage = Stage::empty(rules());
    assert_eq!(stage.reads, 1);
}

#[test]
fn an_empty_roster_at_the_start_cleans_what_the_ledger_tells_in_teams() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    let mut board = Board::new(rules(), std::mem::take(&mut stage.ledger));
    board.set_roster([], stage.now);
    let due = board.due(stage.now);
    assert_eq!(due.reads, [member().teams]);
    let read = TeamsObservation {
        note: None,
        user: member().teams,
        presence: TeamsPresence::new("DoNotDisturb", "DoNotDisturb"),
        sequence: None,
        source: Source::Read { begun_at: stage.now },
    };
    board.see_teams(&read, stage.now);
    let due = board.due(stage.now);
    assert_eq!(due.teams[0].1.change, PresenceChange::ClearPreferred);
    board.teams_written(&guid(), &Outcome::Accepted, stage.now);
    board.due(stage.now);
    assert!(board.is_empty());
}
