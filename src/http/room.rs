//! How much of the bodies that are still arriving may be held in memory, over all connections.
//!
//! Each body is bounded and must arrive soon, but thousands of connections may send at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of bodies that may be arriving at a time.
const BYTES: usize = 64 * 1024 * 1024;

/// What is left; clones share it, also across threads.
#[derive(Clone, Default)]
pub struct Room {
    taken: Arc<AtomicUsize>,
}

impl Room {
    /// Begins to hold a body.
    pub fn share(&self) -> Share {
        Share {
            room: self.clone(),
            bytes: 0,
        }
    }
}

/// What one body takes; dropping it gives that back.
pub struct Share {
    room: Room,
    bytes: usize,
}

impl Share {
    /// Takes room for more of the body; answers whether there was any.
    pub fn take(&mut self, bytes: usize) -> bool {
        let before = self.room.taken.fetch_add(bytes, Ordering::Relaxed);
        self.bytes = self.bytes.saturating_add(bytes);
        before.saturating_add(bytes) <= BYTES
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_body_takes_another_lacks_until_it_is_given_back() {
        let room = Room::default();
        let (mut first, mut second) = (room.share(), room.share());
        assert!(first.take(BYTES - 10));
        assert!(second.take(10));
        assert!(!second.take(1));
        drop(second);
        assert!(first.take(10));
        drop(first);
        assert!(room.share().take(BYTES));
    }
}
