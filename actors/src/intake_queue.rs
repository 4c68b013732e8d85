//! The bounded queue of raw notifications between the HTTP workers and `WebhookIntake`.
//!
//! It stands outside the actor, so that a restart of the actor loses nothing that was accepted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use m365_presence::ports::Body;

/// Bodies that may wait (DESIGN 8: at least 10,000).
pub const BODIES: usize = 20_000;

/// Bytes that may wait (DESIGN 8: at most 64 MiB).
pub const BYTES: usize = 64 * 1024 * 1024;

/// A notification as it came.
#[derive(Clone, Debug)]
pub struct Raw {
    /// The body.
    pub body: Body,
    /// When it came, on Graph's clock.
    pub received_at: DateTime<Utc>,
}

/// The queue is full: Microsoft must repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue of notifications is full")]
pub struct Full;

#[derive(Default)]
struct Waiting {
    bodies: VecDeque<Raw>,
    bytes: usize,
    accepted: u64,
    turned_away: u64,
}

/// The queue; clones share it, also across threads.
#[derive(Clone, Default)]
pub struct IntakeQueue {
    waiting: Arc<Mutex<Waiting>>,
}

impl IntakeQueue {
    /// Takes in a body. Answers whether the queue was empty, so that its reader must be woken.
    pub fn push(&self, raw: Raw) -> Result<bool, Full> {
        let mut waiting = self.lock();
        let bytes = waiting.bytes.saturating_add(raw.body.len());
        if waiting.bodies.len() >= BODIES || bytes > BYTES {
            waiting.turned_away += 1;
            return Err(Full);
        }
        let was_empty = waiting.bodies.is_empty();
        waiting.bytes = bytes;
        waiting.accepted += 1;
        waiting.bodies.push_back(raw);
        Ok(was_empty)
    }

    /// Takes out up to `most` bodies, oldest first.
    pub fn take(&self, most: usize) -> Vec<Raw> {
        let mut waiting = self.lock();
        let count = most.min(waiting.bodies.len());
        let taken: Vec<Raw> = waiting.bodies.drain(..count).collect();
        waiting.bytes -= taken.iter().map(|raw| raw.body.len()).sum::<usize>();
        taken
    }

    /// Bodies that wait.
    pub fn len(&self) -> usize {
        self.lock().bodies.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bodies accepted and turned away since the start of the process.
    pub fn totals(&self) -> (u64, u64) {
        let waiting = self.lock();
        (waiting.accepted, waiting.turned_away)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(bytes: usize) -> Raw {
        Raw {
            body: vec![b'x'; bytes].into(),
            received_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_full_queue_turns_bodies_away_and_loses_none_that_it_took() {
        let queue = IntakeQueue::default();
        for _ in 0..BODIES {
            queue.push(raw(1)).unwrap();
        }
        assert_eq!(queue.push(raw(1)), Err(Full));
        assert_eq!(queue.take(usize::MAX).len(), BODIES);
        assert_eq!(queue.push(raw(1)), Ok(true));
        assert_eq!(queue.totals(), (u64::try_from(BODIES).unwrap() + 1, 1));
    }

    #[test]
    fn a_queue_full_of_bytes_turns_bodies_away() {
        let queue = IntakeQueue::default();
        let mebibyte = 1024 * 1024;
        while queue.push(raw(mebibyte)).is_ok() {}
        assert_eq!(queue.len(), BYTES / mebibyte);
        queue.take(1);
        assert_eq!(queue.push(raw(mebibyte)), Ok(false));
    }
}
