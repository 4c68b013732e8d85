//! How long writes of one side of one user wait after one that did not succeed.
//!
//! After a write without an answer every write waits: the other side may be down or ask for patience. After a refusal
//! only the refused write waits, for another one may well be taken. A first refusal may be a passing one, so the wait
//! begins short; what goes on being refused needs a person, and is asked for ever more rarely.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// First wait after a write without an answer; doubles with each further one.
const SHORTEST: TimeDelta = TimeDelta::seconds(1);

/// Longest wait after a write without an answer.
const LONGEST: TimeDelta = TimeDelta::seconds(30);

/// First wait after a refusal; doubles each time that the same write is refused again.
const AFTER_REFUSAL: TimeDelta = TimeDelta::seconds(10);

/// Longest wait after a refusal.
const LONGEST_AFTER_REFUSAL: TimeDelta = TimeDelta::minutes(15);

/// Refused writes that are remembered for one side of one user: a note makes every text another write.
const MOST_REFUSED: usize = 32;

/// A write that was refused, how often in a row, until when it waits, and the other side's words.
#[derive(Clone, Debug)]
struct Refused<W> {
    write: W,
    times: u32,
    until: DateTime<Utc>,
    message: String,
}

/// The wait after a write was refused this often in a row.
fn wait_after_refusal(times: u32) -> TimeDelta {
    let doubled = AFTER_REFUSAL * 2_i32.saturating_pow(times.saturating_sub(1).min(10));
    doubled.min(LONGEST_AFTER_REFUSAL)
}

/// Which writes wait, why and until when. `W` is what is written.
#[derive(Clone, Debug)]
pub(super) struct Hold<W> {
    /// When the last write got no answer, and until when that makes the next one wait.
    waits: Option<(DateTime<Utc>, DateTime<Utc>)>,
    failures: u32,
    refused: Vec<Refused<W>>,
    last_refusal: Option<String>,
}

impl<W> Default for Hold<W> {
    fn default() -> Self {
        Self {
            waits: None,
            failures: 0,
            refused: Vec::new(),
            last_refusal: None,
        }
    }
}

impl<W: Clone + PartialEq> Hold<W> {
    /// Whether this write must wait.
    pub(super) fn stops(&self, write: &W, now: DateTime<Utc>) -> bool {
        self.holds_back(write, now).is_some()
    }

    /// Until when this write must wait and, if it was refused, the other side's words.
    pub(super) fn holds_back(
        &self,
        write: &W,
        now: DateTime<Utc>,
    ) -> Option<(DateTime<Utc>, Option<String>)> {
        // what begins in a time to come was noted by a clock that has been set back since
        let holds = |since: DateTime<Utc>, until: DateTime<Utc>| since <= now && now < until;
        let mut refused = self
            .refused
            .iter()
            .filter(|refused| holds(refused.until - wait_after_refusal(refused.times), refused.until));
        if let Some(refused) = refused.find(|refused| refused.write == *write) {
            return Some((refused.until, Some(refused.message.clone())));
        }
        self.waits
            .filter(|(since, until)| holds(*since, *until))
            .map(|(_, until)| (until, None))
    }

    /// When waits end.
    pub(super) fn ends(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.refused
            .iter()
            .map(|refused| refused.until)
            .chain(self.waits.map(|(_, until)| until))
    }

    /// The other side's text, when it refused the last write.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.last_refusal.as_deref()
    }

    /// Notes a write without an answer; `asked` is the patience that the other side asked for.
    pub(super) fn fail(&mut self, now: DateTime<Utc>, asked: Option<Duration>) {
        let doubled = SHORTEST * 2_i32.saturating_pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        let asked = asked
            .and_then(|wait| TimeDelta::from_std(wait).ok())
            .unwrap_or_default();
        self.waits = Some((now, now + doubled.min(LONGEST).max(asked)));
    }

    /// Notes a refusal: the other side answers, and does not take this write.
    pub(super) fn refuse(&mut self, write: W, now: DateTime<Utc>, message: &str) {
        let before = self.refused.iter().find(|refused| refused.write == write);
        let times = before.map_or(1, |before| before.times.saturating_add(1));
        self.refused
            .retain(|refused| refused.write != write && now < refused.until + LONGEST_AFTER_REFUSAL);
        if self.refused.len() >= MOST_REFUSED {
            self.refused.remove(0);
        }
        self.refused.push(Refused {
            write,
            times,
            until: now + wait_after_refusal(times),
            message: message.to_owned(),
        });
        self.last_refusal = Some(message.to_owned());
        self.waits = None;
        self.failures = 0;
    }

    /// Notes a write that was taken.
    pub(super) fn succeed(&mut self, write: &W) {
        self.refused.retain(|refused| refused.write != *write);
        self.last_refusal = None;
        self.waits = None;
        self.failures = 0;
    }

    /// Lets the writes leave at once that waited because the other side could not be reached.
    pub(super) fn reach(&mut self) {
        self.waits = None;
        self.failures = 0;
    }

    /// Lets every write leave at once.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }
}
