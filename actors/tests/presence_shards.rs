//! What one notices of several shards, of users whom none watches, and of shards whose notifications do not arrive.
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

use m365_actors::presence_subscription::{GetAssignment, GetStatus, SubscriptionStatus};
use m365_actors::presence_sweep;
use m365_actors::presence_sync::GetViews;
use m365_actors::token_refresh::CommunicationUser;
use m365_presence::cadence::Reading;
use m365_presence::identity::{Account, SubscriptionId, TeamsId};
use m365_presence::light::SubscriptionCode as Code;
use m365_presence::ports::{Created, SubscriptionKind};
use stage::house::{Cast, House, play, play_on, restart};
use stage::people::{ANNA, BERT, guid, teams_id};
use stage::shelf::Shelf;
use stage::{minutes, pass, seconds};

fn shard(account: &str) -> SubscriptionKind {
    SubscriptionKind::Presence(Account::new(account))
}

fn with_bert(house: &mut House) {
    let bert = CommunicationUser {
        account: Account::new(BERT),
        ..house.accounts[0].clone()
    };
    house.accounts.push(bert);
}

async fn of(cast: &Cast, account: &str) -> SubscriptionStatus {
    let all = cast.subscription.ask(GetStatus).await.unwrap().subscriptions;
    all.into_iter()
        .find(|status| status.kind == shard(account))
        .unwrap()
}

async fn reads(cast: &Cast) -> presence_sweep::Status {
    cast.sweep.ask(presence_sweep::GetStatus).await.unwrap()
}

/// Id of an account's living subscription, without which the test fails.
fn id_at_graph(cast: &Cast, account: &str) -> SubscriptionId {
    cast.house
        .registry
        .of(&shard(account))
        .expect("a living subscription")
        .id
}

/// Somebody of an account's shard.
async fn member(cast: &Cast, account: &str) -> TeamsId {
    let assignment = cast.subscription.ask(GetAssignment).await.unwrap();
    assignment.shards[&Account::new(account)].first().unwrap().clone()
}

/// Everybody in Teams shows something else, and only one shard's notifications arrive.
async fn stir_and_tell_only(cast: &Cast, account: &str, round: usize) {
    let pair = if round.is_multiple_of(2) { "Busy" } else { "Away" };
    for of in [ANNA, BERT] {
        let user = member(cast, of).await;
        cast.house.teams.show(user.clone(), pair, pair);
        if of == account {
            cast.notify(&format!("presence {user} {pair}/{pair} {round}"));
        }
    }
}

#[test]
fn only_the_shard_whose_notifications_do_not_arrive_is_made_anew() {
    play(651, with_bert, async |_, cast| {
        cast.settle().await;
        let (anna, bert) = (id_at_graph(&cast, ANNA), id_at_graph(&cast, BERT));
        for round in 0..3 {
            stir_and_tell_only(&cast, ANNA, round).await;
            pass(minutes(5)).await;
        }
        assert_eq!(id_at_graph(&cast, ANNA), anna);
        assert_ne!(id_at_graph(&cast, BERT), bert);
        assert_eq!(of(&cast, ANNA).await.missed, 0);
        assert!(of(&cast, BERT).await.missed > 0);
    });
}

#[test]
fn two_deaf_shards_are_both_made_anew() {
    play(651, with_bert, async |_, cast| {
        cast.settle().await;
        let before = [ANNA, BERT].map(|account| id_at_graph(&cast, account));
        stir_and_tell_only(&cast, "nobody", 0).await;
        pass(minutes(9)).await;
        let after = [ANNA, BERT].map(|account| id_at_graph(&cast, account));
        assert!(before[0] != after[0] && before[1] != after[1]);
    });
}

#[test]
fn a_shard_that_was_made_anew_is_polled_until_its_first_notification_arrives() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.teams.show(teams_id(1), "Busy", "Busy");
            pass(minutes(9)).await;
            assert_eq!(of(&cast, ANNA).await.code, Code::Ok);
            assert!(of(&cast, ANNA).await.detail.contains("made anew"));
            cast.journal().clear();
            pass(minutes(5)).await;
            assert!(cast.journal().count("teams: read t1") >= 29);
            cast.notify("presence t1 Busy/Busy 1");
            pass(seconds(20)).await;
            assert_eq!(reads(&cast).await.uncovered, 0);
            cast.journal().clear();
            pass(minutes(4)).await;
            assert_eq!(cast.journal().count("teams: read t1"), 0);
        },
    );
}

#[test]
fn a_shard_that_stays_deaf_is_said_to_be_and_misses_nothing_for_long() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.teams.show(teams_id(1), "Busy", "Busy");
            pass(minutes(9)).await;
            cast.house.teams.show(teams_id(1), "Away", "Away");
            pass(seconds(11)).await;
            let views = cast.sync.ask(GetViews(vec![guid(1)])).await.unwrap();
            assert_eq!(views[0].1.teams_presence.as_deref(), Some("Away/Away"));
            let made = cast.house.registry.made.get();
            pass(minutes(2) + seconds(40)).await;
            assert_eq!(of(&cast, ANNA).await.code, Code::Deaf);
            pass(minutes(3)).await;
            assert_eq!(cast.house.registry.made.get(), made + 1, "and it is tried again");
        },
    );
}

#[test]
fn what_was_found_while_a_shard_was_polled_does_not_make_it_deaf() {
    let waiting = |house: &mut House| {
        house
            .registry
            .plant(shard(ANNA), &[teams_id(9)], "https://other.test/hook");
        house.registry.deletes.set(false);
    };
    play(1, waiting, async |_, cast| {
        cast.settle().await;
        for round in 0..44 {
            let pair = if round % 2 == 0 { "Busy" } else { "Away" };
            cast.house.teams.show(teams_id(1), pair, pair);
            pass(minutes(1)).await;
        }
        assert_eq!(of(&cast, ANNA).await.code, Code::WaitingForExpiry);
        pass(minutes(2)).await;
        let id = id_at_graph(&cast, ANNA);
        pass(minutes(20)).await;
        assert_eq!((id_at_graph(&cast, ANNA), of(&cast, ANNA).await.missed), (id, 0));
    });
}

#[test]
fn a_restarted_subscription_actor_says_anew_who_is_polled() {
    play(
        2,
        |_| (),
        async |stage, cast| {
            cast.settle().await;
            assert_eq!(reads(&cast).await.uncovered, 0);
            let refusal = Created::UrlRejected {
                message: "no".to_owned(),
            };
            cast.house.registry.live.borrow_mut().clear();
            cast.house
                .registry
                .creates
                .borrow_mut()
                .extend((0..100).map(|_| Ok(refusal.clone())));
            restart(stage, "presence-subscription").await;
            pass(seconds(30)).await;
            assert_eq!(of(&cast, ANNA).await.code, Code::NotificationUrlRejected);
            assert_eq!(reads(&cast).await.uncovered, 2);
            cast.journal().clear();
            pass(minutes(1)).await;
            assert!(cast.journal().count("teams: read t1,t2") >= 5);
        },
    );
}

#[test]
fn who_is_on_the_phone_is_read_every_three_seconds_when_polling() {
    play(
        1,
        |house| {
            house.reading = Reading::Polling;
            house.sweep = seconds(60);
        },
        async |_, cast| {
            let line = cast.settle().await;
            pass(minutes(11)).await;
            assert_eq!(reads(&cast).await.hot, 0);
            line.say(format!("calls {} 1", guid(1))).await;
            pass(seconds(3)).await;
            assert_eq!(reads(&cast).await.hot, 1);
            cast.journal().clear();
            pass(minutes(1)).await;
            assert!((19..=22).contains(&cast.journal().count("teams: read t1")));
            line.say(format!("calls {} 0", guid(1))).await;
            pass(minutes(11)).await;
            assert_eq!(reads(&cast).await.hot, 0);
        },
    );
}

#[test]
fn where_nobody_polls_who_finds_no_place_stays_off_the_board_until_there_is_one() {
    let subscribed = |house: &mut House| house.reading = Reading::Subscription;
    play(652, subscribed, async |_, cast| {
        let line = cast.settle().await;
        let status = cast.subscription.ask(GetStatus).await.unwrap();
        assert_eq!((status.overflow, status.unserved), (2, 2));
        assert_eq!(reads(&cast).await.watched, 650);
        let everybody: Vec<_> = (1..=652).map(guid).collect();
        let views = cast.sync.ask(GetViews(everybody.clone())).await.unwrap();
        assert_eq!(views.len(), 650);
        cast.journal().clear();
        pass(minutes(30)).await;
        assert_eq!(cast.journal().count("teams: read"), 0);
        line.say(format!("gone {}", guid(1))).await;
        pass(seconds(10)).await;
        assert_eq!(cast.subscription.ask(GetStatus).await.unwrap().unserved, 1);
        let views = cast.sync.ask(GetViews(everybody)).await.unwrap();
        assert_eq!(views.len(), 650);
        assert!(
            views
                .iter()
                .all(|(user, view)| *user != guid(1) && view.synchronised)
        );
    });
}

#[test]
fn where_one_is_in_the_way_that_graph_does_not_show_the_light_says_so() {
    let obstructed = |house: &mut House| {
        house
            .registry
            .creates
            .borrow_mut()
            .extend((0..5).map(|_| Ok(Created::Conflict)));
    };
    play(1, obstructed, async |_, cast| {
        cast.settle().await;
        pass(seconds(5)).await;
        let anna = of(&cast, ANNA).await;
        assert_eq!(anna.code, Code::WaitingForExpiry);
        assert!(anna.detail.contains("lists none"), "{}", anna.detail);
        assert_eq!(reads(&cast).await.uncovered, 1);
        pass(minutes(3)).await;
        assert_eq!(of(&cast, ANNA).await.code, Code::Ok);
        assert_eq!(reads(&cast).await.uncovered, 0);
    });
}

#[test]
fn shards_are_numbered_in_the_configured_order() {
    let turned = |house: &mut House| {
        with_bert(house);
        house.accounts.reverse();
    };
    let numbers = async |cast: &Cast| [of(cast, ANNA).await.shard, of(cast, BERT).await.shard];
    play(1, with_bert, async |_, cast| {
        cast.settle().await;
        assert_eq!(numbers(&cast).await, [Some(1), Some(2)]);
    });
    play(1, turned, async |_, cast| {
        cast.settle().await;
        assert_eq!(numbers(&cast).await, [Some(2), Some(1)]);
    });
}

#[test]
fn another_communication_user_brings_those_without_a_place_on_the_board() {
    let subscribed = |house: &mut House| house.reading = Reading::Subscription;
    play(651, subscribed, async |stage, cast| {
        cast.settle().await;
        assert_eq!(reads(&cast).await.watched, 650);
        cast.add_account(BERT);
        restart(stage, "presence-subscription").await;
        pass(seconds(10)).await;
        assert_eq!(cast.subscription.ask(GetStatus).await.unwrap().unserved, 0);
        assert_eq!(reads(&cast).await.watched, 651);
    });
}

#[test]
fn what_the_subscription_of_a_removed_account_still_tells_is_believed_while_it_lasts() {
    let shelf = Rc::new(Shelf::default());
    play_on(Rc::clone(&shelf), 1, with_bert, async |_, cast| {
        cast.settle().await;
        assert!(cast.house.registry.of(&shard(ANNA)).is_some());
    });
    let alone = |house: &mut House| {
        with_bert(house);
        house.accounts.remove(0);
        shelf.journal.clear();
    };
    play_on(Rc::clone(&shelf), 1, alone, async |_, cast| {
        cast.settle().await;
        cast.notify("presence t1 Busy/Busy 1");
        pass(seconds(1)).await;
        // the directory's, the new account's and the removed one's
        assert_eq!(
            cast.journal()
                .count("opener: presence t1 Busy/Busy 1 with 3 states"),
            1
        );
        assert!(cast.house.registry.of(&shard(BERT)).is_some());
        assert!(shelf.subscriptions.borrow().contains_key(&shard(ANNA)));
    });
    for stored in shelf.subscriptions.borrow_mut().values_mut() {
        stored.expires_at -= chrono::TimeDelta::hours(2);
    }
    play_on(Rc::clone(&shelf), 1, alone, async |_, cast| {
        cast.settle().await;
        assert!(!shelf.subscriptions.borrow().contains_key(&shard(ANNA)));
        cast.notify("presence t1 Away/Away 2");
        pass(seconds(1)).await;
        assert_eq!(
            cast.journal()
                .count("opener: presence t1 Away/Away 2 with 2 states"),
            1
        );
    });
}
