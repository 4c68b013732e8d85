//! Opening the notifications of Graph.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use utoipa::ToSchema;

use super::subscription::SubscriptionKind;
use crate::identity::{SubscriptionId, TeamsId};
use crate::secret::Secret;
use crate::teams::TeamsObservation;

/// A client state that is ours, and what it stands for.
#[derive(Clone, Debug)]
pub struct AcceptedState {
    /// The secret.
    pub client_state: Secret,
    /// What its subscription watches.
    pub kind: SubscriptionKind,
}

/// Why a notification was thrown away; the closed set that the counters use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discard {
    /// Not JSON, or not the envelope of graph.md 4.1.
    Malformed,
    /// A client state that is none of ours.
    UnknownClientState,
    /// Resource data without any validation token.
    MissingToken,
    /// A validation token whose signature, audience, tenant, publisher or time is wrong.
    BadToken,
    /// Encrypted for a certificate that we do not have.
    UnknownCertificate,
    /// Does not decrypt, or its signature is wrong.
    BadCiphertext,
    /// Names nobody.
    NoUser,
    /// Names another tenant.
    WrongTenant,
    /// The same body was seen already.
    Duplicate,
}

impl Discard {
    /// What an administrator should think of it, as one sentence for the log.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Malformed => {
                "it is no change notification: somebody else knows the address, or a proxy changes bodies"
            }
            Self::UnknownClientState => {
                "its client state is none of ours: somebody else knows the address, or it belongs to a subscription of an earlier database"
            }
            Self::MissingToken => {
                "its resource data comes without validation tokens: the app demands an assignment that microsoft graph change tracking does not have; its users are read instead"
            }
            Self::BadToken => {
                "its validation token is not microsoft's for this app, directory and time: check microsoft.tenant and microsoft.client_id, else it is forged"
            }
            Self::UnknownCertificate => {
                "it is encrypted for a key that is not at hand, as after the loss of the database; its users are read instead"
            }
            Self::BadCiphertext => "its resource data does not decrypt: it was changed on its way",
            Self::NoUser => "it names nobody",
            Self::WrongTenant => "it belongs to another directory",
            Self::Duplicate => "the same came before, microsoft repeats what was answered late",
        }
    }
}

/// What Graph wants to tell about a subscription (graph.md 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleEvent {
    /// Renew it.
    ReauthorizationRequired,
    /// It is gone.
    SubscriptionRemoved,
    /// Notifications were lost.
    Missed,
}

/// What one notification of a body says, once verified.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A user's presence, with its state.
    Presence(TeamsObservation),
    /// A user's presence has changed, the state is not told: it must be read.
    PresenceHint(TeamsId),
    /// A user of the directory was created, changed or deleted.
    UserChanged(TeamsId),
    /// Something about a subscription.
    Lifecycle {
        /// Which one.
        subscription: SubscriptionId,
        /// Of which kind, by its client state.
        kind: SubscriptionKind,
        /// What.
        event: LifecycleEvent,
    },
}

/// The contents of one body.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// What is verified.
    pub notices: Vec<Notice>,
    /// What is not, by reason.
    pub discarded: Vec<Discard>,
    /// Whether every notice came out of encrypted content. Each of those is encrypted with a fresh key, so the same body
    /// never says something new; a body without may say the same again because the same has happened again.
    pub sealed: bool,
}

/// Turns raw bodies into verified notices: parsing, client state, validation tokens, decryption (graph.md 4).
pub trait NotificationOpener {
    /// Opens a body. Never fails: what is wrong with it is told in [`Opened::discarded`]. `received_at` becomes the
    /// time of its observations.
    fn open<'a>(
        &'a self,
        body: Body,
        received_at: DateTime<Utc>,
        accepted: &'a [AcceptedState],
    ) -> LocalBoxFuture<'a, Opened>;
}

/// The raw body of a request, cheap to share.
pub type Body = std::sync::Arc<[u8]>;
