//! The timeline: the last transitions of every user as they are told and stored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::board::{Receipt, Seen, Side};

/// One transition: what was seen, what was decided and written, and how long each hop took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Transition)]
pub struct Item {
    /// Orders the transitions of all users: the time of the decision in microseconds since 1970, made unique.
    pub number: i64,
    /// When it was decided, on Graph's clock.
    pub at: DateTime<Utc>,
    /// What was seen, in order.
    pub seen: Vec<Seen>,
    /// What was decided.
    pub decided: Decided,
    /// What was written, and what became of it.
    pub written: Vec<Write>,
    /// How long each hop took.
    pub hops_ms: Hops,
}

/// What was decided, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decided {
    /// Why, as one sentence.
    pub why: String,
    /// The receipts of writes that were held back.
    pub held: Vec<Receipt>,
}

/// One write that followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Write {
    /// Of which side.
    pub side: Side,
    /// What.
    pub what: String,
    /// What became of it; none while it is under way.
    pub outcome: Option<WriteOutcome>,
    /// The other side's words, if it refused.
    pub detail: Option<String>,
    /// Milliseconds from the decision to the answer.
    pub took_ms: Option<f64>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteOutcome {
    /// It was taken.
    Accepted,
    /// There was no answer; it is repeated.
    Failed,
    /// It was refused.
    Refused,
}

/// Milliseconds from one place to the next; none where it did not go that way. Of several writes the slowest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hops {
    /// From the public listener, or from the begin of a read, to the board: verified and decrypted.
    pub received_to_opened: Option<f64>,
    /// From there to the decision.
    pub opened_to_decided: Option<f64>,
    /// From the decision to the moment when the write left: the ledger and the tenant's pace lie between.
    pub decided_to_written: Option<f64>,
    /// From there to the other side's answer.
    pub written_to_confirmed: Option<f64>,
}

impl Item {
    /// Whether nothing of it is under way any more.
    pub fn is_finished(&self) -> bool {
        self.written.iter().all(|write| write.outcome.is_some())
    }
}
