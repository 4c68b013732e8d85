//! How many presence writes may leave for the whole tenant.

use std::time::Duration;

use tokio::time::Instant;

/// Writes a second to begin with (DESIGN 6).
const BEGINNING: f64 = 300.0;

/// Writes a second that are always allowed, however often Graph asks for patience.
const LEAST: f64 = 5.0;

/// The rate grows back by this share of itself a second.
const RECOVERY: f64 = 0.02;

/// A token bucket of one second's worth of writes, whose rate is halved when Graph asks for patience.
#[derive(Debug)]
pub struct WritePace {
    rate: f64,
    level: f64,
    looked_at: Instant,
    closed_until: Option<Instant>,
}

impl WritePace {
    /// Begins full.
    pub fn new() -> Self {
        Self {
            rate: BEGINNING,
            level: BEGINNING,
            looked_at: Instant::now(),
            closed_until: None,
        }
    }

    /// Takes out up to `wanted` writes; answers how many may leave now.
    pub fn take(&mut self, wanted: usize) -> usize {
        self.refill();
        if self.closed_until.is_some() {
            return 0;
        }
        let mut taken = 0;
        while taken < wanted && self.level >= 1.0 {
            self.level -= 1.0;
            taken += 1;
        }
        taken
    }

    /// How long until at least one write may leave.
    pub fn wait(&mut self) -> Duration {
        self.refill();
        let closed = self
            .closed_until
            .map(|until| until.saturating_duration_since(Instant::now()))
            .unwrap_or_default();
        let missing = ((1.0 - self.level) / self.rate).max(0.0);
        closed
            .max(Duration::from_secs_f64(missing))
            .max(Duration::from_millis(1))
    }

    /// Notes that Graph asks for patience.
    pub fn throttled(&mut self, retry_after: Duration) {
        let already_closed = self.closed_until.is_some();
        let until = Instant::now() + retry_after;
        self.closed_until = self.closed_until.max(Some(until));
        if !already_closed {
            self.rate = (self.rate / 2.0).max(LEAST);
            self.level = self.level.min(self.rate);
        }
    }

    /// Writes a second at this time.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    fn refill(&mut self) {
        let now = Instant::now();
        let elapsed = now.duration_since(self.looked_at).as_secs_f64();
        self.looked_at = now;
        self.rate = (self.rate * (1.0 + RECOVERY * elapsed)).min(BEGINNING);
        self.level = (self.level + self.rate * elapsed).min(self.rate);
        if self.closed_until.is_some_and(|until| until <= now) {
            self.closed_until = None;
        }
    }
}

impl Default for WritePace {
    fn default() -> Self {
        Self::new()
    }
}
