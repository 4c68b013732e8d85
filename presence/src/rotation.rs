//! When a key pair for resource data is replaced, and when an old one is dropped (graph.md 4.4).
//!
//! The current key is the one that subscriptions are to name. It is replaced long before a year is over. From then on
//! each subscription changes over with its next renewal, and the old key stays: what was encrypted for it may still be
//! on its way, for Graph repeats for four hours, and its service may take a while to change over. Only what nothing has
//! named for a day is dropped.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How long nothing may have named a key before it is dropped: far more than the four hours for which Graph repeats a
/// notification (graph.md 3.4) and the hour for which a presence subscription lives without us (graph.md 3.1).
pub const GRACE: TimeDelta = TimeDelta::hours(24);

/// Keys that are kept at most; with as many, the current one is used on until an old one may go.
const MOST_KEPT: usize = 8;

/// A key that claims to be younger than this far in the future was made under a wrong clock.
const CLOCK_ERROR: TimeDelta = TimeDelta::hours(24);

/// What is known of a key pair: nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The id that subscriptions name.
    pub id: String,
    /// When it was made, on Graph's clock.
    pub made_at: DateTime<Utc>,
    /// When a subscription of ours or a notification named it last, as far as this run knows: the run's start at least.
    pub named_at: DateTime<Utc>,
}

/// What to do with the keys now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The key that subscriptions are to name.
    pub current: Option<String>,
    /// Whether a new key must be made, which becomes the current one.
    pub make: bool,
    /// Keys that nothing names any more.
    pub drop: Vec<String>,
    /// When the current key is to be replaced; none without one.
    pub replace_at: Option<DateTime<Utc>>,
}

/// Says what to do with the keys of which one is used for `life` at most. `now` is Graph's time.
pub fn plan(keys: &[KeyRecord], life: Duration, now: DateTime<Utc>) -> Plan {
    let life = TimeDelta::from_std(life).unwrap_or(TimeDelta::MAX);
    let current = current(keys, now);
    let replace_at = current.and_then(|key| key.made_at.checked_add_signed(life));
    let outlived = match current {
        None => true,
        Some(key) => made_under_a_wrong_clock(key, now) || replace_at.is_some_and(|at| at <= now),
    };
    let grace_is_over = |key: &KeyRecord, current: &KeyRecord| {
        let replaced_at = successor(key, keys).unwrap_or(current).made_at;
        key.id != current.id && now - key.named_at.max(replaced_at) >= GRACE
    };
    Plan {
        make: outlived && keys.len() < MOST_KEPT,
        drop: keys
            .iter()
            .filter(|key| current.is_some_and(|current| grace_is_over(key, current)))
            .map(|key| key.id.clone())
            .collect(),
        current: current.map(|key| key.id.clone()),
        replace_at,
    }
}

/// The newest key; one that was made under a wrong clock only where there is no other.
fn current(keys: &[KeyRecord], now: DateTime<Utc>) -> Option<&KeyRecord> {
    keys.iter()
        .max_by_key(|key| (!made_under_a_wrong_clock(key, now), key.made_at, &key.id))
}

/// The key that was made after this one.
fn successor<'a>(key: &KeyRecord, keys: &'a [KeyRecord]) -> Option<&'a KeyRecord> {
    let later = keys.iter().filter(|other| other.made_at > key.made_at);
    later.min_by_key(|other| other.made_at)
}

fn made_under_a_wrong_clock(key: &KeyRecord, now: DateTime<Utc>) -> bool {
    key.made_at - now > CLOCK_ERROR
}
