//! What one reads of a user afterwards: what was seen, decided and written, and how long each hop took.
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

use m365_actors::presence_sync::{GetStatus, GetTimeline, Resync};
use m365_presence::board::{Place, Side};
use m365_presence::timeline::{Item, WriteOutcome};
use stage::graph::lost;
use stage::house::{Cast, House, play, play_on, restart};
use stage::pbx::chose;
use stage::people::{guid, teams_id};
use stage::shelf::Shelf;
use stage::{millis, minutes, pass, seconds};

async fn page(cast: &Cast, number: usize, before: Option<i64>, limit: usize) -> Vec<Item> {
    let user = guid(number);
    let asked = GetTimeline { user, before, limit };
    cast.sync.ask(asked).await.unwrap()
}

async fn timeline(cast: &Cast, number: usize) -> Vec<Item> {
    page(cast, number, None, 1_000).await
}

fn written(item: &Item) -> Vec<(Side, &str, Option<WriteOutcome>)> {
    let writes = item.written.iter();
    writes
        .map(|write| (write.side, write.what.as_str(), write.outcome))
        .collect()
}

#[test]
fn a_notification_is_followed_to_the_pbx_hop_by_hop() {
    let slow = |house: &mut House| house.shelf.delay.set(millis(30));
    play(1, slow, async |_, cast| {
        cast.settle().await;
        cast.house.teams.show(teams_id(1), "Busy", "InAMeeting");
        cast.notify("presence t1 Busy/InAMeeting 5");
        pass(seconds(1)).await;
        let item = timeline(&cast, 1).await.remove(0);
        let seen = item.seen.last().unwrap();
        assert_eq!(
            (seen.place, seen.what.as_str()),
            (Place::TeamsNotified, "Busy/InAMeeting")
        );
        assert_eq!(
            written(&item),
            [(Side::Pbx, "meeting", Some(WriteOutcome::Accepted))]
        );
        assert!(item.decided.why.contains("InAMeeting"));
        let hops = item.hops_ms;
        assert!(hops.received_to_opened.is_some() && hops.opened_to_decided.is_some());
        // the ledger comes before the write
        assert!(hops.decided_to_written.unwrap() >= 30.0, "{hops:?}");
        assert!(hops.written_to_confirmed.is_some());
    });
}

#[test]
fn what_is_under_way_is_told_and_what_failed_as_well() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            cast.house.teams.delay.set(seconds(3));
            line.say(chose(1, "dnd")).await;
            pass(seconds(1)).await;
            let item = timeline(&cast, 1).await.remove(0);
            assert_eq!(item.written[0].outcome, None);
            assert!(
                cast.house.shelf.timeline.borrow().is_empty(),
                "it is not finished"
            );
            *cast.house.teams.write_error.borrow_mut() = Some(lost());
            pass(seconds(3)).await;
            let items = timeline(&cast, 1).await;
            let first = items.last().unwrap();
            assert_eq!(first.written[0].outcome, Some(WriteOutcome::Failed));
            assert!(first.hops_ms.written_to_confirmed.unwrap() >= 3_000.0);
        },
    );
}

#[test]
fn the_past_is_read_from_the_store_after_a_restart_and_page_by_page() {
    play(
        1,
        |_| (),
        async |stage, cast| {
            let line = cast.settle().await;
            for turn in 0..30 {
                line.say(chose(1, if turn % 2 == 0 { "busy" } else { "away" }))
                    .await;
                pass(seconds(5)).await;
            }
            let before = timeline(&cast, 1).await;
            assert!(before.len() >= 30, "{}", before.len());
            restart(stage, "presence-sync").await;
            let line_after = timeline(&cast, 1).await;
            let numbers = |items: &[Item]| items.iter().map(|item| item.number).collect::<Vec<_>>();
            assert!(numbers(&line_after).ends_with(&numbers(&before)));
            line.say(chose(1, "dnd")).await;
            pass(seconds(1)).await;
            let (mut paged, mut cursor) = (Vec::new(), None);
            loop {
                let items = page(&cast, 1, cursor, 7).await;
                let Some(last) = items.last() else { break };
                cursor = Some(last.number);
                paged.extend(numbers(&items));
            }
            assert_eq!(paged, numbers(&timeline(&cast, 1).await));
            assert!(paged.windows(2).all(|pair| pair[0] > pair[1]));
        },
    );
}

#[test]
fn a_timeline_that_cannot_be_stored_hurts_nobody() {
    let broken = |house: &mut House| house.shelf.timeline_fails.set(true);
    play(1, broken, async |_, cast| {
        let line = cast.settle().await;
        line.say(chose(1, "dnd")).await;
        pass(seconds(5)).await;
        line.say(chose(1, "away")).await;
        pass(seconds(5)).await;
        assert_eq!(cast.journal().count("teams: prefer"), 2);
        let items = timeline(&cast, 1).await;
        assert!(items.iter().any(|item| written(item)[..]
            == [(
                Side::Teams,
                "preferred Away/Away for 10080 min",
                Some(WriteOutcome::Accepted)
            )]));
        let status = cast.sync.ask(GetStatus).await.unwrap();
        assert!(status.transitions_lost >= 2);
    });
}

#[test]
fn sweeps_and_renewals_of_a_quiet_house_leave_no_trace() {
    play(
        20,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.say("calls g1 1").await;
            pass(seconds(5)).await;
            let before = timeline(&cast, 1).await.len();
            cast.house.shelf.timeline.borrow_mut().clear();
            pass(minutes(60)).await;
            assert_eq!(timeline(&cast, 1).await.len(), before);
            assert!(cast.house.shelf.timeline.borrow().is_empty());
        },
    );
}

#[test]
fn a_flapping_user_gets_receipts_and_the_newest_state() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            for turn in 0..40 {
                line.say(chose(1, if turn % 2 == 0 { "busy" } else { "away" }))
                    .await;
                pass(millis(100)).await;
            }
            line.say(chose(1, "lunch")).await;
            pass(seconds(3)).await;
            assert!(
                cast.journal()
                    .lines("teams: prefer")
                    .last()
                    .unwrap()
                    .ends_with("BeRightBack")
            );
            let items = timeline(&cast, 1).await;
            assert!(items.iter().any(|item| !item.decided.held.is_empty()));
            let status = cast.sync.ask(GetStatus).await.unwrap();
            assert!(status.held_by_flapping.teams > 0);
            assert_eq!(status.held_by_flapping.pbx, 0);
        },
    );
}

#[test]
fn a_resync_reads_both_sides_anew_and_tries_again_what_was_refused() {
    play(
        2,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            *cast.house.teams.write_error.borrow_mut() = Some(m365_presence::ports::GraphError::Refused {
                status: 403,
                code: "Forbidden".to_owned(),
                message: "no".to_owned(),
            });
            line.say(chose(1, "dnd")).await;
            pass(seconds(2)).await;
            *cast.house.teams.write_error.borrow_mut() = None;
            pass(seconds(2)).await;
            cast.journal().clear();
            cast.sync.ask(Resync { user: guid(1) }).await.unwrap();
            pass(seconds(2)).await;
            let journal = cast.journal();
            assert_eq!(journal.count("teams: prefer t1 DoNotDisturb"), 1);
            assert!(journal.count("teams: read t1") >= 1);
            assert_eq!(journal.count("pbx-main: unsubscribe g1"), 1);
            assert_eq!(journal.count("pbx-main: subscribe g1"), 1);
            assert_eq!(journal.count("pbx-main: subscribe g2"), 0);
            let items = timeline(&cast, 1).await;
            let mut seen = items.iter().flat_map(|item| &item.seen);
            assert!(seen.any(|seen| seen.place == Place::Order), "{items:#?}");
        },
    );
}

#[test]
fn after_a_new_start_the_past_is_still_told() {
    let shelf = Rc::new(Shelf::default());
    play_on(
        Rc::clone(&shelf),
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.say(chose(1, "dnd")).await;
            pass(seconds(5)).await;
        },
    );
    let before = shelf.timeline.borrow().len();
    assert!(before > 0);
    play_on(
        shelf,
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            assert!(timeline(&cast, 1).await.len() >= before);
        },
    );
}
