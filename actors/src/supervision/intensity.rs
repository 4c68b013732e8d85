//! How many failures a supervisor bears.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The restart intensity: more than `restarts` counted failures within `window` end the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Counted failures that are borne.
    pub restarts: usize,
    /// Length of the sliding window.
    pub window: Duration,
}

impl Default for Intensity {
    /// 10 restarts in 60 s.
    fn default() -> Self {
        Self {
            restarts: 10,
            window: Duration::from_secs(60),
        }
    }
}

/// The counted failures of the last window.
#[derive(Debug)]
pub(super) struct Window {
    intensity: Intensity,
    failures: VecDeque<Instant>,
}

impl Window {
    pub(super) fn new(intensity: Intensity) -> Self {
        Self {
            intensity,
            failures: VecDeque::new(),
        }
    }

    /// Notes a failure and says whether the intensity is spent.
    pub(super) fn is_spent_by_failure(&mut self, now: Instant) -> bool {
        self.failures.push_back(now);
        while self
            .failures
            .front()
            .is_some_and(|first| now.duration_since(*first) >= self.intensity.window)
        {
            self.failures.pop_front();
        }
        self.failures.len() > self.intensity.restarts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut window = Window::new(Intensity {
            restarts: 2,
            window: Duration::from_secs(10),
        });
        let spent = [0, 4, 10, 14, 20, 24, 25].map(|seconds| window.is_spent_by_failure(at(seconds)));
        assert_eq!(
            spent,
            [false, false, false, false, false, false, true],
            "two within any ten seconds are borne"
        );
    }
}
