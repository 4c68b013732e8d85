//! What one notices of a PBX that is lost, refuses, or leaves unanswered.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use m365_actors::pbx_session::{CheckLicenses, GetStatus, SessionStatus, SetEntry};
use m365_actors::presence_sync::GetViews;
use m365_actors::supervision::ExitKind;
use m365_actors::user_sync::GetDirectory;
use m365_presence::board::{EntryWrite, Outcome};
use m365_presence::identity::PbxName;
use stage::house::{Cast, play, restart};
use stage::pbx::chose;
use stage::people::{MASTER, guid};
use stage::{minutes, pass, seconds};

async fn status(cast: &Cast, pbx: &str) -> SessionStatus {
    cast.session(pbx).ask(GetStatus).await.unwrap()
}

/// What the board knows of a user's presence at the PBX.
async fn seen(cast: &Cast, number: usize) -> Option<String> {
    let views = cast.sync.ask(GetViews(vec![guid(number)])).await.unwrap();
    views.into_iter().next().and_then(|(_, view)| view.pbx_presence)
}

fn entry(number: usize) -> SetEntry {
    SetEntry(EntryWrite {
        note: String::new(),
        user: guid(number),
        h323: format!("u{number}"),
        pbx: PbxName::new(MASTER),
        activity: "away".to_owned(),
    })
}

#[test]
fn line_states_that_do_not_become_whole_are_asked_for_again_and_shown() {
    play(
        1,
        |house| house.estate.answers_lines.set(false),
        async |_, cast| {
            cast.settle().await;
            pass(minutes(9)).await;
            assert_eq!(cast.journal().count("pbx-main: lines"), 1);
            pass(minutes(2)).await;
            let trouble = status(&cast, MASTER).await.lines_trouble.unwrap();
            assert!(trouble.contains("first round"), "{trouble}");
            cast.house.estate.answers_lines.set(true);
            pass(minutes(2)).await;
            let status = status(&cast, MASTER).await;
            assert!(status.lines_complete && status.lines_trouble.is_none());
        },
    );
}

#[test]
fn refused_line_states_are_asked_for_again_and_shown() {
    play(
        1,
        |house| house.estate.refuses_lines.set(true),
        async |_, cast| {
            cast.settle().await;
            let refused = status(&cast, MASTER).await;
            assert!(!refused.lines_complete);
            assert!(refused.lines_trouble.unwrap().contains("no right"));
            assert!(refused.refusal.unwrap().contains("line states"));
            cast.house.estate.refuses_lines.set(false);
            cast.house.estate.calls.borrow_mut().insert(guid(1), 1);
            pass(minutes(2)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("on-the-phone"));
            let status = status(&cast, MASTER).await;
            assert!(status.lines_complete && status.lines_trouble.is_none());
        },
    );
}

#[test]
fn a_call_does_not_last_for_ever_at_a_pbx_that_comes_back_without_line_states() {
    play(
        1,
        |house| {
            house.estate.calls.borrow_mut().insert(guid(1), 1);
        },
        async |_, cast| {
            let line = cast.settle().await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("on-the-phone"));
            line.hang_up().await;
            cast.house.estate.refuses_lines.set(true);
            cast.house
                .estate
                .choices
                .borrow_mut()
                .insert(guid(1), "dnd".to_owned());
            cast.dial(MASTER).await;
            pass(minutes(1)).await;
            assert_eq!(
                seen(&cast, 1).await.as_deref(),
                Some("on-the-phone"),
                "the lease runs"
            );
            pass(minutes(12)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("dnd"));
        },
    );
}

#[test]
fn a_refused_user_table_is_asked_for_again_and_shown() {
    play(
        1,
        |house| house.estate.refuses_table.set(true),
        async |_, cast| {
            cast.settle().await;
            assert!(
                status(&cast, MASTER)
                    .await
                    .refusal
                    .unwrap()
                    .contains("user table")
            );
            cast.house.estate.refuses_table.set(false);
            pass(minutes(2)).await;
            assert!(status(&cast, MASTER).await.users_complete);
            assert!(cast.user_sync.ask(GetDirectory).await.unwrap().is_some());
            assert_eq!(cast.journal().count("pbx-main: replicate"), 2);
        },
    );
}

#[test]
fn a_refused_presence_is_asked_for_again() {
    play(
        1,
        |house| house.estate.refuses_presence.set(true),
        async |_, cast| {
            cast.settle().await;
            assert_eq!(seen(&cast, 1).await, None);
            cast.house
                .estate
                .choices
                .borrow_mut()
                .insert(guid(1), "busy".to_owned());
            cast.house.estate.refuses_presence.set(false);
            pass(minutes(2)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("busy"));
        },
    );
}

#[test]
fn a_subscription_that_nothing_answers_is_made_anew_now_and_then() {
    play(
        1,
        |house| house.estate.answers_presence.set(false),
        async |_, cast| {
            cast.settle().await;
            pass(seconds(15)).await;
            assert_eq!(cast.journal().count("pbx-main: subscribe g1"), 1);
            assert_eq!(seen(&cast, 1).await, None);
            pass(minutes(2)).await;
            let asked = cast.journal().count("pbx-main: subscribe g1");
            assert!((2..=4).contains(&asked), "{asked} times");
            cast.house.estate.answers_presence.set(true);
            pass(minutes(2)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some(""));
            let asked = cast.journal().count("pbx-main: subscribe g1");
            pass(minutes(5)).await;
            assert_eq!(cast.journal().count("pbx-main: subscribe g1"), asked);
        },
    );
}

#[test]
fn a_connection_that_is_lost_ends_the_write_that_was_under_way() {
    play(
        1,
        |house| house.estate.answers_entries.set(false),
        async |_, cast| {
            let line = cast.settle().await;
            let written = cast.session(MASTER).ask(entry(1));
            line.hang_up().await;
            let begun = tokio::time::Instant::now();
            assert_eq!(written.await.unwrap(), Outcome::Failed { wait: None });
            assert!(begun.elapsed() < seconds(2));
        },
    );
}

#[test]
fn a_license_round_that_stays_unanswered_ends_with_what_was_answered() {
    play(
        2,
        |house| house.estate.answers_licenses.set(false),
        async |_, cast| {
            let line = cast.dial(MASTER).await;
            pass(seconds(3)).await;
            let users = vec![(guid(1), "u1".to_owned()), (guid(2), "u2".to_owned())];
            let round = cast.session(MASTER).ask(CheckLicenses(users));
            line.say(format!("license {} true", guid(1))).await;
            let round = round.await.unwrap();
            assert!(!round.whole);
            assert_eq!(round.answers.len(), 1);
        },
    );
}

#[test]
fn a_restarted_session_is_attached_to_again_and_begins_anew() {
    play(
        1,
        |_| (),
        async |stage, cast| {
            cast.settle().await;
            cast.journal().clear();
            restart(stage, MASTER).await;
            let status = status(&cast, MASTER).await;
            assert_eq!((status.state, status.users, status.told), ("up", 1, 1));
            assert!(status.lines_complete);
            assert_eq!(cast.journal().count("pbx-main: subscribe g1"), 1);
        },
    );
}

#[test]
fn a_session_that_panics_comes_back_with_its_connection() {
    play(
        1,
        |_| (),
        async |stage, cast| {
            let line = cast.settle().await;
            stage.expect_end(MASTER, ExitKind::Bug);
            stage.tree().inject_panic(MASTER).unwrap();
            pass(seconds(10)).await;
            assert!(line.say(chose(1, "busy")).await);
            pass(seconds(1)).await;
            assert_eq!(seen(&cast, 1).await.as_deref(), Some("busy"));
        },
    );
}

#[test]
fn messages_without_use_are_counted_in_bounds() {
    play(
        0,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            for number in 0..200 {
                line.say(format!("odd-{number}")).await;
            }
            line.say("odd-0").await;
            let ignored = status(&cast, MASTER).await.ignored;
            assert_eq!(ignored["odd-0"], 2);
            assert!(ignored.len() <= 50);
        },
    );
}
