//! What one notices of the directory: whose users are known, matched, and how fresh that is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use std::sync::Arc;

use m365_actors::user_sync::{GetDirectory, GetStatus, UsersChanged};
use m365_presence::matching::Directory;
use stage::graph::{lost, throttled};
use stage::house::{Cast, play, restart};
use stage::pbx::listed;
use stage::people::{MASTER, SLAVE, guid, pbx_user, teams_user};
use stage::{millis, minutes, pass, seconds};

const LIST: &str = "teams: list users";

/// UserSync and all that start anew with it.
async fn directory(cast: &Cast) -> Option<Arc<Directory>> {
    cast.user_sync.ask(GetDirectory).await.unwrap()
}

async fn matched(cast: &Cast) -> usize {
    directory(cast)
        .await
        .map_or(0, |directory| directory.counts().matched)
}

#[test]
fn nothing_is_published_before_the_table_of_the_master_is_whole() {
    play(
        3,
        |house| house.estate.answers_table.set(false),
        async |_, cast| {
            let line = cast.dial(MASTER).await;
            line.say(listed(&pbx_user(1, MASTER))).await;
            pass(minutes(1)).await;
            assert!(directory(&cast).await.is_none());
            let status = cast.user_sync.ask(GetStatus).await.unwrap();
            assert!(status.teams_known && !status.pbx_known);
            line.say("users-complete").await;
            pass(seconds(1)).await;
            assert_eq!(matched(&cast).await, 1);
        },
    );
}

#[test]
fn nothing_is_published_before_the_users_of_teams_are_whole() {
    play(
        3,
        |house| *house.teams.users_error.borrow_mut() = Some(lost()),
        async |_, cast| {
            cast.settle().await;
            assert!(directory(&cast).await.is_none());
            *cast.house.teams.users_error.borrow_mut() = None;
            pass(seconds(10)).await;
            assert_eq!(matched(&cast).await, 3);
        },
    );
}

#[test]
fn a_slave_s_users_are_those_of_the_master_only() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.dial(SLAVE).await;
            pass(seconds(5)).await;
            assert!(directory(&cast).await.is_none());
            assert_eq!(cast.journal().count("pbx-branch: replicate"), 0);
        },
    );
}

#[test]
fn many_notifications_of_users_cause_one_fetch_a_second_after_the_last() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.journal().clear();
            for _ in 0..4 {
                cast.user_sync.ask(UsersChanged).await.unwrap();
                pass(millis(500)).await;
            }
            assert_eq!(cast.journal().count(LIST), 0);
            pass(millis(800)).await;
            assert_eq!(cast.journal().count(LIST), 1);
            pass(minutes(5)).await;
            assert_eq!(cast.journal().count(LIST), 1);
        },
    );
}

#[test]
fn notifications_without_end_cause_a_fetch_every_five_seconds() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.journal().clear();
            for _ in 0..80 {
                cast.user_sync.ask(UsersChanged).await.unwrap();
                pass(millis(250)).await;
            }
            let fetches = cast.journal().count(LIST);
            assert!((3..=5).contains(&fetches), "{fetches} fetches in 20 s");
        },
    );
}

#[test]
fn the_users_are_fetched_every_hour_without_any_notification() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.journal().clear();
            pass(minutes(58)).await;
            assert_eq!(cast.journal().count(LIST), 0);
            pass(minutes(3)).await;
            assert_eq!(cast.journal().count(LIST), 1);
        },
    );
}

#[test]
fn a_failed_fetch_keeps_the_last_directory_and_is_repeated_soon() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let before = directory(&cast).await.unwrap();
            *cast.house.teams.users_error.borrow_mut() = Some(lost());
            cast.house.join(3, MASTER);
            cast.user_sync.ask(UsersChanged).await.unwrap();
            pass(minutes(3)).await;
            assert!(Arc::ptr_eq(&before, &directory(&cast).await.unwrap()));
            let status = cast.user_sync.ask(GetStatus).await.unwrap();
            assert!(status.last_failure.is_some());
            let fetches = cast.journal().count(LIST);
            assert!((8..=40).contains(&fetches), "{fetches} fetches in 3 min");
            *cast.house.teams.users_error.borrow_mut() = None;
            pass(seconds(31)).await;
            let status = cast.user_sync.ask(GetStatus).await.unwrap();
            assert_eq!((status.counts.teams, status.last_failure), (3, None));
        },
    );
}

#[test]
fn patience_that_graph_asks_for_is_kept() {
    let throttle = |house: &mut stage::house::House| {
        *house.teams.users_error.borrow_mut() = Some(throttled(minutes(3)));
    };
    play(1, throttle, async |_, cast| {
        pass(minutes(1)).await;
        cast.user_sync.ask(UsersChanged).await.unwrap();
        pass(minutes(2) - seconds(1)).await;
        assert_eq!(cast.journal().count(LIST), 1);
        pass(seconds(2)).await;
        assert_eq!(cast.journal().count(LIST), 2);
    });
}

#[test]
fn a_changed_user_table_changes_who_matches() {
    play(
        2,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            cast.house.teams.users.borrow_mut().push(teams_user(3));
            cast.user_sync.ask(UsersChanged).await.unwrap();
            pass(seconds(3)).await;
            assert_eq!(matched(&cast).await, 2);
            line.say(listed(&pbx_user(3, MASTER))).await;
            pass(seconds(1)).await;
            assert_eq!(matched(&cast).await, 3);
            line.say(format!("gone {}", guid(1))).await;
            pass(seconds(1)).await;
            assert_eq!(matched(&cast).await, 2);
        },
    );
}

#[test]
fn a_lost_master_leaves_the_directory_as_it_is() {
    play(
        2,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.hang_up().await;
            pass(minutes(5)).await;
            assert_eq!(matched(&cast).await, 2);
            // it comes back, and its table arrives slowly
            cast.house.estate.answers_table.set(false);
            let line = cast.dial(MASTER).await;
            line.say(listed(&pbx_user(1, MASTER))).await;
            pass(minutes(1)).await;
            assert_eq!(matched(&cast).await, 2);
            line.say("users-complete").await;
            pass(seconds(1)).await;
            assert_eq!(matched(&cast).await, 1);
        },
    );
}

#[test]
fn a_restart_asks_both_sides_anew() {
    play(
        2,
        |_| (),
        async |stage, cast| {
            cast.settle().await;
            cast.journal().clear();
            restart(stage, "user-sync").await;
            assert_eq!(matched(&cast).await, 2);
            assert_eq!(cast.journal().count(LIST), 1);
            // the session had the whole table: the PBX is left alone
            assert_eq!(cast.journal().count("pbx-main: replicate"), 0);
            assert_eq!(cast.journal().count("pbx-main: license"), 2);
        },
    );
}
