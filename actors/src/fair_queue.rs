//! A queue in which nobody waits for somebody else's backlog.
//!
//! What is queued under one key stays in its order; the keys are served in turn. So a PBX of which thousands of users
//! change at once delays its own users, and those of another PBX by one place.

use std::collections::{BTreeMap, VecDeque};

/// Items under keys, which are served in turn.
#[derive(Debug)]
pub struct FairQueue<K, T> {
    items: BTreeMap<K, VecDeque<T>>,
    /// The keys that have items, the next one first.
    turns: VecDeque<K>,
    length: usize,
}

impl<K, T> Default for FairQueue<K, T> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            turns: VecDeque::new(),
            length: 0,
        }
    }
}

impl<K: Ord + Clone, T> FairQueue<K, T> {
    /// Queues an item behind the others of its key.
    pub fn push(&mut self, key: K, item: T) {
        self.length += 1;
        if let Some(queue) = self.items.get_mut(&key) {
            queue.push_back(item);
            return;
        }
        self.turns.push_back(key.clone());
        self.items.insert(key, VecDeque::from([item]));
    }

    /// Takes out the next item: the oldest of the key whose turn it is.
    pub fn pop(&mut self) -> Option<T> {
        let key = self.turns.pop_front()?;
        let queue = self.items.get_mut(&key)?;
        let item = queue.pop_front();
        if queue.is_empty() {
            self.items.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        self.length -= 1;
        item
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(queue: &mut FairQueue<&'static str, u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn keys_are_served_in_turn_and_items_in_order() {
        let mut queue = FairQueue::default();
        for (key, item) in [
            ("loud", 1),
            ("loud", 2),
            ("loud", 3),
            ("quiet", 10),
            ("loud", 4),
            ("quiet", 11),
        ] {
            queue.push(key, item);
        }
        assert_eq!(queue.len(), 6);
        assert_eq!(drained(&mut queue), [1, 10, 2, 11, 3, 4]);
        assert!(queue.is_empty());
    }

    #[test]
    fn who_comes_late_waits_for_one_round_only() {
        let mut queue = FairQueue::default();
        (0..1_000).for_each(|item| queue.push("loud", item));
        assert_eq!(queue.pop(), Some(0));
        queue.push("quiet", 5_000);
        assert_eq!((queue.pop(), queue.pop()), (Some(1), Some(5_000)));
        assert_eq!(drained(&mut queue).len(), 998);
        queue.push("quiet", 1);
        assert_eq!(queue.pop(), Some(1), "an emptied key has its turn again");
    }
}
