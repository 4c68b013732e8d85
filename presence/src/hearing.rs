//! Whether the notifications of a living subscription arrive.
//!
//! Graph says nothing when it cannot deliver, so silence alone proves nothing: people may be at rest. But when a read
//! shows a change that no notification told, one of two is true. The notification is late (Graph takes a minute at
//! most, graph.md 3.4), or it was *missed*. And when after such a find nothing is heard of anybody of that shard, it is
//! *deaf* and must be made anew (DESIGN 6). Each shard is judged by itself.
//!
//! A shard that was made anew for that is *doubted* until the first notification arrives: its users are read as if
//! nobody told of them. That a second try fails as well is known only when somebody changes again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::identity::TeamsId;

/// A change of which no notification has come after this was missed (graph.md 3.4: 1 min max).
const LATEST: Duration = Duration::from_secs(60);

/// A late notification gets this long at least to speak for its shard.
const SHORTEST_SILENCE: Duration = Duration::from_secs(10);

/// A shard is not made anew for its deafness more often than this.
const SHORTEST_LIFE: Duration = Duration::from_secs(5 * 60);

/// What is heard from one shard.
#[derive(Clone, Debug, Default)]
pub struct Hearing {
    /// Changes that a read showed first, of which a notification may still come.
    finds: BTreeMap<TeamsId, Instant>,
    missed: u64,
    /// Since the first find after which nothing was heard.
    silent_since: Option<Instant>,
    heard_at: Option<Instant>,
    made_anew_at: Option<Instant>,
    deaf: bool,
}

impl Hearing {
    /// Notes that a read showed a user's change of which no notification had told.
    pub fn find(&mut self, user: TeamsId, at: Instant) {
        self.finds.entry(user).or_insert(at);
        if self.heard_at.is_none_or(|heard_at| heard_at < at) {
            self.silent_since.get_or_insert(at);
        }
    }

    /// Notes that a notification of a user has come.
    pub fn hear(&mut self, user: &TeamsId, at: Instant) {
        if self.finds.get(user).is_some_and(|found_at| *found_at <= at) {
            self.finds.remove(user);
        }
        self.heard_at = self.heard_at.max(Some(at));
        if self.silent_since.is_some_and(|since| since <= at) {
            self.silent_since = self
                .finds
                .values()
                .filter(|found_at| **found_at > at)
                .min()
                .copied();
        }
        self.deaf &= self.silent_since.is_some();
    }

    /// Judges what has come and what has not; answers whether the subscription is to be made anew. `sweep` is the time
    /// between two comparisons of the shard: half of it a late notification may take.
    pub fn judge(&mut self, sweep: Duration, now: Instant) -> bool {
        let before = self.finds.len();
        self.finds.retain(|_, found_at| age(*found_at, now) < LATEST);
        self.count_missed(before - self.finds.len());
        let patience = (sweep / 2).max(SHORTEST_SILENCE);
        self.deaf = self.silent_since.is_some_and(|since| age(since, now) >= patience);
        let lately = self.made_anew_at.is_some_and(|at| age(at, now) < SHORTEST_LIFE);
        if !self.deaf || lately {
            return false;
        }
        self.made_anew_at = Some(now);
        self.begin_anew();
        true
    }

    /// Forgets the finds, because from now on another subscription tells of these users.
    pub fn begin_anew(&mut self) {
        let finds = std::mem::take(&mut self.finds);
        if self.deaf {
            self.count_missed(finds.len());
        }
        self.silent_since = None;
        self.deaf = false;
    }

    /// Whether notifications do not arrive at this time.
    pub fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// Whether the shard was made anew for its deafness and nothing has been heard since.
    pub fn is_doubted(&self) -> bool {
        self.deaf || (self.made_anew_at.is_some() && self.heard_at < self.made_anew_at)
    }

    /// Whether a person is to be told: while notifications do not arrive, and for a minute after the shard was made anew
    /// for that, unless one arrives.
    pub fn is_to_be_told(&self, now: Instant) -> bool {
        let lately = self.made_anew_at.is_some_and(|at| age(at, now) < LATEST);
        self.deaf || (lately && self.is_doubted())
    }

    /// Changes that no notification told.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    fn count_missed(&mut self, finds: usize) {
        self.missed = self.missed.saturating_add(finds.try_into().unwrap_or(u64::MAX));
    }
}

fn age(at: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(at)
}
