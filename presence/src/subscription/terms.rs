//! What is told to a subscription, and what it orders.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::watch::Watch;
use crate::identity::SubscriptionId;
use crate::ports::{Created, Deleted, GraphSubscription, Renewed, StoredSubscription, SubscriptionKind};
use crate::secret::Secret;

/// The conditions on which our subscriptions are made.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Time between two renewals.
    pub period: Duration,
    /// Where notifications must go.
    pub notification_url: String,
    /// The secret that our subscriptions of this kind and account carry.
    pub client_state: Secret,
    /// Whether that secret was stored before this start, so that Graph may know it already.
    pub client_state_used: bool,
    /// The encryption keys, as far as they are known: without a current one no resource data is asked for.
    pub keys: Option<Keys>,
}

/// The encryption keys that a subscription may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// The one that is to be named; none while there is no key at all.
    pub current: Option<String>,
    /// All that we can decrypt with.
    pub known: BTreeSet<String>,
}

/// What is wanted of the subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Not known yet: what is stored is kept.
    Unknown,
    /// Nothing: what is there is removed.
    Nothing,
    /// That it watches this.
    Watch(Watch),
}

/// A subscription that we hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: SubscriptionId,
    /// What it watches.
    pub watch: Watch,
    /// Its end as granted, on Graph's clock.
    pub expires_at: DateTime<Utc>,
    /// The key that it encrypts for; none for one without resource data.
    pub certificate_id: Option<String>,
    /// Where its notifications go.
    pub notification_url: String,
}

impl Held {
    /// Reads what the store kept.
    pub fn from_stored(stored: StoredSubscription) -> Self {
        let watch = match stored.kind {
            SubscriptionKind::Users => Watch::Directory,
            SubscriptionKind::Presence(_) => Watch::Presence(stored.users.into_iter().collect()),
        };
        Self {
            id: stored.id,
            watch,
            expires_at: stored.expires_at,
            certificate_id: stored.certificate_id,
            notification_url: stored.notification_url,
        }
    }

    /// What the store is to keep.
    pub fn to_stored(&self, kind: SubscriptionKind) -> StoredSubscription {
        StoredSubscription {
            kind,
            id: self.id.clone(),
            users: self.watch.users().cloned().collect(),
            expires_at: self.expires_at,
            certificate_id: self.certificate_id.clone(),
            notification_url: self.notification_url.clone(),
        }
    }
}

/// What has happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The time that the last step named has come.
    Due,
    /// What is wanted is known or has changed.
    Wanted(Want),
    /// The encryption keys are known or have changed.
    Keys(Keys),
    /// It must be renewed at once by an administrator's order.
    RenewNow,
    /// Graph asks for reauthorisation, which a renewal is.
    Reauthorize,
    /// Graph says that it has removed it.
    Removed(SubscriptionId),
    /// It lives, but its notifications do not arrive.
    Deaf,
    /// Notifications of the held one arrive again.
    Hearing,
    /// Outcome of [`Step::Create`].
    Created(Created),
    /// Outcome of [`Step::Renew`].
    Renewed(Renewed),
    /// Outcome of [`Step::Delete`].
    Deleted(Deleted),
    /// Outcome of [`Step::List`].
    Listed(Vec<GraphSubscription>),
    /// The step brought no answer, or Graph asks for patience.
    Unanswered {
        /// When it may be tried again.
        retry_at: DateTime<Utc>,
    },
    /// Graph refuses the step.
    Refused {
        /// Graph's text.
        message: String,
    },
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until the outcome of the step under way, an event, or this time.
    Nothing {
        /// When to send [`Event::Due`]; `None` when only an event can change anything.
        until: Option<DateTime<Utc>>,
    },
    /// Move the end.
    Renew {
        /// Of which.
        id: SubscriptionId,
        /// The wanted end.
        expires_at: DateTime<Utc>,
        /// The key that it is to encrypt for from now on, where that changes.
        certificate: Option<String>,
    },
    /// Make one.
    Create {
        /// What it watches.
        watch: Watch,
        /// The wanted end.
        expires_at: DateTime<Utc>,
        /// The key to encrypt resource data for; none for a basic one.
        certificate: Option<String>,
    },
    /// Remove one.
    Delete {
        /// Which.
        id: SubscriptionId,
    },
    /// List those of the account.
    List,
}
