//! Every way that a subscription can take, step by step.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use m365_presence::light::SubscriptionCode;
use m365_presence::ports::{Created, Deleted, GraphSubscription, Renewed};
use m365_presence::secret::Secret;
use m365_presence::subscription::{Event, Held, Phase, Step, Subscription, Want, Watch};

use crate::samples::{CERTIFICATE, URL, at, directory_terms, presence, terms, watching};

/// A subscription of ours that ends some minutes after the start.
fn ours(id: &str, watch: &Watch, minutes: i64) -> GraphSubscription {
    watching(id, watch, URL, at(minutes))
}

fn foreign(id: &str, watch: &Watch, minutes: i64) -> GraphSubscription {
    watching(id, watch, "https://elsewhere.example.com/notify", at(minutes))
}

fn stored(id: &str, watch: &Watch, minutes: i64) -> Held {
    Held {
        id: id.into(),
        watch: watch.clone(),
        expires_at: at(minutes),
        certificate_id: Some(CERTIFICATE.into()),
        notification_url: URL.into(),
    }
}

fn wanted(watch: &Watch) -> Event {
    Event::Wanted(Want::Watch(watch.clone()))
}

fn live(id: &str, watch: &Watch, minutes: i64) -> Event {
    Event::Created(Created::Live(ours(id, watch, minutes)))
}

fn renewed(id: &str, watch: &Watch, minutes: i64) -> Event {
    Event::Renewed(Renewed::Live(ours(id, watch, minutes)))
}

fn idle_until(minutes: i64) -> Step {
    Step::Nothing {
        until: Some(at(minutes)),
    }
}

const UNDER_WAY: Step = Step::Nothing { until: None };

/// A fresh one that lives from minute 0 to minute 45.
fn living(watch: &Watch) -> Subscription {
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(watch), at(0));
    subscription.on(live("s1", watch, 45), at(0));
    assert_eq!(subscription.phase(), &Phase::Live);
    subscription
}

fn is_create(step: &Step, users: &Watch) -> bool {
    matches!(step, Step::Create { watch, .. } if watch == users)
}

fn is_renewal(step: &Step, of: &str) -> bool {
    matches!(step, Step::Renew { id, .. } if id.as_str() == of)
}

fn is_delete(step: &Step, of: &str) -> bool {
    *step == Step::Delete { id: of.into() }
}

// ---------------------------------------------------------------------------------------------- the plain life

#[test]
fn nothing_happens_until_it_is_known_what_is_wanted() {
    let mut subscription = Subscription::new(terms(), None);
    assert_eq!(subscription.on(Event::Due, at(0)), UNDER_WAY);
    assert_eq!(subscription.phase(), &Phase::Starting);
    assert!(is_create(
        &subscription.on(wanted(&presence([1])), at(0)),
        &presence([1])
    ));
    assert_eq!(subscription.phase(), &Phase::Creating);
}

#[test]
fn it_is_renewed_with_the_timer() {
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(&presence([1])), at(0));
    // raised to 45 minutes by Graph, so that the timer of ten minutes comes before half of the life
    assert_eq!(
        subscription.on(live("s1", &presence([1]), 45), at(0)),
        idle_until(10)
    );
    assert_eq!(subscription.on(Event::Due, at(9)), idle_until(10));
    assert!(is_renewal(&subscription.on(Event::Due, at(10)), "s1"));
    assert_eq!(
        subscription.on(renewed("s1", &presence([1]), 55), at(10)),
        idle_until(20)
    );
    assert_eq!(subscription.held().unwrap().expires_at, at(55));
    assert_eq!(subscription.phase().code(), SubscriptionCode::Ok);
}

#[test]
fn it_is_renewed_at_half_of_its_granted_life_when_that_is_earlier() {
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(&presence([1])), at(0));
    assert_eq!(
        subscription.on(live("s1", &presence([1]), 8), at(0)),
        idle_until(4)
    );
}

#[test]
fn the_wanted_end_outlasts_the_timer_and_stays_below_what_graph_refuses() {
    let ask = |watch: &Watch, period: Duration| {
        let mut terms = terms();
        terms.period = period;
        match Subscription::new(terms, None).on(wanted(watch), at(0)) {
            Step::Create { expires_at, .. } => expires_at - at(0),
            step => panic!("{step:?}"),
        }
    };
    let minutes = Duration::from_mins;
    assert_eq!(
        ask(&presence([1]), Duration::from_secs(2)),
        TimeDelta::minutes(15)
    );
    assert_eq!(ask(&presence([1]), minutes(10)), TimeDelta::minutes(30));
    assert_eq!(ask(&presence([1]), minutes(600)), TimeDelta::minutes(59));
    assert!(ask(&Watch::Directory, minutes(60)) > TimeDelta::minutes(120));
    assert!(ask(&Watch::Directory, minutes(60 * 24 * 365)) < TimeDelta::minutes(41_760));
}

#[test]
fn one_that_is_gone_is_created_anew() {
    let mut subscription = living(&presence([1]));
    subscription.on(Event::Due, at(10));
    let step = subscription.on(Event::Renewed(Renewed::Gone), at(10));
    assert!(is_create(&step, &presence([1])));
    assert_eq!(subscription.held(), None);
    assert_eq!(subscription.phase().code(), SubscriptionCode::Starting);
}

#[test]
fn one_that_graph_says_is_removed_is_created_anew() {
    let mut subscription = living(&presence([1]));
    assert_eq!(
        subscription.on(Event::Removed("other".into()), at(1)),
        idle_until(10)
    );
    assert!(is_create(
        &subscription.on(Event::Removed("s1".into()), at(1)),
        &presence([1])
    ));
}

#[test]
fn an_ended_one_is_not_renewed() {
    let mut subscription = living(&presence([1]));
    assert!(is_create(&subscription.on(Event::Due, at(46)), &presence([1])));
}

#[test]
fn other_users_mean_delete_and_create() {
    let mut subscription = living(&presence([1]));
    assert!(is_delete(
        &subscription.on(wanted(&presence([1, 2])), at(1)),
        "s1"
    ));
    assert_eq!(subscription.phase(), &Phase::Replacing);
    let step = subscription.on(Event::Deleted(Deleted::Gone), at(1));
    assert!(is_create(&step, &presence([1, 2])));
    subscription.on(live("s2", &presence([1, 2]), 46), at(1));
    assert_eq!(subscription.held().unwrap().watch, presence([1, 2]));
}

#[test]
fn the_same_users_in_another_message_change_nothing() {
    let mut subscription = living(&presence([1, 2]));
    assert_eq!(subscription.on(wanted(&presence([2, 1])), at(1)), idle_until(10));
}

#[test]
fn users_that_change_while_it_is_made_are_noticed_afterwards() {
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(&presence([1])), at(0));
    assert_eq!(subscription.on(wanted(&presence([2])), at(0)), UNDER_WAY);
    assert!(is_delete(
        &subscription.on(live("s1", &presence([1]), 45), at(0)),
        "s1"
    ));
}

#[test]
fn one_that_nobody_wants_any_more_is_deleted() {
    let mut subscription = living(&presence([1]));
    assert!(is_delete(
        &subscription.on(Event::Wanted(Want::Nothing), at(1)),
        "s1"
    ));
    assert_eq!(subscription.on(Event::Deleted(Deleted::Gone), at(1)), UNDER_WAY);
    assert_eq!(subscription.phase(), &Phase::Idle);
    assert_eq!(subscription.phase().code(), SubscriptionCode::NoLicensedUsers);
}

#[test]
fn one_that_nobody_wants_and_graph_keeps_is_left_to_its_end() {
    let mut subscription = living(&presence([1]));
    subscription.on(Event::Wanted(Want::Nothing), at(1));
    let end = at(45) + TimeDelta::seconds(1);
    let step = subscription.on(Event::Deleted(Deleted::Refused), at(1));
    assert_eq!(step, Step::Nothing { until: Some(end) });
    assert_eq!(subscription.phase(), &Phase::Idle);
}

// ---------------------------------------------------------------------------------------------- after a restart

#[test]
fn a_restart_adopts_what_was_stored_by_renewing_it_at_once() {
    let mut subscription = Subscription::new(terms(), Some(stored("s1", &presence([1]), 20)));
    assert!(is_renewal(&subscription.on(Event::Due, at(0)), "s1"));
    assert_eq!(
        subscription.on(renewed("s1", &presence([1]), 45), at(0)),
        idle_until(10)
    );
    assert_eq!(subscription.on(wanted(&presence([1])), at(1)), idle_until(10));
}

#[test]
fn a_stored_one_that_has_ended_waits_for_what_is_wanted() {
    let mut subscription = Subscription::new(terms(), Some(stored("s1", &presence([1]), 20)));
    assert_eq!(subscription.on(Event::Due, at(30)), UNDER_WAY);
    assert_eq!(subscription.held(), None);
    assert!(is_create(
        &subscription.on(wanted(&presence([1])), at(30)),
        &presence([1])
    ));
}

#[test]
fn a_stored_one_with_another_notification_url_is_replaced_and_never_renewed() {
    let mut old = stored("s1", &presence([1]), 20);
    old.notification_url = "https://old.example.com/graph/notifications".into();
    let mut subscription = Subscription::new(terms(), Some(old));
    assert_eq!(subscription.on(Event::Due, at(0)), UNDER_WAY);
    assert!(is_delete(&subscription.on(wanted(&presence([1])), at(0)), "s1"));
}

#[test]
fn one_that_encrypts_for_a_key_that_we_do_not_have_is_replaced() {
    let mut unreadable = stored("s1", &presence([1]), 20);
    unreadable.certificate_id = Some("lost".into());
    let mut subscription = Subscription::new(terms(), Some(unreadable));
    assert!(is_delete(&subscription.on(wanted(&presence([1])), at(0)), "s1"));
}

// ---------------------------------------------------------------------------------------------- 409

/// One whose create was refused with 409 and that has listed `found`.
fn after_conflict(used: bool, wanted_users: &Watch, found: Vec<GraphSubscription>) -> (Subscription, Step) {
    let mut conditions = terms();
    conditions.client_state_used = used;
    let mut subscription = Subscription::new(conditions, None);
    assert!(is_create(
        &subscription.on(wanted(wanted_users), at(0)),
        wanted_users
    ));
    assert_eq!(
        subscription.on(Event::Created(Created::Conflict), at(0)),
        Step::List
    );
    let step = subscription.on(Event::Listed(found), at(0));
    (subscription, step)
}

#[test]
fn ours_with_the_same_users_is_adopted() {
    let found = vec![
        foreign("f", &Watch::Directory, 50),
        ours("s1", &presence([2, 1]), 30),
    ];
    let (mut subscription, step) = after_conflict(true, &presence([1, 2]), found);
    assert!(is_renewal(&step, "s1"), "{step:?}");
    assert_eq!(
        subscription.on(renewed("s1", &presence([1, 2]), 45), at(0)),
        idle_until(10)
    );
    assert_eq!(subscription.phase(), &Phase::Live);
}

#[test]
fn one_whose_client_state_was_lost_with_the_database_is_made_anew() {
    let (_, step) = after_conflict(false, &presence([1]), vec![ours("s1", &presence([1]), 30)]);
    assert!(is_delete(&step, "s1"), "{step:?}");
}

#[test]
fn ours_with_other_users_is_deleted_and_made_anew() {
    let (mut subscription, step) =
        after_conflict(true, &presence([1]), vec![ours("s1", &presence([1, 2]), 30)]);
    assert!(is_delete(&step, "s1"));
    assert!(is_create(
        &subscription.on(Event::Deleted(Deleted::Gone), at(0)),
        &presence([1])
    ));
}

#[test]
fn a_foreign_one_is_never_renewed_even_with_the_same_users() {
    let mut told = ours("s1", &presence([1]), 30);
    told.client_state = Some(Secret::new("somebody else's"));
    for rival in [foreign("s1", &presence([1]), 30), told] {
        let (_, step) = after_conflict(true, &presence([1]), vec![rival]);
        assert!(is_delete(&step, "s1"));
    }
}

#[test]
fn what_graph_does_not_delete_is_waited_for_until_its_returned_end() {
    let (mut subscription, _) = after_conflict(true, &presence([1]), vec![foreign("f", &presence([7]), 30)]);
    let end = at(30) + TimeDelta::seconds(1);
    let waiting = Step::Nothing { until: Some(end) };
    assert_eq!(subscription.on(Event::Deleted(Deleted::Refused), at(0)), waiting);
    assert_eq!(subscription.phase(), &Phase::WaitingForExpiry { until: at(30) });
    assert_eq!(subscription.phase().code(), SubscriptionCode::WaitingForExpiry);
    assert_eq!(subscription.on(Event::Due, at(29)), waiting);
    assert!(is_create(&subscription.on(Event::Due, end), &presence([1])));
    subscription.on(live("s1", &presence([1]), 75), end);
    assert_eq!(subscription.phase(), &Phase::Live);
}

#[test]
fn an_own_one_that_graph_does_not_delete_is_waited_for_too() {
    let mut subscription = living(&presence([1]));
    subscription.on(wanted(&presence([2])), at(1));
    let waiting = Step::Nothing {
        until: Some(at(45) + TimeDelta::seconds(1)),
    };
    assert_eq!(subscription.on(Event::Deleted(Deleted::Refused), at(1)), waiting);
    assert_eq!(subscription.phase(), &Phase::WaitingForExpiry { until: at(45) });
    // it is good again as soon as its users are wanted again
    assert_eq!(subscription.on(wanted(&presence([1])), at(2)), idle_until(10));
    assert_eq!(subscription.phase(), &Phase::Live);
}

#[test]
fn an_order_while_waiting_looks_again() {
    let (mut subscription, _) = after_conflict(true, &presence([1]), vec![foreign("f", &presence([7]), 30)]);
    subscription.on(Event::Deleted(Deleted::Refused), at(0));
    assert_eq!(subscription.on(Event::RenewNow, at(1)), Step::List);
    // it has been deleted by somebody else meanwhile, which a create finds out
    subscription.on(Event::Listed(vec![]), at(1));
    assert!(is_create(&subscription.on(Event::Due, at(2)), &presence([1])));
}

#[test]
fn a_foreign_subscription_to_the_directory_is_left_alone() {
    let mut conditions = directory_terms();
    conditions.client_state_used = true;
    let mut subscription = Subscription::new(conditions, None);
    assert!(is_create(
        &subscription.on(wanted(&Watch::Directory), at(0)),
        &Watch::Directory
    ));
    assert_eq!(
        subscription.on(Event::Created(Created::Conflict), at(0)),
        Step::List
    );
    let found = vec![
        foreign("f", &Watch::Directory, 90),
        foreign("p", &presence([1]), 30),
    ];
    subscription.on(Event::Listed(found), at(0));
    assert_eq!(subscription.phase(), &Phase::WaitingForExpiry { until: at(90) });
}

#[test]
fn our_subscription_to_the_directory_is_adopted() {
    let mut conditions = directory_terms();
    conditions.client_state_used = true;
    let mut subscription = Subscription::new(conditions, None);
    subscription.on(wanted(&Watch::Directory), at(0));
    subscription.on(Event::Created(Created::Conflict), at(0));
    let mut basic = ours("u1", &Watch::Directory, 90);
    basic.certificate_id = None;
    assert!(is_renewal(
        &subscription.on(Event::Listed(vec![basic]), at(0)),
        "u1"
    ));
}

#[test]
fn a_conflict_that_nobody_explains_is_not_hammered() {
    let (mut subscription, step) = after_conflict(true, &presence([1]), vec![]);
    assert_eq!(
        step,
        Step::Nothing {
            until: Some(at(0) + TimeDelta::seconds(5))
        }
    );
    let mut now = at(0);
    let mut creates = 0;
    while now < at(10) {
        let step = match subscription.on(Event::Due, now) {
            Step::List => subscription.on(Event::Listed(vec![]), now),
            Step::Create { .. } => {
                creates += 1;
                subscription.on(Event::Created(Created::Conflict), now)
            }
            step => step,
        };
        match step {
            Step::Nothing { until } => now = until.unwrap().max(now),
            _ => panic!("{step:?}"),
        }
    }
    assert!((3..30).contains(&creates), "{creates} creates in ten minutes");
}

// ---------------------------------------------------------------------------------------------- orders and troubles

#[test]
fn an_order_renews_at_once_however_recent_the_last_renewal() {
    let mut subscription = living(&presence([1]));
    for minute in 1..4 {
        assert!(is_renewal(&subscription.on(Event::RenewNow, at(minute)), "s1"));
        // another one meanwhile is answered as well
        assert_eq!(subscription.on(Event::RenewNow, at(minute)), UNDER_WAY);
        assert!(is_renewal(
            &subscription.on(renewed("s1", &presence([1]), minute + 45), at(minute)),
            "s1"
        ));
        let step = subscription.on(renewed("s1", &presence([1]), minute + 45), at(minute));
        assert_eq!(step, idle_until(minute + 10));
    }
}

#[test]
fn a_deaf_one_is_made_anew() {
    let mut subscription = living(&presence([1]));
    assert!(is_delete(&subscription.on(Event::Deaf, at(5)), "s1"));
    assert_eq!(subscription.phase().code(), SubscriptionCode::Deaf);
    assert!(is_create(
        &subscription.on(Event::Deleted(Deleted::Gone), at(5)),
        &presence([1])
    ));
    assert_eq!(subscription.phase().code(), SubscriptionCode::Deaf);
    assert_eq!(
        subscription.on(live("s2", &presence([1]), 50), at(5)),
        idle_until(15)
    );
    assert_eq!(subscription.phase(), &Phase::Live);
}

#[test]
fn a_renewal_without_an_answer_is_repeated_when_it_may_be() {
    let mut subscription = living(&presence([1]));
    subscription.on(Event::Due, at(10));
    assert_eq!(
        subscription.on(Event::Unanswered { retry_at: at(11) }, at(10)),
        idle_until(11)
    );
    assert_eq!(subscription.phase(), &Phase::Live, "it still lives");
    // Graph's patience is not cut short
    assert_eq!(subscription.on(Event::RenewNow, at(10)), idle_until(11));
    assert!(is_renewal(&subscription.on(Event::Due, at(11)), "s1"));
}

#[test]
fn a_create_without_an_answer_is_found_again() {
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(&presence([1])), at(0));
    assert_eq!(
        subscription.on(Event::Unanswered { retry_at: at(1) }, at(0)),
        idle_until(1)
    );
    assert_eq!(subscription.phase().code(), SubscriptionCode::Unreachable);
    assert!(is_create(&subscription.on(Event::Due, at(1)), &presence([1])));
    assert_eq!(
        subscription.on(Event::Created(Created::Conflict), at(1)),
        Step::List
    );
    let step = subscription.on(Event::Listed(vec![ours("s1", &presence([1]), 45)]), at(1));
    assert!(is_renewal(&step, "s1"));
}

#[test]
fn a_notification_url_that_fails_is_tried_again_after_5_to_60_seconds() {
    let failures = [
        (
            Created::UrlUnreachable {
                message: "timed out".into(),
            },
            SubscriptionCode::NotificationUrlUnreachable,
        ),
        (
            Created::UrlRejected {
                message: "NotFound".into(),
            },
            SubscriptionCode::NotificationUrlRejected,
        ),
    ];
    for (failure, code) in failures {
        let mut subscription = Subscription::new(terms(), None);
        let mut now = at(0);
        let mut step = subscription.on(wanted(&presence([1])), now);
        for seconds in [5, 10, 20, 40, 60, 60, 60] {
            assert!(is_create(&step, &presence([1])));
            let next = now + TimeDelta::seconds(seconds);
            let pause = subscription.on(Event::Created(failure.clone()), now);
            assert_eq!(pause, Step::Nothing { until: Some(next) });
            assert_eq!(subscription.phase().code(), code);
            now = next;
            step = subscription.on(Event::Due, now);
            // the light does not flicker while it is tried again
            assert_eq!(subscription.phase().code(), code);
        }
        subscription.on(live("s1", &presence([1]), 45), now);
        assert_eq!(subscription.phase().code(), SubscriptionCode::Ok);
    }
}

#[test]
fn what_graph_refuses_is_tried_again_with_the_timer_and_at_once_after_an_order() {
    let refusals = [
        (
            Event::Created(Created::TooManyUsers),
            SubscriptionCode::TooManyUsers,
        ),
        (
            Event::Created(Created::Forbidden { message: "no".into() }),
            SubscriptionCode::Forbidden,
        ),
        (
            Event::Refused { message: "no".into() },
            SubscriptionCode::Forbidden,
        ),
    ];
    for (refusal, code) in refusals {
        let mut subscription = Subscription::new(terms(), None);
        subscription.on(wanted(&presence([1, 2])), at(0));
        assert_eq!(subscription.on(refusal.clone(), at(0)), idle_until(10));
        assert_eq!(subscription.phase().code(), code);
        assert!(is_create(
            &subscription.on(Event::RenewNow, at(1)),
            &presence([1, 2])
        ));
        subscription.on(refusal, at(1));
        assert!(is_create(
            &subscription.on(wanted(&presence([1])), at(2)),
            &presence([1])
        ));
    }
}

#[test]
fn a_basic_subscription_is_made_where_resource_data_is_refused() {
    let mut subscription = Subscription::new(terms(), None);
    assert!(matches!(
        subscription.on(wanted(&presence([1])), at(0)),
        Step::Create { rich: true, .. }
    ));
    let refused = || {
        Event::Created(Created::RichRefused {
            message: "certificate".into(),
        })
    };
    assert!(matches!(
        subscription.on(refused(), at(0)),
        Step::Create { rich: false, .. }
    ));
    assert_eq!(subscription.on(refused(), at(0)), idle_until(10));
}

#[test]
fn an_outcome_that_nobody_awaits_changes_nothing() {
    let mut subscription = living(&presence([1]));
    subscription.on(Event::Due, at(10));
    assert_eq!(subscription.on(Event::Deleted(Deleted::Gone), at(10)), UNDER_WAY);
    assert_eq!(
        subscription.on(renewed("s1", &presence([1]), 55), at(10)),
        idle_until(20)
    );
}

// ---------------------------------------------------------------------------------------------- resources

#[test]
fn resources_are_read_in_every_spelling() {
    let of = |ids: &[&str]| {
        Some(Watch::Presence(
            ids.iter().map(|id| (*id).into()).collect::<BTreeSet<_>>(),
        ))
    };
    let table = [
        (
            "/communications/presences?$filter=id in ('A','B')",
            of(&["a", "b"]),
        ),
        (
            "communications/presences?$filter=id in ('b', 'a')",
            of(&["a", "b"]),
        ),
        ("communications/presences?$filter=id%20in%20(%27a%27)", of(&["a"])),
        ("/communications/presences/A", of(&["a"])),
        ("/communications/presences('a')", of(&["a"])),
        ("/users", Some(Watch::Directory)),
        ("Users?$select=id", Some(Watch::Directory)),
        ("users/a", None),
        ("/me/events", None),
        ("", None),
    ];
    for (resource, expected) in table {
        assert_eq!(Watch::from_resource(resource), expected, "{resource}");
    }
}
