//! Resource data, the key that it is encrypted for, and what Graph makes of both.

use chrono::TimeDelta;
use m365_presence::ports::{Created, Deleted, GraphSubscription, Renewed};
use m365_presence::subscription::{Event, Keys, Phase, Step, Subscription, Terms};

use crate::samples::{
    CERTIFICATE, UNDER_WAY, at, idle_until, is_create, is_delete, is_renewal, keys, live, living, ours,
    presence, renewed, stored, terms, wanted,
};

const NEWER: &str = "key-2";

fn naming(certificate: Option<&str>, minutes: i64) -> GraphSubscription {
    GraphSubscription {
        certificate_id: certificate.map(str::to_owned),
        ..ours("s1", &presence([1]), minutes)
    }
}

fn refused(certain: bool) -> Event {
    Event::Created(Created::RichRefused {
        message: "no resource data".into(),
        certain,
    })
}

fn no() -> Event {
    Event::Refused { message: "no".into() }
}

fn named_by(step: &Step) -> Option<&str> {
    match step {
        Step::Create { certificate, .. } | Step::Renew { certificate, .. } => certificate.as_deref(),
        step => panic!("{step:?} names nothing"),
    }
}

/// One that lives and has heard of a newer key.
fn outdated() -> Subscription {
    let mut subscription = living(&presence([1]));
    let step = subscription.on(Event::Keys(keys(NEWER, &[CERTIFICATE])), at(1));
    assert_eq!(step, idle_until(10), "a newer key is no hurry");
    subscription
}

/// One without resource data, as long as it serves.
fn basic(certain: bool) -> Subscription {
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(&presence([1])), at(0));
    let step = subscription.on(refused(certain), at(0));
    assert!(is_create(&step, &presence([1])) && named_by(&step).is_none());
    let made = Event::Created(Created::Live(naming(None, 45)));
    assert_eq!(subscription.on(made, at(0)), idle_until(10));
    assert_eq!(subscription.resource_data_refusal(), Some("no resource data"));
    subscription
}

/// Renews it with the timer until `minutes`, and returns the first step that is no plain renewal.
fn until_something_else(subscription: &mut Subscription, from: i64, minutes: i64) -> Option<(i64, Step)> {
    let mut now = from;
    while now < minutes {
        let step = subscription.on(Event::Due, at(now));
        if !is_renewal(&step, "s1") || named_by(&step).is_some() {
            return Some((now, step));
        }
        let told = subscription.held().unwrap().certificate_id.clone();
        let renewed = Event::Renewed(Renewed::Live(naming(told.as_deref(), now + 45)));
        subscription.on(renewed, at(now));
        now += 10;
    }
    None
}

#[test]
fn nothing_is_made_before_the_keys_are_known() {
    let conditions = Terms {
        keys: None,
        ..terms()
    };
    let mut subscription = Subscription::new(conditions, None);
    assert_eq!(subscription.on(wanted(&presence([1])), at(0)), UNDER_WAY);
    assert_eq!(subscription.phase(), &Phase::Starting);
    let step = subscription.on(Event::Keys(keys(CERTIFICATE, &[])), at(1));
    assert_eq!(named_by(&step), Some(CERTIFICATE));
}

#[test]
fn a_stored_one_is_renewed_before_the_keys_are_known() {
    let conditions = Terms {
        keys: None,
        ..terms()
    };
    let mut subscription = Subscription::new(conditions, Some(stored("s1", &presence([1]), 20)));
    assert!(is_renewal(&subscription.on(wanted(&presence([1])), at(0)), "s1"));
}

#[test]
fn a_newer_key_is_named_by_the_next_renewal() {
    let mut subscription = outdated();
    let step = subscription.on(Event::Due, at(10));
    assert!(is_renewal(&step, "s1"));
    assert_eq!(named_by(&step), Some(NEWER));
    let answer = Event::Renewed(Renewed::Live(naming(Some(NEWER), 55)));
    assert_eq!(subscription.on(answer, at(10)), idle_until(20));
    assert_eq!(
        subscription.held().unwrap().certificate_id.as_deref(),
        Some(NEWER)
    );
    assert_eq!(until_something_else(&mut subscription, 20, 120), None);
}

#[test]
fn an_answer_that_does_not_tell_the_key_is_believed_to_name_what_was_sent() {
    let mut subscription = outdated();
    subscription.on(Event::Due, at(10));
    subscription.on(Event::Renewed(Renewed::Live(naming(None, 55))), at(10));
    assert_eq!(
        subscription.held().unwrap().certificate_id.as_deref(),
        Some(NEWER)
    );
    // nor do later ones
    subscription.on(Event::Due, at(20));
    subscription.on(Event::Renewed(Renewed::Live(naming(None, 65))), at(20));
    assert_eq!(
        subscription.held().unwrap().certificate_id.as_deref(),
        Some(NEWER)
    );
}

#[test]
fn a_create_whose_answer_does_not_tell_the_key_is_no_basic_one() {
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(&presence([1])), at(0));
    subscription.on(Event::Created(Created::Live(naming(None, 45))), at(0));
    assert_eq!(
        subscription.held().unwrap().certificate_id.as_deref(),
        Some(CERTIFICATE)
    );
}

#[test]
fn where_a_renewal_with_a_key_is_refused_a_plain_one_goes_first_and_then_it_is_made_anew() {
    let mut subscription = outdated();
    subscription.on(Event::Due, at(10));
    let step = subscription.on(no(), at(10));
    assert!(is_renewal(&step, "s1") && named_by(&step).is_none(), "{step:?}");
    assert_eq!(
        subscription.on(renewed("s1", &presence([1]), 55), at(10)),
        idle_until(20)
    );
    assert!(is_delete(&subscription.on(Event::Due, at(20)), "s1"));
    assert_eq!(subscription.phase(), &Phase::Replacing);
    let step = subscription.on(Event::Deleted(Deleted::Gone), at(20));
    assert_eq!(named_by(&step), Some(NEWER));
}

#[test]
fn a_renewal_that_is_refused_for_another_reason_deletes_nothing() {
    let mut subscription = outdated();
    subscription.on(Event::Due, at(10));
    subscription.on(no(), at(10));
    assert_eq!(subscription.on(no(), at(10)), idle_until(20));
    let step = subscription.on(Event::Due, at(20));
    assert!(is_renewal(&step, "s1") && named_by(&step) == Some(NEWER));
}

#[test]
fn where_graph_ignores_the_key_it_is_made_anew_at_the_next_renewal() {
    let mut subscription = outdated();
    subscription.on(Event::Due, at(10));
    assert_eq!(
        subscription.on(renewed("s1", &presence([1]), 55), at(10)),
        idle_until(20)
    );
    assert!(is_delete(&subscription.on(Event::Due, at(20)), "s1"));
}

#[test]
fn one_that_graph_neither_changes_nor_deletes_is_renewed_with_its_old_key_and_tried_again_after_a_day() {
    let mut subscription = outdated();
    subscription.on(Event::Due, at(10));
    subscription.on(renewed("s1", &presence([1]), 55), at(10));
    assert!(is_delete(&subscription.on(Event::Due, at(20)), "s1"));
    let step = subscription.on(Event::Deleted(Deleted::Refused), at(20));
    assert!(is_renewal(&step, "s1"), "it is not waited out: {step:?}");
    assert_eq!(
        subscription.on(renewed("s1", &presence([1]), 65), at(20)),
        idle_until(30)
    );
    assert_eq!(subscription.phase(), &Phase::Live);
    let (when, step) = until_something_else(&mut subscription, 30, 3_000).unwrap();
    assert!(is_delete(&step, "s1"));
    assert_eq!(when, 20 + 24 * 60);
}

#[test]
fn one_whose_key_is_lost_is_made_anew_at_once() {
    let mut subscription = living(&presence([1]));
    let step = subscription.on(Event::Keys(keys(NEWER, &[])), at(1));
    assert!(is_delete(&step, "s1"));
    let step = subscription.on(Event::Deleted(Deleted::Gone), at(1));
    assert_eq!(named_by(&step), Some(NEWER));
}

#[test]
fn a_restart_in_the_middle_of_a_change_finishes_it() {
    let conditions = Terms {
        keys: Some(keys(NEWER, &[CERTIFICATE])),
        ..terms()
    };
    let mut subscription = Subscription::new(conditions, Some(stored("s1", &presence([1]), 20)));
    let step = subscription.on(wanted(&presence([1])), at(0));
    assert!(is_renewal(&step, "s1"));
    assert_eq!(named_by(&step), Some(NEWER));
}

#[test]
fn where_resource_data_is_refused_a_basic_one_serves_for_a_day() {
    let mut subscription = basic(true);
    let (when, step) = until_something_else(&mut subscription, 10, 3_000).unwrap();
    assert_eq!(when, 24 * 60);
    assert!(is_delete(&step, "s1"));
    let step = subscription.on(Event::Deleted(Deleted::Gone), at(when));
    assert_eq!(named_by(&step), Some(CERTIFICATE));
    subscription.on(live("s2", &presence([1]), when + 45), at(when));
    assert_eq!(subscription.resource_data_refusal(), None);
}

#[test]
fn where_the_refusal_did_not_say_so_it_is_tried_again_after_an_hour() {
    let mut subscription = basic(false);
    let (when, step) = until_something_else(&mut subscription, 10, 3_000).unwrap();
    assert_eq!(when, 60);
    assert!(is_delete(&step, "s1"));
}

#[test]
fn when_a_basic_one_is_refused_as_well_it_was_not_for_the_resource_data() {
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(&presence([1])), at(0));
    subscription.on(refused(false), at(0));
    assert_eq!(subscription.on(no(), at(0)), idle_until(10));
    assert_eq!(subscription.resource_data_refusal(), None);
    assert_eq!(named_by(&subscription.on(Event::Due, at(10))), Some(CERTIFICATE));
}

#[test]
fn an_order_tries_for_resource_data_at_once_and_a_wish_of_graph_does_not() {
    let mut subscription = basic(true);
    let step = subscription.on(Event::Reauthorize, at(1));
    assert!(is_renewal(&step, "s1"));
    let renewed = Event::Renewed(Renewed::Live(naming(None, 46)));
    subscription.on(renewed, at(1));
    assert!(is_delete(&subscription.on(Event::RenewNow, at(2)), "s1"));
}

#[test]
fn one_that_was_basic_before_a_restart_is_adopted_as_it_is() {
    let mut held = stored("s1", &presence([1]), 20);
    held.certificate_id = None;
    let mut subscription = Subscription::new(terms(), Some(held));
    assert!(is_renewal(&subscription.on(wanted(&presence([1])), at(0)), "s1"));
    let renewed = Event::Renewed(Renewed::Live(naming(None, 45)));
    assert_eq!(subscription.on(renewed, at(0)), idle_until(10));
    let (when, _) = until_something_else(&mut subscription, 10, 3_000).unwrap();
    assert_eq!(when, 24 * 60);
}

#[test]
fn one_that_was_made_before_there_was_a_key_gets_one_with_its_next_renewal() {
    let conditions = Terms {
        keys: Some(Keys::default()),
        ..terms()
    };
    let mut subscription = Subscription::new(conditions, None);
    assert_eq!(named_by(&subscription.on(wanted(&presence([1])), at(0))), None);
    subscription.on(Event::Created(Created::Live(naming(None, 45))), at(0));
    assert_eq!(
        subscription.on(Event::Keys(keys(CERTIFICATE, &[])), at(1)),
        idle_until(10)
    );
    assert!(is_delete(&subscription.on(Event::Due, at(10)), "s1"));
}

#[test]
fn every_wish_for_reauthorisation_is_answered_by_one_renewal_however_recent_the_last() {
    let mut subscription = living(&presence([1]));
    for minute in 1..30 {
        assert!(is_renewal(&subscription.on(Event::Reauthorize, at(minute)), "s1"));
        let step = subscription.on(renewed("s1", &presence([1]), minute + 45), at(minute));
        assert_eq!(step, idle_until(minute + 10));
    }
}

#[test]
fn wishes_that_come_while_the_renewal_is_under_way_are_answered_by_it() {
    let mut subscription = living(&presence([1]));
    subscription.on(Event::Reauthorize, at(1));
    for _ in 0..100 {
        assert_eq!(subscription.on(Event::Reauthorize, at(1)), UNDER_WAY);
    }
    assert_eq!(
        subscription.on(renewed("s1", &presence([1]), 46), at(1)),
        idle_until(11)
    );
}

#[test]
fn a_storm_of_wishes_is_answered_by_few_renewals_and_by_one_after_it() {
    let mut subscription = living(&presence([1]));
    let mut renewals = 0;
    let mut step = UNDER_WAY;
    for second in 0..300 {
        let now = at(1) + TimeDelta::seconds(second);
        step = subscription.on(Event::Reauthorize, now);
        if is_renewal(&step, "s1") {
            renewals += 1;
            step = subscription.on(renewed("s1", &presence([1]), 60), now);
        }
    }
    assert!(
        (5..=40).contains(&renewals),
        "{renewals} renewals in five minutes"
    );
    let Step::Nothing { until: Some(until) } = step else {
        panic!("{step:?}")
    };
    assert!(
        until <= at(1) + TimeDelta::seconds(361),
        "the last wish is not forgotten"
    );
}
