//! A call in Teams as a call of ours at the PBX: busy for callers, never mistaken for a call of the user's, and never
//! left behind.

use m365_presence::board::Outcome;
use m365_presence::ports::{LedgerState, PresenceChange, Slot};

use crate::stage::{DAY, Stage, alien, guid, home, member, rules, set_call, set_preferred};

/// Alice, whose PBX takes calls of ours.
fn alice() -> Stage {
    let mut stage = Stage::of(alien());
    stage.offer_alien_calls(true);
    stage
}

/// Alice in a call in Teams, with a call of ours that the PBX tells of.
fn in_a_call() -> Stage {
    let mut stage = alice();
    stage.read("Busy", "InACall");
    stage.answer_alien_call(true, &Outcome::Accepted);
    stage.pbx(&[("tel:", "on-the-phone")]);
    stage.calls(1);
    stage.silence();
    stage
}

fn refused() -> Outcome {
    Outcome::Refused {
        message: "no right".to_owned(),
        gone: false,
    }
}

fn ended(stage: &mut Stage) {
    stage.read("Available", "Available");
    stage.answer_alien_call(false, &Outcome::Accepted);
}

#[test]
fn a_call_in_teams_is_a_call_at_the_pbx_and_no_entry() {
    let mut stage = in_a_call();
    assert_eq!(stage.state(Slot::AlienCall), Some(LedgerState::Confirmed));
    let view = stage.board.view(&guid(), stage.now).unwrap();
    assert!(
        view.alien_call && view.shown_at_pbx.as_deref() == Some("on-the-phone"),
        "{view:?}"
    );
    stage.seconds(3_600);
    stage.silence();
    ended(&mut stage);
    stage.pbx(&[]);
    stage.calls(0);
    stage.seconds(60);
    assert_eq!(stage.row(Slot::AlienCall), None);
    stage.silence();
}

#[test]
fn another_activity_in_teams_is_an_entry_as_ever() {
    let mut stage = alice();
    stage.read("Busy", "InAMeeting");
    stage.accept_entry("meeting");
    stage.read("Busy", "InACall");
    stage.answer_alien_call(true, &Outcome::Accepted);
    stage.accept_entry("");
    stage.read("Busy", "InAMeeting");
    stage.answer_alien_call(false, &Outcome::Accepted);
    stage.accept_entry("meeting");
    stage.silence();
}

#[test]
fn our_call_is_told_before_or_after_its_confirmation_and_is_never_a_call_of_the_users() {
    for told_first in [true, false] {
        let mut stage = alice();
        stage.read("Busy", "InACall");
        let tell = |stage: &mut Stage, calls: u32| {
            stage.board.see_calls(&home(), &guid(), calls);
            stage.pbx(if calls > 0 {
                &[("tel:", "on-the-phone")]
            } else {
                &[]
            });
        };
        if told_first {
            tell(&mut stage, 1);
        }
        stage.answer_alien_call(true, &Outcome::Accepted);
        tell(&mut stage, 1);
        stage.read("Available", "Available");
        if told_first {
            tell(&mut stage, 0);
        }
        stage.answer_alien_call(false, &Outcome::Accepted);
        stage.seconds(10);
        tell(&mut stage, 0);
        stage.seconds(60);
        assert!(stage.teams.is_empty(), "{:?}", stage.teams);
    }
}

#[test]
fn beside_our_call_a_higher_count_tells_of_a_call_of_the_users() {
    let mut stage = in_a_call();
    stage.calls(2);
    stage.accept(&set_call());
    // teams now shows what was set there, so our call is not needed any more
    stage.answer_alien_call(false, &Outcome::Accepted);
    stage.calls(1);
    stage.seconds(20);
    assert!(stage.teams.is_empty(), "{:?}", stage.teams);
    stage.calls(0);
    stage.pbx(&[]);
    stage.accept(&PresenceChange::ClearSession);
}

#[test]
fn what_our_call_hides_stays_as_it_was_known() {
    let mut stage = Stage::of(alien());
    stage.offer_alien_calls(true);
    stage.choose("dnd");
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    stage.seconds(2);
    stage.read("DoNotDisturb", "DoNotDisturb");
    // the user takes the slot back and calls
    stage.read("Busy", "InACall");
    stage.answer_alien_call(true, &Outcome::Accepted);
    stage.pbx(&[("tel:", "on-the-phone")]);
    stage.calls(1);
    stage.seconds(3_600);
    stage.silence();
}

#[test]
fn a_count_that_stays_after_the_end_of_our_call_is_ambiguous_and_then_a_call() {
    let mut stage = in_a_call();
    ended(&mut stage);
    stage.seconds(10);
    stage.silence();
    // the count did not sink: a call of the user's began at the same time
    stage.seconds(6);
    stage.accept(&set_call());
}

#[test]
fn a_lost_connection_ends_our_call_and_a_new_one_puts_it_on_again() {
    let mut stage = in_a_call();
    stage.board.change_alien_calls(&home(), false, stage.now);
    stage.lose_pbx();
    stage.seconds(30);
    stage.silence();
    assert!(stage.row(Slot::AlienCall).is_some(), "it may still be told");
    stage.offer_alien_calls(true);
    stage.answer_alien_call(true, &Outcome::Accepted);
    stage.pbx(&[("tel:", "on-the-phone")]);
    stage.calls(1);
    stage.silence();
}

#[test]
fn a_connection_that_the_pbx_takes_for_alive_haunts_nobody() {
    let mut stage = in_a_call();
    stage.board.change_alien_calls(&home(), false, stage.now);
    stage.lose_pbx();
    stage.read("Available", "Available");
    stage.offer_alien_calls(true);
    // our call of the dead connection is still counted and shown
    stage.pbx(&[("tel:", "on-the-phone")]);
    stage.calls(1);
    stage.seconds(240);
    stage.silence();
    stage.calls(0);
    stage.pbx(&[]);
    stage.seconds(120);
    stage.silence();
    assert_eq!(stage.row(Slot::AlienCall), None);
    stage.calls(1);
    stage.accept(&set_call());
}

#[test]
fn a_call_of_the_users_outlasts_the_loss_of_the_connection_that_carried_ours() {
    let mut stage = in_a_call();
    stage.calls(2);
    stage.accept(&set_call());
    stage.board.change_alien_calls(&home(), false, stage.now);
    stage.lose_pbx();
    stage.alien_calls.clear();
    stage
        .board
        .alien_call_written(&guid(), &Outcome::Failed { wait: None }, stage.now);
    stage.offer_alien_calls(true);
    stage.calls(1);
    stage.seconds(20);
    assert!(stage.teams.is_empty(), "{:?}", stage.teams);
}

#[test]
fn where_the_pbx_takes_no_call_of_ours_an_entry_stands_in_and_says_why() {
    let mut stage = alice();
    stage.read("Busy", "InACall");
    stage.answer_alien_call(true, &refused());
    assert_eq!(stage.row(Slot::AlienCall), None);
    let why = stage.board.view(&guid(), stage.now).unwrap().why;
    assert!(why.contains("entry only") && why.contains("no right"), "{why}");
    stage.accept_entry("on-the-phone");
    stage.seconds(9);
    stage.silence();
    stage.seconds(1);
    stage.answer_alien_call(true, &refused());
    stage.seconds(19);
    stage.silence();
    stage.seconds(1);
    stage.answer_alien_call(true, &Outcome::Accepted);
    stage.accept_entry("");
}

#[test]
fn without_the_right_an_entry_stands_in_until_it_is_there() {
    let mut stage = Stage::of(alien());
    stage.read("Busy", "InACall");
    stage.accept_entry("on-the-phone");
    let why = stage.board.view(&guid(), stage.now).unwrap().why;
    assert!(why.contains("Impersonation"), "{why}");
    stage.offer_alien_calls(true);
    stage.answer_alien_call(true, &Outcome::Accepted);
    stage.accept_entry("");
    stage.board.change_alien_calls(&home(), false, stage.now);
    stage.pump();
    stage.accept_entry("on-the-phone");
}

#[test]
fn by_default_a_call_in_teams_is_an_entry() {
    let mut stage = Stage::of(rules());
    stage.offer_alien_calls(true);
    stage.read("Busy", "InACall");
    stage.accept_entry("on-the-phone");
    stage.silence();
}

#[test]
fn an_unanswered_write_is_repeated_and_counts_as_set_while_an_entry_stands_in() {
    let mut stage = alice();
    stage.read("Busy", "InACall");
    stage.answer_alien_call(true, &Outcome::Failed { wait: None });
    stage.accept_entry("on-the-phone");
    stage.calls(1);
    stage.pbx(&[("tel:", "on-the-phone"), ("teams:", "on-the-phone")]);
    stage.seconds(2);
    stage.answer_alien_call(true, &Outcome::Accepted);
    stage.accept_entry("");
    stage.read("Available", "Available");
    stage.answer_alien_call(false, &Outcome::Failed { wait: None });
    stage.seconds(2);
    stage.answer_alien_call(false, &Outcome::Accepted);
    stage.silence();
}

#[test]
fn who_leaves_is_released_from_our_call() {
    let mut stage = in_a_call();
    stage.board.set_roster([], stage.now);
    stage.pump();
    assert!(!stage.board.is_empty());
    stage.answer_alien_call(false, &Outcome::Accepted);
    assert!(stage.board.is_empty() && stage.ledger.is_empty());
}

#[test]
fn who_leaves_while_the_connection_is_lost_is_gone_at_once() {
    let mut stage = in_a_call();
    stage.board.change_alien_calls(&home(), false, stage.now);
    stage.lose_pbx();
    stage.board.set_roster([], stage.now);
    stage.pump();
    assert!(
        stage.board.is_empty() && stage.ledger.is_empty(),
        "{:?}",
        stage.ledger
    );
}

#[test]
fn after_a_restart_a_call_of_ours_that_still_stands_is_taken_off() {
    let mut stage = in_a_call();
    stage.restart(alien());
    stage.offer_alien_calls(true);
    stage.board.see_alien_call(&home(), &guid(), true, stage.now);
    stage.pbx(&[("tel:", "on-the-phone")]);
    stage.calls(1);
    stage.silence();
    stage.read("Available", "Available");
    stage.answer_alien_call(false, &Outcome::Accepted);
}

#[test]
fn after_a_crash_the_trace_of_our_call_is_no_call_of_the_users() {
    let mut stage = in_a_call();
    stage.restart(alien());
    stage.offer_alien_calls(true);
    stage.pbx(&[("tel:", "on-the-phone")]);
    stage.calls(1);
    stage.read("Available", "Available");
    stage.seconds(240);
    stage.silence();
    stage.calls(0);
    stage.pbx(&[]);
    stage.seconds(3);
    assert_eq!(stage.row(Slot::AlienCall), None);
}

#[test]
fn a_user_who_moves_is_taken_off_at_the_old_pbx() {
    let mut stage = in_a_call();
    let mut moved = member();
    moved.pbx.home = "other".into();
    stage.board.set_roster([moved], stage.now);
    stage.pump();
    stage.answer_alien_call(false, &Outcome::Accepted);
    // the other pbx takes no call of ours
    assert_eq!(stage.entry_write(), "on-the-phone");
}
