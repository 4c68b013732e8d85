//! What one notices of the notifications that Microsoft sends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use m365_actors::presence_subscription::GetStatus as GetSubscriptions;
use m365_actors::presence_sync::GetViews;
use m365_actors::webhook_intake::{GetStatus, Status};
use m365_presence::ports::Discard;
use stage::house::{Cast, House, play, restart};
use stage::people::{guid, teams_id};
use stage::{millis, minutes, pass, seconds};

async fn status(cast: &Cast) -> Status {
    cast.intake.ask(GetStatus).await.unwrap()
}

/// What the board knows of a user's presence in Teams.
async fn seen(cast: &Cast, number: usize) -> Option<String> {
    let views = cast.sync.ask(GetViews(vec![guid(number)])).await.unwrap();
    views.into_iter().next().and_then(|(_, view)| view.teams_presence)
}

/// What the notifications tell is true: reads show it as well.
fn everybody_is_busy(cast: &Cast) {
    for number in 1..=3 {
        cast.house.teams.show(teams_id(number), "Busy", "Busy");
    }
}

#[test]
fn a_notification_is_shown_at_the_pbx() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.notify("presence t1 Busy/InAMeeting 5");
            pass(millis(500)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("Busy/InAMeeting"));
            assert_eq!(cast.journal().count("pbx-main: entry g1 teams: "), 1);
        },
    );
}

#[test]
fn many_notifications_of_one_user_become_one_observation() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.opener.delay.set(millis(100));
            for (number, pair) in [(5, "Away/Away"), (7, "Busy/Busy"), (6, "DoNotDisturb/Presenting")] {
                cast.notify(&format!("presence t1 {pair} {number}"));
            }
            pass(seconds(1)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("Busy/Busy"));
            assert_eq!(cast.journal().count("pbx-main: entry g1"), 1);
            assert_eq!(status(&cast).await.presence, 3);
        },
    );
}

#[test]
fn a_notification_without_a_state_is_answered_by_a_read() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.journal().clear();
            cast.notify("hint t2");
            pass(millis(500)).await;
            assert_eq!(cast.journal().lines("teams: read"), ["teams: read t2"]);
        },
    );
}

#[test]
fn the_same_hint_may_come_again_because_the_same_happened_again() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.journal().clear();
            for _ in 0..3 {
                cast.notify("hint t1");
                pass(seconds(1)).await;
            }
            assert_eq!(cast.journal().count("teams: read t1"), 3);
            assert!(!status(&cast).await.discarded.contains_key(&Discard::Duplicate));
        },
    );
}

#[test]
fn a_repeated_encrypted_body_is_dropped_unopened() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.notify("presence t1 Away/Away 1");
            pass(seconds(1)).await;
            cast.house.teams.show(teams_id(1), "Busy", "Busy");
            cast.notify("presence t1 Busy/Busy 2");
            pass(seconds(1)).await;
            cast.notify("presence t1 Away/Away 1");
            pass(seconds(1)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("Busy/Busy"));
            assert_eq!(cast.journal().count("opener: presence t1 Away/Away"), 1);
            assert_eq!(status(&cast).await.discarded[&Discard::Duplicate], 1);
        },
    );
}

#[test]
fn what_is_thrown_away_is_counted_by_its_reason() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            for number in 0..4 {
                cast.notify(&format!("nonsense {number}\nhint t1"));
            }
            pass(seconds(1)).await;
            let status = status(&cast).await;
            assert_eq!(status.discarded[&Discard::UnknownClientState], 4);
            assert_eq!((status.hints, status.opened, status.waiting), (4, 4, 0));
        },
    );
}

#[test]
fn notifications_wait_until_it_is_known_which_are_ours() {
    let slow = |house: &mut House| house.shelf.delay.set(seconds(5));
    play(1, slow, async |_, cast| {
        cast.notify("hint t1");
        pass(seconds(3)).await;
        assert_eq!(cast.journal().count("opener:"), 0);
        assert_eq!(status(&cast).await.waiting, 1);
        pass(seconds(30)).await;
        assert_eq!(cast.journal().lines("opener:"), ["opener: hint t1 with 2 states"]);
    });
}

#[test]
fn a_changed_user_is_told_to_the_directory() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.journal().clear();
            cast.notify("user t1\nuser t2");
            pass(seconds(2)).await;
            assert_eq!(cast.journal().count("teams: list users"), 1);
            assert_eq!(status(&cast).await.users, 2);
        },
    );
}

#[test]
fn what_was_accepted_survives_a_restart_of_the_intake() {
    play(
        3,
        |_| (),
        async |play, cast| {
            cast.settle().await;
            cast.house.opener.delay.set(millis(50));
            everybody_is_busy(&cast);
            for number in 0..300 {
                cast.notify(&format!("presence t{} Busy/Busy {number}", number % 3 + 1));
            }
            play.expect_end("webhook-intake", m365_actors::supervision::ExitKind::Ordered);
            play.tree().restart("webhook-intake").unwrap();
            pass(seconds(5)).await;
            assert!(cast.house.queue.is_empty());
            for number in 1..=3 {
                assert_eq!(seen(&cast, number).await.as_deref(), Some("Busy/Busy"));
            }
        },
    );
}

#[test]
fn a_flood_is_worked_off_without_holding_anybody_else_up() {
    play(
        3,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            everybody_is_busy(&cast);
            for number in 0..5_000 {
                cast.notify(&format!("presence t{} Busy/Busy {number}", number % 3 + 1));
            }
            cast.subscription.ask(GetSubscriptions).await.unwrap();
            pass(seconds(5)).await;
            assert_eq!(status(&cast).await.presence, 5_000);
            assert!(cast.journal().count("pbx-main: entry") <= 3);
        },
    );
}

#[test]
fn a_restart_of_the_board_gets_the_truth_by_reads() {
    play(
        1,
        |_| (),
        async |play, cast| {
            cast.settle().await;
            cast.notify("presence t1 Busy/Busy 1");
            pass(seconds(1)).await;
            cast.house.teams.show(teams_id(1), "Away", "Away");
            restart(play, "presence-sync").await;
            pass(minutes(1)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("Away/Away"));
        },
    );
}

#[test]
fn resource_data_without_validation_tokens_is_noticed_until_it_comes_with_some() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let since = async || status(&cast).await.without_tokens_since;
            assert_eq!(since().await, None);
            cast.notify("untokened\nhint t1");
            pass(seconds(1)).await;
            let first = since().await;
            assert!(first.is_some());
            cast.notify("untokened\nhint t1\n");
            cast.notify("hint t1");
            pass(seconds(1)).await;
            assert_eq!(since().await, first, "a basic one proves nothing");
            cast.notify("presence t1 Busy/Busy 5");
            pass(seconds(1)).await;
            assert_eq!(since().await, None);
        },
    );
}

#[test]
fn plain_numbers_order_by_their_value_and_not_by_their_letters() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.opener.delay.set(millis(100));
            for (number, pair) in [("9", "Away/Away"), ("10", "Busy/Busy"), ("8", "Offline/Offline")] {
                cast.notify(&format!("plain t1 {pair} {number}"));
            }
            pass(seconds(1)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("Busy/Busy"));
            assert_eq!(cast.journal().count("pbx-main: entry g1"), 1);
        },
    );
}

#[test]
fn a_burst_of_notifications_without_a_state_is_answered_by_one_read() {
    play(
        500,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.journal().clear();
            for number in 1..=500 {
                cast.notify(&format!("hint t{number}"));
                if number % 100 == 0 {
                    pass(millis(50)).await;
                }
            }
            pass(seconds(2)).await;
            let reads = cast.journal().count("teams: read");
            assert!((1..=2).contains(&reads), "{reads} reads");
            assert_eq!(status(&cast).await.hints, 500);
        },
    );
}

#[test]
fn a_stream_of_notifications_without_a_state_is_read_within_two_seconds_all_the_same() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.teams.show(teams_id(1), "Busy", "Busy");
            for _ in 0..15 {
                cast.notify("hint t1");
                pass(millis(100)).await;
            }
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("Busy/Busy"));
        },
    );
}
