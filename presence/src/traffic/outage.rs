//! How long to wait before the next attempt of something that fails.

use std::time::{Duration, Instant};

/// Attempts are at most this far apart during the first minute of an outage (DESIGN 6).
const EARLY: Duration = Duration::from_secs(5);

/// Attempts are at most this far apart after the first minute (DESIGN 6).
const LATE: Duration = Duration::from_secs(30);

/// How long an outage counts as young.
const YOUNG: Duration = Duration::from_secs(60);

/// First wait.
const FIRST: Duration = Duration::from_millis(500);

/// A run of failures, from its first one on.
#[derive(Clone, Debug, Default)]
pub struct Outage {
    since: Option<Instant>,
    failures: u32,
}

impl Outage {
    /// Notes a failure and says how long to wait: doubling up to the bound of the outage's age, shortened by up to a
    /// quarter by chance, so that many who failed together do not ask together for ever.
    pub fn fail(&mut self, now: Instant, chance: f64) -> Duration {
        let since = *self.since.get_or_insert(now);
        let young = now.saturating_duration_since(since) < YOUNG;
        let bound = if young { EARLY } else { LATE };
        let doubled = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures.min(16)))
            .min(bound);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 4.0)
    }

    /// Notes that it answers again.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// Number of failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When the first failure of the row was.
    pub fn since(&self) -> Option<Instant> {
        self.since
    }
}
