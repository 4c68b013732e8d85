//! What one notices of the Graph subscriptions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use std::collections::BTreeSet;
use std::rc::Rc;

use m365_actors::presence_subscription::{GetAssignment, GetStatus, RenewAll, Status, SubscriptionStatus};
use m365_actors::token_refresh::CommunicationUser;
use m365_actors::user_sync::UsersChanged;
use m365_presence::cadence::Reading;
use m365_presence::identity::Account;
use m365_presence::light::SubscriptionCode as Code;
use m365_presence::ports::SubscriptionKind;
use stage::house::{Cast, House, play, play_on, restart};
use stage::pbx::listed;
use stage::people::{ANNA, BERT, MASTER, guid, pbx_user, teams_user};
use stage::shelf::Shelf;
use stage::subscriptions::URL;
use stage::{millis, minutes, pass, seconds};

const CREATE: &str = "graph: create anna";

fn anna() -> SubscriptionKind {
    SubscriptionKind::Presence(Account::new(ANNA))
}

fn with_bert(house: &mut House) {
    house.accounts.push(CommunicationUser {
        account: Account::new(BERT),
        way: m365_presence::sign_in::Way::Password,
        ends: m365_actors::token_refresh::ProofEnds::default(),
    });
}

async fn status(cast: &Cast) -> Status {
    cast.subscription.ask(GetStatus).await.unwrap()
}

async fn of(cast: &Cast, kind: &SubscriptionKind) -> SubscriptionStatus {
    let all = status(cast).await.subscriptions;
    all.into_iter().find(|status| status.kind == *kind).unwrap()
}

/// Id of Anna's living subscription, without which the test fails.
fn id_at_graph(cast: &Cast) -> String {
    let living = cast.house.registry.of(&anna()).expect("a living subscription");
    living.id.as_str().to_owned()
}

/// A user appears on both sides.
async fn join(cast: &Cast, line: &stage::pbx::Line, number: usize) {
    cast.house.teams.users.borrow_mut().push(teams_user(number));
    cast.house.estate.licensed.borrow_mut().insert(guid(number));
    line.say(listed(&pbx_user(number, MASTER))).await;
    cast.user_sync.ask(UsersChanged).await.unwrap();
    pass(seconds(5)).await;
}

/// A start, settled with the master, and its shelf afterwards.
fn started_before(people: usize) -> Rc<Shelf> {
    let shelf = Rc::new(Shelf::default());
    play_on(
        Rc::clone(&shelf),
        people,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            assert!(cast.house.registry.of(&anna()).is_some());
        },
    );
    shelf.journal.clear();
    shelf
}

/// Puts what a shelf knows as Anna's subscription into the registry of a new scene.
fn still_there(house: &House) {
    let stored = house.shelf.subscriptions.borrow()[&anna()].clone();
    let id = house.registry.plant(anna(), &stored.users, URL);
    let mut live = house.registry.live.borrow_mut();
    let (_, planted) = live.iter_mut().find(|(_, known)| known.id == id).unwrap();
    planted.id = stored.id;
}

#[test]
fn licensed_users_are_subscribed_and_the_light_is_green() {
    play(
        3,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            assert_eq!(
                cast.journal().lines(CREATE),
                ["graph: create anna@contoso.test t1,t2,t3"]
            );
            assert_eq!(cast.journal().count("graph: create users"), 1);
            let anna = of(&cast, &anna()).await;
            assert_eq!((anna.code, anna.users, anna.created), (Code::Ok, 3, 1));
        },
    );
}

#[test]
fn nothing_is_created_before_it_is_known_who_is_licensed() {
    play(
        3,
        |house| house.estate.answers_licenses.set(false),
        async |_, cast| {
            cast.settle().await;
            assert_eq!(cast.journal().count(CREATE), 0);
            assert_eq!(of(&cast, &anna()).await.code, Code::Starting);
        },
    );
}

#[test]
fn a_client_state_is_stored_before_its_first_use() {
    play(
        1,
        |house| house.shelf.delay.set(millis(500)),
        async |_, cast| {
            cast.settle().await;
            pass(seconds(5)).await;
            cast.journal().assert_order("store: client state anna", CREATE);
            cast.journal()
                .assert_order("store: client state users", "graph: create users");
            let used = cast.house.registry.client_states.borrow();
            assert!(
                used.iter()
                    .all(|(_, state)| state.len() >= 32 && state.len() <= 128)
            );
            let distinct: BTreeSet<_> = used.iter().map(|(_, state)| state).collect();
            assert_eq!(distinct.len(), used.len());
        },
    );
}

#[test]
fn a_client_state_is_used_again_after_a_restart() {
    let shelf = started_before(1);
    let before = shelf.client_states.borrow()[&anna()].client_state.clone();
    play_on(
        shelf,
        1,
        |_| (),
        async |_, cast| {
            // Graph has lost the subscription, so it is created anew
            cast.settle().await;
            let used = cast.house.registry.client_states.borrow();
            let (_, state) = used.iter().find(|(kind, _)| *kind == anna()).unwrap();
            assert_eq!(state, before.expose());
        },
    );
}

#[test]
fn a_subscription_is_stored_before_its_shard_is_read() {
    play(
        1,
        |house| house.shelf.delay.set(millis(300)),
        async |_, cast| {
            cast.dial(MASTER).await;
            let journal = cast.journal();
            while journal.count(CREATE) == 0 {
                pass(millis(50)).await;
            }
            // the reads of the newcomers are over
            pass(millis(200)).await;
            journal.clear();
            pass(seconds(2)).await;
            journal.assert_order("store: hold anna", "teams: read t1");
        },
    );
}

#[test]
fn a_restart_adopts_the_subscription_by_a_renewal() {
    play_on(
        started_before(2),
        2,
        |house| still_there(house),
        async |_, cast| {
            let held = cast.house.shelf.subscriptions.borrow()[&anna()].id.clone();
            pass(seconds(1)).await;
            // before the users and licenses are known, it is kept and renewed as it is
            assert_eq!(
                cast.journal().count(&format!("graph: renew {}", held.as_str())),
                1
            );
            cast.settle().await;
            assert_eq!(id_at_graph(&cast), held.as_str());
            assert_eq!(cast.journal().count(CREATE), 0);
            assert_eq!(cast.journal().count("graph: delete"), 0);
            assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
            // what changed while nobody listened is read
            assert!(cast.journal().count("teams: read t1,t2") > 0);
        },
    );
}

#[test]
fn a_restarted_actor_takes_its_subscription_up_again() {
    play(
        2,
        |_| (),
        async |stage, cast| {
            cast.settle().await;
            let before = id_at_graph(&cast);
            cast.journal().clear();
            restart(stage, "presence-subscription").await;
            assert_eq!(id_at_graph(&cast), before);
            assert_eq!(cast.journal().count(&format!("graph: renew {before}")), 1);
            assert_eq!(cast.journal().count("graph: create"), 0);
            assert_eq!(cast.journal().count("graph: delete"), 0);
        },
    );
}

#[test]
fn other_users_mean_delete_and_create() {
    play(
        2,
        |_| (),
        async |_, cast| {
            let line = cast.settle().await;
            let before = id_at_graph(&cast);
            cast.journal().clear();
            join(&cast, &line, 3).await;
            cast.journal()
                .assert_order(&format!("graph: delete {before}"), CREATE);
            assert_eq!(
                cast.journal().lines(CREATE),
                ["graph: create anna@contoso.test t1,t2,t3"]
            );
            assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
        },
    );
}

#[test]
fn a_joiner_disturbs_one_shard() {
    play(1300, with_bert, async |_, cast| {
        let line = cast.settle().await;
        assert_eq!(cast.journal().count("graph: create"), 3);
        let before = cast.subscription.ask(GetAssignment).await.unwrap();
        assert!(before.shards.values().all(|shard| shard.len() == 650));
        line.say(format!("gone {}", guid(7))).await;
        pass(seconds(3)).await;
        cast.journal().clear();
        join(&cast, &line, 1301).await;
        assert_eq!(cast.journal().count("graph: delete"), 1);
        assert_eq!(cast.journal().count("graph: create"), 1);
    });
}

#[test]
fn who_finds_no_place_is_counted_and_polled() {
    play(
        655,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let status = status(&cast).await;
            assert_eq!(status.overflow, 5);
            assert_eq!(of(&cast, &anna()).await.users, 650);
            cast.house.teams.reads.borrow_mut().clear();
            pass(minutes(5)).await;
            // five of them every ten seconds, and everybody else once
            let asked = cast.house.teams.reads.borrow().iter().sum::<usize>();
            assert_eq!(asked, 5 * 30 + 650);
        },
    );
}

#[test]
fn a_renewal_follows_every_ten_minutes_and_a_license_check_goes_before_it() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let renew = format!("graph: renew {}", id_at_graph(&cast));
            for _ in 0..5 {
                cast.journal().clear();
                pass(minutes(10)).await;
                assert_eq!(cast.journal().count(&renew), 1);
                assert_eq!(cast.journal().count("pbx-main: license"), 2);
                cast.journal().assert_order("pbx-main: license", &renew);
            }
        },
    );
}

#[test]
fn every_call_for_reauthorisation_is_answered_by_one_renewal() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let id = id_at_graph(&cast);
            cast.journal().clear();
            for asked in 1..=3 {
                cast.notify(&format!("lifecycle {ANNA} {id} reauthorize\nhint {asked}"));
                pass(seconds(1)).await;
                assert_eq!(cast.journal().count(&format!("graph: renew {id}")), asked);
            }
            cast.notify(&format!("lifecycle {ANNA} s-unknown reauthorize"));
            pass(seconds(1)).await;
            assert_eq!(cast.journal().count("graph: renew"), 3);
        },
    );
}

#[test]
fn without_licensed_users_there_is_no_subscription() {
    play(
        2,
        |house| house.estate.licensed.borrow_mut().clear(),
        async |_, cast| {
            cast.settle().await;
            assert_eq!(of(&cast, &anna()).await.code, Code::NoLicensedUsers);
            assert_eq!(cast.journal().count(CREATE), 0);
        },
    );
}

#[test]
fn polling_subscribes_nothing_and_removes_what_is_stored() {
    let polling = |house: &mut House| {
        still_there(house);
        house.reading = Reading::Polling;
        house.sweep = seconds(10);
    };
    play_on(started_before(2), 2, polling, async |_, cast| {
        cast.settle().await;
        pass(minutes(5)).await;
        assert!(cast.house.registry.of(&anna()).is_none());
        assert!(cast.house.shelf.subscriptions.borrow().is_empty());
        assert_eq!(cast.journal().count("graph: create"), 0);
        assert!(status(&cast).await.polling);
    });
}

#[test]
fn an_order_renews_everything_after_a_license_check() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let id = id_at_graph(&cast);
            cast.journal().clear();
            cast.subscription.ask(RenewAll).await.unwrap();
            pass(seconds(1)).await;
            assert_eq!(cast.journal().count("graph: renew"), 2);
            cast.journal()
                .assert_order("pbx-main: license", &format!("graph: renew {id}"));
        },
    );
}
