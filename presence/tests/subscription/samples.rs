//! Subscriptions to play with, and the shortest words for what happens to them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::identity::TeamsId;
use m365_presence::ports::{Created, GraphSubscription, Renewed};
use m365_presence::secret::Secret;
use m365_presence::subscription::{Event, Held, Keys, Phase, Step, Subscription, Terms, Want, Watch};

pub(crate) const URL: &str = "https://connector.example.com/graph/notifications";
pub(crate) const CERTIFICATE: &str = "key-1";

/// So many minutes after the start.
pub(crate) fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

pub(crate) fn presence(numbers: impl IntoIterator<Item = u32>) -> Watch {
    Watch::Presence(
        numbers
            .into_iter()
            .map(|number| TeamsId::new(format!("user-{number}")))
            .collect(),
    )
}

/// The concept's timer of ten minutes.
pub(crate) fn terms() -> Terms {
    Terms {
        period: Duration::from_mins(10),
        notification_url: URL.to_owned(),
        client_state: Secret::new("ours"),
        client_state_used: false,
        keys: Some(keys(CERTIFICATE, &[])),
    }
}

/// The current key, and others that we have.
pub(crate) fn keys(current: &str, others: &[&str]) -> Keys {
    Keys {
        current: Some(current.to_owned()),
        known: others
            .iter()
            .chain([&current])
            .map(|id| (*id).to_owned())
            .collect(),
    }
}

/// The concept's timer of sixty minutes.
pub(crate) fn directory_terms() -> Terms {
    Terms {
        period: Duration::from_mins(60),
        keys: Some(Keys::default()),
        ..terms()
    }
}

/// A subscription as Graph lists it: without its client state.
pub(crate) fn watching(id: &str, watch: &Watch, url: &str, expires_at: DateTime<Utc>) -> GraphSubscription {
    let resource = match watch {
        Watch::Directory => "/users".to_owned(),
        Watch::Presence(users) => {
            let ids: Vec<String> = users.iter().map(|user| format!("'{user}'")).collect();
            format!("/communications/presences?$filter=id in ({})", ids.join(","))
        }
    };
    GraphSubscription {
        id: id.into(),
        resource,
        notification_url: url.to_owned(),
        expires_at,
        client_state: None,
        certificate_id: Some(CERTIFICATE.to_owned()),
    }
}

/// A subscription of ours that ends some minutes after the start.
pub(crate) fn ours(id: &str, watch: &Watch, minutes: i64) -> GraphSubscription {
    watching(id, watch, URL, at(minutes))
}

pub(crate) fn foreign(id: &str, watch: &Watch, minutes: i64) -> GraphSubscription {
    watching(id, watch, "https://elsewhere.example.com/notify", at(minutes))
}

pub(crate) fn stored(id: &str, watch: &Watch, minutes: i64) -> Held {
    Held {
        id: id.into(),
        watch: watch.clone(),
        expires_at: at(minutes),
        certificate_id: Some(CERTIFICATE.into()),
        notification_url: URL.into(),
    }
}

pub(crate) fn wanted(watch: &Watch) -> Event {
    Event::Wanted(Want::Watch(watch.clone()))
}

pub(crate) fn live(id: &str, watch: &Watch, minutes: i64) -> Event {
    Event::Created(Created::Live(ours(id, watch, minutes)))
}

pub(crate) fn renewed(id: &str, watch: &Watch, minutes: i64) -> Event {
    Event::Renewed(Renewed::Live(ours(id, watch, minutes)))
}

pub(crate) fn idle_until(minutes: i64) -> Step {
    Step::Nothing {
        until: Some(at(minutes)),
    }
}

pub(crate) const UNDER_WAY: Step = Step::Nothing { until: None };

/// A fresh one that lives from minute 0 to minute 45.
pub(crate) fn living(watch: &Watch) -> Subscription {
    let mut subscription = Subscription::new(terms(), None);
    subscription.on(wanted(watch), at(0));
    subscription.on(live("s1", watch, 45), at(0));
    assert_eq!(subscription.phase(), &Phase::Live);
    subscription
}

pub(crate) fn is_create(step: &Step, users: &Watch) -> bool {
    matches!(step, Step::Create { watch, .. } if watch == users)
}

pub(crate) fn is_renewal(step: &Step, of: &str) -> bool {
    matches!(step, Step::Renew { id, .. } if id.as_str() == of)
}

pub(crate) fn is_delete(step: &Step, of: &str) -> bool {
    *step == Step::Delete { id: of.into() }
}
