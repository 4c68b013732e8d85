//! Reading the directory and presence from Graph, and writing presence.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use super::sign_in::SignInError;
use crate::identity::{Credential, TeamsId};
use crate::teams::{TeamsObservation, TeamsPresence, TeamsUser};

/// Why a request to Graph brought nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GraphError {
    /// The credential that it needs is not signed in.
    #[error("{credential} is not signed in: {error}")]
    NotSignedIn {
        /// Whose sign-in is missing.
        credential: Credential,
        /// Why.
        error: SignInError,
    },
    /// Graph asks for patience, for this family of endpoints.
    #[error("graph asks for {retry_after:?} of patience")]
    Throttled {
        /// From now on.
        retry_after: Duration,
    },
    /// No usable answer: DNS, socket, timeout, 5xx, HTML; worth a repeat with back-off.
    #[error("{detail}")]
    Lost {
        /// Cause as one sentence.
        detail: String,
    },
    /// Graph understood and refuses; a repeat changes nothing.
    #[error("graph refuses with {status} {code}: {message}")]
    Refused {
        /// HTTP status, 400 to 499.
        status: u16,
        /// Graph's error code, may be empty.
        code: String,
        /// Graph's text.
        message: String,
    },
}

impl GraphError {
    /// Whether the app or the account lacks a permission, or the consent to it (graph.md 6.2: 403).
    pub fn lacks_permission(&self) -> bool {
        matches!(self, Self::Refused { status: 403, .. })
    }
}

/// Lists the directory.
pub trait Users {
    /// Returns all users, every page of them or an error: never a part (graph.md 2.1).
    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<TeamsUser>, GraphError>>;
}

/// One of the four writes of graph.md 5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresenceChange {
    /// `setPresence` for our session.
    SetSession {
        /// One of the pairs that a session may have.
        presence: TeamsPresence,
        /// PT5M to PT4H.
        lifetime: Duration,
    },
    /// `clearPresence`; that there is no such session is success.
    ClearSession,
    /// `setUserPreferredPresence`.
    SetPreferred {
        /// One of the pairs that may be preferred.
        presence: TeamsPresence,
        /// How long it lives unless set again.
        lifetime: Duration,
    },
    /// `clearUserPreferredPresence`; that nothing was set is success.
    ClearPreferred,
}

/// A write for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceWrite {
    /// Whose presence.
    pub user: TeamsId,
    /// What to write.
    pub change: PresenceChange,
}

/// Largest number of ids of one bulk read (graph.md 5.1).
pub const READ_LIMIT: usize = 650;

/// Largest number of writes of one batch (graph.md 6.4).
pub const BATCH_LIMIT: usize = 20;

/// Reads and writes presence with the app's token.
pub trait PresenceIo {
    /// Reads up to [`READ_LIMIT`] users at once. Users whom Graph leaves out are missing in the answer.
    fn read<'a>(
        &'a self,
        users: &'a [TeamsId],
    ) -> LocalBoxFuture<'a, Result<Vec<TeamsObservation>, GraphError>>;

    /// Writes up to [`BATCH_LIMIT`] changes, in any order; one result each, in the order of `writes`.
    fn write<'a>(&'a self, writes: &'a [PresenceWrite]) -> LocalBoxFuture<'a, Vec<Result<(), GraphError>>>;
}
