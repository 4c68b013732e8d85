//! What a restart keeps, what it loses, and when it follows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod supervision_cast;

use std::time::Duration;

use m365_actors::supervision::{
    ExitKind, ExitReason, NodeState, OrderError, Post, Settings, Strategy, SupervisorSpec, stage,
};
use supervision_cast::{
    Count, Diary, Player, Ponder, Provoke, Role, Trouble, When, Work, error, pass, seconds,
};

/// A scene with one actor under the root.
fn alone(role: Role, scene: impl AsyncFnOnce(&stage::Stage, Post<Player>)) {
    let diary = Diary::default();
    let cast = || {
        let (post, spec) = role.cast(&diary);
        (SupervisorSpec::new("root", Strategy::OneForOne).child(spec), post)
    };
    stage::play(cast, Settings::default(), scene);
}

#[test]
fn a_restart_keeps_address_and_mailbox_but_not_state() {
    alone(Role::new("player"), async |stage, player| {
        stage.expect_end("player", ExitKind::Bug);
        assert_eq!(player.ask(Count).await, Ok(1));
        assert_eq!(player.ask(Count).await, Ok(2));
        player.tell(Provoke(Trouble::Panic)).unwrap();
        let sent_before_the_end = player.ask(Count);
        pass(Duration::from_millis(100)).await;
        assert!(matches!(stage.node("player").state, NodeState::Waiting { .. }));
        let sent_while_down = player.ask(Count);
        assert_eq!(stage.node("player").mailbox_depth, 2);
        assert_eq!(sent_before_the_end.await, Ok(1));
        assert_eq!(sent_while_down.await, Ok(2));
        assert_eq!(stage.node("player").mailbox_depth, 0);
    });
}

#[test]
fn questions_that_a_run_took_up_are_answered_gone_when_it_ends() {
    alone(Role::new("player"), async |stage, player| {
        stage.expect_end("player", ExitKind::Refused);
        let question = player.ask(Ponder(seconds(5)));
        stage.rest().await;
        player
            .tell(Provoke(Trouble::End(ExitReason::refused("no consent"))))
            .unwrap();
        let answer = tokio::time::timeout(seconds(1), question).await;
        assert!(answer.expect("no asker waits for a held actor").is_err());
    });
}

#[test]
fn a_rebuild_that_panics_is_tried_again_with_the_next_run() {
    let role = Role::new("player").scripted([None, Some((When::Rebuild, Trouble::Panic))]);
    alone(role, async |stage, player| {
        stage.expect_end("player", ExitKind::Bug);
        player.tell(Provoke(Trouble::Panic)).unwrap();
        pass(seconds(10)).await;
        assert_eq!(player.ask(Count).await, Ok(1));
        assert_eq!(stage.node("player").run, 2);
    });
}

#[test]
fn a_rebuild_that_panics_twice_is_an_end_of_its_own() {
    let unlucky = || Some((When::Rebuild, Trouble::Panic));
    alone(
        Role::new("player").scripted([None, unlucky(), unlucky()]),
        async |stage, player| {
            stage.expect_end("player", ExitKind::Bug);
            stage.expect_end("player", ExitKind::Bug);
            player.tell(Provoke(Trouble::Panic)).unwrap();
            pass(seconds(20)).await;
            assert_eq!(player.ask(Count).await, Ok(1));
            assert!(stage.ends()[1].place.starts_with("restart at "));
            assert_eq!(stage.node("player").run, 3);
        },
    );
}

#[test]
fn a_start_that_keeps_failing_backs_off_and_lets_the_others_work() {
    let diary = Diary::default();
    let cast = || {
        let lost = || Some((When::Start, Trouble::End(ExitReason::lost("no route"))));
        let (_, failing) = Role::new("failing")
            .scripted((0..100).map(|_| lost()))
            .cast(&diary);
        let (working, working_spec) = Role::new("working").cast(&diary);
        (
            SupervisorSpec::new("root", Strategy::OneForOne)
                .child(failing)
                .child(working_spec),
            working,
        )
    };
    stage::play(cast, Settings::default(), async |stage, working| {
        pass(seconds(600)).await;
        let failing = stage.node("failing");
        assert!(
            (20..40).contains(&failing.run),
            "{} runs in ten minutes",
            failing.run
        );
        assert_eq!(working.ask(Count).await, Ok(1));
        for _ in 0..stage.ends().len() {
            stage.expect_end("failing", ExitKind::Lost);
        }
        assert_eq!(stage.node("root").run, 1, "losses do not spend the intensity");
    });
}

#[test]
fn the_first_timer_of_the_next_run_fires_whatever_the_last_run_cancelled() {
    let role = Role::new("player").scripted([None, Some((When::Timer, error()))]);
    alone(role, async |stage, player| {
        stage.expect_end("player", ExitKind::Bug);
        stage.expect_end("player", ExitKind::Bug);
        player.tell(supervision_cast::CancelAndStop).unwrap();
        pass(seconds(30)).await;
        assert!(
            stage.ends()[1].place.starts_with("timer"),
            "the timer of the second run has fired"
        );
        assert_eq!(stage.node("player").run, 3);
    });
}

#[test]
fn a_refused_actor_is_held_and_probed() {
    alone(Role::new("player"), async |stage, player| {
        stage.expect_end("player", ExitKind::Refused);
        player
            .tell(Provoke(Trouble::End(ExitReason::refused("no consent"))))
            .unwrap();
        pass(seconds(14 * 60)).await;
        let node = stage.node("player");
        assert!(matches!(&node.state, NodeState::Held { reason, .. } if reason == "refused: no consent"));
        assert_eq!((node.run, node.started_at), (1, None));
        pass(seconds(2 * 60)).await;
        assert_eq!(stage.node("player").run, 2);
        assert_eq!(stage.node("player").state, NodeState::Running);
    });
}

#[test]
fn a_wrong_password_is_probed_only_once_an_hour() {
    alone(Role::new("player"), async |stage, player| {
        stage.expect_end("player", ExitKind::Refused);
        player
            .tell(Provoke(Trouble::End(ExitReason::wrong_password("login refused"))))
            .unwrap();
        pass(seconds(59 * 60)).await;
        assert_eq!(stage.node("player").run, 1);
        pass(seconds(2 * 60)).await;
        assert_eq!(stage.node("player").run, 2);
    });
}

#[test]
fn an_order_releases_a_held_actor_at_once_and_its_probe_is_off() {
    alone(Role::new("player"), async |stage, player| {
        stage.expect_end("player", ExitKind::Refused);
        player
            .tell(Provoke(Trouble::End(ExitReason::refused("no consent"))))
            .unwrap();
        pass(seconds(60)).await;
        stage.tree().restart("player").unwrap();
        stage.rest().await;
        assert_eq!(stage.node("player").state, NodeState::Running);
        pass(seconds(3600)).await;
        assert_eq!(stage.node("player").run, 2, "the old probe starts nothing");
    });
}

#[test]
fn a_running_actor_restarts_at_once_by_order() {
    alone(Role::new("player"), async |stage, player| {
        stage.expect_end("player", ExitKind::Ordered);
        assert_eq!(player.ask(Count).await, Ok(1));
        stage.tree().restart("player").unwrap();
        assert_eq!(player.ask(Count).await.map_err(|gone| gone.actor), Ok(1));
        assert_eq!(stage.node("player").restarts.ordered, 1);
        assert_eq!(
            stage.tree().restart("nobody"),
            Err(OrderError::Unknown("nobody".to_owned()))
        );
    });
}

#[test]
fn a_stop_without_a_reason_is_a_bug() {
    alone(Role::new("player"), async |stage, player| {
        stage.expect_end("player", ExitKind::Bug);
        player.tell(Provoke(Trouble::Stop)).unwrap();
        pass(seconds(5)).await;
        assert_eq!(
            stage.node("player").last_end.unwrap().text,
            "it stopped without a reason"
        );
    });
}

#[test]
fn waits_double_and_a_steady_run_ends_the_streak() {
    let trouble = |_| Some((When::Start, error()));
    alone(
        Role::new("player").scripted((0..4).map(trouble)),
        async |stage, player| {
            pass(seconds(4)).await;
            assert_eq!(
                stage.node("player").run,
                3,
                "1 s and 2 s are over, the next 4 s are not"
            );
            pass(seconds(26)).await;
            assert_eq!(stage.node("player").run, 5);
            pass(seconds(120)).await;
            player.tell(Provoke(error())).unwrap();
            pass(Duration::from_millis(1100)).await;
            assert_eq!(stage.node("player").run, 6, "the first wait again");
            for _ in 0..5 {
                stage.expect_end("player", ExitKind::Bug);
            }
        },
    );
}

#[test]
fn work_that_bars_the_mailbox_for_less_than_the_patience_is_no_hang() {
    alone(Role::new("player"), async |stage, player| {
        for _ in 0..4 {
            assert_eq!(player.ask(Work(seconds(25))).await, Ok(()));
        }
        let busy: Vec<_> = (0..4).map(|_| player.ask(Work(seconds(20)))).collect();
        futures_util::future::join_all(busy).await;
        assert_eq!(stage.node("player").run, 1);
    });
}

#[test]
fn a_held_actor_is_not_taken_for_a_hanging_one() {
    alone(Role::new("player"), async |stage, player| {
        stage.expect_end("player", ExitKind::Refused);
        let _unanswered = player.ask(Work(seconds(1000)));
        stage.rest().await;
        let _waiting = player.ask(Work(seconds(1)));
        stage.tree().inject_panic("player").unwrap();
        stage.expect_end("player", ExitKind::Bug);
        pass(seconds(5)).await;
        player
            .tell(Provoke(Trouble::End(ExitReason::refused("no consent"))))
            .unwrap();
        pass(seconds(600)).await;
        assert!(matches!(stage.node("player").state, NodeState::Held { .. }));
    });
}

#[test]
fn an_injected_panic_ends_the_named_actor_alone() {
    let diary = Diary::default();
    let cast = || {
        let (_, victim) = Role::new("victim").cast(&diary);
        let (_, other) = Role::new("other").cast(&diary);
        (
            SupervisorSpec::new("root", Strategy::OneForOne)
                .child(victim)
                .child(other),
            (),
        )
    };
    stage::play(cast, Settings::default(), async |stage, ()| {
        stage.expect_end("victim", ExitKind::Bug);
        stage.tree().inject_panic("victim").unwrap();
        pass(seconds(5)).await;
        let victim = stage.node("victim");
        assert_eq!(victim.run, 2);
        assert_eq!(victim.last_end.unwrap().text, "panic: injected panic");
        assert_eq!(stage.node("other").run, 1);
    });
}
