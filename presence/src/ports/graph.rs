//! Reading the directory and presence from Graph, and writing presence.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::future::LocalBoxFuture;

use super::sign_in::SignInError;
use crate::identity::{Credential, TeamsId};
use crate::note::StatusMessage;
use crate::teams::{TeamsObservation, TeamsPresence, TeamsUser};
use crate::traffic::Urgency;

/// Why a request to Graph brought nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GraphError {
    /// The credential that it needs is not signed in.
    #[error("not signed in: {}", naming(credential, error))]
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
    /// Nobody can ask Graph at this time: nothing has left, or what left was the probe and got no answer.
    #[error("{detail}")]
    Unreachable {
        /// Cause as one sentence.
        detail: String,
        /// When the next probe may leave, from now on; who asks then is the probe or awaits its verdict.
        retry_after: Duration,
    },
    /// No usable answer to this request: socket, timeout, 5xx, HTML; worth a repeat with back-off.
    #[error("{detail}")]
    Lost {
        /// Cause as one sentence.
        detail: String,
    },
    /// Graph understood and refuses; a repeat changes nothing.
    #[error("graph refuses with {}", refusal_words(*status, code, message))]
    Refused {
        /// HTTP status, 400 to 499.
        status: u16,
        /// Graph's error code, may be empty.
        code: String,
        /// Graph's text.
        message: String,
    },
}

/// Joins what Graph says of a refusal; at times that is nothing but the status.
pub fn refusal_words(status: u16, code: &str, message: &str) -> String {
    let said: Vec<&str> = [code, message]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    match said.as_slice() {
        [] => format!("{status}, without a reason"),
        said => format!("{status} {}", said.join(": ")),
    }
}

impl GraphError {
    /// Whether the app or the account lacks a permission, or the consent to it (graph.md 6.2: 403).
    pub fn lacks_permission(&self) -> bool {
        matches!(self, Self::Refused { status: 403, .. })
    }

    /// How long to wait before the next attempt, where that is known: whoever knows it knows better than a back-off.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unreachable { retry_after, .. } => Some(*retry_after),
            Self::NotSignedIn { error, .. } => error.wait(),
            Self::Lost { .. } | Self::Refused { .. } => None,
        }
    }

    /// Whether the cause is told elsewhere already: by the way out, or by the sign-in.
    pub fn is_told(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NotSignedIn { .. })
    }
}

/// Lists the directory.
pub trait Users {
    /// Returns all users, every page of them or an error: never a part (graph.md 2.1).
    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<TeamsUser>, GraphError>>;
}

/// One of the writes of graph.md 5.2.
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
    /// `setStatusMessage` with a text.
    SetMessage {
        /// What it says.
        message: StatusMessage,
        /// When it ends by itself, on Graph's clock.
        until: DateTime<Utc>,
    },
    /// `setStatusMessage` without a text, which takes away whatever stands there.
    ClearMessage,
}

impl PresenceChange {
    /// Whether it concerns the status message, which stands beside the presence.
    pub fn is_of_message(&self) -> bool {
        matches!(self, Self::SetMessage { .. } | Self::ClearMessage)
    }
}

impl fmt::Display for PresenceChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = |lifetime: &Duration| lifetime.as_secs().div_ceil(60);
        match self {
            Self::SetSession { presence, lifetime } => {
                write!(formatter, "session {presence} for {} min", minutes(lifetime))
            }
            Self::ClearSession => formatter.write_str("session cleared"),
            Self::SetPreferred { presence, lifetime } => {
                write!(formatter, "preferred {presence} for {} min", minutes(lifetime))
            }
            Self::ClearPreferred => formatter.write_str("preferred cleared"),
            Self::SetMessage { until, .. } => write!(
                formatter,
                "status message until {}",
                until.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
            Self::ClearMessage => formatter.write_str("status message cleared"),
        }
    }
}

/// A write for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceWrite {
    /// Whose presence.
    pub user: TeamsId,
    /// What to write.
    pub change: PresenceChange,
    /// Whether it only keeps what stands there from ending.
    pub renewal: bool,
}

impl PresenceWrite {
    /// How much it matters that the write leaves soon.
    pub fn urgency(&self) -> Urgency {
        match self.change {
            _ if self.renewal => Urgency::Renewal,
            PresenceChange::SetSession { .. } | PresenceChange::ClearSession => Urgency::Call,
            PresenceChange::SetPreferred { .. }
            | PresenceChange::ClearPreferred
            | PresenceChange::SetMessage { .. }
            | PresenceChange::ClearMessage => Urgency::Choice,
        }
    }
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

/// The cause with whose sign-in fails, once.
fn naming(credential: &Credential, error: &SignInError) -> String {
    let (whose, cause) = (credential.to_string(), error.to_string());
    if cause.to_lowercase().contains(&whose.to_lowercase()) {
        cause
    } else {
        format!("{whose}: {cause}")
    }
}

#[cfg(test)]
mod tests {
    use super::refusal_words;

    #[test]
    fn a_refusal_without_a_word_is_told_as_such() {
        assert_eq!(refusal_words(400, "", ""), "400, without a reason");
        assert_eq!(refusal_words(403, "Forbidden", ""), "403 Forbidden");
        assert_eq!(refusal_words(400, "", "a bad pair"), "400 a bad pair");
        assert_eq!(
            refusal_words(403, "Forbidden", "no consent"),
            "403 Forbidden: no consent"
        );
    }
}
