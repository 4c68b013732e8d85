//! How long one side of one user is left alone after a write that did not succeed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// First wait after a write without an answer; doubles with each further one.
const SHORTEST: TimeDelta = TimeDelta::seconds(1);

/// Longest wait after a write without an answer.
const LONGEST: TimeDelta = TimeDelta::seconds(30);

/// Wait after a refusal: a repeat alone changes nothing.
const AFTER_REFUSAL: TimeDelta = TimeDelta::minutes(15);

/// Why and until when one side is left alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Hold {
    until: Option<DateTime<Utc>>,
    failures: u32,
    refusal: Option<String>,
}

impl Hold {
    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        self.until
    }

    pub(super) fn lasts(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    pub(super) fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// Notes a write without an answer; `asked` is the patience that the other side asked for.
    pub(super) fn fail(&mut self, now: DateTime<Utc>, asked: Option<Duration>) {
        let doubled = SHORTEST * 2_i32.saturating_pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        let asked = asked
            .and_then(|wait| TimeDelta::from_std(wait).ok())
            .unwrap_or_default();
        self.until = Some(now + doubled.min(LONGEST).max(asked));
    }

    /// Notes a refusal.
    pub(super) fn refuse(&mut self, now: DateTime<Utc>, message: &str) {
        self.refusal = Some(message.to_owned());
        self.until = Some(now + AFTER_REFUSAL);
    }

    /// Lets the next write leave at once.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }
}
