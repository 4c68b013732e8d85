//! What one notices of the connections of a PBX.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use m365_actors::pbx_session::{GetStatus, SessionStatus, SetEntry};
use m365_presence::board::{EntryWrite, Outcome};
use m365_presence::identity::PbxName;
use m365_presence::pbx::PbxApi;
use stage::house::{Cast, House, play};
use stage::pbx::{ALL_APIS, listed};
use stage::people::{MASTER, SLAVE, guid, pbx_user, teams_id};
use stage::{millis, pass, seconds};

async fn status(cast: &Cast, pbx: &str) -> SessionStatus {
    cast.session(pbx).ask(GetStatus).await.unwrap()
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

/// One user lives at the master and one at the slave.
fn two_sites(house: &mut House) {
    house.join(1, MASTER);
    house.join(2, SLAVE);
}

#[test]
fn a_connected_master_is_replicated_and_its_users_are_followed() {
    play(
        2,
        |_| (),
        async |_, cast| {
            assert_eq!(status(&cast, MASTER).await.state, "down");
            cast.settle().await;
            let status = status(&cast, MASTER).await;
            assert_eq!((status.role, status.state), ("master", "up"));
            assert!(status.users_complete && status.lines_complete);
            assert_eq!((status.users, status.followed, status.told), (2, 2, 2));
            assert!(status.missing_apis.is_empty());
            assert_eq!(cast.journal().count("pbx-main: subscribe"), 2);
        },
    );
}

#[test]
fn users_are_followed_where_they_live() {
    play(0, two_sites, async |_, cast| {
        cast.dial(SLAVE).await;
        cast.settle().await;
        assert_eq!(
            cast.journal().lines("pbx-main: subscribe"),
            ["pbx-main: subscribe g1 u1"]
        );
        assert_eq!(
            cast.journal().lines("pbx-branch: subscribe"),
            ["pbx-branch: subscribe g2 u2"]
        );
    });
}

#[test]
fn the_master_stands_in_for_a_lost_slave_and_hands_back() {
    play(0, two_sites, async |_, cast| {
        let slave = cast.dial(SLAVE).await;
        cast.settle().await;
        cast.journal().clear();
        slave.hang_up().await;
        pass(seconds(1)).await;
        assert_eq!(
            cast.journal().lines("pbx-main: subscribe"),
            ["pbx-main: subscribe g2 u2"]
        );
        cast.dial(SLAVE).await;
        pass(seconds(1)).await;
        assert_eq!(
            cast.journal().lines("pbx-main: unsubscribe"),
            ["pbx-main: unsubscribe g2 u2"]
        );
        assert_eq!(
            cast.journal().lines("pbx-branch: subscribe"),
            ["pbx-branch: subscribe g2 u2"]
        );
    });
}

#[test]
fn the_master_carries_the_presence_of_those_whose_pbx_may_not_and_their_calls_are_told_at_home() {
    play(0, two_sites, async |_, cast| {
        let lines_only = cast.dial_as(SLAVE, "lines", &[PbxApi::Rcc]).await;
        cast.settle().await;
        pass(seconds(1)).await;
        assert_eq!(cast.journal().count("pbx-branch: subscribe"), 0);
        assert_eq!(cast.journal().count("pbx-main: subscribe g2 u2"), 1);
        cast.journal().clear();
        lines_only.say("calls g2 1").await;
        pass(seconds(1)).await;
        assert_eq!(
            cast.journal().lines("teams: session"),
            ["teams: session t2 InACall"]
        );
        // the checkmark is set: the users come home
        cast.dial_as(SLAVE, "presence", &[PbxApi::PbxApi]).await;
        pass(seconds(1)).await;
        assert_eq!(
            cast.journal().lines("pbx-main: unsubscribe"),
            ["pbx-main: unsubscribe g2 u2"]
        );
        assert_eq!(
            cast.journal().lines("pbx-branch: subscribe"),
            ["pbx-branch: subscribe g2 u2"]
        );
    });
}

#[test]
fn a_user_who_moves_is_followed_at_the_new_home() {
    play(0, two_sites, async |_, cast| {
        cast.dial(SLAVE).await;
        let master = cast.settle().await;
        cast.journal().clear();
        master.say(listed(&pbx_user(1, SLAVE))).await;
        pass(seconds(2)).await;
        assert_eq!(
            cast.journal().lines("pbx-main: unsubscribe"),
            ["pbx-main: unsubscribe g1 u1"]
        );
        assert_eq!(
            cast.journal().lines("pbx-branch: subscribe"),
            ["pbx-branch: subscribe g1 u1"]
        );
    });
}

#[test]
fn our_entry_follows_a_user_who_moves_and_none_is_left_behind() {
    play(0, two_sites, async |_, cast| {
        cast.dial(SLAVE).await;
        let master = cast.settle().await;
        cast.house.teams.show(teams_id(1), "Busy", "InAMeeting");
        cast.notify("presence t1 Busy/InAMeeting 5");
        pass(seconds(1)).await;
        assert_eq!(cast.journal().count("pbx-main: entry g1 teams: meeting"), 1);
        master.say("presence g1 teams:=meeting tel:=").await;
        cast.journal().clear();
        master.say(listed(&pbx_user(1, SLAVE))).await;
        pass(seconds(2)).await;
        assert_eq!(
            cast.journal().lines("pbx-main: entry"),
            ["pbx-main: entry g1 teams: "]
        );
        assert_eq!(
            cast.journal().lines("pbx-branch: entry"),
            ["pbx-branch: entry g1 teams: meeting"]
        );
    });
}

#[test]
fn a_user_who_is_renamed_is_followed_by_the_new_name() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let master = cast.settle().await;
            cast.journal().clear();
            let mut renamed = pbx_user(1, MASTER);
            renamed.h323 = "new".to_owned();
            master.say(listed(&renamed)).await;
            pass(seconds(2)).await;
            assert_eq!(
                cast.journal().lines("pbx-main: unsubscribe"),
                ["pbx-main: unsubscribe g1 u1"]
            );
            assert_eq!(
                cast.journal().lines("pbx-main: subscribe"),
                ["pbx-main: subscribe g1 new"]
            );
        },
    );
}

#[test]
fn calls_count_only_once_the_first_round_is_whole() {
    play(
        1,
        |house| house.estate.answers_lines.set(false),
        async |_, cast| {
            let line = cast.settle().await;
            line.say("calls g1 1").await;
            pass(seconds(1)).await;
            assert_eq!(cast.journal().count("teams: session"), 0);
            assert!(!status(&cast, MASTER).await.lines_complete);
            line.say("lines-complete").await;
            pass(seconds(1)).await;
            assert_eq!(
                cast.journal().lines("teams: session"),
                ["teams: session t1 InACall"]
            );
        },
    );
}

#[test]
fn a_written_entry_is_answered_with_what_became_of_it() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let session = cast.session(MASTER);
            let unreachable = session.ask(entry(1)).await.unwrap();
            assert_eq!(unreachable, Outcome::Failed { wait: None });
            cast.settle().await;
            assert_eq!(session.ask(entry(1)).await.unwrap(), Outcome::Accepted);
            assert_eq!(
                cast.journal().lines("pbx-main: entry"),
                ["pbx-main: entry g1 teams: away"]
            );
            cast.house.estate.refuses_entries.set(true);
            let refused = session.ask(entry(1)).await.unwrap();
            assert!(matches!(refused, Outcome::Refused { gone: false, .. }));
            cast.house.estate.refuses_entries.set(false);
            cast.house.estate.answers_entries.set(false);
            let begun = tokio::time::Instant::now();
            assert_eq!(
                session.ask(entry(1)).await.unwrap(),
                Outcome::Failed { wait: None }
            );
            assert!((9..=11).contains(&begun.elapsed().as_secs()));
        },
    );
}

#[test]
fn a_new_connection_of_the_same_app_object_closes_the_old_one() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let old = cast.settle().await;
            cast.journal().clear();
            let new = cast.settle().await;
            assert!(old.is_closed() && !new.is_closed());
            assert!(!old.say("calls g1 1").await);
            assert_eq!(cast.journal().count("pbx-main: replicate"), 1);
            assert_eq!(cast.journal().count("pbx-main: subscribe g1"), 1);
            // the end of the old one means nothing any more
            old.hang_up().await;
            assert_eq!(status(&cast, MASTER).await.state, "up");
        },
    );
}

#[test]
fn two_app_objects_share_the_work_by_their_rights() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let reading = [PbxApi::PbxTableUsers, PbxApi::Rcc];
            let writing = [PbxApi::PbxApi, PbxApi::PbxAdminApi];
            cast.dial_as(MASTER, "a-reading", &reading).await;
            pass(seconds(1)).await;
            assert_eq!(
                status(&cast, MASTER).await.missing_apis,
                [PbxApi::PbxApi, PbxApi::PbxAdminApi]
            );
            let writer = cast.dial_as(MASTER, "b-writing", &writing).await;
            pass(seconds(35)).await;
            let both = status(&cast, MASTER).await;
            assert!(both.missing_apis.is_empty() && both.told == 1 && both.lines_complete);
            assert_eq!(both.app_objects, ["a-reading", "b-writing"]);
            writer.hang_up().await;
            let one = status(&cast, MASTER).await;
            assert_eq!((one.state, one.app_objects.len()), ("up", 1));
            assert_eq!(cast.journal().count("pbx-main: replicate"), 1);
        },
    );
}

#[test]
fn a_second_app_object_takes_over_when_the_first_is_lost() {
    play(
        1,
        |_| (),
        async |_, cast| {
            let first = cast.dial_as(MASTER, "a-first", &ALL_APIS).await;
            cast.dial_as(MASTER, "b-second", &ALL_APIS).await;
            pass(seconds(3)).await;
            assert_eq!(cast.journal().count("pbx-main: replicate"), 1);
            cast.journal().clear();
            first.hang_up().await;
            pass(seconds(2)).await;
            assert_eq!(cast.journal().count("pbx-main: replicate"), 1);
            assert_eq!(cast.journal().count("pbx-main: subscribe g1"), 1);
            assert_eq!(cast.journal().count("pbx-main: lines"), 1);
            assert_eq!(status(&cast, MASTER).await.state, "up");
        },
    );
}

#[test]
fn a_pbx_that_takes_entries_slowly_is_given_a_few_at_a_time_and_none_is_late() {
    play(
        1,
        |house| house.estate.answers_entries.set(false),
        async |_, cast| {
            let line = cast.settle().await;
            let session = cast.session(MASTER);
            let writes: Vec<_> = (1..=250).map(|number| session.ask(entry(number))).collect();
            let answers = async {
                for number in 1..=250 {
                    pass(millis(90)).await;
                    line.say(format!("entry-set {}", guid(number))).await;
                    let unanswered = cast.journal().count("pbx-main: entry") - number;
                    assert!(unanswered <= 100, "{unanswered} unanswered");
                }
            };
            let (outcomes, ()) = futures_util::join!(futures_util::future::join_all(writes), answers);
            assert!(
                outcomes
                    .into_iter()
                    .all(|outcome| outcome == Ok(Outcome::Accepted))
            );
        },
    );
}
