//! What one notices of the licenses: who is let in, who is thrown out, and who is not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use std::rc::Rc;

use m365_actors::license_check::{Check, GetRoster, GetStatus, Roster};
use m365_actors::user_sync::UsersChanged;
use m365_presence::pbx::PbxApi;
use stage::house::{Cast, House, play, play_on, restart};
use stage::pbx::listed;
use stage::people::{MASTER, guid, pbx_user, teams_user};
use stage::shelf::Shelf;
use stage::{millis, minutes, pass, seconds};

const CHECK: &str = "pbx-main: license";

async fn roster(cast: &Cast) -> Option<Roster> {
    cast.license_check.ask(GetRoster).await.unwrap()
}

/// The numbers of those who are synchronised.
async fn members(cast: &Cast) -> Vec<String> {
    let roster = roster(cast).await.expect("a roster");
    let names = roster.members.iter().map(|member| member.pbx.h323.clone());
    names.collect()
}

#[test]
fn matched_users_with_a_license_are_synchronised() {
    let two_of_three = |house: &mut House| {
        house.estate.licensed.borrow_mut().remove(&guid(2));
    };
    play(3, two_of_three, async |_, cast| {
        cast.settle().await;
        assert_eq!(members(&cast).await, ["u1", "u3"]);
        assert_eq!(cast.journal().lines(CHECK)[0], "pbx-main: license g1 App(test)");
        assert_eq!(cast.journal().count(CHECK), 3);
        let status = cast.license_check.ask(GetStatus).await.unwrap();
        assert!(status.whole && status.told && status.licensed == 2);
    });
}

#[test]
fn a_withdrawn_license_is_noticed_before_the_next_renewal() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.estate.licensed.borrow_mut().remove(&guid(1));
            pass(minutes(11)).await;
            assert_eq!(members(&cast).await, ["u2"]);
        },
    );
}

#[test]
fn a_granted_license_is_noticed_before_the_next_renewal() {
    let one = |house: &mut House| {
        house.estate.licensed.borrow_mut().remove(&guid(2));
    };
    play(2, one, async |_, cast| {
        cast.settle().await;
        assert_eq!(members(&cast).await, ["u1"]);
        cast.house.estate.licensed.borrow_mut().insert(guid(2));
        pass(minutes(11)).await;
        assert_eq!(members(&cast).await, ["u1", "u2"]);
    });
}

#[test]
fn the_first_license_of_all_is_noticed_too() {
    play(
        1,
        |house| house.estate.licensed.borrow_mut().clear(),
        async |_, cast| {
            cast.settle().await;
            assert!(members(&cast).await.is_empty());
            pass(minutes(25)).await;
            cast.house.estate.licensed.borrow_mut().insert(guid(1));
            pass(minutes(11)).await;
            assert_eq!(members(&cast).await, ["u1"]);
            assert_eq!(cast.journal().count("graph: create anna@contoso.test t1"), 1);
        },
    );
}

#[test]
fn licenses_are_checked_every_ten_minutes_without_any_communication_user() {
    play(
        1,
        |house| house.accounts.clear(),
        async |_, cast| {
            cast.settle().await;
            pass(minutes(31)).await;
            assert_eq!(cast.journal().count(CHECK), 4);
        },
    );
}

#[test]
fn checks_without_an_answer_throw_nobody_out() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.estate.answers_licenses.set(false);
            cast.house.estate.licensed.borrow_mut().clear();
            pass(minutes(30)).await;
            assert_eq!(members(&cast).await, ["u1", "u2"]);
            assert!(!cast.license_check.ask(GetStatus).await.unwrap().whole);
            cast.house.estate.answers_licenses.set(true);
            pass(minutes(2)).await;
            assert!(members(&cast).await.is_empty());
        },
    );
}

#[test]
fn a_lost_master_throws_nobody_out() {
    play(
        2,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.hang_up().await;
            pass(minutes(30)).await;
            assert_eq!(members(&cast).await, ["u1", "u2"]);
            cast.house.estate.licensed.borrow_mut().remove(&guid(1));
            cast.settle().await;
            // the check follows by itself, although the table is the same as before
            pass(seconds(31)).await;
            assert_eq!(members(&cast).await, ["u2"]);
        },
    );
}

#[test]
fn an_app_object_without_the_right_says_nothing_about_licenses() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let apis = [PbxApi::PbxApi, PbxApi::PbxTableUsers, PbxApi::Rcc];
            let line = cast.dial_as(MASTER, "connector", &apis).await;
            pass(minutes(2)).await;
            assert!(roster(&cast).await.is_none());
            line.hang_up().await;
            cast.dial(MASTER).await;
            pass(seconds(35)).await;
            assert_eq!(members(&cast).await, ["u1"]);
        },
    );
}

#[test]
fn a_round_that_is_answered_slowly_is_waited_for() {
    play(
        5,
        |house| house.estate.answers_licenses.set(false),
        async |_, cast| {
            let line = cast.settle().await;
            for number in 1..=5 {
                pass(seconds(4)).await;
                line.say(format!("license {} true", guid(number))).await;
            }
            pass(seconds(1)).await;
            assert_eq!(members(&cast).await.len(), 5);
            assert!(cast.license_check.ask(GetStatus).await.unwrap().whole);
        },
    );
}

#[test]
fn the_last_answers_outlive_a_start_without_answers() {
    let shelf = Rc::new(Shelf::default());
    play_on(
        Rc::clone(&shelf),
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            assert_eq!(members(&cast).await.len(), 2);
        },
    );
    let silent = |house: &mut House| house.estate.answers_licenses.set(false);
    play_on(shelf, 2, silent, async |_, cast| {
        cast.settle().await;
        pass(minutes(1)).await;
        assert_eq!(members(&cast).await, ["u1", "u2"]);
    });
}

#[test]
fn answers_about_users_who_are_gone_are_not_kept() {
    play(
        2,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.say(format!("gone {}", guid(2))).await;
            pass(seconds(3)).await;
            assert_eq!(cast.house.shelf.licenses.borrow().len(), 1);
        },
    );
}

#[test]
fn a_changed_directory_is_checked_at_once() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            cast.house.teams.users.borrow_mut().push(teams_user(2));
            cast.house.estate.licensed.borrow_mut().insert(guid(2));
            line.say(listed(&pbx_user(2, MASTER))).await;
            cast.user_sync.ask(UsersChanged).await.unwrap();
            pass(seconds(3)).await;
            assert_eq!(members(&cast).await, ["u1", "u2"]);
        },
    );
}

#[test]
fn an_order_is_answered_with_the_roster_of_a_new_round() {
    play(
        2,
        |_| (),
        async |_, cast| {
            assert!(cast.license_check.ask(Check).await.unwrap().is_none());
            cast.settle().await;
            cast.house.estate.licensed.borrow_mut().remove(&guid(1));
            let roster = cast.license_check.ask(Check).await.unwrap().unwrap();
            assert_eq!(roster.members.len(), 1);
        },
    );
}

#[test]
fn a_restart_recalls_the_answers_and_checks_anew() {
    play(
        2,
        |_| (),
        async |stage, cast| {
            cast.settle().await;
            cast.house.estate.answers_licenses.set(false);
            cast.journal().clear();
            restart(stage, "license-check").await;
            assert_eq!(cast.journal().count(CHECK), 2);
            pass(seconds(40)).await;
            assert_eq!(members(&cast).await, ["u1", "u2"]);
            // what was subscribed stays as it is meanwhile
            assert_eq!(cast.journal().count("graph: delete"), 0);
            assert_eq!(cast.journal().count("graph: create"), 0);
        },
    );
}

#[test]
fn a_reported_change_of_a_user_brings_a_granted_license_to_light_at_once() {
    let one = |house: &mut House| {
        house.estate.licensed.borrow_mut().remove(&guid(2));
    };
    play(3, one, async |_, cast| {
        let line = cast.settle().await;
        assert_eq!(members(&cast).await, ["u1", "u3"]);
        cast.house.estate.licensed.borrow_mut().insert(guid(2));
        cast.journal().clear();
        // the row is the same as before: what changed is not among its columns
        line.say(listed(&pbx_user(2, MASTER))).await;
        pass(seconds(3)).await;
        assert_eq!(members(&cast).await, ["u1", "u2", "u3"]);
        assert_eq!(cast.journal().lines(CHECK), ["pbx-main: license g2 App(test)"]);
    });
}

#[test]
fn a_reported_change_of_a_user_brings_a_withdrawn_license_to_light_at_once() {
    play(
        2,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            cast.house.estate.licensed.borrow_mut().remove(&guid(1));
            line.say(listed(&pbx_user(1, MASTER))).await;
            pass(seconds(3)).await;
            assert_eq!(members(&cast).await, ["u2"]);
            assert!(
                !cast
                    .house
                    .shelf
                    .licenses
                    .borrow()
                    .iter()
                    .any(|answer| answer.user == guid(1) && answer.held)
            );
        },
    );
}

#[test]
fn a_flood_of_reported_changes_leads_to_few_questions() {
    play(
        2,
        |house| house.estate.users.borrow_mut().push(pbx_user(7, MASTER)),
        async |_, cast| {
            let line = cast.settle().await;
            cast.journal().clear();
            for _ in 0..200 {
                line.say(listed(&pbx_user(1, MASTER))).await;
                line.say(listed(&pbx_user(7, MASTER))).await;
                pass(millis(10)).await;
            }
            pass(seconds(3)).await;
            let questions = cast.journal().lines(CHECK);
            assert!((1..=4).contains(&questions.len()), "{questions:?}");
            assert!(
                questions.iter().all(|line| line.contains(" g1 ")),
                "nobody unmatched is asked for"
            );
        },
    );
}

#[test]
fn a_master_that_comes_back_is_asked_for_everybody() {
    play(
        2,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.hang_up().await;
            cast.house.estate.licensed.borrow_mut().remove(&guid(1));
            pass(seconds(3)).await;
            cast.dial(MASTER).await;
            pass(seconds(3)).await;
            assert_eq!(members(&cast).await, ["u2"]);
        },
    );
}

#[test]
fn a_passing_error_throws_nobody_out() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.estate.license_errors.borrow_mut().insert(guid(1), 1);
            let roster = cast.license_check.ask(Check).await.unwrap().unwrap();
            assert_eq!(roster.members.len(), 2);
            let status = cast.license_check.ask(GetStatus).await.unwrap();
            assert!(status.whole && status.fault.is_none());
        },
    );
}

#[test]
fn an_error_that_stands_takes_the_user_out_until_it_ends() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house
                .estate
                .license_errors
                .borrow_mut()
                .insert(guid(1), u32::MAX);
            cast.license_check.ask(Check).await.unwrap();
            assert_eq!(members(&cast).await, ["u2"]);
            let status = cast.license_check.ask(GetStatus).await.unwrap();
            assert_eq!(status.fault.as_deref(), Some("no right"));
            cast.house.estate.license_errors.borrow_mut().clear();
            pass(seconds(70)).await;
            assert_eq!(members(&cast).await, ["u1", "u2"]);
        },
    );
}

#[test]
fn errors_for_everybody_throw_nobody_out() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            for number in 1..=2 {
                cast.house
                    .estate
                    .license_errors
                    .borrow_mut()
                    .insert(guid(number), u32::MAX);
            }
            pass(minutes(30)).await;
            assert_eq!(members(&cast).await, ["u1", "u2"]);
            assert!(!cast.license_check.ask(GetStatus).await.unwrap().whole);
        },
    );
}

#[test]
fn in_test_mode_everybody_is_licensed_and_nobody_is_asked_for() {
    let nobody = |house: &mut House| {
        house.estate.licensed.borrow_mut().clear();
        house.estate.test_mode.set(true);
    };
    play(2, nobody, async |_, cast| {
        cast.settle().await;
        assert_eq!(members(&cast).await, ["u1", "u2"]);
        assert_eq!(cast.journal().count(CHECK), 0);
    });
}
