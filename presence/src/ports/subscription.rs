//! Graph's subscriptions.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::graph::GraphError;
use crate::identity::{Account, Credential, SubscriptionId, TeamsId};
use crate::secret::Secret;

/// What a subscription watches.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionKind {
    /// The directory's users, with the app's token.
    Users,
    /// The presence of a shard of users, with the communication user's token.
    Presence(Account),
}

impl SubscriptionKind {
    /// The communication user that carries a shard; none for the directory.
    pub fn account(&self) -> Option<&Account> {
        match self {
            Self::Users => None,
            Self::Presence(account) => Some(account),
        }
    }

    /// Whose token creates and renews it.
    pub fn credential(&self) -> Credential {
        match self {
            Self::Users => Credential::App,
            Self::Presence(account) => Credential::Communication(account.clone()),
        }
    }
}

/// A subscription to be created.
#[derive(Clone, Debug)]
pub struct SubscriptionRequest {
    /// What it watches.
    pub kind: SubscriptionKind,
    /// The users of a presence subscription, at most 650; empty for users.
    pub users: Vec<TeamsId>,
    /// Our secret that every notification carries back; at most 128 characters.
    pub client_state: Secret,
    /// Wanted end, on Graph's clock.
    pub expires_at: DateTime<Utc>,
    /// The key of ours to encrypt resource data for; none for a basic one.
    pub certificate: Option<String>,
}

/// A subscription as Graph tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphSubscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Its resource, as Graph spells it.
    pub resource: String,
    /// Where its notifications go.
    pub notification_url: String,
    /// Its end as granted, on Graph's clock: the only end that counts.
    pub expires_at: DateTime<Utc>,
    /// The secret, where Graph tells it (it is null in lists).
    pub client_state: Option<Secret>,
    /// The key that it encrypts for, where it carries resource data.
    pub certificate_id: Option<String>,
}

/// Answer to a create.
#[derive(Clone, Debug)]
pub enum Created {
    /// It lives.
    Live(GraphSubscription),
    /// There is one already (409), of this app and account.
    Conflict,
    /// Microsoft could not reach the notification URL, or got no answer in time.
    UrlUnreachable {
        /// Graph's text.
        message: String,
    },
    /// The notification URL answered wrongly.
    UrlRejected {
        /// Graph's text.
        message: String,
    },
    /// Too many users for one subscription.
    TooManyUsers,
    /// This account may not subscribe: permission or Teams license missing.
    Forbidden {
        /// Graph's text.
        message: String,
    },
    /// Resource data is refused; a basic subscription may be accepted.
    RichRefused {
        /// Graph's text.
        message: String,
        /// Whether the text says so; else it says nothing that explains the refusal otherwise.
        certain: bool,
    },
}

/// Answer to a renewal.
#[derive(Clone, Debug)]
pub enum Renewed {
    /// It lives on until the returned end.
    Live(GraphSubscription),
    /// It is gone (404).
    Gone,
}

/// Answer to a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone, now or before.
    Gone,
    /// Graph does not delete it; it ends at its expiry.
    Refused,
}

/// Graph's subscriptions (graph.md 3).
pub trait Subscriptions {
    /// Creates one. The answer may take 30 seconds, for Graph calls both notification URLs meanwhile.
    fn create<'a>(
        &'a self,
        request: &'a SubscriptionRequest,
    ) -> LocalBoxFuture<'a, Result<Created, GraphError>>;

    /// Moves its end, which also renews its authorisation, and has it encrypt for another key of ours if one is named.
    fn renew<'a>(
        &'a self,
        credential: &'a Credential,
        id: &'a SubscriptionId,
        expires_at: DateTime<Utc>,
        certificate: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Renewed, GraphError>>;

    /// Deletes it.
    fn delete<'a>(
        &'a self,
        credential: &'a Credential,
        id: &'a SubscriptionId,
    ) -> LocalBoxFuture<'a, Result<Deleted, GraphError>>;

    /// Lists this app's subscriptions (of this account, for a communication user).
    fn list<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Vec<GraphSubscription>, GraphError>>;

    /// Where notifications of ours go: by this a subscription is recognised as ours.
    fn notification_url(&self) -> &str;
}
