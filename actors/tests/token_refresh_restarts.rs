//! What a restart holds back, and what it does not.
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

use m365_actors::supervision::ExitKind;
use m365_actors::supervision::stage::Stage;
use m365_presence::identity::Credential;
use m365_presence::light::AuthenticationCode as Code;
use stage::house::{House, play, play_on, restart};
use stage::shelf::Shelf;
use stage::sign_in::{APP, WITH_PASSWORD, anna, status, token};
use stage::{minutes, pass, seconds};

/// Who ends when the sign-ins break off.
const DEPENDENTS: [&str; 4] = [
    "user-sync",
    "license-check",
    "presence-subscription",
    "presence-sweep",
];

/// The sign-ins break off by a bug, and start anew after their back-off.
async fn crash(stage: &Stage) {
    for name in DEPENDENTS {
        stage.expect_end(name, ExitKind::Ordered);
    }
    stage.expect_end("token-refresh", ExitKind::Bug);
    stage.tree().inject_panic("token-refresh").unwrap();
    pass(minutes(2)).await;
}

fn wrong_password(house: &mut House) {
    house.entra.refuse(anna(), Code::WrongPassword);
}

#[test]
fn an_ordered_restart_tries_at_once() {
    play(0, wrong_password, async |stage, cast| {
        pass(seconds(5)).await;
        cast.house.entra.recover();
        restart(stage, "token-refresh").await;
        assert!(token(&cast, anna(), None).await.is_ok());
        assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
    });
}

#[test]
fn not_even_ordered_restarts_lock_an_account() {
    play(0, wrong_password, async |stage, cast| {
        for _ in 0..14 {
            pass(seconds(5)).await;
            restart(stage, "token-refresh").await;
        }
        assert_eq!(cast.journal().count(WITH_PASSWORD), 8);
        assert_eq!(status(&cast, &anna()).await.code, Code::WrongPassword);
    });
}

#[test]
fn a_crash_repeats_no_wrong_password() {
    play(0, wrong_password, async |stage, cast| {
        pass(seconds(5)).await;
        for _ in 0..8 {
            crash(stage).await;
            let held = status(&cast, &anna()).await;
            assert_eq!(held.code, Code::WrongPassword);
            assert!(held.detail.contains("refused"), "{}", held.detail);
        }
        assert_eq!(cast.journal().count(WITH_PASSWORD), 1);
        pass(minutes(60)).await;
        assert_eq!(cast.journal().count(WITH_PASSWORD), 2);
    });
}

#[test]
fn a_crash_keeps_every_hold() {
    let refuse = |house: &mut House| house.entra.refuse(Credential::App, Code::ConsentRequired);
    play(0, refuse, async |stage, cast| {
        pass(seconds(5)).await;
        for _ in 0..5 {
            crash(stage).await;
        }
        assert_eq!(cast.journal().count(APP), 1);
        pass(minutes(6)).await;
        assert_eq!(cast.journal().count(APP), 2);
    });
}

#[test]
fn a_crash_before_the_answer_does_not_repeat_a_password_for_ever() {
    let slow = |house: &mut House| house.entra.delay.set(minutes(10));
    play(0, slow, async |stage, cast| {
        for _ in 0..20 {
            crash(stage).await;
        }
        let sent = cast.journal().count(WITH_PASSWORD);
        assert!((5..=8).contains(&sent), "{sent} in forty minutes");
    });
}

#[test]
fn a_process_in_a_crash_loop_tries_a_wrong_password_twice_an_hour() {
    let shelf = Rc::new(Shelf::default());
    for _start in 0..20 {
        play_on(Rc::clone(&shelf), 0, wrong_password, async |_, cast| {
            pass(seconds(10)).await;
            assert_eq!(status(&cast, &anna()).await.code, Code::WrongPassword);
        });
    }
    assert_eq!(shelf.journal.count(WITH_PASSWORD), 2);
}

#[test]
fn a_corrected_password_is_tried_at_the_next_start() {
    let shelf = Rc::new(Shelf::default());
    for _start in 0..5 {
        play_on(Rc::clone(&shelf), 0, wrong_password, async |_, _| {
            pass(seconds(10)).await
        });
    }
    let corrected = |house: &mut House| "another".clone_into(&mut house.entra.configured.borrow_mut());
    play_on(Rc::clone(&shelf), 0, corrected, async |_, cast| {
        pass(seconds(1)).await;
        assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
    });
    assert!(
        shelf.sign_ins.borrow()[&anna()].trial.is_none(),
        "what succeeded is forgotten"
    );
}

#[test]
fn a_start_after_a_success_begins_a_new_count() {
    let shelf = Rc::new(Shelf::default());
    for _start in 0..30 {
        play_on(
            Rc::clone(&shelf),
            0,
            |_| (),
            async |_, cast| {
                pass(seconds(2)).await;
                assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
            },
        );
    }
    assert_eq!(shelf.journal.count(WITH_PASSWORD), 30);
}
