//! What one notices of the board when writes fail, a PBX is lost, or the service has crashed.
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

use m365_actors::presence_sync::{GetStatus, Status};
use m365_presence::ports::{GraphError, LedgerState, Slot};
use stage::graph::{lost, throttled, unreachable};
use stage::house::{Cast, House, play, play_on, restart};
use stage::pbx::chose;
use stage::people::{MASTER, guid, teams_id};
use stage::shelf::Shelf;
use stage::{millis, minutes, pass, seconds};

const SESSION: &str = "teams: session t1 InACall";
const CLEAR: &str = "teams: clear session t1";

async fn status(cast: &Cast) -> Status {
    cast.sync.ask(GetStatus).await.unwrap()
}

/// The ledger's row of user 1.
fn row(cast: &Cast, slot: Slot) -> Option<LedgerState> {
    let ledger = cast.house.shelf.ledger.borrow();
    ledger.get(&(guid(1), slot)).map(|row| row.state)
}

/// A life that ended by a crash during a call of user 1.
fn crashed_during_a_call() -> Rc<Shelf> {
    let shelf = Rc::new(Shelf::default());
    play_on(
        Rc::clone(&shelf),
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.say("calls g1 1").await;
            pass(seconds(1)).await;
            assert_eq!(row(&cast, Slot::Session), Some(LedgerState::Confirmed));
        },
    );
    shelf.journal.clear();
    shelf
}

#[test]
fn a_start_after_a_crash_resumes_a_call_that_goes_on() {
    let still_talking = |house: &mut House| {
        house.teams.show(teams_id(1), "Busy", "InACall");
        house.estate.calls.borrow_mut().insert(guid(1), 1);
    };
    play_on(crashed_during_a_call(), 1, still_talking, async |_, cast| {
        cast.settle().await;
        pass(minutes(6)).await;
        assert_eq!(cast.journal().count(CLEAR), 0);
        assert!(cast.journal().count(SESSION) >= 1);
        // our own call is not taken for one of Teams
        assert_eq!(cast.journal().count("pbx-main: entry"), 0);
    });
}

#[test]
fn a_start_after_a_crash_ends_a_call_that_is_over() {
    let over = |house: &mut House| house.teams.show(teams_id(1), "Busy", "InACall");
    play_on(crashed_during_a_call(), 1, over, async |_, cast| {
        cast.settle().await;
        assert_eq!(cast.journal().count(CLEAR), 1);
        assert!(cast.house.shelf.ledger.borrow().is_empty());
    });
}

#[test]
fn a_start_after_a_crash_cleans_up_behind_users_who_are_gone() {
    let unlicensed = |house: &mut House| {
        house.estate.licensed.borrow_mut().clear();
        house.shelf.licenses.borrow_mut().clear();
    };
    play_on(crashed_during_a_call(), 1, unlicensed, async |_, cast| {
        cast.settle().await;
        assert_eq!(cast.journal().count(CLEAR), 1);
        assert!(cast.house.shelf.ledger.borrow().is_empty());
        assert_eq!(status(&cast).await.people, 0);
    });
}

#[test]
fn before_it_is_known_who_is_licensed_nothing_of_the_ledger_is_touched() {
    let silent = |house: &mut House| {
        house.estate.answers_licenses.set(false);
        house.shelf.licenses.borrow_mut().clear();
    };
    play_on(crashed_during_a_call(), 1, silent, async |_, cast| {
        cast.settle().await;
        pass(seconds(20)).await;
        assert_eq!(cast.journal().count("teams: clear"), 0);
        assert_eq!(row(&cast, Slot::Session), Some(LedgerState::Confirmed));
    });
}

#[test]
fn a_restart_of_the_board_writes_nothing_twice() {
    let away = |house: &mut House| house.teams.show(teams_id(2), "Away", "Away");
    play(2, away, async |stage, cast| {
        let line = cast.settle().await;
        cast.house.estate.calls.borrow_mut().insert(guid(1), 1);
        line.say("calls g1 1").await;
        pass(seconds(1)).await;
        cast.journal().clear();
        restart(stage, "presence-sync").await;
        pass(seconds(30)).await;
        assert_eq!(cast.journal().count(CLEAR), 0);
        assert!(cast.journal().count(SESSION) <= 1);
        assert!(cast.journal().count("pbx-main: entry") <= 1);
        assert_eq!(status(&cast).await.synchronised, 2);
    });
}

#[test]
fn patience_that_graph_asks_for_is_kept_and_the_newest_state_follows() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            *cast.house.teams.write_error.borrow_mut() = Some(throttled(minutes(2)));
            line.say(chose(1, "dnd")).await;
            pass(seconds(1)).await;
            assert!(status(&cast).await.teams_rate < 200.0);
            *cast.house.teams.write_error.borrow_mut() = None;
            cast.journal().clear();
            for _ in 0..20 {
                line.say(chose(1, "away")).await;
                line.say(chose(1, "busy")).await;
                pass(seconds(1)).await;
            }
            pass(seconds(80)).await;
            assert_eq!(cast.journal().count("teams: prefer"), 0);
            pass(minutes(3)).await;
            assert_eq!(
                cast.journal().lines("teams: prefer").last().unwrap(),
                "teams: prefer t1 Busy"
            );
        },
    );
}

#[test]
fn a_write_without_an_answer_is_repeated_until_it_is_taken() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            *cast.house.teams.write_error.borrow_mut() = Some(lost());
            line.say("calls g1 1").await;
            pass(minutes(5)).await;
            let attempts = cast.journal().count(SESSION);
            assert!(
                (5..=40).contains(&attempts),
                "{attempts} attempts in five minutes"
            );
            assert_eq!(row(&cast, Slot::Session), Some(LedgerState::Intended));
            *cast.house.teams.write_error.borrow_mut() = None;
            pass(seconds(31)).await;
            assert_eq!(row(&cast, Slot::Session), Some(LedgerState::Confirmed));
        },
    );
}

#[test]
fn while_graph_is_out_of_reach_nothing_is_written_and_then_only_what_is_still_true() {
    play(
        3,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            cast.house.reach.lose();
            *cast.house.teams.write_error.borrow_mut() = Some(unreachable(seconds(5)));
            line.say("calls g1 1").await;
            line.say(chose(2, "dnd")).await;
            line.say(chose(3, "away")).await;
            pass(minutes(10)).await;
            line.say("calls g1 0").await;
            line.say(chose(2, "busy")).await;
            pass(minutes(10)).await;
            assert_eq!(cast.journal().count("teams: session"), 0);
            assert_eq!(cast.journal().count("teams: prefer"), 0);
            *cast.house.teams.write_error.borrow_mut() = None;
            cast.house.reach.recover();
            pass(seconds(1)).await;
            assert_eq!(cast.journal().count("teams: session"), 0, "the call is over");
            assert_eq!(
                cast.journal().lines("teams: prefer"),
                ["teams: prefer t2 Busy", "teams: prefer t3 Away"]
            );
        },
    );
}

#[test]
fn a_write_that_was_lost_with_graph_leaves_as_soon_as_it_is_back() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            *cast.house.teams.write_error.borrow_mut() = Some(lost());
            line.say("calls g1 1").await;
            pass(minutes(3)).await;
            *cast.house.teams.write_error.borrow_mut() = Some(unreachable(seconds(30)));
            cast.house.reach.lose();
            pass(minutes(3)).await;
            *cast.house.teams.write_error.borrow_mut() = None;
            cast.journal().clear();
            cast.house.reach.recover();
            pass(seconds(1)).await;
            assert_eq!(cast.journal().count(SESSION), 1);
        },
    );
}

#[test]
fn a_refused_write_is_counted_and_not_stormed() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            *cast.house.teams.write_error.borrow_mut() = Some(GraphError::Refused {
                status: 403,
                code: "Forbidden".to_owned(),
                message: "no".to_owned(),
            });
            line.say(chose(1, "dnd")).await;
            pass(minutes(10)).await;
            assert!(cast.journal().count("teams: prefer") <= 12);
            assert!(status(&cast).await.teams_refused >= 1);
        },
    );
}

#[test]
fn a_write_that_was_refused_for_the_moment_is_set_soon_after() {
    for status in [401, 409, 423] {
        play(
            1,
            |_| (),
            async |_, cast| {
                let line = cast.settle().await;
                *cast.house.teams.write_error.borrow_mut() = Some(GraphError::Refused {
                    status,
                    code: String::new(),
                    message: String::new(),
                });
                line.say(chose(1, "dnd")).await;
                pass(seconds(2)).await;
                *cast.house.teams.write_error.borrow_mut() = None;
                cast.journal().clear();
                pass(seconds(5)).await;
                assert_eq!(cast.journal().count("teams: prefer"), 1, "{status}");
            },
        );
    }
}

#[test]
fn a_lost_pbx_freezes_what_its_users_show() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.say(chose(1, "dnd")).await;
            pass(seconds(1)).await;
            cast.journal().clear();
            line.hang_up().await;
            pass(minutes(60)).await;
            assert_eq!(cast.journal().count("teams: clear"), 0);
            // it comes back with what the user chose meanwhile
            cast.house
                .estate
                .choices
                .borrow_mut()
                .insert(guid(1), "away".to_owned());
            cast.settle().await;
            assert_eq!(cast.journal().lines("teams: prefer"), ["teams: prefer t1 Away"]);
        },
    );
}

#[test]
fn a_call_at_a_lost_pbx_runs_out_and_is_not_renewed_for_ever() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.say("calls g1 1").await;
            pass(seconds(1)).await;
            line.hang_up().await;
            pass(minutes(20)).await;
            cast.journal().clear();
            pass(minutes(60)).await;
            assert_eq!(cast.journal().count(SESSION), 0);
        },
    );
}

#[test]
fn an_entry_that_could_not_be_written_leaves_when_the_pbx_is_back() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            line.hang_up().await;
            cast.house.teams.show(teams_id(1), "Away", "Away");
            cast.notify("presence t1 Away/Away 5");
            pass(minutes(10)).await;
            assert_eq!(cast.journal().count("pbx-main: entry"), 0);
            cast.dial(MASTER).await;
            pass(seconds(2)).await;
            assert_eq!(cast.journal().count("pbx-main: entry g1 teams: away"), 1);
        },
    );
}

#[test]
fn throttled_writes_leave_no_trail_of_timers() {
    play(
        3,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            *cast.house.teams.write_error.borrow_mut() = Some(throttled(minutes(5)));
            line.say("calls g1 1").await;
            pass(seconds(1)).await;
            *cast.house.teams.write_error.borrow_mut() = None;
            for number in 0..500 {
                line.say(format!("calls g2 {}", number % 2)).await;
                pass(millis(10)).await;
            }
            line.say("calls g2 1").await;
            cast.journal().clear();
            pass(minutes(6)).await;
            assert!(cast.journal().count("teams: session t2") >= 1);
            assert_eq!(status(&cast).await.teams_waiting, 0);
        },
    );
}

#[test]
fn a_restart_of_the_board_is_no_way_around_the_budget_of_writes() {
    play(
        1,
        |_| (),
        async |stage, cast| {
            let line = cast.settle().await;
            let flap = async |times: usize| {
                for turn in 0..times {
                    line.say(chose(1, if turn % 2 == 0 { "busy" } else { "away" }))
                        .await;
                    pass(seconds(1)).await;
                }
            };
            flap(260).await;
            let used = cast.journal().count("teams: prefer");
            assert!((240..=242).contains(&used), "{used} writes");
            restart(stage, "presence-sync").await;
            flap(50).await;
            assert!(cast.journal().count("teams: prefer") <= used + 2);
        },
    );
}
