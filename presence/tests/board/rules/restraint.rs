//! What an administrator holds back is decided and told, and neither written nor released.

use m365_presence::board::{Brake, ClaimState, Restraint, Rules, Side};
use m365_presence::ports::Slot;

use crate::stage::{DAY, Stage, guid, rules, set_preferred};

fn held(restraint: Restraint) -> Rules {
    Rules { restraint, ..rules() }
}

fn shadow() -> Rules {
    held(Restraint {
        shadow: true,
        ..Restraint::default()
    })
}

fn told(stage: &Stage) -> Vec<(Side, Brake, String)> {
    let view = stage.board.view(&guid(), stage.now).unwrap();
    let receipts = view.held_back.into_iter();
    receipts
        .map(|receipt| (receipt.side, receipt.brake, receipt.what))
        .collect()
}

#[test]
fn in_shadow_both_sides_are_decided_and_told_once_and_nothing_leaves() {
    let mut stage = Stage::of(shadow());
    stage.transitions.clear();
    stage.notify_numbered("7", "Busy", "InAMeeting");
    stage.silence();
    assert_eq!(told(&stage), [(Side::Pbx, Brake::Shadow, "meeting".to_owned())]);
    let why = stage.board.view(&guid(), stage.now).unwrap().why;
    assert!(
        why.contains("would display") && why.contains("sync.shadow"),
        "{why}"
    );
    stage.notify_numbered("8", "Available", "Available");
    stage.choose("dnd");
    stage.silence();
    let view = stage.board.view(&guid(), stage.now).unwrap();
    assert_eq!(view.teams_claim_state, Some(ClaimState::Shadow));
    assert_eq!(view.set_in_teams, None);
    let preferred = set_preferred("DoNotDisturb", DAY).to_string();
    assert_eq!(told(&stage), [(Side::Teams, Brake::Shadow, preferred)]);
    stage.seconds(3_600);
    stage.silence();
    let receipts = stage.transitions.iter().flat_map(|transition| &transition.held);
    assert_eq!(receipts.count(), 2, "{:#?}", stage.transitions);
    assert!(stage.ledger.is_empty());
}

#[test]
fn a_paused_direction_holds_its_side_and_lets_the_other_go_on() {
    let mut stage = Stage::of(held(Restraint {
        teams: true,
        ..Restraint::default()
    }));
    stage.choose("dnd");
    stage.silence();
    assert_eq!(told(&stage).first().unwrap().1, Brake::Paused);
    stage.choose("");
    assert!(told(&stage).is_empty());
    stage.notify_numbered("7", "Busy", "InAMeeting");
    stage.accept_entry("meeting");
}

#[test]
fn a_paused_user_keeps_what_stands_and_the_newest_state_is_written_afterwards() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.restart(held(Restraint {
        users: ["alice".to_owned()].into(),
        ..Restraint::default()
    }));
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.choose("busy");
    stage.choose("");
    stage.silence();
    assert!(stage.row(Slot::Preferred).is_some(), "the ledger remembers it");
    stage.restart(rules());
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.choose("busy");
    stage.seconds(5);
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.accept(&set_preferred("Busy", DAY));
}

#[test]
fn whoever_leaves_while_paused_keeps_what_stands_and_keeps_nobody_waiting() {
    let mut stage = Stage::with_choice("dnd", "DoNotDisturb", DAY);
    stage.restart(shadow());
    stage.read("DoNotDisturb", "DoNotDisturb");
    stage.choose("dnd");
    assert!(!stage.board.has_released());
    stage.board.release_all(stage.now);
    stage.pump();
    stage.silence();
    assert!(stage.board.has_released() && !stage.board.is_empty());
    assert!(stage.row(Slot::Preferred).is_some(), "a later start releases it");
}
