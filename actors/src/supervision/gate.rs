//! The gate of a mailbox: its bound, its count, its waiting senders.
//!
//! actix bounds a mailbox per address and hides its length, and a request that found the mailbox full is never woken
//! again (0.13.5). So the channel behind the gate has no bound of its own, and the gate is the only way in: whoever
//! passes is counted until the actor takes the message out.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

use tokio::sync::Notify;

/// The mailbox has closed for good.
#[derive(Debug)]
pub(super) struct Closed;

pub(super) struct Gate {
    name: String,
    capacity: usize,
    depth: AtomicUsize,
    accepted: AtomicU64,
    undelivered: AtomicU64,
    overflowing: AtomicBool,
    closed: AtomicBool,
    waiting: AtomicUsize,
    room: Notify,
}

impl Gate {
    pub(super) fn new(name: String, capacity: usize) -> Self {
        Self {
            name,
            capacity,
            depth: AtomicUsize::new(0),
            accepted: AtomicU64::new(0),
            undelivered: AtomicU64::new(0),
            overflowing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            room: Notify::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn depth(&self) -> usize {
        self.depth.load(SeqCst)
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(SeqCst)
    }

    pub(super) fn undelivered(&self) -> u64 {
        self.undelivered.load(SeqCst)
    }

    /// Passes the gate if there is room.
    pub(super) fn try_enter(&self) -> bool {
        let room = |depth| (depth < self.capacity).then_some(depth + 1);
        let entered = self.depth.fetch_update(SeqCst, SeqCst, room).is_ok();
        if entered {
            self.accepted.fetch_add(1, SeqCst);
        }
        entered
    }

    /// Waits for room and passes the gate.
    pub(super) async fn enter(&self) -> Result<(), Closed> {
        let _queued = Queued::at(self);
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if self.closed.load(SeqCst) {
                return Err(Closed);
            }
            if self.try_enter() {
                return Ok(());
            }
            room.await;
        }
    }

    /// Makes room: a message was taken out, or could not be put in.
    pub(super) fn leave(&self) {
        // a message that an actor sent through its bare address never passed the gate
        let _bypassed = self
            .depth
            .fetch_update(SeqCst, SeqCst, |depth| depth.checked_sub(1));
        if self.waiting.load(SeqCst) > 0 {
            self.room.notify_one();
        }
        if self.overflowing.load(SeqCst) && self.depth() <= self.capacity / 2 {
            self.overflowing.store(false, SeqCst);
        }
    }

    /// Counts a message that found no room; a burst, which lasts until half of the mailbox is free, is logged once.
    pub(super) fn overflow(&self) {
        self.undelivered.fetch_add(1, SeqCst);
        if !self.overflowing.swap(true, SeqCst) {
            log::warn!(
                actor = self.name.as_str(), capacity = self.capacity;
                "the mailbox of {} is full, messages are turned away", self.name
            );
        }
    }

    /// Sends everybody away for good.
    pub(super) fn close(&self) {
        self.closed.store(true, SeqCst);
        self.room.notify_waiters();
    }
}

/// Counts a waiting sender, also when it gives up.
struct Queued<'a>(&'a Gate);

impl<'a> Queued<'a> {
    fn at(gate: &'a Gate) -> Self {
        gate.waiting.fetch_add(1, SeqCst);
        Self(gate)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, SeqCst);
    }
}
