//! Graph's clock, as far as this machine can know it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::clock::Clock;
use tokio::time::Instant;

/// A deviation below this is not told from the resolution of `Date` and the way of the answer.
const TOLERANCE: TimeDelta = TimeDelta::seconds(2);

/// Half of the second that `Date` cuts off.
const HALF_RESOLUTION: TimeDelta = TimeDelta::milliseconds(500);

/// Answers whose dates are weighed against each other.
const WITNESSES: usize = 5;

/// Graph's clock: the machine's clock at creation, carried on by the monotonic clock and corrected by `Date` headers.
///
/// A later step of the machine's clock therefore changes nothing. One wrong `Date` does not either: the last few
/// answers are weighed, and what most of them agree upon is believed. Clones share one correction.
#[derive(Clone, Debug)]
pub struct GraphClock {
    anchor: DateTime<Utc>,
    anchored_at: Instant,
    testimony: Arc<Mutex<Testimony>>,
}

/// What the last answers said of the offset.
#[derive(Debug, Default)]
struct Testimony {
    measured: VecDeque<TimeDelta>,
    believed: Option<TimeDelta>,
}

impl Testimony {
    fn hear(&mut self, measured: TimeDelta) {
        self.measured.push_back(measured);
        if self.measured.len() > WITNESSES {
            self.measured.pop_front();
        }
        let agreeing = |with: TimeDelta| {
            let agrees = move |other: &&TimeDelta| (**other - with).abs() < TOLERANCE;
            self.measured.iter().filter(agrees).count()
        };
        // among equals: what is believed already, unless the machine's own clock speaks for the other
        let weight = |offset: TimeDelta| {
            let believed = self
                .believed
                .is_some_and(|believed| (offset - believed).abs() < TOLERANCE);
            (agreeing(offset), offset.abs() < TOLERANCE, believed)
        };
        let heaviest = self.measured.iter().copied().max_by_key(|offset| weight(*offset));
        let stays = self
            .believed
            .zip(heaviest)
            .is_some_and(|(believed, heaviest)| (heaviest - believed).abs() < TOLERANCE);
        if !stays {
            self.believed = heaviest;
        }
    }
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
            testimony: Arc::default(),
        }
    }

    /// How far the machine's clock is wrong *now*: Graph's time minus what the machine shows, which may have been set
    /// right since the start. `None` before the first answer.
    pub fn machine_offset(&self) -> Option<TimeDelta> {
        self.offset().map(|_| self.now() - Utc::now())
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
        self.testimony
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .believed
    }

    fn measured(&self, date: DateTime<Utc>, local_middle: DateTime<Utc>) {
        let measured = date.signed_duration_since(local_middle) + HALF_RESOLUTION;
        self.testimony
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .hear(measured);
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

    /// What is believed after answers of these offsets, in seconds.
    fn believed_after(offsets: &[i64]) -> i64 {
        let clock = GraphClock::anchored(at("2026-11-24T12:00:00Z"));
        let middle = at("2026-11-24T12:00:00Z");
        for offset in offsets {
            clock.measured(middle + TimeDelta::seconds(*offset), middle);
        }
        clock.clone().offset().unwrap().num_seconds()
    }

    #[test]
    fn most_of_the_last_answers_are_believed() {
        for (offsets, expected, why) in [
            (&[600][..], 600, "the first answer, whatever it says"),
            (&[600, 601, 599], 600, "small deviations are ignored"),
            (&[600, 600, 7200], 600, "one wrong date"),
            (&[7200, 600], 7200, "one against one is undecided"),
            (&[7200, 600, 600], 600, "one wrong date, the first of all"),
            (&[7200, 0], 0, "the machine's own clock decides between two"),
            (&[600, 600, 600, 600, 600, 0, 0], 600, "two against three"),
            (
                &[600, 600, 600, 600, 600, 0, 0, 0],
                0,
                "a machine that was suspended",
            ),
            (
                &[600, 9, 600, 90, 600, 900, 600, 9000],
                600,
                "every other answer is wrong",
            ),
        ] {
            assert_eq!(believed_after(offsets), expected, "{why}");
        }
    }

    #[test]
    fn a_machine_whose_clock_is_set_right_is_not_wrong_any_more() {
        let wrong = Utc::now() - TimeDelta::minutes(10);
        let clock = GraphClock::anchored(wrong);
        assert_eq!(clock.machine_offset(), None);
        clock.measured(Utc::now(), clock.local());
        assert!((clock.offset().unwrap() - TimeDelta::minutes(10)).abs() < TimeDelta::seconds(5));
        // the machine shows the right time by now, for the anchor alone was wrong
        assert!(clock.machine_offset().unwrap().abs() < TimeDelta::seconds(5));
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
