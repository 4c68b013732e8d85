//! What one notices of the board at work: what is shown, set, stored and released.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use m365_actors::presence_sync::{GetStatus, GetViews, Release, Status};
use m365_presence::board::{PersonView, Released, Remains};
use m365_presence::ports::{BATCH_LIMIT, LedgerState, Slot};
use stage::graph::{lost, throttled};
use stage::house::{Cast, House, play};
use stage::pbx::chose;
use stage::people::{SLAVE, guid, teams_id};
use stage::{millis, minutes, pass, seconds};

const SESSION: &str = "teams: session t1 InACall";
const CLEAR: &str = "teams: clear session t1";

async fn status(cast: &Cast) -> Status {
    cast.sync.ask(GetStatus).await.unwrap()
}

async fn view(cast: &Cast, number: usize) -> PersonView {
    let views = cast.sync.ask(GetViews(vec![guid(number)])).await.unwrap();
    views.into_iter().next().expect("somebody on the board").1
}

/// The ledger's row of user 1.
fn row(cast: &Cast, slot: Slot) -> Option<LedgerState> {
    let ledger = cast.house.shelf.ledger.borrow();
    ledger.get(&(guid(1), slot)).map(|row| row.state)
}

#[test]
fn what_teams_shows_is_shown_at_the_pbx() {
    let in_a_meeting = |house: &mut House| house.teams.show(teams_id(1), "Busy", "InAMeeting");
    play(2, in_a_meeting, async |_, cast| {
        cast.settle().await;
        assert_eq!(cast.journal().count("pbx-main: entry g1 teams: "), 1);
        assert_eq!(cast.journal().count("pbx-main: entry g2"), 0);
        assert_eq!(status(&cast).await.synchronised, 2);
        // nothing is written again without a change
        pass(minutes(60)).await;
        assert_eq!(cast.journal().count("pbx-main: entry"), 1);
    });
}

#[test]
fn what_a_user_chooses_at_the_phone_is_set_in_teams() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.say(chose(1, "dnd")).await;
            pass(seconds(1)).await;
            assert_eq!(
                cast.journal().lines("teams: prefer"),
                ["teams: prefer t1 DoNotDisturb"]
            );
            line.say(chose(1, "")).await;
            pass(seconds(1)).await;
            assert_eq!(cast.journal().count("teams: clear preferred t1"), 1);
            assert_eq!(row(&cast, Slot::Preferred), None);
        },
    );
}

#[test]
fn a_call_is_shown_in_teams_renewed_and_ended() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.say("calls g1 1").await;
            pass(seconds(1)).await;
            assert_eq!(cast.journal().count(SESSION), 1);
            pass(minutes(15)).await;
            assert_eq!(cast.journal().count(SESSION), 4);
            line.say("calls g1 0").await;
            pass(seconds(1)).await;
            assert_eq!(cast.journal().count(CLEAR), 1);
            pass(minutes(15)).await;
            assert_eq!(cast.journal().count(SESSION), 4);
            assert!(cast.house.shelf.ledger.borrow().is_empty());
            // what we set was never shown at the PBX as if Teams had told it
            assert_eq!(cast.journal().count("pbx-main: entry"), 0);
        },
    );
}

#[test]
fn an_intent_is_stored_before_the_write_and_the_outcome_after_it() {
    play(
        1,
        |house| house.shelf.delay.set(millis(200)),
        async |_, cast| {
            let line = cast.settle().await;
            line.say("calls g1 1").await;
            pass(seconds(2)).await;
            let journal = cast.journal();
            journal.assert_order("store: ledger Session g1 Intended", SESSION);
            journal.assert_order(SESSION, "store: ledger Session g1 Confirmed");
            cast.house.teams.show(teams_id(1), "Away", "Away");
            line.say("calls g1 0").await;
            cast.notify("presence t1 Away/Away 5");
            pass(seconds(3)).await;
            journal.assert_order("store: ledger PbxEntry g1 Intended", "pbx-main: entry g1");
            journal.assert_order("pbx-main: entry g1", "store: ledger PbxEntry g1 Confirmed");
        },
    );
}

#[test]
fn writes_leave_in_batches_of_twenty() {
    play(
        100,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            cast.house.shelf.delay.set(millis(300));
            for number in 1..=100 {
                line.say(format!("calls {} 1", guid(number))).await;
            }
            pass(seconds(3)).await;
            let batches = cast.house.teams.batches.borrow();
            assert_eq!(batches.iter().sum::<usize>(), 100);
            assert!(batches.iter().all(|size| *size <= BATCH_LIMIT));
            assert!(batches.len() < 100, "{} batches", batches.len());
        },
    );
}

#[test]
fn calls_leave_before_choices_and_in_their_order_when_graph_is_slow() {
    play(
        60,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            *cast.house.teams.write_error.borrow_mut() = Some(throttled(seconds(20)));
            line.say("calls g60 1").await;
            pass(seconds(1)).await;
            *cast.house.teams.write_error.borrow_mut() = None;
            for number in 1..=29 {
                line.say(chose(number, "dnd")).await;
            }
            for number in 30..=59 {
                line.say(format!("calls {} 1", guid(number))).await;
            }
            pass(seconds(1)).await;
            cast.journal().clear();
            pass(seconds(30)).await;
            let written: Vec<String> = cast.journal().lines("teams: ");
            let first = |start: &str| written.iter().position(|line| line.starts_with(start));
            let last_call = written
                .iter()
                .rposition(|line| line.starts_with("teams: session t5"));
            assert!(last_call < first("teams: prefer"), "{written:?}");
            assert!(first("teams: session t30") < first("teams: session t59"));
            assert_eq!(cast.journal().count("teams: prefer"), 29);
        },
    );
}

#[test]
fn a_choice_leaves_before_the_renewal_of_what_stands_already() {
    play(
        400,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            for number in 1..=399 {
                line.say(format!("calls {} 1", guid(number))).await;
            }
            pass(seconds(10)).await;
            // more leases end than may leave in the second before they are renewed
            *cast.house.teams.write_error.borrow_mut() = Some(throttled(seconds(2)));
            cast.house.teams.delay.set(millis(400));
            pass(minutes(5) - seconds(9)).await;
            *cast.house.teams.write_error.borrow_mut() = None;
            cast.journal().clear();
            pass(seconds(2)).await;
            line.say(chose(400, "dnd")).await;
            pass(seconds(1)).await;
            let renewed = cast.journal().count("teams: session");
            assert_eq!(cast.journal().count("teams: prefer t400"), 1);
            assert!(
                renewed < 399,
                "{renewed} of 399 leases were renewed before the choice"
            );
        },
    );
}

#[test]
fn who_loses_the_license_is_released_on_both_sides() {
    let away = |house: &mut House| house.teams.show(teams_id(1), "Away", "Away");
    play(2, away, async |_, cast| {
        let line = cast.settle().await;
        line.say(chose(2, "dnd")).await;
        pass(seconds(2)).await;
        cast.house.estate.licensed.borrow_mut().clear();
        cast.journal().clear();
        pass(minutes(11)).await;
        assert_eq!(
            cast.journal().lines("pbx-main: entry").last().unwrap(),
            "pbx-main: entry g1 teams: "
        );
        assert_eq!(cast.journal().count("teams: clear preferred t2"), 1);
        assert_eq!(status(&cast).await.people, 0);
        assert!(cast.house.shelf.ledger.borrow().is_empty());
    });
}

#[test]
fn an_orderly_end_releases_everything() {
    let away = |house: &mut House| house.teams.show(teams_id(2), "Away", "Away");
    play(3, away, async |_, cast| {
        let line = cast.settle().await;
        line.say("calls g1 1").await;
        line.say(chose(3, "dnd")).await;
        pass(seconds(2)).await;
        let released = cast.sync.ask(Release).await.unwrap();
        assert_eq!((released.set, released.left), (3, Remains::default()));
        assert_eq!(cast.journal().count(CLEAR), 1);
        assert_eq!(cast.journal().count("teams: clear preferred t3"), 1);
        assert_eq!(
            cast.journal().lines("pbx-main: entry").last().unwrap(),
            "pbx-main: entry g2 teams: "
        );
        assert!(cast.house.shelf.ledger.borrow().is_empty());
        // and nothing is set again
        line.say("calls g1 2").await;
        cast.journal().clear();
        pass(minutes(6)).await;
        assert_eq!(cast.journal().count("teams: session"), 0);
    });
}

#[test]
fn an_orderly_end_does_not_wait_for_ever() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.say("calls g1 1").await;
            pass(seconds(1)).await;
            *cast.house.teams.write_error.borrow_mut() = Some(lost());
            let begun = tokio::time::Instant::now();
            let left = Remains {
                unanswered: 1,
                ..Remains::default()
            };
            assert_eq!(cast.sync.ask(Release).await.unwrap(), Released { set: 1, left });
            assert!(begun.elapsed() < seconds(10));
            // the ledger knows what stayed behind
            assert!(row(&cast, Slot::Session).is_some());
        },
    );
}

#[test]
fn an_orderly_end_tells_what_a_pbx_refuses_to_give_back() {
    let away = |house: &mut House| house.teams.show(teams_id(2), "Away", "Away");
    play(2, away, async |_, cast| {
        let line = cast.settle().await;
        line.say("calls g1 1").await;
        pass(seconds(1)).await;
        cast.house.estate.refuses_entries.set(true);
        let left = Remains {
            refused: 1,
            ..Remains::default()
        };
        assert_eq!(cast.sync.ask(Release).await.unwrap(), Released { set: 2, left });
    });
}

#[test]
fn a_user_whom_teams_does_not_tell_is_not_synchronised() {
    let unreadable = |house: &mut House| {
        house.teams.unreadable.borrow_mut().insert(teams_id(2));
    };
    play(2, unreadable, async |_, cast| {
        cast.settle().await;
        assert!(view(&cast, 1).await.synchronised);
        assert!(!view(&cast, 2).await.synchronised);
        assert_eq!(status(&cast).await.synchronised, 1);
    });
}

#[test]
fn a_state_without_a_row_keeps_what_is_shown_and_is_counted() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.teams.show(teams_id(1), "Away", "Away");
            cast.notify("presence t1 Away/Away 1");
            pass(seconds(1)).await;
            cast.house.teams.show(teams_id(1), "Novel", "Novelty");
            cast.notify("presence t1 Novel/Novelty 2");
            pass(seconds(5)).await;
            assert_eq!(cast.journal().count("pbx-main: entry"), 1);
            assert!(status(&cast).await.unmapped.contains_key("Novel/Novelty"));
        },
    );
}

#[test]
fn a_loud_pbx_does_not_delay_the_users_of_another_one() {
    play(
        600,
        |house| house.join(601, SLAVE),
        async |_, cast| {
            let branch = cast.dial(SLAVE).await;
            let master = cast.settle().await;
            cast.house.teams.delay.set(millis(500));
            for number in 1..=600 {
                master.say(chose(number, "dnd")).await;
            }
            branch.say(chose(601, "dnd")).await;
            pass(seconds(20)).await;
            let written = cast.journal().lines("teams: prefer");
            assert_eq!(written.len(), 601);
            let place = written.iter().position(|line| line.contains("t601 ")).unwrap();
            assert!(place < 400, "the one of the quiet pbx is number {place}");
        },
    );
}
