//! How often something that does not answer is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// Probes are at most this far apart during the first minute of an outage (DESIGN 6).
const EARLY: Duration = Duration::from_secs(5);

/// Probes are at most this far apart after the first minute (DESIGN 6).
const LATE: Duration = Duration::from_secs(30);

/// How long an outage counts as young.
const YOUNG: Duration = Duration::from_secs(60);

/// First wait.
const FIRST: Duration = Duration::from_millis(500);

/// A run of failures, from its first one on.
#[derive(Debug, Default)]
pub struct Outage {
    since: Option<Instant>,
    failures: u32,
}

impl Outage {
    /// Notes a failure and says how long to wait: doubling with jitter up to the bound of the outage's age, but never
    /// less than the other side asked for.
    pub fn fail(&mut self, asked: Option<Duration>) -> Duration {
        let since = *self.since.get_or_insert_with(Instant::now);
        let bound = if since.elapsed() < YOUNG { EARLY } else { LATE };
        let doubled = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures.min(16)))
            .min(bound);
        self.failures = self.failures.saturating_add(1);
        let jittered = doubled.mul_f64(0.75 + fastrand::f64() / 4.0);
        jittered.max(asked.unwrap_or_default())
    }

    /// Notes that it answers again.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// Number of failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}
