//! On the phone: the lease, the lift of the preferred presence, and what a lost session leaves.

use std::collections::BTreeMap;
use std::time::Duration;

use m365_presence::board::{Board, Outcome, Rules};
use m365_presence::identity::PbxName;
use m365_presence::mapping::PbxToTeams;
use m365_presence::ports::{PresenceChange, Slot};

use crate::stage::{DAY, LEASE, Stage, WEEK, blocking, guid, member, rules, set_call, set_preferred};

#[test]
fn a_call_is_told_by_an_entry_of_any_contact() {
    for contact in ["tel:", "x:", "calendar:"] {
        let mut stage = Stage::alice();
        stage.pbx(&[("a:", ""), (contact, "on-the-phone")]);
        stage.accept(&set_call());
    }
}

#[test]
fn a_call_is_told_by_line_state() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.calls(2);
    stage.silence();
    stage.calls(0);
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn our_own_entry_is_no_call() {
    let mut stage = Stage::alice();
    stage.read("Busy", "InACall");
    stage.accept_entry("on-the-phone");
    stage.seconds(600);
    stage.silence();
}

#[test]
fn the_lease_of_a_call_is_renewed_and_outlasts_its_renewal() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    for _ in 0..5 {
        stage.seconds(299);
        stage.silence();
        stage.seconds(1);
        stage.accept(&set_call());
    }
}

#[test]
fn the_lease_keeps_to_graphs_bounds() {
    for (renewal, lease) in [(2, 5 * 60), (60, 5 * 60), (600, 20 * 60), (7_200, 4 * 3_600)] {
        let mut stage = Stage::of(Rules {
            renewal: Duration::from_secs(renewal),
            ..rules()
        });
        stage.calls(1);
        let PresenceChange::SetSession { lifetime, .. } = stage.teams_write() else {
            panic!("no session")
        };
        assert_eq!(lifetime, Duration::from_secs(lease));
    }
}

#[test]
fn a_call_lifts_the_choice_after_the_session_and_puts_it_back_before_the_clear() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.calls(1);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    stage.seconds(2);
    stage.read("Busy", "InACall");
    stage.silence();
    stage.calls(0);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    stage.accept(&PresenceChange::ClearSession);
    stage.seconds(2);
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.seconds(60);
    stage.silence();
}

#[test]
fn a_choice_made_during_a_call_waits_for_its_end() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.choose("away");
    stage.silence();
    stage.calls(0);
    stage.accept(&set_preferred("Away", WEEK));
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn what_a_call_entry_hides_is_unknown_and_put_back_when_it_shows_again() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.pbx(&[("tel:", "on-the-phone")]);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    stage.choose("dnd");
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn in_blocking_mode_a_call_is_a_preferred_do_not_disturb_with_a_lease() {
    let mut stage = Stage::of(blocking());
    stage.calls(1);
    stage.accept(&set_preferred("DoNotDisturb", LEASE));
    stage.seconds(300);
    stage.accept(&set_preferred("DoNotDisturb", LEASE));
    stage.calls(0);
    stage.accept(&PresenceChange::ClearPreferred);
    stage.silence();
}

#[test]
fn in_blocking_mode_the_choice_comes_back_after_the_call() {
    let mut stage = Stage::of(blocking());
    stage.choose("away");
    stage.accept(&set_preferred("Away", WEEK));
    stage.calls(1);
    stage.accept(&set_preferred("DoNotDisturb", LEASE));
    stage.calls(0);
    stage.accept(&set_preferred("Away", WEEK));
}

#[test]
fn a_call_of_a_lost_session_runs_out_with_its_lease() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.lose_pbx();
    stage.seconds(599);
    stage.silence();
    assert!(stage.row(Slot::Session).is_some());
    stage.seconds(2);
    stage.silence();
    assert_eq!(stage.row(Slot::Session), None);
    stage.seconds(600);
    stage.silence();
    stage.pbx(&[]);
    stage.calls(1);
    stage.accept(&set_call());
}

#[test]
fn a_blocking_call_of_a_lost_session_runs_out_too() {
    let mut stage = Stage::of(blocking());
    stage.calls(1);
    stage.accept(&set_preferred("DoNotDisturb", LEASE));
    stage.lose_pbx();
    stage.seconds(3_600);
    stage.silence();
    assert_eq!(stage.row(Slot::Preferred), None);
}

#[test]
fn a_call_that_ended_during_a_crash_is_cleared() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.restart(rules());
    stage.pbx(&[]);
    stage.calls(0);
    stage.read("Busy", "InACall");
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn a_session_that_is_not_there_any_more_counts_as_cleared() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.calls(0);
    assert_eq!(stage.teams_write(), PresenceChange::ClearSession);
    stage.answer_teams(&Outcome::Refused {
        message: "404".to_owned(),
        gone: true,
    });
    stage.seconds(60);
    stage.silence();
    assert_eq!(stage.row(Slot::Session), None);
}

#[test]
fn calls_of_another_pbx_say_nothing() {
    let mut stage = Stage::alice();
    stage.board.see_calls(&PbxName::new("elsewhere"), &guid(), 1);
    stage.pump();
    stage.silence();
}

#[test]
fn before_the_home_is_known_each_pbxs_calls_are_kept() {
    for (at_home, elsewhere) in [(1, 0), (0, 1)] {
        for home_first in [true, false] {
            let mut stage = Stage::alice();
            stage.board = Board::new(rules(), Vec::new());
            let mut tell = [("pbx", at_home), ("elsewhere", elsewhere)];
            if !home_first {
                tell.reverse();
            }
            for (pbx, calls) in tell {
                stage.board.see_calls(&PbxName::new(pbx), &guid(), calls);
            }
            stage.board.set_roster([member()], stage.now);
            stage.pbx(&[]);
            stage.read("Available", "Available");
            if at_home > 0 {
                stage.accept(&set_call());
            } else {
                stage.silence();
            }
        }
    }
}

#[test]
fn the_calls_of_a_user_without_a_home_count_at_any_pbx() {
    let mut homeless = member();
    homeless.pbx.home = PbxName::new("");
    let mut stage = Stage::alice();
    stage.board.set_roster([homeless], stage.now);
    stage.calls(1);
    stage.accept(&set_call());
    stage.board.see_calls(&PbxName::new("elsewhere"), &guid(), 0);
    stage.pump();
    stage.silence();
    stage.board.see_calls(&PbxName::new("elsewhere"), &guid(), 1);
    stage.calls(0);
    stage.silence();
    stage.board.see_calls(&PbxName::new("elsewhere"), &guid(), 0);
    stage.pump();
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn when_the_home_changes_the_old_pbxs_calls_are_dropped() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    let mut moved = member();
    moved.pbx.home = PbxName::new("slave");
    stage.board.set_roster([moved], stage.now);
    stage.pump();
    stage.accept(&PresenceChange::ClearSession);
    stage.board.see_calls(&PbxName::new("slave"), &guid(), 1);
    stage.pump();
    stage.accept(&set_call());
}

#[test]
fn the_mapping_may_show_another_activity_as_a_call_and_a_call_as_another_state() {
    let table = |activity: &str, meaning: &str| Rules {
        pbx_to_teams: PbxToTeams::default()
            .with_overrides(&BTreeMap::from([(activity.to_owned(), meaning.to_owned())])),
        ..rules()
    };
    let mut stage = Stage::of(table("meeting", "InACall"));
    stage.choose("meeting");
    stage.accept(&set_call());
    stage.choose("");
    stage.accept(&PresenceChange::ClearSession);

    let mut stage = Stage::of(table("on-the-phone", "Busy"));
    stage.calls(1);
    stage.accept(&set_preferred("Busy", LEASE));

    let mut stage = Stage::of(table("on-the-phone", "online"));
    stage.calls(1);
    stage.silence();
}

#[test]
fn a_call_that_begins_again_after_an_unanswered_clear_is_set_at_once() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.calls(0);
    assert_eq!(stage.teams_write(), PresenceChange::ClearSession);
    stage.answer_teams(&Outcome::Failed { wait: None });
    stage.calls(1);
    stage.seconds(2);
    stage.accept(&set_call());
}

#[test]
fn after_a_crash_during_the_lift_the_choice_is_put_back() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.calls(1);
    stage.accept(&set_call());
    assert_eq!(stage.teams_write(), PresenceChange::ClearPreferred);
    stage.restart(rules());
    stage.choose("dnd");
    stage.calls(1);
    stage.seconds(2);
    stage.read("Busy", "InACall");
    stage.calls(0);
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    stage.accept(&PresenceChange::ClearSession);
}
