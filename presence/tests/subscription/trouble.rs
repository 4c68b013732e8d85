//! Orders, silence and refusals.

use chrono::TimeDelta;
use m365_presence::light::SubscriptionCode;
use m365_presence::ports::{Created, Deleted};
use m365_presence::subscription::{Event, Phase, Step, Subscription};

use crate::samples::{
    UNDER_WAY, at, idle_until, is_create, is_delete, is_renewal, live, living, ours, presence, renewed,
    terms, wanted,
};

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
fn one_that_has_ended_before_it_was_told_of_is_not_made_anew_without_a_pause() {
    let mut subscription = Subscription::new(terms(), None);
    let mut now = at(100);
    let mut step = subscription.on(wanted(&presence([1])), now);
    for seconds in [5, 10, 20, 40, 60, 60] {
        assert!(is_create(&step, &presence([1])));
        let next = now + TimeDelta::seconds(seconds);
        let pause = subscription.on(live("s1", &presence([1]), 99), now);
        assert_eq!(pause, Step::Nothing { until: Some(next) });
        now = next;
        step = subscription.on(Event::Due, now);
    }
    subscription.on(live("s1", &presence([1]), 150), now);
    assert_eq!(subscription.phase(), &Phase::Live);
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
        Step::Create {
            certificate: Some(_),
            ..
        }
    ));
    let refused = || {
        Event::Created(Created::RichRefused {
            message: "certificate".into(),
            certain: true,
        })
    };
    assert!(matches!(
        subscription.on(refused(), at(0)),
        Step::Create {
            certificate: None,
            ..
        }
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
