//! The user's words when the connector begins anew, or has nothing to do with the user any more.

use m365_presence::board::ClaimState;
use m365_presence::ports::{LedgerState, Slot};

use super::notes_to_teams::{accept, accept_end, noted, notes, shows, state};
use crate::stage::{DAY, Stage, saying};

#[test]
fn at_the_start_a_message_of_the_users_own_stays_until_the_note_changes() {
    for teams_first in [true, false] {
        let mut stage = Stage::empty(saying());
        if teams_first {
            shows(&mut stage, "gone fishing");
        }
        notes(&mut stage, "", "back at 3");
        if !teams_first {
            shows(&mut stage, "gone fishing");
        }
        stage.silence();
        assert_eq!(state(&stage), Some(ClaimState::Overridden));
        stage.restart(saying());
        notes(&mut stage, "", "back at 3");
        shows(&mut stage, "");
        stage.silence();
        notes(&mut stage, "", "back at 4");
        accept(&mut stage, "back at 4", DAY);
    }
}

#[test]
fn at_the_start_a_note_is_said_where_nobody_says_anything() {
    let mut stage = Stage::empty(saying());
    notes(&mut stage, "", "back at 3");
    shows(&mut stage, "");
    accept(&mut stage, "back at 3", DAY);
}

#[test]
fn after_a_crash_the_message_is_known_as_ours() {
    let mut stage = noted();
    stage.restart(saying());
    notes(&mut stage, "", "back at 3");
    shows(&mut stage, "<p>back  at&nbsp;3</p>");
    stage.silence();
    stage.restart(saying());
    shows(&mut stage, "back at 3");
    notes(&mut stage, "", "");
    accept_end(&mut stage, "back at 3");
}

#[test]
fn after_a_crash_what_was_removed_in_teams_meanwhile_stays_removed() {
    let mut stage = noted();
    stage.restart(saying());
    notes(&mut stage, "", "back at 3");
    shows(&mut stage, "");
    assert_eq!(state(&stage), Some(ClaimState::Overridden));
    stage.silence();
}

#[test]
fn an_intent_that_a_crash_has_left_counts_as_set() {
    for (shown, gone) in [("back at 3", false), ("back at 4", false), ("", true)] {
        let mut stage = noted();
        notes(&mut stage, "", "back at 4");
        assert_eq!(stage.state(Slot::StatusMessage), Some(LedgerState::Intended));
        stage.restart(saying());
        shows(&mut stage, shown);
        notes(&mut stage, "", "");
        if gone {
            shows(&mut stage, shown);
            stage.silence();
            assert_eq!(stage.row(Slot::StatusMessage), None);
        } else {
            accept_end(&mut stage, shown);
        }
    }
    let mut stage = noted();
    notes(&mut stage, "", "back at 4");
    stage.restart(saying());
    notes(&mut stage, "", "back at 4");
    shows(&mut stage, "");
    accept(&mut stage, "back at 4", DAY);
}

#[test]
fn who_leaves_says_nothing_any_more_and_keeps_what_is_his_own() {
    let mut stage = noted();
    stage.board.set_roster([], stage.now);
    stage.pump();
    accept_end(&mut stage, "back at 3");
    assert!(stage.board.is_empty());
    let mut stage = noted();
    stage.seconds(60);
    shows(&mut stage, "gone fishing");
    stage.board.set_roster([], stage.now);
    stage.pump();
    stage.silence();
    assert!(stage.board.is_empty() && stage.ledger.is_empty());
}

#[test]
fn when_the_setting_goes_the_message_goes() {
    let mut stage = noted();
    stage.restart(crate::stage::rules());
    notes(&mut stage, "", "back at 3");
    shows(&mut stage, "back at 3");
    accept_end(&mut stage, "back at 3");
}

#[test]
fn what_has_ended_by_itself_is_said_again_unless_the_user_says_something() {
    for own in [None, Some("gone fishing")] {
        let mut stage = noted();
        stage.board.lose_teams();
        stage.pass(DAY);
        assert_eq!(stage.row(Slot::StatusMessage), None);
        shows(&mut stage, own.unwrap_or_default());
        stage.board.reach_teams();
        stage.pump();
        match own {
            None => accept(&mut stage, "back at 3", DAY),
            Some(_) => {
                stage.silence();
                assert_eq!(state(&stage), Some(ClaimState::Overridden));
            }
        }
    }
}
