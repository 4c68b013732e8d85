//! The tree: order, escalation, intensity, dynamic children, its picture and its end.
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
    ExitKind, ExitReason, Intensity, InvalidName, NodeKind, NodeState, Settings, Strategy, SupervisorSpec,
    stage, start,
};
use supervision_cast::{Count, Diary, Provoke, Role, Trouble, When, error, pass, seconds};

fn spec_of(diary: &Diary, name: &str) -> m365_actors::supervision::ChildSpec {
    Role::new(name).cast(diary).1
}

/// root over [a, upper over [b, c], d]; stops take their time.
fn nested(diary: &Diary) -> SupervisorSpec {
    let slow = |name| {
        Role::new(name)
            .with_farewell(Duration::from_millis(100))
            .cast(diary)
            .1
    };
    let upper = SupervisorSpec::new("upper", Strategy::RestForOne)
        .child(slow("b"))
        .child(slow("c"));
    SupervisorSpec::new("root", Strategy::OneForOne)
        .child(slow("a"))
        .child(upper)
        .child(slow("d"))
}

#[test]
fn a_tree_stops_in_reverse_order_of_its_start() {
    let diary = Diary::default();
    stage::play(
        || (nested(&diary), ()),
        Settings::default(),
        async |_, ()| {
            let started = diary.read();
            let position = |name: &str| {
                started
                    .iter()
                    .position(|entry| *entry == format!("{name} started"))
                    .unwrap()
            };
            assert!(position("a") < position("d") && position("b") < position("c"));
        },
    );
    assert_eq!(diary.read(), ["d stopped", "c stopped", "b stopped", "a stopped"]);
}

#[test]
fn who_does_not_stop_within_its_grace_is_broken_off() {
    let diary = Diary::default();
    actix::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    })
    .block_on(async {
        let stubborn = Role::new("stubborn").with_farewell(seconds(3600)).cast(&diary).1;
        let root = SupervisorSpec::new("root", Strategy::OneForOne)
            .child(stubborn)
            .child(spec_of(&diary, "last"));
        let tree = start(root, Settings::default()).unwrap();
        pass(seconds(1)).await;
        let before = tokio::time::Instant::now();
        assert_eq!(tree.shutdown().await, ExitReason::Ordered);
        assert!(before.elapsed() < seconds(10));
        assert!(tree.snapshot().iter().all(|node| node.state == NodeState::Ended));
        assert_eq!(
            tree.ended().await,
            ExitReason::Ordered,
            "the end can be asked for again"
        );
    });
    assert_eq!(diary.read(), ["stubborn started", "last started", "last stopped"]);
}

#[test]
fn the_rest_ends_in_reverse_and_restarts_in_order() {
    let diary = Diary::default();
    let cast = || {
        let (first, first_spec) = Role::new("1").cast(&diary);
        let root = SupervisorSpec::new("root", Strategy::RestForOne).child(first_spec);
        (
            root.child(spec_of(&diary, "2")).child(spec_of(&diary, "3")),
            first,
        )
    };
    stage::play(cast, Settings::default(), async |stage, first| {
        stage.expect_end("1", ExitKind::Lost);
        stage.expect_end("2", ExitKind::Ordered);
        stage.expect_end("3", ExitKind::Ordered);
        diary.read();
        first
            .tell(Provoke(Trouble::End(ExitReason::lost("cut off"))))
            .unwrap();
        stage.rest().await;
        assert_eq!(diary.read(), ["1 stopped", "3 stopped", "2 stopped"]);
        let waits = |name| matches!(stage.node(name).state, NodeState::Waiting { .. });
        assert!(waits("1") && waits("2") && waits("3"));
        pass(seconds(2)).await;
        assert_eq!(diary.read(), ["1 started", "2 started", "3 started"]);
    });
}

#[test]
fn an_order_restarts_the_named_child_alone() {
    let diary = Diary::default();
    let cast = || {
        let root = SupervisorSpec::new("root", Strategy::RestForOne);
        (root.child(spec_of(&diary, "1")).child(spec_of(&diary, "2")), ())
    };
    stage::play(cast, Settings::default(), async |stage, ()| {
        stage.expect_end("1", ExitKind::Ordered);
        diary.read();
        stage.tree().restart("1").unwrap();
        stage.rest().await;
        assert_eq!(diary.read(), ["1 stopped", "1 started"]);
    });
}

#[test]
fn an_order_for_one_that_waits_for_another_starts_both() {
    let diary = Diary::default();
    let cast = || {
        let (first, first_spec) = Role::new("1").cast(&diary);
        (
            SupervisorSpec::new("root", Strategy::RestForOne)
                .child(first_spec)
                .child(spec_of(&diary, "2")),
            first,
        )
    };
    stage::play(cast, Settings::default(), async |stage, first| {
        stage.expect_end("1", ExitKind::Refused);
        stage.expect_end("2", ExitKind::Ordered);
        first
            .tell(Provoke(Trouble::End(ExitReason::refused("no consent"))))
            .unwrap();
        pass(seconds(5)).await;
        diary.read();
        stage.tree().restart("2").unwrap();
        stage.rest().await;
        assert_eq!(diary.read(), ["1 started", "2 started"]);
    });
}

#[test]
fn a_spent_intensity_ends_the_supervisor_and_its_parent_restarts_it() {
    let diary = Diary::default();
    let cast = || {
        let (failing, failing_spec) = Role::new("failing").cast(&diary);
        let (neighbour, neighbour_spec) = Role::new("neighbour").cast(&diary);
        let upper = SupervisorSpec::new("upper", Strategy::OneForOne)
            .intensity(Intensity {
                restarts: 1,
                window: seconds(60),
            })
            .child(neighbour_spec)
            .child(failing_spec);
        (
            SupervisorSpec::new("root", Strategy::OneForOne).child(upper),
            [failing, neighbour],
        )
    };
    stage::play(cast, Settings::default(), async |stage, [failing, neighbour]| {
        for (name, kind) in [
            ("failing", ExitKind::Bug),
            ("failing", ExitKind::Bug),
            ("upper", ExitKind::Bug),
        ] {
            stage.expect_end(name, kind);
        }
        stage.expect_end("neighbour", ExitKind::Ordered);
        neighbour.ask(Count).await.unwrap();
        failing.tell(Provoke(error())).unwrap();
        pass(seconds(3)).await;
        assert_eq!(stage.node("failing").run, 2);
        failing.tell(Provoke(error())).unwrap();
        stage.rest().await;
        assert!(matches!(stage.node("upper").state, NodeState::Waiting { .. }));
        assert_eq!(stage.node("neighbour").state, NodeState::Ended);
        pass(seconds(5)).await;
        assert_eq!(stage.node("upper").run, 2);
        assert_eq!(
            neighbour.ask(Count).await,
            Ok(1),
            "the mailbox outlives the supervisor's run, the state does not"
        );
        assert_eq!(failing.ask(Count).await, Ok(1));
        assert!(
            stage
                .node("upper")
                .last_end
                .unwrap()
                .text
                .starts_with("more than 1 failures in 60 s")
        );
    });
}

#[test]
fn an_intensity_that_is_not_spent_within_its_window_lasts_for_ever() {
    let diary = Diary::default();
    let cast = || {
        let (player, spec) = Role::new("player").cast(&diary);
        let intensity = Intensity {
            restarts: 1,
            window: seconds(60),
        };
        (
            SupervisorSpec::new("root", Strategy::OneForOne)
                .intensity(intensity)
                .child(spec),
            player,
        )
    };
    stage::play(cast, Settings::default(), async |stage, player| {
        for _ in 0..5 {
            stage.expect_end("player", ExitKind::Bug);
            player.tell(Provoke(error())).unwrap();
            pass(seconds(70)).await;
        }
        assert_eq!(stage.node("root").run, 1);
        assert_eq!(stage.node("player").run, 6);
    });
}

#[test]
fn the_root_that_gives_up_ends_the_tree_with_its_reason() {
    let diary = Diary::default();
    actix::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    })
    .block_on(async {
        let always = (0..100).map(|_| Some((When::Start, Trouble::Panic)));
        let (_, failing) = Role::new("failing").scripted(always).cast(&diary);
        let intensity = Intensity {
            restarts: 2,
            window: seconds(60),
        };
        let root = SupervisorSpec::new("root", Strategy::OneForOne).intensity(intensity);
        let root = root.child(spec_of(&diary, "other")).child(failing);
        let tree = start(root, Settings::default()).unwrap();
        let reason = tree.ended().await;
        assert_eq!(reason.kind(), ExitKind::Bug);
        assert!(
            reason.text().contains("failing last: bug: panic: beside itself"),
            "{reason}"
        );
    });
    assert_eq!(diary.read().last().unwrap(), "other stopped");
}

#[test]
fn a_supervisor_restarts_by_order_with_all_its_children() {
    let diary = Diary::default();
    stage::play(
        || (nested(&diary), ()),
        Settings::default(),
        async |stage, ()| {
            for name in ["upper", "b", "c"] {
                stage.expect_end(name, ExitKind::Ordered);
            }
            diary.read();
            stage.tree().restart("upper").unwrap();
            pass(seconds(1)).await;
            assert_eq!(diary.read(), ["c stopped", "b stopped", "b started", "c started"]);
        },
    );
}

#[test]
fn a_supervisor_that_panics_is_restarted_with_its_children() {
    let diary = Diary::default();
    stage::play(
        || (nested(&diary), ()),
        Settings::default(),
        async |stage, ()| {
            stage.expect_end("upper", ExitKind::Bug);
            stage.tree().inject_panic("upper").unwrap();
            pass(seconds(5)).await;
            let snapshot = stage.tree().snapshot();
            assert!(
                snapshot.iter().all(|node| node.state == NodeState::Running),
                "{snapshot:#?}"
            );
            assert_eq!(
                (stage.node("b").run, stage.node("c").run, stage.node("d").run),
                (2, 2, 1)
            );
        },
    );
}

#[test]
fn names_are_unique_and_without_slash() {
    let diary = Diary::default();
    actix::System::new().block_on(async {
        let root = SupervisorSpec::new("root", Strategy::OneForOne).child(spec_of(&diary, "root"));
        assert_eq!(
            start(root, Settings::default()).err(),
            Some(InvalidName::Taken("root".to_owned()))
        );
        let root = SupervisorSpec::new("", Strategy::OneForOne);
        assert_eq!(
            start(root, Settings::default()).err(),
            Some(InvalidName::Malformed(String::new()))
        );
    });
}

#[test]
fn the_picture_of_the_tree_tells_all() {
    let diary = Diary::default();
    stage::play(
        || (nested(&diary), ()),
        Settings::default(),
        async |stage, ()| {
            stage.expect_end("d", ExitKind::Bug);
            stage.tree().inject_panic("d").unwrap();
            pass(seconds(65)).await;
            let snapshot = stage.tree().snapshot();
            let names: Vec<_> = snapshot.iter().map(|node| node.name.as_str()).collect();
            assert_eq!(names, ["root", "a", "upper", "b", "c", "d"]);
            let supervisors = snapshot
                .iter()
                .filter(|node| node.kind == NodeKind::Supervisor)
                .count();
            assert_eq!(supervisors, 2);

            let json = serde_json::to_value(&snapshot[5]).unwrap();
            assert_eq!(json["name"], "d");
            assert_eq!(json["supervisor"], "root");
            assert_eq!(json["kind"], "worker");
            assert_eq!(json["state"], "running");
            assert_eq!(json["run"], 2);
            assert_eq!(json["restarts"]["bug"], 1);
            assert_eq!(json["last_end"]["reason"], "bug");
            assert_eq!(json["last_end"]["run"], 1);
            assert!(json["last_end"]["place"].as_str().unwrap().contains("run.rs:"));
            assert_eq!(json["mailbox_depth"], 0);
            assert!((60..=65).contains(&json["uptime_seconds"].as_u64().unwrap()));
            assert!(json["started_at"].is_string());
        },
    );
}

#[test]
#[should_panic(expected = "ends that were not expected")]
fn the_stage_fails_a_test_with_an_end_that_nobody_expected() {
    let diary = Diary::default();
    stage::play(
        || (nested(&diary), ()),
        Settings::default(),
        async |stage, ()| {
            stage.tree().inject_panic("a").unwrap();
        },
    );
}

#[test]
#[should_panic(expected = "ends that did not come")]
fn the_stage_fails_a_test_without_an_end_that_was_expected() {
    let diary = Diary::default();
    stage::play(
        || (nested(&diary), ()),
        Settings::default(),
        async |stage, ()| {
            stage.expect_end("a", ExitKind::Bug);
        },
    );
}
