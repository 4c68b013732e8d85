//! How often each kind of thing has happened.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::act::Kind;

/// Counts by kind; clones share the same counts.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: Arc<Mutex<BTreeMap<Kind, u64>>>,
}

impl Tally {
    pub(super) fn count(&self, kind: Kind) {
        let mut counts = self.lock();
        let count = counts.entry(kind).or_default();
        *count = count.saturating_add(1);
    }

    /// Returns all counts by kind; kinds that have not happened are missing.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Kind, u64> {
        self.lock().clone()
    }

    /// Returns how often one kind has happened.
    #[must_use]
    pub fn of(&self, place: &'static str, name: &'static str) -> u64 {
        self.lock()
            .get(&Kind { place, name })
            .copied()
            .unwrap_or_default()
    }

    /// Returns how much has happened in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Kind, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
