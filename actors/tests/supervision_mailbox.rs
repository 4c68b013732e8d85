//! The mailbox: its bound, its count, and what happens to those who find it full.
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
    ExitKind, ExitReason, Seat, Settings, Strategy, SupervisorSpec, Undelivered, stage,
};
use supervision_cast::{Count, Diary, Player, Provoke, Role, Trouble, Work, pass, seconds};

#[test]
fn a_seat_takes_messages_before_its_actor_exists() {
    let diary = Diary::default();
    let role = Role::new("player");
    let early = role.post.ask(Count);
    assert_eq!((role.post.depth(), role.post.accepted()), (1, 1));
    let cast = || {
        let (post, spec) = role.cast(&diary);
        (SupervisorSpec::new("root", Strategy::OneForOne).child(spec), post)
    };
    stage::play(cast, Settings::default(), async |_, post| {
        assert_eq!(early.await, Ok(1));
        assert_eq!((post.depth(), post.accepted()), (0, 1));
    });
}

#[test]
fn tell_turns_away_and_ask_waits_when_the_mailbox_is_full() {
    let diary = Diary::default();
    let cast = || {
        let (post, spec) = Role::with_capacity("player", 3).cast(&diary);
        (SupervisorSpec::new("root", Strategy::OneForOne).child(spec), post)
    };
    stage::play(cast, Settings::default(), async |stage, post| {
        let busy = post.ask(Work(seconds(5)));
        stage.rest().await;
        for _ in 0..3 {
            post.tell(Count).unwrap();
        }
        let full = Undelivered::Full {
            actor: "player".to_owned(),
        };
        assert_eq!(
            post.clone().tell(Count),
            Err(full.clone()),
            "clones share the bound"
        );
        assert_eq!(post.tell(Count), Err(full));
        let patient: Vec<_> = (0..5).map(|_| post.ask(Count)).collect();
        assert_eq!((post.depth(), post.undelivered()), (3, 2));
        assert_eq!(stage.node("player").undelivered, 2);
        let answers = futures_util::future::join_all(patient).await;
        assert_eq!(answers, (4..9).map(Ok).collect::<Vec<_>>());
        assert_eq!(busy.await, Ok(()));
        assert_eq!((post.depth(), post.accepted()), (0, 9));
    });
}

#[test]
fn a_held_actor_keeps_what_its_mailbox_holds_and_no_more() {
    let diary = Diary::default();
    let cast = || {
        let (post, spec) = Role::with_capacity("player", 4).cast(&diary);
        (SupervisorSpec::new("root", Strategy::OneForOne).child(spec), post)
    };
    stage::play(cast, Settings::default(), async |stage, post| {
        stage.expect_end("player", ExitKind::Refused);
        post.tell(Provoke(Trouble::End(ExitReason::refused("no consent"))))
            .unwrap();
        stage.rest().await;
        let accepted = (0..10).filter(|_| post.tell(Count).is_ok()).count();
        assert_eq!(accepted, 4);
        pass(seconds(20 * 60)).await;
        assert_eq!(post.ask(Count).await, Ok(5));
    });
}

#[test]
fn posts_work_from_other_threads() {
    let diary = Diary::default();
    let cast = || {
        let (post, spec) = Role::new("player").cast(&diary);
        (SupervisorSpec::new("root", Strategy::OneForOne).child(spec), post)
    };
    stage::play(cast, Settings::default(), async |stage, post| {
        let (tree, remote) = (stage.tree().clone(), post.clone());
        let sent = std::thread::spawn(move || {
            remote.tell(Count).unwrap();
            tree.snapshot().len()
        });
        assert_eq!(sent.join().unwrap(), 2);
        assert_eq!(post.ask(Count).await, Ok(2));
    });
}

#[test]
fn a_seat_that_is_given_up_leaves_its_posts_gone() {
    let seat = Seat::<Player>::with_capacity("nobody", 1);
    let post = seat.post();
    drop(seat);
    assert_eq!(
        post.tell(Count),
        Err(Undelivered::Gone {
            actor: "nobody".to_owned()
        })
    );
}
