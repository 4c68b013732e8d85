//! One kind of rows in memory, and which of them the database lacks.

use std::collections::{BTreeMap, BTreeSet};

/// Rows by key, with the numbers of the changes that are not stored yet.
///
/// The newest value of a key is all that is kept, so an outage costs one entry per key, however long it lasts.
pub(super) struct Kept<K, V> {
    rows: BTreeMap<K, V>,
    unsaved: BTreeMap<K, Receipt>,
    /// Keys that were changed before the database told its own rows.
    touched: BTreeSet<K>,
    newest: Receipt,
    whole: bool,
}

/// The number of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Receipt(u64);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            unsaved: BTreeMap::new(),
            touched: BTreeSet::new(),
            newest: Receipt(0),
            whole: false,
        }
    }
}

impl<K: Ord + Clone, V: Clone> Kept<K, V> {
    /// Takes in what the database has. What was changed since it was asked stays as it is.
    pub(super) fn recall(&mut self, stored: impl IntoIterator<Item = (K, V)>) {
        if self.whole {
            return;
        }
        let touched = std::mem::take(&mut self.touched);
        let untouched = stored.into_iter().filter(|(key, _)| !touched.contains(key));
        self.rows.extend(untouched);
        self.whole = true;
    }

    /// Takes in one row that the database has, of a kind that is never read as a whole.
    pub(super) fn recall_one(&mut self, key: K, value: V) {
        self.rows.insert(key, value);
    }

    /// All rows by key; `None` until the database has told its own.
    pub(super) fn all(&self) -> Option<impl Iterator<Item = (&K, &V)>> {
        self.whole.then(|| self.rows.iter())
    }

    /// One row, as far as it is known.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// Whether a key was changed before the database told its own rows.
    pub(super) fn is_touched(&self, key: &K) -> bool {
        self.touched.contains(key)
    }

    /// Inserts, replaces or removes a row.
    pub(super) fn change(&mut self, key: K, value: Option<V>) -> Receipt {
        match value {
            Some(value) => self.rows.insert(key.clone(), value),
            None => self.rows.remove(&key),
        };
        if !self.whole {
            self.touched.insert(key.clone());
        }
        self.newest = Receipt(self.newest.0.saturating_add(1));
        self.unsaved.insert(key, self.newest);
        self.newest
    }

    /// Notes that a change is stored; a later one of the same key is not.
    pub(super) fn saved(&mut self, key: &K, receipt: Receipt) {
        if self.unsaved.get(key).is_some_and(|newest| *newest <= receipt) {
            self.unsaved.remove(key);
        }
    }

    /// What the database lacks: the newest value of each key, `None` where its row is removed.
    pub(super) fn unsaved(&self) -> Vec<(K, Option<V>, Receipt)> {
        let owed = |(key, receipt): (&K, &Receipt)| (key.clone(), self.rows.get(key).cloned(), *receipt);
        self.unsaved.iter().map(owed).collect()
    }

    /// Number of keys that the database lacks.
    pub(super) fn owed(&self) -> usize {
        self.unsaved.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What may happen to the rows of three keys.
    #[derive(Clone, Debug)]
    enum Act {
        Change(u8, Option<u8>),
        Store(u8),
        Lose,
        StoreAll,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            3 => (0..3_u8, proptest::option::of(any::<u8>())).prop_map(|(key, value)| Act::Change(key, value)),
            3 => (0..3_u8).prop_map(Act::Store),
            1 => Just(Act::Lose),
            1 => Just(Act::StoreAll),
        ]
    }

    proptest! {
        /// Writes arrive in order, or not at all; in the end the database equals what was wanted.
        #[test]
        fn the_database_has_everything_in_the_end(acts in proptest::collection::vec(act(), 0..60)) {
            let mut kept = Kept::default();
            let mut wanted = BTreeMap::new();
            let mut database = BTreeMap::new();
            let mut under_way: Vec<(u8, Option<u8>, Receipt)> = Vec::new();
            let put = |map: &mut BTreeMap<u8, u8>, key: u8, value: Option<u8>| match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
            for act in acts {
                match act {
                    Act::Change(key, value) => {
                        put(&mut wanted, key, value);
                        let receipt = kept.change(key, value);
                        under_way.push((key, value, receipt));
                    }
                    Act::Store(key) => {
                        if let Some(at) = under_way.iter().position(|write| write.0 == key) {
                            let (key, value, receipt) = under_way.remove(at);
                            put(&mut database, key, value);
                            kept.saved(&key, receipt);
                        }
                    }
                    Act::Lose => under_way.clear(),
                    // behind whatever is still under way
                    Act::StoreAll => {
                        under_way.drain(..).for_each(|(key, value, _)| { put(&mut database, key, value); });
                        for (key, value, receipt) in kept.unsaved() {
                            put(&mut database, key, value);
                            kept.saved(&key, receipt);
                        }
                        prop_assert_eq!(kept.owed(), 0);
                    }
                }
            }
            under_way.drain(..).for_each(|(key, value, _)| { put(&mut database, key, value); });
            for (key, value, _) in kept.unsaved() {
                put(&mut database, key, value);
            }
            prop_assert_eq!(database, wanted);
        }
    }

    #[test]
    fn what_the_database_tells_does_not_undo_a_change_that_it_lacks() {
        let mut kept = Kept::default();
        assert!(kept.all().is_none());
        kept.change("changed", Some(2));
        kept.change("removed", None);
        kept.recall([("changed", 1), ("removed", 1), ("other", 1)]);
        let rows: Vec<_> = kept.all().unwrap().map(|(key, value)| (*key, *value)).collect();
        assert_eq!(rows, [("changed", 2), ("other", 1)]);
    }
}
