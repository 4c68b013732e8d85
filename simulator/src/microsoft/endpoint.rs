//! How patient the service is with slow endpoints (reference 3.4): it judges a host by its answers within ten minutes and
//! delays or drops what comes next.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How many answers are seen before an endpoint is judged.
const ENOUGH: u32 = 100;

/// An answer later than this counts as slow, later than that as very slow.
const SLOW: Duration = Duration::from_secs(3);
const VERY_SLOW: Duration = Duration::from_secs(10);

/// What happens to new notifications for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Deliver,
    Delay,
    Drop,
}

struct Record {
    began: Instant,
    answers: u32,
    slow: u32,
    very_slow: u32,
    verdict: Verdict,
}

/// The records of all endpoints, by host.
#[derive(Default)]
pub(super) struct Endpoints {
    records: HashMap<String, Record>,
}

impl Endpoints {
    /// Notes how long an endpoint took, within windows of the given length.
    pub(super) fn note(&mut self, host: &str, took: Duration, window: Duration) {
        let fresh = || Record {
            began: Instant::now(),
            answers: 0,
            slow: 0,
            very_slow: 0,
            verdict: Verdict::Deliver,
        };
        let record = self.records.entry(host.to_owned()).or_insert_with(fresh);
        if record.began.elapsed() >= window {
            *record = fresh();
        }
        record.answers += 1;
        record.slow += u32::from(took >= SLOW);
        record.very_slow += u32::from(took >= VERY_SLOW);
        if record.answers >= ENOUGH {
            record.verdict = if record.very_slow * 100 > record.answers * 15 {
                Verdict::Drop
            } else if record.slow * 10 > record.answers {
                Verdict::Delay
            } else {
                Verdict::Deliver
            };
        }
    }

    /// Returns what happens to new notifications for an endpoint now.
    pub(super) fn verdict(&self, host: &str, window: Duration) -> Verdict {
        let current = self
            .records
            .get(host)
            .filter(|record| record.began.elapsed() < window);
        current.map_or(Verdict::Deliver, |record| record.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(600);

    fn judged(slow: u32, took: Duration) -> Verdict {
        let mut endpoints = Endpoints::default();
        for number in 0..ENOUGH {
            let late = number < slow;
            endpoints.note("host", if late { took } else { Duration::ZERO }, WINDOW);
        }
        endpoints.verdict("host", WINDOW)
    }

    #[test]
    fn a_tenth_of_slow_answers_is_borne_and_more_is_not() {
        assert_eq!(judged(10, SLOW), Verdict::Deliver);
        assert_eq!(judged(11, SLOW), Verdict::Delay);
        assert_eq!(judged(15, VERY_SLOW), Verdict::Delay);
        assert_eq!(judged(16, VERY_SLOW), Verdict::Drop);
    }

    #[test]
    fn an_unknown_endpoint_and_an_old_record_do_not_count() {
        let mut endpoints = Endpoints::default();
        for _ in 0..ENOUGH {
            endpoints.note("host", VERY_SLOW, WINDOW);
        }
        assert_eq!(endpoints.verdict("other", WINDOW), Verdict::Deliver);
        assert_eq!(endpoints.verdict("host", Duration::ZERO), Verdict::Deliver);
    }
}
