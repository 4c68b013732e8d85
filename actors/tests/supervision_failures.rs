//! Every way to fail, at every step of an actor, under every strategy: the actor comes back on its address.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod supervision_cast;

use m365_actors::supervision::{ExitKind, NodeState, Settings, Strategy, SupervisorSpec, stage};
use supervision_cast::{Count, Diary, Provoke, Role, Trouble, When, error, pass, seconds};

/// What the end of a run says of the step at which it ended.
fn named(step: Option<When>) -> &'static str {
    match step {
        Some(When::Rebuild) => "restart",
        Some(When::Start) => "start",
        Some(When::Future) => "future",
        Some(When::Timer) => "timer",
        None => "handler of Provoke",
    }
}

/// The second of three actors gets into trouble; `step` is none for a handler.
fn play(strategy: Strategy, step: Option<When>, trouble: Trouble) {
    let diary = Diary::default();
    let cast = || {
        let (first, first_spec) = Role::new("first").cast(&diary);
        let troubled = Role::new("troubled").scripted(step.map(|step| Some((step, trouble.clone()))));
        let (troubled, troubled_spec) = troubled.cast(&diary);
        let (last, last_spec) = Role::new("last").cast(&diary);
        let root = SupervisorSpec::new("root", strategy)
            .child(first_spec)
            .child(troubled_spec)
            .child(last_spec);
        (root, [first, troubled, last])
    };
    stage::play(
        cast,
        Settings::default(),
        async |stage, [first, troubled, last]| {
            stage.expect_end("troubled", ExitKind::Bug);
            if strategy == Strategy::RestForOne {
                stage.expect_end("last", ExitKind::Ordered);
            }
            if step.is_none() {
                troubled.tell(Provoke(trouble.clone())).unwrap();
            }
            first.ask(Count).await.unwrap();
            pass(seconds(60)).await;

            let node = stage.node("troubled");
            assert_eq!(node.state, NodeState::Running);
            assert_eq!(node.run, 2);
            assert_eq!(node.restarts.bug, 1);
            let place = node.last_end.unwrap().place;
            assert!(place.starts_with(named(step)), "ended at {place}");
            assert_eq!(
                troubled.ask(Count).await,
                Ok(1),
                "the address works and the state is new"
            );
            assert_eq!(
                first.ask(Count).await,
                Ok(2),
                "who started before keeps its state"
            );
            assert_eq!(last.ask(Count).await, Ok(1));
            let expected_runs = if strategy == Strategy::RestForOne { 2 } else { 1 };
            assert_eq!(stage.node("last").run, expected_runs);
        },
    );
}

/// One named test per case.
macro_rules! cases {
    ($($name:ident: $strategy:ident, $step:expr, $trouble:expr;)*) => {
        $(
            #[test]
            fn $name() {
                play(Strategy::$strategy, $step, $trouble);
            }
        )*
    };
}

cases! {
    panic_in_start_one_for_one: OneForOne, Some(When::Start), Trouble::Panic;
    panic_in_handler_one_for_one: OneForOne, None, Trouble::Panic;
    panic_in_future_one_for_one: OneForOne, Some(When::Future), Trouble::Panic;
    panic_in_timer_one_for_one: OneForOne, Some(When::Timer), Trouble::Panic;
    error_in_start_one_for_one: OneForOne, Some(When::Start), error();
    error_in_handler_one_for_one: OneForOne, None, error();
    error_in_future_one_for_one: OneForOne, Some(When::Future), error();
    error_in_timer_one_for_one: OneForOne, Some(When::Timer), error();
    hang_in_start_one_for_one: OneForOne, Some(When::Start), Trouble::Hang;
    hang_in_handler_one_for_one: OneForOne, None, Trouble::Hang;
    hang_in_future_one_for_one: OneForOne, Some(When::Future), Trouble::Hang;
    hang_in_timer_one_for_one: OneForOne, Some(When::Timer), Trouble::Hang;
    panic_in_start_rest_for_one: RestForOne, Some(When::Start), Trouble::Panic;
    panic_in_handler_rest_for_one: RestForOne, None, Trouble::Panic;
    panic_in_future_rest_for_one: RestForOne, Some(When::Future), Trouble::Panic;
    panic_in_timer_rest_for_one: RestForOne, Some(When::Timer), Trouble::Panic;
    error_in_start_rest_for_one: RestForOne, Some(When::Start), error();
    error_in_handler_rest_for_one: RestForOne, None, error();
    error_in_future_rest_for_one: RestForOne, Some(When::Future), error();
    error_in_timer_rest_for_one: RestForOne, Some(When::Timer), error();
    hang_in_start_rest_for_one: RestForOne, Some(When::Start), Trouble::Hang;
    hang_in_handler_rest_for_one: RestForOne, None, Trouble::Hang;
    hang_in_future_rest_for_one: RestForOne, Some(When::Future), Trouble::Hang;
    hang_in_timer_rest_for_one: RestForOne, Some(When::Timer), Trouble::Hang;
}
