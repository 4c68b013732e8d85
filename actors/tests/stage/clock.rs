//! Graph's clock: it follows the paused time, and can be moved.

use std::cell::Cell;

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::clock::Clock;
use tokio::time::Instant;

pub struct PausedClock {
    begun_at: Instant,
    moved: Cell<TimeDelta>,
}

impl PausedClock {
    /// Begins at a fixed date; must be called inside the runtime.
    pub fn new() -> Self {
        Self {
            begun_at: Instant::now(),
            moved: Cell::default(),
        }
    }

    /// Moves the clock, as a measured offset does.
    pub fn jump(&self, by: TimeDelta) {
        self.moved.set(self.moved.get() + by);
    }
}

impl Clock for PausedClock {
    fn now(&self) -> DateTime<Utc> {
        let begin = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        begin + TimeDelta::from_std(self.begun_at.elapsed()).unwrap() + self.moved.get()
    }

    fn offset(&self) -> Option<TimeDelta> {
        None
    }

    fn measured(&self, _date: DateTime<Utc>, _local_middle: DateTime<Utc>) {}

    fn local(&self) -> DateTime<Utc> {
        self.now()
    }
}
