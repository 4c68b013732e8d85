//! How often one user may be written, in one direction.

use chrono::{DateTime, TimeDelta, Utc};

/// Writes that may follow each other at once (DESIGN 5, flapping).
pub const BURST: i64 = 20;

/// One further write per this time (DESIGN 5, flapping).
pub const REFILL: TimeDelta = TimeDelta::seconds(1);

/// Writes per hour before a runaway is slowed down (DESIGN 6).
pub const HOURLY: i64 = 240;

/// Time between writes beyond the hourly budget (DESIGN 6).
pub const RUNAWAY: TimeDelta = TimeDelta::seconds(60);

/// A bucket whose level sinks with every write and rises with time.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// When the burst bucket would be full again.
    full_at: DateTime<Utc>,
    /// When the hourly bucket would be full again; refills evenly over an hour.
    hour_full_at: DateTime<Utc>,
    /// The last write, for the pace beyond the hourly budget.
    last: Option<DateTime<Utc>>,
}

impl Pace {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self {
            full_at: now,
            hour_full_at: now,
            last: None,
        }
    }

    /// When the next write may leave; a time not after `now` means at once.
    pub(super) fn next(&self) -> DateTime<Utc> {
        let by_burst = self.full_at - full_minus_one(REFILL, BURST);
        let by_hour = self.hour_full_at - full_minus_one(hourly_refill(), HOURLY);
        let beyond = self.last.map_or(by_hour, |last| by_hour.min(last + RUNAWAY));
        by_burst.max(beyond)
    }

    /// Takes one write out. Renewals are not counted against the hour.
    pub(super) fn take(&mut self, now: DateTime<Utc>, renewal: bool) {
        self.full_at = self.full_at.max(now) + REFILL;
        if !renewal {
            self.hour_full_at = self.hour_full_at.max(now) + hourly_refill();
            self.last = Some(now);
        }
    }
}

/// The time after which a bucket of this size lacks less than its whole contents.
fn full_minus_one(refill: TimeDelta, size: i64) -> TimeDelta {
    TimeDelta::milliseconds(refill.num_milliseconds().saturating_mul(size.saturating_sub(1)))
}

/// One write of the hourly budget comes back per this time.
fn hourly_refill() -> TimeDelta {
    TimeDelta::milliseconds(3_600_000 / HOURLY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn twenty_writes_leave_at_once_then_one_a_second() {
        let mut pace = Pace::new(at(0));
        for _ in 0..BURST {
            assert!(pace.next() <= at(0));
            pace.take(at(0), false);
        }
        assert_eq!(pace.next(), at(1));
        pace.take(at(1), false);
        assert_eq!(pace.next(), at(2));
    }

    #[test]
    fn a_runaway_is_slowed_to_one_write_a_minute() {
        let mut pace = Pace::new(at(0));
        let mut now = at(0);
        let mut writes = 0;
        while now < at(3_600) {
            if pace.next() <= now {
                pace.take(now, false);
                writes += 1;
            }
            now += TimeDelta::seconds(1);
        }
        assert!(
            (HOURLY..=2 * HOURLY + 1).contains(&writes),
            "{writes} writes in an hour"
        );
    }

    #[test]
    fn renewals_do_not_count_against_the_hour() {
        let mut pace = Pace::new(at(0));
        for second in 0..2 * HOURLY {
            pace.take(at(second), true);
        }
        assert!(pace.next() <= at(2 * HOURLY));
    }
}
