//! A bounded, numbered record of what a simulated outside world saw and did.
//!
//! Tests assert on it instead of counting calls in mocks: they look back with [`Journal::select`], and wait for what is
//! still to come with [`Journal::wait_for`] or, where no runtime may be blocked, [`Journal::awaited`]. Entries are
//! numbered from zero and never renumbered, so a test can note [`Journal::mark`] before it acts and then look only at
//! what followed. Old entries are dropped when the journal is full; the numbers of the rest stay.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// Keeps the last entries of one simulated world; clones share the same entries.
pub struct Journal<Entry> {
    shared: Arc<Shared<Entry>>,
}

struct Shared<Entry> {
    pages: Mutex<Pages<Entry>>,
    grown: Condvar,
    told: Notify,
}

struct Pages<Entry> {
    entries: VecDeque<Entry>,
    capacity: usize,
    next: u64,
}

impl<Entry> Clone for Journal<Entry> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<Entry: Clone> Journal<Entry> {
    /// Opens an empty journal that keeps the last `capacity` entries (at least one).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let pages = Pages {
            entries: VecDeque::new(),
            capacity: capacity.max(1),
            next: 0,
        };
        Self {
            shared: Arc::new(Shared {
                pages: Mutex::new(pages),
                grown: Condvar::new(),
                told: Notify::new(),
            }),
        }
    }

    /// Appends an entry, drops the oldest one when the journal is full, and wakes every waiter.
    pub fn record(&self, entry: Entry) {
        let mut pages = self.pages();
        if pages.entries.len() == pages.capacity {
            pages.entries.pop_front();
        }
        pages.entries.push_back(entry);
        pages.next = pages.next.saturating_add(1);
        drop(pages);
        self.shared.grown.notify_all();
        self.shared.told.notify_waiters();
    }

    /// Returns the number that the next entry will carry.
    #[must_use]
    pub fn mark(&self) -> u64 {
        self.pages().next
    }

    /// Returns copies of the kept entries that `wanted` accepts, oldest first.
    #[must_use]
    pub fn select(&self, wanted: impl FnMut(&Entry) -> bool) -> Vec<Entry> {
        self.select_since(0, wanted)
    }

    /// Returns copies of the kept entries numbered `mark` or higher that `wanted` accepts, oldest first.
    #[must_use]
    pub fn select_since(&self, mark: u64, mut wanted: impl FnMut(&Entry) -> bool) -> Vec<Entry> {
        self.pages()
            .since(mark)
            .filter(|entry| wanted(entry))
            .cloned()
            .collect()
    }

    /// Counts the kept entries that `wanted` accepts.
    #[must_use]
    pub fn count(&self, mut wanted: impl FnMut(&Entry) -> bool) -> usize {
        self.pages().entries.iter().filter(|entry| wanted(entry)).count()
    }

    /// Blocks the thread until a kept or coming entry is accepted; returns it, or `None` after `timeout`.
    #[must_use]
    pub fn wait_for(&self, wanted: impl FnMut(&Entry) -> bool, timeout: Duration) -> Option<Entry> {
        self.wait_since(0, wanted, timeout)
    }

    /// Blocks like [`Journal::wait_for`], looking only at entries numbered `mark` or higher.
    #[must_use]
    pub fn wait_since(
        &self,
        mark: u64,
        mut wanted: impl FnMut(&Entry) -> bool,
        timeout: Duration,
    ) -> Option<Entry> {
        let deadline = Instant::now() + timeout;
        let mut seen = mark;
        let mut pages = self.pages();
        loop {
            let found = pages.since(seen).find(|entry| wanted(entry)).cloned();
            if found.is_some() {
                return found;
            }
            seen = pages.next;
            let left = deadline.checked_duration_since(Instant::now())?;
            pages = self
                .shared
                .grown
                .wait_timeout(pages, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits like [`Journal::wait_since`] without blocking the thread, for tests that live inside a runtime.
    pub async fn awaited(
        &self,
        mark: u64,
        mut wanted: impl FnMut(&Entry) -> bool,
        timeout: Duration,
    ) -> Option<Entry> {
        let search = async {
            let mut seen = mark;
            loop {
                let told = self.shared.told.notified();
                tokio::pin!(told);
                told.as_mut().enable();
                let (found, next) = {
                    let pages = self.pages();
                    (pages.since(seen).find(|entry| wanted(entry)).cloned(), pages.next)
                };
                if let Some(entry) = found {
                    return entry;
                }
                seen = next;
                told.await;
            }
        };
        tokio::time::timeout(timeout, search).await.ok()
    }

    fn pages(&self) -> MutexGuard<'_, Pages<Entry>> {
        self.shared.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Entry> Pages<Entry> {
    fn since(&self, mark: u64) -> impl Iterator<Item = &Entry> {
        let kept = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        let oldest = self.next.saturating_sub(kept);
        let skipped = usize::try_from(mark.saturating_sub(oldest)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skipped)
    }
}
