//! Until everybody has been read once more.

use std::time::{Duration, Instant};

/// A sweep in which everybody was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FullSweep {
    /// When its first call left.
    pub begun_at: Instant,
    /// How long it was until the last user was read.
    pub took: Duration,
}

/// The sweep under way. Users carry the number of the last sweep in which they were read.
#[derive(Clone, Debug)]
pub(super) struct Sweeping {
    /// Its number, from 1 on.
    pub(super) number: u64,
    begun_at: Option<Instant>,
    left: usize,
    last: Option<FullSweep>,
}

impl Default for Sweeping {
    fn default() -> Self {
        Self {
            number: 1,
            begun_at: None,
            left: 0,
            last: None,
        }
    }
}

impl Sweeping {
    /// The last full sweep.
    pub(super) fn last(&self) -> Option<FullSweep> {
        self.last
    }

    /// Notes how many are still to be read, after somebody has joined or left.
    pub(super) fn recount(&mut self, left: usize) {
        self.left = left;
    }

    /// Notes that a call leaves.
    pub(super) fn begin(&mut self, now: Instant) {
        self.begun_at.get_or_insert(now);
    }

    /// Whether a read that began at this time counts for this sweep.
    pub(super) fn counts(&self, begun_at: Instant) -> bool {
        self.begun_at.is_some_and(|first| begun_at >= first)
    }

    /// Notes that one more has been read for the first time in this sweep.
    pub(super) fn check_off(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// Ends the sweep if everybody has been read; `everybody` are to be read in the next one.
    pub(super) fn end(&mut self, everybody: usize, now: Instant) {
        if let Some(begun_at) = self.begun_at.filter(|_| self.left == 0) {
            self.last = Some(FullSweep {
                begun_at,
                took: now.saturating_duration_since(begun_at),
            });
            self.number += 1;
            self.begun_at = None;
            self.left = everybody;
        }
    }
}
