//! The gate of a mailbox: its bound, its count, its waiting senders.
//!
//! actix bounds a mailbox per address and hides its length, and a request that found the mailbox full is never woken
//! again (0.13.5). So the channel behind the gate has no bound of its own, and the gate is the only way in: whoever
//! passes is counted until the actor takes the message out.
//!
//! Counting must not cost what a message costs. Senders share one counter, but only the actor's own thread counts what
//! was taken out, so a plain store does there. It may become visible late, which a waiting sender would never notice
//! with another message behind it; behind the last message, the actor makes sure that either sees the other.

use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Release, SeqCst},
    fence,
};

use tokio::sync::Notify;

/// The mailbox has closed for good.
#[derive(Debug)]
pub(super) struct Closed;

pub(super) struct Gate {
    name: String,
    capacity: u64,
    accepted: AtomicU64,
    handled: AtomicU64,
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
            capacity: u64::try_from(capacity).unwrap_or(u64::MAX),
            accepted: AtomicU64::new(0),
            handled: AtomicU64::new(0),
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
        usize::try_from(self.waiting_messages()).unwrap_or(usize::MAX)
    }

    fn waiting_messages(&self) -> u64 {
        let handled = self.handled.load(SeqCst);
        self.accepted.load(SeqCst).saturating_sub(handled)
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(SeqCst)
    }

    pub(super) fn undelivered(&self) -> u64 {
        self.undelivered.load(SeqCst)
    }

    /// Passes the gate if there is room.
    pub(super) fn try_enter(&self) -> bool {
        let passed = |accepted: u64| {
            let depth = accepted.saturating_sub(self.handled.load(SeqCst));
            (depth < self.capacity).then_some(accepted + 1)
        };
        self.accepted.fetch_update(SeqCst, SeqCst, passed).is_ok()
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
            fence(SeqCst);
            if self.try_enter() {
                return Ok(());
            }
            room.await;
        }
    }

    /// Makes room: a message was taken out. Called on the actor's thread only.
    pub(super) fn leave(&self) {
        let handled = self.handled.load(SeqCst);
        let left = self.accepted.load(SeqCst).saturating_sub(handled);
        // a message that an actor sent through its bare address never passed the gate
        if left > 0 {
            self.handled.store(handled + 1, Release);
        }
        if left <= 1 {
            fence(SeqCst);
        }
        self.admit_next();
        if self.overflowing.load(SeqCst) && left.saturating_sub(1) <= self.capacity / 2 {
            self.overflowing.store(false, SeqCst);
        }
    }

    /// Makes room: a message that had passed could not be put in.
    pub(super) fn turn_back(&self) {
        self.accepted.fetch_sub(1, SeqCst);
        self.admit_next();
    }

    fn admit_next(&self) {
        if self.waiting.load(SeqCst) > 0 {
            self.room.notify_one();
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
