//! The Graph subscriptions, in short for the status and in full for `GET /api/v1/subscriptions`.

use chrono::{DateTime, Utc};
use m365_actors::notification_keys::KeyStatus;
use m365_actors::presence_subscription::SubscriptionStatus;
use m365_presence::identity::{Account, SubscriptionId};
use m365_presence::light::SubscriptionCode;
use m365_presence::ports::SubscriptionKind;
use m365_presence::sharding::CAPACITY;
use m365_presence::subscription::Phase;
use serde::Serialize;
use utoipa::ToSchema;

use super::overview::Overview;

/// A Graph subscription in short.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Subscription {
    /// What it watches: `presence` of a shard of users, or the directory's `users`.
    #[schema(pattern = "^(presence|users)$")]
    pub kind: &'static str,
    /// The communication user that carries it; null for the directory's.
    pub account: Option<Account>,
    /// Its id at Microsoft, while there is one.
    pub id: Option<SubscriptionId>,
    /// The shard's number, from 1 on in the configured order of the communication users.
    pub shard: Option<usize>,
    /// Users that it watches or should watch.
    pub users: usize,
    /// Users that it can watch.
    pub capacity: Option<usize>,
    /// Changes of this run that no notification told, and a bulk read found.
    pub missed: u64,
    /// Its end as granted.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Subscription {
    /// Reads it off what its actor says.
    pub fn of(status: &SubscriptionStatus) -> Self {
        Self {
            kind: match status.kind {
                SubscriptionKind::Users => "users",
                SubscriptionKind::Presence(_) => "presence",
            },
            account: status.kind.account().cloned(),
            id: status.id.clone(),
            shard: status.shard,
            users: status.users,
            capacity: status.shard.map(|_| CAPACITY),
            missed: status.missed,
            expires_at: status.expires_at,
        }
    }
}

/// A Graph subscription with its story, and with the key that its resource data is encrypted for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubscriptionInFull {
    /// The same in short.
    #[serde(flatten)]
    pub short: Subscription,
    /// How it fares.
    pub phase: Phase,
    /// The code of the light.
    pub code: SubscriptionCode,
    /// Since when the code stands.
    pub since: DateTime<Utc>,
    /// Cause, without remedy.
    pub detail: String,
    /// Creates of this run that succeeded.
    pub created: u64,
    /// Renewals of this run that succeeded.
    pub renewed: u64,
    /// Whether its notifications carry the presence itself; null while it does not live, and for the directory's.
    pub resource_data: Option<bool>,
    /// Why Graph sends no resource data, in its own words, where it refuses that.
    pub resource_data_refusal: Option<String>,
    /// The key that its resource data is encrypted for.
    pub key: Option<KeyStatus>,
}

impl SubscriptionInFull {
    fn of(status: &SubscriptionStatus, keys: &[KeyStatus]) -> Self {
        let carries = status.id.is_some() && status.kind != SubscriptionKind::Users;
        let mut keys = keys.iter();
        Self {
            short: Subscription::of(status),
            phase: status.phase.clone(),
            code: status.code,
            since: status.since,
            detail: status.detail.clone(),
            created: status.created,
            renewed: status.renewed,
            resource_data: carries.then_some(status.certificate_id.is_some()),
            resource_data_refusal: status.resource_data_refusal.clone(),
            key: keys
                .find(|key| Some(&key.id) == status.certificate_id.as_ref())
                .cloned(),
        }
    }
}

/// The Graph subscriptions that live, in short.
pub fn in_short(overview: &Overview) -> Vec<Subscription> {
    let status = overview.presence_subscription.iter();
    let subscriptions = status.flat_map(|status| &status.subscriptions);
    let living = subscriptions.filter(|subscription| subscription.id.is_some());
    living.map(Subscription::of).collect()
}

/// All Graph subscriptions with their story; `None` while their actor is being restarted.
pub fn in_full(overview: &Overview) -> Option<Vec<SubscriptionInFull>> {
    let status = overview.presence_subscription.as_ref()?;
    let keys = overview.notification_keys.as_ref();
    let keys = keys.map(|status| status.keys.as_slice()).unwrap_or_default();
    let full = |subscription| SubscriptionInFull::of(subscription, keys);
    Some(status.subscriptions.iter().map(full).collect())
}
