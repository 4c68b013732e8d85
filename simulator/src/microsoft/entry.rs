//! What the cloud writes into its journal.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::faults::Family;

/// Says what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A request was answered; items of a batch count on their own.
    Request(Family),
    /// A notification URL was asked to prove itself.
    Validation,
    /// Change notifications were posted.
    Delivery,
    /// Lifecycle notifications were posted.
    Lifecycle,
    /// A notification was held back because the creator's token expired.
    Withheld,
    /// A notification was lost for good: dropped on purpose, given up, or sent to an endpoint that is too slow.
    Lost,
}

/// Records one request, validation or delivery.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it was over, in the cloud's clock.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: Kind,
    /// Who asked (application, and user for delegated calls), or whose subscription it was.
    pub who: String,
    /// The number of the access token that was used, counted by the cloud from 1: whoever signs in gets a later one; 0
    /// where none was used.
    pub token: u64,
    /// Method and path, or the URL that was called.
    pub what: String,
    /// The HTTP status; `None` where no answer came or none was given.
    pub status: Option<u16>,
    /// The users concerned.
    pub users: Vec<Uuid>,
    /// The grant and code of a token request, the body of a Graph request, the attempt of a delivery.
    pub detail: Value,
}

impl Entry {
    /// Tells whether this records a request of the family.
    #[must_use]
    pub fn is_request(&self, family: Family) -> bool {
        self.kind == Kind::Request(family)
    }

    /// Tells whether the answer was a success.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Counts the requests of one family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Every request.
    pub requests: u64,
    /// Those answered with 2xx.
    pub succeeded: u64,
    /// Those answered with 429.
    pub throttled: u64,
}
