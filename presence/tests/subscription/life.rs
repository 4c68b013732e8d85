//! The plain life of a subscription, and what a restart finds.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use m365_presence::light::SubscriptionCode;
use m365_presence::ports::{Created, Deleted, Renewed, SubscriptionKind};
use m365_presence::subscription::{Event, Held, Phase, Step, Subscription, Want, Watch};

use crate::samples::{
    UNDER_WAY, at, idle_until, is_create, is_delete, is_renewal, live, living, presence, renewed, stored,
    terms, wanted, watching,
};

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
fn answers_without_the_notification_url_do_not_make_it_anew() {
    let terse = |minutes| watching("s1", &presence([1]), "", at(minutes));
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(&presence([1])), at(0));
    assert_eq!(
        subscription.on(Event::Created(Created::Live(terse(45))), at(0)),
        idle_until(10)
    );
    assert!(is_renewal(&subscription.on(Event::Due, at(10)), "s1"));
    assert_eq!(
        subscription.on(Event::Renewed(Renewed::Live(terse(55))), at(10)),
        idle_until(20)
    );
    assert!(is_renewal(&subscription.on(Event::Due, at(20)), "s1"));
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
fn what_is_held_reads_back_from_the_store() {
    let kinds = [
        (SubscriptionKind::Users, Watch::Directory),
        (
            SubscriptionKind::Presence("presence@contoso.com".into()),
            presence([1, 2]),
        ),
    ];
    for (kind, watch) in kinds {
        let held = stored("s1", &watch, 20);
        assert_eq!(Held::from_stored(held.to_stored(kind.clone())), held);
        assert_eq!(held.to_stored(kind.clone()).kind, kind);
    }
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
