//! Graph's clock, as far as this machine can know it.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::clock::Clock;
use tokio::time::Instant;

/// A deviation below this is not told from the resolution of `Date` and the way of the answer.
const TOLERANCE: TimeDelta = TimeDelta::seconds(2);

/// Half of the second that `Date` cuts off.
const HALF_RESOLUTION: TimeDelta = TimeDelta::milliseconds(500);

/// Graph's clock: the machine's clock at creation, carried on by the monotonic clock and corrected by `Date` headers.
///
/// A later step of the machine's clock therefore changes nothing. Clones share one correction.
#[derive(Clone, Debug)]
pub struct GraphClock {
    anchor: DateTime<Utc>,
    anchored_at: Instant,
    offset: Arc<Mutex<Option<TimeDelta>>>,
}

impl GraphClock {
    /// Anchors the clock at the machine's present time.
    pub fn new() -> Self {
        Self::anchored(Utc::now())
    }

    /// Anchors the clock at a given present time of the machine.
    pub fn anchored(local: DateTime<Utc>) -> Self {
        Self {
            anchor: local,
            anchored_at: Instant::now(),
            offset: Arc::default(),
        }
    }
}

impl Default for GraphClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for GraphClock {
    fn now(&self) -> DateTime<Utc> {
        let local = self.local();
        self.offset()
            .and_then(|offset| local.checked_add_signed(offset))
            .unwrap_or(local)
    }

    fn offset(&self) -> Option<TimeDelta> {
        *self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn measured(&self, date: DateTime<Utc>, local_middle: DateTime<Utc>) {
        let measured = date.signed_duration_since(local_middle) + HALF_RESOLUTION;
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        let believed = offset.is_some_and(|known| (measured - known).abs() < TOLERANCE);
        if !believed {
            *offset = Some(measured);
        }
    }

    fn local(&self) -> DateTime<Utc> {
        TimeDelta::from_std(self.anchored_at.elapsed())
            .ok()
            .and_then(|elapsed| self.anchor.checked_add_signed(elapsed))
            .unwrap_or(self.anchor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_machine_clock_is_corrected_and_runs_on() {
        for minutes in [-10, 10] {
            let clock = GraphClock::anchored(at("2026-11-24T12:00:00Z"));
            assert_eq!(clock.offset(), None);
            let graph = at("2026-11-24T12:00:00Z") + TimeDelta::minutes(minutes);
            clock.measured(graph, clock.local());
            tokio::time::sleep(std::time::Duration::from_secs(90)).await;
            let error = clock.now() - (graph + TimeDelta::seconds(90));
            assert!(error.abs() <= TimeDelta::seconds(1), "{error}");
        }
    }

    #[test]
    fn small_deviations_are_ignored_and_large_ones_taken_at_once() {
        let clock = GraphClock::anchored(at("2026-11-24T12:00:00Z"));
        let middle = at("2026-11-24T12:00:00Z");
        clock.measured(middle, middle);
        let first = clock.offset();
        clock.measured(middle + TimeDelta::seconds(1), middle);
        assert_eq!(clock.offset(), first);
        clock.measured(middle - TimeDelta::seconds(40), middle);
        assert_eq!(clock.clone().offset(), Some(TimeDelta::milliseconds(-39_500)));
    }

    #[test]
    fn no_date_makes_it_panic() {
        let clock = GraphClock::new();
        for date in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            clock.measured(date, clock.local());
            clock.now();
        }
    }
}
