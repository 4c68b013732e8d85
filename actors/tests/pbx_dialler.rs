//! What one notices of a PBX that we dial.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use m365_actors::pbx_dialler::{Dependencies, DialStatus, GetStatus, PbxDialler};
use m365_actors::pbx_session;
use m365_actors::supervision::stage as theatre;
use m365_actors::supervision::{ExitKind, Post, Seat, Settings, Strategy, SupervisorSpec};
use m365_presence::identity::PbxName;
use m365_presence::light::MasterPbxCode;
use m365_presence::pbx::PbxApi;
use m365_presence::ports::{DialEnd, DialledPbx};
use stage::clock::PausedClock;
use stage::house::play;
use stage::people::MASTER;
use stage::{minutes, pass, seconds};

/// What the next attempts come to: a connection that stands for a time, perhaps none at all, and how it ends.
#[derive(Default)]
struct Script {
    attempts: Cell<usize>,
    ends: RefCell<VecDeque<(Option<Duration>, DialEnd)>>,
}

impl Script {
    fn then(&self, stands: Option<Duration>, end: DialEnd) {
        self.ends.borrow_mut().push_back((stands, end));
    }
}

impl DialledPbx for Script {
    fn converse(&self, reached: Box<dyn FnOnce(PbxName)>) -> LocalBoxFuture<'_, DialEnd> {
        self.attempts.set(self.attempts.get() + 1);
        let next = self.ends.borrow_mut().pop_front();
        Box::pin(async move {
            let (stands, end) = match next {
                Some((stands, end)) => (stands, Some(end)),
                None => (Some(Duration::MAX), None),
            };
            if let Some(stands) = stands {
                reached(PbxName::new(MASTER));
                match end {
                    Some(end) => {
                        tokio::time::sleep(stands).await;
                        end
                    }
                    None => pending().await,
                }
            } else {
                end.unwrap()
            }
        })
    }
}

fn unreachable() -> DialEnd {
    DialEnd::Unreachable {
        cause: "nobody answers".to_owned(),
    }
}

fn over() -> DialEnd {
    DialEnd::Over {
        cause: "the PBX closed it".to_owned(),
    }
}

fn refused() -> DialEnd {
    DialEnd::Refused { cause: String::new() }
}

async fn status(dialler: &Post<PbxDialler>) -> DialStatus {
    dialler.ask(GetStatus).await.unwrap()
}

fn dials(
    set_up: impl FnOnce(&Script),
    scene: impl AsyncFnOnce(&theatre::Stage, Rc<Script>, Post<PbxDialler>),
) {
    let root = || {
        let script = Rc::new(Script::default());
        set_up(&script);
        let seat = Seat::<PbxDialler>::new("pbx-dialler-0");
        let post = seat.post();
        let dialler = PbxDialler::new(Dependencies {
            address: "wss://pbx/PBX0/APPS/websocket".to_owned(),
            app_object: "m365".to_owned(),
            pbx: None,
            dialled: script.clone(),
            clock: Rc::new(PausedClock::new()),
        });
        let root = SupervisorSpec::new("root", Strategy::OneForOne).child(seat.occupy(dialler));
        (root, (script, post))
    };
    theatre::play(root, Settings::default(), async |stage, (script, post)| {
        scene(stage, script, post).await;
    });
}

#[test]
fn a_pbx_that_is_reached_is_up_and_known_by_its_name() {
    dials(
        |_| (),
        async |_, script, dialler| {
            pass(seconds(1)).await;
            let status = status(&dialler).await;
            assert_eq!((status.state, status.code), ("up", MasterPbxCode::Ok));
            assert_eq!(status.pbx, Some(PbxName::new(MASTER)));
            assert_eq!(script.attempts.get(), 1);
        },
    );
}

#[test]
fn a_pbx_that_does_not_answer_is_dialled_with_a_wait_that_doubles_to_a_minute() {
    let away = |script: &Script| (0..100).for_each(|_| script.then(None, unreachable()));
    dials(away, async |_, script, dialler| {
        pass(seconds(2)).await;
        let early = script.attempts.get();
        assert!((2..=3).contains(&early), "{early} attempts");
        let told = status(&dialler).await;
        assert_eq!((told.state, told.code), ("waiting", MasterPbxCode::Unreachable));
        assert!(told.detail.contains("nobody answers"), "{}", told.detail);
        pass(minutes(30)).await;
        let half_an_hour = script.attempts.get();
        pass(minutes(10)).await;
        let ten_minutes = script.attempts.get() - half_an_hour;
        assert!(
            (10..=13).contains(&ten_minutes),
            "{ten_minutes} attempts in ten minutes"
        );
    });
}

#[test]
fn a_refused_login_is_not_repeated_but_for_a_slow_probe() {
    let wrong = |script: &Script| (0..2).for_each(|_| script.then(None, refused()));
    dials(wrong, async |_, script, dialler| {
        pass(minutes(14)).await;
        assert_eq!(script.attempts.get(), 1);
        let told = status(&dialler).await;
        assert_eq!((told.state, told.code), ("held", MasterPbxCode::WrongAppPassword));
        assert!(told.next_attempt_at.is_some());
        pass(minutes(2)).await;
        assert_eq!(script.attempts.get(), 2);
        pass(minutes(15)).await;
        assert_eq!(status(&dialler).await.state, "up");
    });
}

#[test]
fn a_refused_login_is_repeated_at_once_by_order() {
    dials(
        |script| script.then(None, refused()),
        async |stage, _, dialler| {
            pass(seconds(5)).await;
            assert_eq!(status(&dialler).await.state, "held");
            stage.expect_end("pbx-dialler-0", ExitKind::Ordered);
            stage.tree().restart("pbx-dialler-0").unwrap();
            pass(seconds(1)).await;
            assert_eq!(status(&dialler).await.state, "up");
        },
    );
}

#[test]
fn a_connection_that_stood_is_dialled_again_soon_and_one_that_does_not_stand_ever_later() {
    let flapping = |script: &Script| {
        script.then(Some(minutes(5)), over());
        (0..100).for_each(|_| script.then(Some(seconds(1)), over()));
    };
    dials(flapping, async |_, script, dialler| {
        pass(minutes(5) + seconds(2)).await;
        assert_eq!(script.attempts.get(), 2);
        pass(minutes(20)).await;
        let before = script.attempts.get();
        pass(minutes(10)).await;
        let ten_minutes = script.attempts.get() - before;
        assert!(ten_minutes <= 13, "{ten_minutes} attempts in ten minutes");
        let told = status(&dialler).await;
        assert!(told.code != MasterPbxCode::Ok || told.state == "up", "{told:?}");
    });
}

#[test]
fn two_ways_that_take_each_others_place_do_so_once_a_minute() {
    let rivals = |script: &Script| (0..50).for_each(|_| script.then(Some(seconds(1)), DialEnd::Replaced));
    dials(rivals, async |_, script, dialler| {
        pass(minutes(10)).await;
        assert!(script.attempts.get() <= 11);
        assert!(status(&dialler).await.detail.contains("remove one"));
    });
}

#[test]
fn an_end_at_the_very_beginning_does_not_leave_it_up() {
    dials(
        |script| script.then(Some(Duration::ZERO), over()),
        async |_, _, dialler| {
            tokio::task::yield_now().await;
            pass(Duration::from_millis(100)).await;
            let told = status(&dialler).await;
            assert_eq!((told.state, told.code), ("waiting", MasterPbxCode::NotConnected));
            assert!(told.detail.contains("the PBX closed it"), "{}", told.detail);
        },
    );
}

#[test]
fn apis_that_nobody_listed_count_as_missing_once_they_stay_unanswered() {
    play(
        1,
        |house| house.estate.answers_table.set(false),
        async |_, cast| {
            cast.reach_out(MASTER, "m365").await;
            pass(seconds(5)).await;
            let session = cast.session(MASTER);
            let early = session.ask(pbx_session::GetStatus).await.unwrap();
            assert!(early.missing_apis.is_empty());
            pass(seconds(20)).await;
            let late = session.ask(pbx_session::GetStatus).await.unwrap();
            assert_eq!(late.missing_apis, [PbxApi::PbxTableUsers]);
            cast.house.estate.answers_table.set(true);
            pass(minutes(2)).await;
            let found = session.ask(pbx_session::GetStatus).await.unwrap();
            assert!(found.missing_apis.is_empty() && found.users_complete);
        },
    );
}

#[test]
fn what_one_object_leaves_unanswered_another_one_is_asked_for() {
    play(
        1,
        |house| house.estate.answers_table.set(false),
        async |_, cast| {
            cast.reach_out(MASTER, "a-first").await;
            pass(seconds(5)).await;
            cast.reach_out(MASTER, "b-second").await;
            pass(seconds(5)).await;
            assert_eq!(cast.journal().count("pbx-main: replicate"), 1);
            cast.house.estate.answers_table.set(true);
            pass(seconds(10)).await;
            assert_eq!(cast.journal().count("pbx-main: replicate"), 2);
            let session = cast.session(MASTER);
            let status = session.ask(pbx_session::GetStatus).await.unwrap();
            assert!(status.users_complete);
            let serves = |object: &str| {
                let mut connections = status.connections.iter();
                let found = connections.find(|connection| connection.app_object == object);
                found.unwrap().serves.contains(&PbxApi::PbxTableUsers)
            };
            assert!(!serves("a-first") && serves("b-second"));
        },
    );
}

#[test]
fn a_listed_api_prevails_over_an_assumed_one() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.reach_out(MASTER, "a-dialled").await;
            pass(seconds(3)).await;
            cast.dial_as(MASTER, "b-dials", &[PbxApi::PbxTableUsers]).await;
            pass(seconds(3)).await;
            assert_eq!(cast.journal().count("pbx-main: replicate"), 2);
            assert_eq!(
                cast.journal().count("pbx-main: lines"),
                1,
                "the others stay where they are"
            );
        },
    );
}

#[test]
fn the_same_object_dialled_from_both_sides_stands_twice() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let ours = cast.reach_out(MASTER, "connector").await;
            pass(seconds(1)).await;
            let theirs = cast.dial(MASTER).await;
            pass(seconds(1)).await;
            assert!(!ours.is_closed() && !theirs.is_closed());
            let again = cast.reach_out(MASTER, "connector").await;
            assert!(ours.is_closed() && !again.is_closed());
        },
    );
}

#[test]
fn a_connection_without_duties_is_lost_without_notice() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let idle = cast.dial_as(MASTER, "z-idle", &[PbxApi::PbxApi]).await;
            pass(seconds(1)).await;
            let session = cast.session(MASTER);
            let since = session.ask(pbx_session::GetStatus).await.unwrap().since;
            cast.journal().clear();
            pass(seconds(1)).await;
            idle.hang_up().await;
            pass(seconds(1)).await;
            let status = session.ask(pbx_session::GetStatus).await.unwrap();
            assert_eq!((status.since, status.told), (since, 1));
            assert_eq!(cast.journal().count("pbx-main:"), 0);
        },
    );
}
