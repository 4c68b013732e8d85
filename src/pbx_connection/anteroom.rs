//! Where PBX connections wait without a login.
//!
//! Whoever reaches the public listener may open a websocket and say nothing, so the places are bounded. When they run
//! out, the one who has waited longest is shown out: a login takes milliseconds, so a PBX gets in even while somebody
//! keeps every place occupied, which it would not if the newcomer were turned away.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Connections that may be without a login at a time.
const PLACES: usize = 256;

/// The anteroom; clones are the same room.
#[derive(Clone, Default)]
pub struct Anteroom {
    waiting: Arc<Mutex<Waiting>>,
}

/// Who waits, the oldest first.
#[derive(Default)]
struct Waiting {
    next_number: u64,
    places: BTreeMap<u64, oneshot::Sender<()>>,
    shown_out: u64,
}

impl Anteroom {
    /// Takes a place, if need be that of the one who has waited longest.
    pub fn enter(&self) -> (Place, Eviction) {
        let (leave, eviction) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        if waiting.places.len() >= PLACES
            && let Some((_, oldest)) = waiting.places.pop_first()
        {
            waiting.shown_out += 1;
            let count = waiting.shown_out;
            if count.is_power_of_two() {
                log::warn!(count; "more than {PLACES} pbx connections wait without a login; the oldest is closed");
            }
            // it may have left by itself meanwhile
            let _left = oldest.send(());
        }
        let number = waiting.next_number;
        waiting.next_number += 1;
        waiting.places.insert(number, leave);
        let place = Place {
            number,
            waiting: Arc::clone(&self.waiting),
        };
        (place, Eviction(eviction))
    }
}

/// A place in the anteroom, until it is dropped.
pub struct Place {
    number: u64,
    waiting: Arc<Mutex<Waiting>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.waiting).places.remove(&self.number);
    }
}

/// Tells the holder of a place that somebody else needs it.
pub struct Eviction(oneshot::Receiver<()>);

impl Eviction {
    /// Resolves when the place is taken away, and never after it was given back.
    pub async fn ordered(self) {
        if self.0.await.is_err() {
            pending().await
        }
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_place_that_was_given_back_is_free() {
        let room = Anteroom::default();
        let (_first, first) = room.enter();
        for _ in 0..3 * PLACES {
            drop(room.enter());
        }
        assert!(first.ordered().now_or_never().is_none());
    }

    #[test]
    fn who_has_waited_longest_makes_room_for_a_newcomer() {
        let room = Anteroom::default();
        let mut guests: Vec<_> = (0..=PLACES).map(|_| room.enter()).collect();
        let (_, second) = guests.remove(1);
        let (_, first) = guests.remove(0);
        assert!(first.ordered().now_or_never().is_some());
        assert!(second.ordered().now_or_never().is_none());
    }
}
