//! Which reads can tell of the slots: those that no write of ours may have crossed.

use chrono::{DateTime, Utc};

use super::claim::SETTLING;

/// When the last write left and was answered, whatever the answer, and when the one before was.
#[derive(Clone, Debug, Default)]
pub(super) struct LastWrite {
    left_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
    before_answered_at: Option<DateTime<Utc>>,
}

impl LastWrite {
    pub(super) fn leaves(&mut self, now: DateTime<Utc>) {
        if let Some(answered_at) = self.answered_at.take() {
            self.before_answered_at = Some(answered_at);
        }
        self.left_at = Some(now);
    }

    pub(super) fn answered(&mut self, now: DateTime<Utc>) {
        self.answered_at = Some(now);
    }

    /// Whether a read begun at this time saw what the writes before it had done, and nothing of a later one.
    pub(super) fn lets_judge(&self, begun_at: DateTime<Utc>) -> bool {
        let settled = |answered_at: Option<DateTime<Utc>>| {
            answered_at.is_none_or(|answered_at| begun_at >= answered_at + SETTLING)
        };
        match (self.left_at, self.answered_at) {
            (None, _) => true,
            (Some(left_at), _) if begun_at < left_at => settled(self.before_answered_at),
            (Some(_), None) => false,
            (Some(_), answered_at) => settled(answered_at),
        }
    }
}
