//! Graph says that there is one already.

use chrono::TimeDelta;
use m365_presence::light::SubscriptionCode;
use m365_presence::ports::{Created, Deleted, GraphSubscription};
use m365_presence::secret::Secret;
use m365_presence::subscription::{Event, Phase, Step, Subscription, Watch};

use crate::samples::{
    at, directory_terms, foreign, idle_until, is_create, is_delete, is_renewal, live, living, ours, presence,
    renewed, terms, wanted,
};

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
