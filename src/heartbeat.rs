//! Tells whether the actors' thread still turns: a loop in it would be beyond any watchdog on the same thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The thread beats every second; without a beat for so long it is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// The beat of one thread, seen from others; clones share it.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    began: Instant,
    last_beat: Arc<AtomicU64>,
}

impl Heartbeat {
    /// Begins with a beat.
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            last_beat: Arc::default(),
        }
    }

    /// Notes that the thread turns.
    pub fn beat(&self) {
        self.last_beat
            .store(self.began.elapsed().as_secs(), Ordering::Relaxed);
    }

    /// Whether the thread has turned lately.
    pub fn is_alive(&self) -> bool {
        self.is_alive_at(self.began.elapsed())
    }

    fn is_alive_at(&self, elapsed: Duration) -> bool {
        let last = Duration::from_secs(self.last_beat.load(Ordering::Relaxed));
        elapsed.saturating_sub(last) < STUCK_AFTER
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_without_a_beat_for_a_minute_is_stuck() {
        let heart = Heartbeat::new();
        heart.beat();
        assert!(heart.is_alive_at(Duration::from_secs(59)));
        assert!(!heart.is_alive_at(Duration::from_secs(61)));
    }
}
