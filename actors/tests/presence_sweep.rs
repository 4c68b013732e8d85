//! What one notices of the bulk reads of presence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use m365_actors::presence_subscription;
use m365_actors::presence_sweep::{GetStatus, Read, Status, Sweep};
use m365_actors::presence_sync::GetViews;
use m365_presence::cadence::Reading;
use stage::graph::{lost, throttled, unreachable};
use stage::house::{Cast, House, play, restart};
use stage::people::{guid, teams_id};
use stage::{millis, minutes, pass, seconds};

const READ: &str = "teams: read";

async fn status(cast: &Cast) -> Status {
    cast.sweep.ask(GetStatus).await.unwrap()
}

/// Changes that no notification told.
async fn missed(cast: &Cast) -> u64 {
    let status = cast
        .subscription
        .ask(presence_subscription::GetStatus)
        .await
        .unwrap();
    status
        .subscriptions
        .iter()
        .map(|subscription| subscription.missed)
        .sum()
}

async fn read(cast: &Cast, users: impl IntoIterator<Item = usize>) {
    let users = users.into_iter().map(teams_id).collect();
    cast.sweep.ask(Read { users }).await.unwrap();
}

#[test]
fn everybody_is_read_in_calls_of_650_at_most() {
    play(
        1400,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let status = status(&cast).await;
            assert!(status.whole && status.watched == 1400);
            cast.house.teams.reads.borrow_mut().clear();
            cast.sweep.ask(Sweep).await.unwrap();
            pass(seconds(1)).await;
            assert_eq!(*cast.house.teams.reads.borrow(), [650, 650, 100]);
        },
    );
}

#[test]
fn many_orders_become_one_call() {
    play(
        30,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.journal().clear();
            cast.house.teams.reads.borrow_mut().clear();
            for number in 1..=30 {
                read(&cast, [number, number]).await;
            }
            pass(seconds(1)).await;
            assert_eq!(*cast.house.teams.reads.borrow(), [30]);
        },
    );
}

#[test]
fn everybody_is_swept_once_a_period() {
    play(
        2,
        |house| house.sweep = seconds(30),
        async |_, cast| {
            cast.settle().await;
            cast.journal().clear();
            pass(minutes(5)).await;
            assert_eq!(cast.journal().count("teams: read t1,t2"), 10);
        },
    );
}

#[test]
fn with_subscriptions_alone_nobody_is_swept_again() {
    play(
        2,
        |house| house.reading = Reading::Subscription,
        async |_, cast| {
            cast.settle().await;
            assert!(status(&cast).await.whole);
            cast.journal().clear();
            pass(minutes(60)).await;
            assert_eq!(cast.journal().count(READ), 0);
        },
    );
}

#[test]
fn a_dead_graph_costs_a_probe_and_not_a_storm() {
    play(
        2000,
        |house| house.sweep = seconds(10),
        async |_, cast| {
            cast.settle().await;
            *cast.house.teams.read_error.borrow_mut() = Some(lost());
            cast.journal().clear();
            pass(minutes(1)).await;
            let young = cast.journal().count(READ);
            assert!((10..=60).contains(&young), "{young} reads in the first minute");
            cast.journal().clear();
            pass(minutes(10)).await;
            let old = cast.journal().count(READ);
            assert!((20..=120).contains(&old), "{old} reads in ten minutes");
            assert!(status(&cast).await.last_failure.is_some());
            *cast.house.teams.read_error.borrow_mut() = None;
            pass(seconds(31)).await;
            let status = status(&cast).await;
            assert_eq!((status.waiting, status.last_failure), (0, None));
        },
    );
}

#[test]
fn patience_that_graph_asks_for_is_kept() {
    play(
        1,
        |house| house.sweep = seconds(10),
        async |_, cast| {
            cast.settle().await;
            *cast.house.teams.read_error.borrow_mut() = Some(throttled(minutes(3)));
            pass(seconds(11)).await;
            *cast.house.teams.read_error.borrow_mut() = None;
            cast.journal().clear();
            pass(seconds(160)).await;
            assert_eq!(cast.journal().count(READ), 0);
            pass(seconds(30)).await;
            assert!(cast.journal().count(READ) > 0);
        },
    );
}

#[test]
fn a_read_that_failed_is_made_up_for() {
    play(
        3,
        |house| house.reading = Reading::Subscription,
        async |_, cast| {
            cast.settle().await;
            cast.house.teams.show(teams_id(2), "Busy", "Busy");
            *cast.house.teams.read_error.borrow_mut() = Some(lost());
            read(&cast, [2]).await;
            pass(millis(200)).await;
            *cast.house.teams.read_error.borrow_mut() = None;
            pass(seconds(6)).await;
            let views = cast.sync.ask(GetViews(vec![guid(2)])).await.unwrap();
            assert_eq!(views[0].1.teams_presence.as_deref(), Some("Busy/Busy"));
        },
    );
}

#[test]
fn after_an_outage_everybody_is_read() {
    play(
        3,
        |house| house.sweep = minutes(60),
        async |_, cast| {
            cast.settle().await;
            cast.house.reach.lose();
            *cast.house.teams.read_error.borrow_mut() = Some(unreachable(seconds(5)));
            pass(seconds(60)).await;
            // whatever is told now is lost
            cast.house.teams.show(teams_id(3), "Busy", "Busy");
            cast.journal().clear();
            pass(seconds(60)).await;
            let probes = cast.journal().count(READ);
            assert!((10..=14).contains(&probes), "{probes} probes, five seconds apart");
            *cast.house.teams.read_error.borrow_mut() = None;
            cast.house.reach.recover();
            pass(seconds(5)).await;
            let views = cast.sync.ask(GetViews(vec![guid(3)])).await.unwrap();
            assert_eq!(views[0].1.teams_presence.as_deref(), Some("Busy/Busy"));
            cast.journal().clear();
            pass(minutes(30)).await;
            let whole = "teams: read t1,t2,t3";
            assert_eq!(cast.journal().count(whole), 0, "everybody was read once");
        },
    );
}

#[test]
fn what_the_notifications_missed_is_counted_and_what_was_ordered_is_not() {
    play(
        2,
        |house| house.sweep = seconds(30),
        async |_, cast| {
            cast.settle().await;
            cast.house.teams.show(teams_id(1), "Busy", "Busy");
            read(&cast, [1]).await;
            pass(seconds(31)).await;
            assert_eq!(missed(&cast).await, 0);
            cast.house.teams.show(teams_id(2), "Away", "Away");
            pass(minutes(2)).await;
            assert_eq!(missed(&cast).await, 1);
            // a notification that came in time is none that was missed
            cast.house.teams.show(teams_id(2), "Busy", "Busy");
            cast.notify("presence t2 Busy/Busy 9");
            pass(minutes(2)).await;
            assert_eq!(missed(&cast).await, 1);
        },
    );
}

#[test]
fn a_restart_reads_everybody() {
    play(
        3,
        |house| house.reading = Reading::Subscription,
        async |stage, cast| {
            cast.settle().await;
            cast.journal().clear();
            restart(stage, "presence-sweep").await;
            assert_eq!(cast.journal().lines(READ), ["teams: read t1,t2,t3"]);
            assert!(status(&cast).await.whole);
        },
    );
}

#[test]
fn a_restart_reads_everybody_also_when_the_roster_comes_late() {
    play(
        3,
        |house| house.reading = Reading::Subscription,
        async |stage, cast| {
            cast.settle().await;
            cast.house.estate.answers_licenses.set(false);
            cast.journal().clear();
            restart(stage, "license-check").await;
            restart(stage, "presence-sweep").await;
            pass(seconds(60)).await;
            assert!(cast.journal().count("teams: read t1,t2,t3") >= 1);
            assert!(status(&cast).await.whole);
        },
    );
}

#[test]
fn an_id_that_graph_refuses_costs_nobody_else_the_observation() {
    let disliked = |house: &mut House| {
        house.reading = Reading::Polling;
        house.sweep = seconds(10);
        house.teams.disliked.borrow_mut().insert(teams_id(5));
    };
    play(20, disliked, async |_, cast| {
        cast.settle().await;
        pass(seconds(10)).await;
        let reads = status(&cast).await;
        assert_eq!((reads.last_failure, reads.whole), (None, true));
        cast.house.teams.show(teams_id(6), "Busy", "Busy");
        pass(seconds(11)).await;
        let views = cast.sync.ask(GetViews(vec![guid(5), guid(6)])).await.unwrap();
        assert_eq!(views[0].1.teams_presence, None);
        assert_eq!(views[1].1.teams_presence.as_deref(), Some("Busy/Busy"));
        let failures = status(&cast).await.failures;
        pass(minutes(10)).await;
        let more = status(&cast).await.failures - failures;
        assert!((9..=11).contains(&more), "{more} refusals in ten minutes");
    });
}

#[test]
fn who_leaves_is_not_swept_any_more() {
    let quick = |house: &mut House| house.sweep = seconds(30);
    play(2, quick, async |_, cast| {
        let line = cast.settle().await;
        line.say(format!("gone {}", guid(2))).await;
        pass(seconds(40)).await;
        cast.journal().clear();
        pass(minutes(2)).await;
        assert_eq!(cast.journal().count("teams: read t1,t2"), 0);
        assert!(cast.journal().count("teams: read t1") > 0);
        assert_eq!(status(&cast).await.watched, 1);
    });
}
