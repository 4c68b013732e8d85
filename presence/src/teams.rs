//! What Microsoft tells us about a person.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::identity::TeamsId;

/// A user of the directory with the fields that matching may use (graph.md 2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamsUser {
    /// Object id.
    pub id: TeamsId,
    /// Name shown in Teams.
    pub display_name: Option<String>,
    /// Primary mail address.
    pub mail: Option<String>,
    /// Mail alias.
    pub mail_nickname: Option<String>,
    /// Distinguished name of a synchronised on-premises account.
    pub on_premises_distinguished_name: Option<String>,
    /// SAM account name of a synchronised on-premises account.
    pub on_premises_sam_account_name: Option<String>,
    /// Principal name of a synchronised on-premises account.
    pub on_premises_user_principal_name: Option<String>,
    /// Sign-in name.
    pub user_principal_name: Option<String>,
    /// Whether the account may sign in.
    pub account_enabled: bool,
    /// Whether the account is a guest of this directory.
    pub guest: bool,
    /// Whether one of the configured Teams service plans is enabled or in its grace period.
    pub teams_plan: bool,
}

/// The pair that Graph shows for a user; unknown values are kept as they came (graph.md 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TeamsPresence {
    /// Availability, e.g. `Busy`.
    pub availability: String,
    /// Activity, e.g. `InACall`.
    pub activity: String,
}

impl TeamsPresence {
    /// Makes a pair.
    pub fn new(availability: impl Into<String>, activity: impl Into<String>) -> Self {
        Self {
            availability: availability.into(),
            activity: activity.into(),
        }
    }
}

impl fmt::Display for TeamsPresence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.availability, self.activity)
    }
}

/// One look at a user's Teams presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsObservation {
    /// Whose presence it is.
    pub user: TeamsId,
    /// What is shown.
    pub presence: TeamsPresence,
    /// The status message as plain text, empty for none; unknown where it was not told (graph.md 5.1).
    pub note: Option<String>,
    /// Graph's version of the presence object where it sent one; sortable as text (graph.md 4.3).
    pub sequence: Option<String>,
    /// How we came to know.
    pub source: Source,
}

/// How an observation of Teams came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A change notification, received at this time. It may be old: order is not guaranteed (graph.md 3.4).
    Notified {
        /// When the notification reached the public listener.
        received_at: DateTime<Utc>,
    },
    /// A read that began at this time: what it shows was true then or later.
    Read {
        /// When the request was sent.
        begun_at: DateTime<Utc>,
    },
}

/// Whether a sequence number is older than a known one: sortable text (graph.md 4.3), or plain numbers of whatever
/// length, for numbers without leading zeros are seen, too.
pub fn is_older_sequence(new: &str, known: &str) -> bool {
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if numeric(new) && numeric(known) {
        let (new, known) = (new.trim_start_matches('0'), known.trim_start_matches('0'));
        return (new.len(), new) < (known.len(), known);
    }
    new < known
}
