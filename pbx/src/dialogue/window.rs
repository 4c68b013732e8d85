//! A bounded number of unanswered requests, one per user; the others wait their turn.

use std::collections::{HashMap, VecDeque};

use m365_presence::identity::PbxGuid;

/// The requests that are in flight, and those that wait.
pub(super) struct Window<T> {
    limit: usize,
    in_flight: VecDeque<PbxGuid>,
    queue: VecDeque<PbxGuid>,
    waiting: HashMap<PbxGuid, T>,
}

impl<T> Window<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            in_flight: VecDeque::new(),
            queue: VecDeque::new(),
            waiting: HashMap::new(),
        }
    }

    /// Takes in a request. One for the same user that waits is replaced; one in flight is given up and its place
    /// taken, so that an answer that never came cannot hold a place for ever.
    pub(super) fn ask(&mut self, user: PbxGuid, request: T) {
        if self.waiting.insert(user.clone(), request).is_some() {
            return;
        }
        if self.settle(&user) {
            self.queue.push_front(user);
        } else {
            self.queue.push_back(user);
        }
    }

    /// Takes out the next request that may be sent now.
    pub(super) fn next(&mut self) -> Option<(PbxGuid, T)> {
        if self.in_flight.len() >= self.limit {
            return None;
        }
        let user = self.queue.pop_front()?;
        let request = self.waiting.remove(&user)?;
        self.in_flight.push_back(user.clone());
        Some((user, request))
    }

    /// Drops the request of a user if it was not sent yet; tells whether there was one.
    pub(super) fn withdraw(&mut self, user: &PbxGuid) -> bool {
        let waited = self.waiting.remove(user).is_some();
        if waited {
            self.queue.retain(|queued| queued != user);
        }
        waited
    }

    /// Frees the place of an answered request; tells whether it was in flight.
    pub(super) fn settle(&mut self, user: &PbxGuid) -> bool {
        let place = self.in_flight.iter().position(|sent| sent == user);
        place.and_then(|place| self.in_flight.remove(place)).is_some()
    }

    /// Frees the place of an answered request and those of all that were sent before it.
    pub(super) fn settle_through(&mut self, user: &PbxGuid) {
        if let Some(place) = self.in_flight.iter().position(|sent| sent == user) {
            self.in_flight.drain(..=place);
        }
    }
}
