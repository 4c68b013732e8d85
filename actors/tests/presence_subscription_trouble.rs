//! What one notices of the Graph subscriptions when Graph, the network or an administrator stands in the way.
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

use m365_actors::presence_subscription::{GetStatus, Status, SubscriptionStatus};
use m365_actors::presence_sweep;
use m365_presence::cadence::Reading;
use m365_presence::identity::{Account, Credential};
use m365_presence::light::{AuthenticationCode, SubscriptionCode as Code};
use m365_presence::ports::{Created, GraphError, SubscriptionKind};
use stage::entra::refused;
use stage::graph::lost;
use stage::house::{Cast, House, play, play_on};
use stage::people::{ANNA, teams_id, teams_user};
use stage::shelf::Shelf;
use stage::subscriptions::URL;
use stage::{millis, minutes, pass, seconds};

const CREATE: &str = "graph: create anna";

fn anna() -> SubscriptionKind {
    SubscriptionKind::Presence(Account::new(ANNA))
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

#[test]
fn a_master_that_leaves_checks_unanswered_costs_no_renewal() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.estate.answers_licenses.set(false);
            let before = id_at_graph(&cast);
            pass(minutes(120)).await;
            assert_eq!(id_at_graph(&cast), before);
            assert!(cast.journal().count(&format!("graph: renew {before}")) >= 10);
        },
    );
}

#[test]
fn a_removed_subscription_is_created_anew_and_its_users_are_read() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let id = id_at_graph(&cast);
            cast.house.registry.live.borrow_mut().clear();
            cast.journal().clear();
            cast.notify(&format!("lifecycle {ANNA} {id} removed"));
            pass(seconds(2)).await;
            assert_eq!(cast.journal().count(CREATE), 1);
            assert!(cast.journal().count("teams: read t1,t2") > 0);
        },
    );
}

#[test]
fn a_subscription_that_is_gone_at_its_renewal_is_created_anew() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.registry.live.borrow_mut().clear();
            cast.journal().clear();
            pass(minutes(11)).await;
            assert_eq!(cast.journal().count(CREATE), 1);
            assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
        },
    );
}

#[test]
fn missed_notifications_are_made_good_by_reads() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let id = id_at_graph(&cast);
            cast.journal().clear();
            cast.notify(&format!("lifecycle {ANNA} {id} missed"));
            pass(seconds(1)).await;
            assert_eq!(cast.journal().lines("teams: read"), ["teams: read t1,t2"]);
            assert_eq!(cast.journal().count("graph:"), 0);
            cast.journal().clear();
            let users = cast.house.registry.of(&SubscriptionKind::Users).unwrap().id;
            cast.notify(&format!("lifecycle users {} missed", users.as_str()));
            pass(seconds(3)).await;
            assert_eq!(cast.journal().count("teams: list users"), 1);
        },
    );
}

#[test]
fn one_of_ours_that_was_forgotten_is_adopted() {
    let shelf = started_before(2);
    shelf.subscriptions.borrow_mut().remove(&anna());
    let forgotten = |house: &mut House| {
        house.registry.made.set(100);
        house.registry.plant(anna(), &[teams_id(1), teams_id(2)], URL);
    };
    play_on(shelf, 2, forgotten, async |_, cast| {
        let planted = id_at_graph(&cast);
        cast.settle().await;
        pass(seconds(10)).await;
        assert_eq!(id_at_graph(&cast), planted);
        cast.journal()
            .assert_order("graph: list", &format!("graph: renew {planted}"));
        assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
    });
}

#[test]
fn a_foreign_subscription_of_the_account_is_deleted_and_never_renewed() {
    let foreign = |house: &mut House| {
        house
            .registry
            .plant(anna(), &[teams_id(9)], "https://other.test/hook");
    };
    play(1, foreign, async |_, cast| {
        let planted = id_at_graph(&cast);
        cast.settle().await;
        pass(seconds(10)).await;
        assert_ne!(id_at_graph(&cast), planted);
        assert_eq!(cast.journal().count(&format!("graph: delete {planted}")), 1);
        assert_eq!(cast.journal().count(&format!("graph: renew {planted}")), 0);
    });
}

#[test]
fn what_graph_does_not_delete_is_waited_for_and_its_users_are_polled_meanwhile() {
    let stuck = |house: &mut House| {
        house.reading = Reading::Subscription;
        house
            .registry
            .plant(anna(), &[teams_id(9)], "https://other.test/hook");
        house.registry.deletes.set(false);
    };
    play(2, stuck, async |_, cast| {
        cast.settle().await;
        pass(minutes(1)).await;
        let waiting = of(&cast, &anna()).await;
        assert_eq!(waiting.code, Code::WaitingForExpiry);
        assert!(waiting.detail.contains("ends at 20"));
        cast.journal().clear();
        pass(minutes(10)).await;
        let reads = cast.journal().count("teams: read t1,t2");
        assert!((58..=62).contains(&reads), "every ten seconds: {reads}");
        pass(minutes(36)).await;
        assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
        // from then on Graph tells, and nothing is swept
        cast.journal().clear();
        pass(minutes(30)).await;
        assert_eq!(cast.journal().count("teams: read"), 0);
    });
}

#[test]
fn an_unreachable_notification_url_is_tried_again_with_growing_pauses() {
    let unreachable = |house: &mut House| {
        let refusal = || {
            Ok(Created::UrlUnreachable {
                message: "timed out".to_owned(),
            })
        };
        house
            .registry
            .creates
            .borrow_mut()
            .extend((0..400).map(|_| refusal()));
    };
    play(1, unreachable, async |_, cast| {
        cast.settle().await;
        pass(minutes(10)).await;
        assert_eq!(of(&cast, &anna()).await.code, Code::NotificationUrlUnreachable);
        let gaps = cast.journal().gaps(CREATE);
        assert!(
            gaps[0] < 10.0 && gaps.iter().all(|gap| (4.9..65.0).contains(gap)),
            "{gaps:?}"
        );
        cast.house.registry.creates.borrow_mut().clear();
        pass(minutes(2)).await;
        assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
    });
}

#[test]
fn an_unanswered_graph_is_asked_again_soon_and_the_light_says_so() {
    play(
        1,
        |house| *house.registry.error.borrow_mut() = Some(lost()),
        async |_, cast| {
            cast.settle().await;
            pass(minutes(1)).await;
            assert_eq!(of(&cast, &anna()).await.code, Code::Unreachable);
            *cast.house.registry.error.borrow_mut() = None;
            pass(seconds(31)).await;
            assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
        },
    );
}

#[test]
fn an_account_that_is_not_signed_in_is_named_as_the_cause() {
    let signed_out = |house: &mut House| {
        *house.registry.error.borrow_mut() = Some(GraphError::NotSignedIn {
            credential: Credential::Communication(Account::new(ANNA)),
            error: refused(AuthenticationCode::MfaRequired),
        });
    };
    play(1, signed_out, async |_, cast| {
        cast.settle().await;
        let anna = of(&cast, &anna()).await;
        assert_eq!(anna.code, Code::NotSignedIn);
        assert!(anna.detail.contains(ANNA));
    });
}

#[test]
fn a_forbidden_account_without_a_teams_plan_is_told_to_need_one() {
    let forbidden = |house: &mut House| {
        let mut account = teams_user(99);
        account.user_principal_name = Some("Anna@Contoso.test".to_owned());
        account.teams_plan = false;
        house.teams.users.borrow_mut().push(account);
        let refusal = Created::Forbidden {
            message: "no".to_owned(),
        };
        house
            .registry
            .creates
            .borrow_mut()
            .extend([Ok(refusal.clone()), Ok(refusal)]);
    };
    play(1, forbidden, async |_, cast| {
        cast.settle().await;
        assert_eq!(of(&cast, &anna()).await.code, Code::NoTeamsLicense);
    });
}

#[test]
fn a_forbidden_account_with_a_teams_plan_is_told_to_be_forbidden() {
    let forbidden = |house: &mut House| {
        let refusal = Created::Forbidden {
            message: "no".to_owned(),
        };
        house
            .registry
            .creates
            .borrow_mut()
            .extend([Ok(refusal.clone()), Ok(refusal)]);
    };
    play(1, forbidden, async |_, cast| {
        cast.settle().await;
        assert_eq!(of(&cast, &anna()).await.code, Code::Forbidden);
    });
}

#[test]
fn a_clock_that_is_corrected_by_an_hour_costs_no_user_the_observation() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            cast.house.clock.jump(chrono::TimeDelta::hours(1));
            pass(minutes(11)).await;
            assert!(cast.house.registry.of(&anna()).is_some());
            assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
            cast.house.clock.jump(chrono::TimeDelta::hours(-1));
            pass(minutes(25)).await;
            assert!(cast.house.registry.of(&anna()).is_some());
            assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
        },
    );
}

#[test]
fn a_subscription_whose_notifications_do_not_arrive_is_made_anew() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let before = id_at_graph(&cast);
            pass(minutes(6)).await;
            cast.house.teams.show(teams_id(1), "Busy", "Busy");
            pass(minutes(11)).await;
            assert_ne!(id_at_graph(&cast), before);
            assert_eq!(cast.journal().count(&format!("graph: delete {before}")), 1);
            assert_eq!(of(&cast, &anna()).await.code, Code::Ok);
        },
    );
}

#[test]
fn a_subscription_whose_people_are_at_rest_is_left_alone() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let before = id_at_graph(&cast);
            pass(minutes(180)).await;
            assert_eq!(id_at_graph(&cast), before);
        },
    );
}

#[test]
fn a_late_notification_speaks_for_its_subscription() {
    play(
        2,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let before = id_at_graph(&cast);
            pass(minutes(4) + seconds(30)).await;
            for round in 0..6 {
                let pair = if round % 2 == 0 { "Busy" } else { "Away" };
                cast.house.teams.show(teams_id(1), pair, pair);
                // the sweep is faster than Graph
                pass(minutes(1)).await;
                cast.notify(&format!("presence t1 {pair}/{pair} {round}"));
                pass(minutes(4)).await;
            }
            let reads = cast.sweep.ask(presence_sweep::GetStatus).await.unwrap();
            assert_eq!(reads.found_first, 6);
            assert_eq!((of(&cast, &anna()).await.missed, id_at_graph(&cast)), (0, before));
        },
    );
}

#[test]
fn a_storm_of_lifecycle_notices_costs_few_requests() {
    play(
        2,
        |house| house.registry.renewal_delay.set(seconds(1)),
        async |_, cast| {
            cast.settle().await;
            pass(minutes(1)).await;
            let id = id_at_graph(&cast);
            cast.journal().clear();
            for number in 0..300 {
                cast.notify(&format!("lifecycle {ANNA} {id} reauthorize\nhint t{number}"));
                cast.notify(&format!("lifecycle {ANNA} {id} missed\nhint t{number}"));
                cast.notify(&format!("lifecycle {ANNA} s-old removed\nhint t{number}"));
                pass(millis(100)).await;
            }
            pass(seconds(60)).await;
            let renewals = cast.journal().count("graph: renew");
            assert!((1..=15).contains(&renewals), "{renewals} renewals");
            let reads = cast.journal().lines("teams: read t1,t2").len();
            assert!((1..=10).contains(&reads), "{reads} reads");
            assert_eq!(id_at_graph(&cast), id, "nothing is made anew");
            assert_eq!(cast.journal().count("graph: list"), 0);
        },
    );
}

#[test]
fn a_notice_every_few_minutes_is_answered_by_one_renewal_each() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let id = id_at_graph(&cast);
            for _ in 0..5 {
                pass(minutes(2)).await;
                cast.journal().clear();
                cast.notify(&format!("lifecycle {ANNA} {id} reauthorize"));
                pass(seconds(5)).await;
                assert_eq!(cast.journal().count("graph: renew"), 1);
            }
        },
    );
}

#[test]
fn a_removal_that_is_told_twice_makes_one_new_subscription() {
    play(
        1,
        |_| (),
        async |_, cast| {
            cast.settle().await;
            let id = id_at_graph(&cast);
            cast.house
                .registry
                .live
                .borrow_mut()
                .retain(|(kind, _)| *kind != anna());
            cast.journal().clear();
            for number in 0..5 {
                cast.notify(&format!("lifecycle {ANNA} {id} removed\nhint {number}"));
            }
            pass(seconds(10)).await;
            assert_eq!(cast.journal().count(CREATE), 1);
            assert!(cast.journal().count("teams: read t1") >= 1);
            cast.notify(&format!("lifecycle {ANNA} {id} removed\nhint late"));
            pass(seconds(10)).await;
            assert_eq!(cast.journal().count(CREATE), 1);
        },
    );
}
