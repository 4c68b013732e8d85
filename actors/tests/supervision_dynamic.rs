//! Children that come and go at run time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod supervision_cast;

use m365_actors::supervision::{
    Branch, ChildSpec, ExitKind, ExitReason, InvalidName, NodeState, NotAdmitted, Settings, Strategy,
    SupervisorSpec, Undelivered, stage,
};
use supervision_cast::{Count, Diary, Provoke, Role, Trouble, pass, seconds};

fn spec_of(diary: &Diary, name: &str) -> ChildSpec {
    Role::new(name).cast(diary).1
}

fn dynamic(diary: &Diary) -> (SupervisorSpec, Branch) {
    let pbx = SupervisorSpec::new("pbx", Strategy::OneForOne);
    let branch = pbx.branch();
    (
        SupervisorSpec::new("root", Strategy::OneForOne)
            .child(spec_of(diary, "static"))
            .child(pbx),
        branch,
    )
}

#[test]
fn children_come_and_go_at_run_time() {
    let diary = Diary::default();
    stage::play(
        || dynamic(&diary),
        Settings::default(),
        async |stage, branch| {
            let (post, spec) = Role::new("berlin").cast(&diary);
            branch.add(spec).await.unwrap();
            assert_eq!(post.ask(Count).await, Ok(1));
            assert_eq!(stage.node("berlin").supervisor.as_deref(), Some("pbx"));

            let taken = NotAdmitted::Name(InvalidName::Taken("berlin".to_owned()));
            assert_eq!(branch.add(spec_of(&diary, "berlin")).await, Err(taken));
            let malformed = NotAdmitted::Name(InvalidName::Malformed("a/b".to_owned()));
            assert_eq!(branch.add(spec_of(&diary, "a/b")).await, Err(malformed));

            stage.expect_end("berlin", ExitKind::Ordered);
            let (newer, spec) = Role::new("berlin").cast(&diary);
            branch.replace(spec).await.unwrap();
            assert_eq!(newer.ask(Count).await, Ok(1));
            assert_eq!(
                post.tell(Count),
                Err(Undelivered::Gone {
                    actor: "berlin".to_owned()
                })
            );

            stage.expect_end("berlin", ExitKind::Ordered);
            assert_eq!(branch.remove("berlin").await, Ok(true));
            assert_eq!(branch.remove("berlin").await, Ok(false));
            assert!(stage.tree().snapshot().iter().all(|node| node.name != "berlin"));
        },
    );
}

#[test]
fn children_can_be_added_from_another_thread_and_outlive_their_supervisors_run() {
    let diary = Diary::default();
    stage::play(
        || dynamic(&diary),
        Settings::default(),
        async |stage, branch| {
            let remote = branch.remote();
            let adding = remote.add(|| Role::new("munich").cast(&Diary::default()).1, false);
            adding.await.unwrap();
            stage.expect_end("munich", ExitKind::Ordered);
            stage.expect_end("pbx", ExitKind::Ordered);
            stage.tree().restart("pbx").unwrap();
            pass(seconds(1)).await;
            assert_eq!(stage.node("munich").state, NodeState::Running);
            assert_eq!(stage.node("munich").run, 2);
        },
    );
}

#[test]
fn who_waits_for_a_removed_child_starts() {
    let diary = Diary::default();
    let cast = || {
        let (first, first_spec) = Role::new("1").cast(&diary);
        let root = SupervisorSpec::new("root", Strategy::RestForOne);
        let branch = root.branch();
        (
            root.child(first_spec).child(spec_of(&diary, "2")),
            (first, branch),
        )
    };
    stage::play(cast, Settings::default(), async |stage, (first, branch)| {
        stage.expect_end("1", ExitKind::Refused);
        stage.expect_end("2", ExitKind::Ordered);
        first
            .tell(Provoke(Trouble::End(ExitReason::refused("no consent"))))
            .unwrap();
        pass(seconds(5)).await;
        assert_eq!(branch.remove("1").await, Ok(true));
        stage.rest().await;
        assert_eq!(stage.node("2").state, NodeState::Running);
    });
}
