//! What an administrator sees of a write: how far it has come, and what prevails over it.

use std::time::Duration;

use m365_presence::board::{ClaimState, Outcome, PersonView};
use m365_presence::ports::PresenceChange;

use crate::stage::{DAY, Stage, WEEK, guid, set_call, set_preferred};

fn view(stage: &Stage) -> PersonView {
    stage.board.view(&guid(), stage.now).unwrap()
}

fn state(stage: &Stage) -> Option<ClaimState> {
    view(stage).teams_claim_state
}

#[test]
fn nothing_asked_for_is_no_claim() {
    let stage = Stage::alice();
    assert_eq!(state(&stage), None);
    assert_eq!(view(&stage).teams_signed_in, Some(true));
}

#[test]
fn a_write_is_read_back_with_the_next_look() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    assert_eq!(state(&stage), Some(ClaimState::Writing));
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    assert_eq!(state(&stage), Some(ClaimState::Accepted));
    stage.seconds(1);
    stage.read("DoNotDisturb", "DoNotDisturb");
    assert_eq!(state(&stage), Some(ClaimState::Shown));
    assert_eq!(
        view(&stage).set_in_teams.as_deref(),
        Some("DoNotDisturb/DoNotDisturb")
    );
}

#[test]
fn a_renewal_does_not_make_a_shown_call_uncertain() {
    let mut stage = Stage::alice();
    stage.calls(1);
    stage.accept(&set_call());
    stage.seconds(2);
    stage.read("Busy", "InACall");
    assert_eq!(state(&stage), Some(ClaimState::Shown));
    stage.seconds(300);
    assert_eq!(state(&stage), Some(ClaimState::Shown));
    stage.accept(&set_call());
    assert_eq!(state(&stage), Some(ClaimState::Shown));
}

#[test]
fn the_users_own_later_choice_overrides_what_was_accepted() {
    let stage = Stage::overridden();
    assert_eq!(state(&stage), Some(ClaimState::Overridden));
    let view = view(&stage);
    assert_eq!(view.set_in_teams, None);
    assert!(
        view.why.contains("overridden by the user's own status"),
        "{}",
        view.why
    );
}

#[test]
fn a_choice_of_somebody_without_a_teams_session_is_accepted_and_not_shown() {
    for (activity, own_will) in [("Offline", false), ("OffWork", true)] {
        let mut stage = Stage::alice();
        stage.read("Offline", activity);
        assert_eq!(view(&stage).teams_signed_in, (!own_will).then_some(false));
        stage.choose("dnd");
        stage.accept(&set_preferred("DoNotDisturb", DAY));
        stage.seconds(1);
        stage.read("Offline", activity);
        assert_eq!(state(&stage), Some(ClaimState::NoSession));
        let why = view(&stage).why;
        assert!(why.contains("no teams session"), "{why}");
        assert_eq!(why.contains("appearing offline"), own_will, "{why}");
        stage.notify("DoNotDisturb", "DoNotDisturb");
        assert_eq!(state(&stage), Some(ClaimState::Shown), "a client has signed in");
    }
}

#[test]
fn presence_unknown_is_no_look_at_a_write() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.accept(&set_preferred("DoNotDisturb", DAY));
    stage.seconds(5);
    stage.read("PresenceUnknown", "PresenceUnknown");
    assert_eq!(state(&stage), Some(ClaimState::Accepted));
    assert_eq!(view(&stage).teams_signed_in, None);
}

#[test]
fn a_call_lifts_the_choice_and_says_so() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.calls(1);
    stage.accept(&set_call());
    stage.accept(&PresenceChange::ClearPreferred);
    stage.seconds(2);
    stage.read("Busy", "InACall");
    assert_eq!(state(&stage), Some(ClaimState::Lifted));
    assert!(view(&stage).why.contains("dnd"), "{}", view(&stage).why);
    stage.calls(0);
    assert_eq!(state(&stage), Some(ClaimState::Writing));
}

#[test]
fn a_call_that_a_state_of_the_users_own_hides_is_masked() {
    for (availability, activity) in [
        ("DoNotDisturb", "Presenting"),
        ("Away", "Away"),
        ("Offline", "OffWork"),
    ] {
        let mut stage = Stage::alice();
        stage.calls(1);
        stage.accept(&set_call());
        stage.seconds(2);
        stage.read(availability, activity);
        assert_eq!(
            state(&stage),
            Some(if activity == "Presenting" {
                ClaimState::Shown // what the PBX would show is the same: on the phone
            } else {
                ClaimState::Masked
            }),
            "{activity}"
        );
    }
}

#[test]
fn a_refusal_is_told_in_teams_own_words() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.teams_write();
    stage.answer_teams(&Outcome::Refused {
        message: "403 Forbidden: no permission".to_owned(),
        gone: false,
    });
    assert_eq!(state(&stage), Some(ClaimState::Refused));
    let view = view(&stage);
    assert!(view.why.contains("403 Forbidden: no permission"), "{}", view.why);
    assert_eq!(view.set_in_teams, None);
}

#[test]
fn a_write_that_waits_says_for_what() {
    let mut stage = Stage::alice();
    stage.choose("dnd");
    stage.teams_write();
    stage.answer_teams(&Outcome::Failed {
        wait: Some(Duration::from_secs(60)),
    });
    assert_eq!(state(&stage), Some(ClaimState::WaitingForRetry));

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
    stage.choose("lunch");
    assert_eq!(state(&stage), Some(ClaimState::WaitingForPace));
    assert!(view(&stage).why.contains("lunch"), "{}", view(&stage).why);
}

#[test]
fn what_may_be_the_users_own_waits_for_a_read_before_it_is_removed() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.read_numbered("5", "DoNotDisturb", "DoNotDisturb");
    stage.notify_numbered("6", "Away", "Away");
    stage.accept_entry("away");
    stage.pbx(&[("teams:", "away")]);
    assert_eq!(state(&stage), Some(ClaimState::WaitingForRead));
    stage.seconds(2);
    stage.read_numbered("7", "DoNotDisturb", "DoNotDisturb");
    assert_eq!(state(&stage), Some(ClaimState::Releasing));
    stage.accept(&PresenceChange::ClearPreferred);
    assert_eq!(state(&stage), None);
}
