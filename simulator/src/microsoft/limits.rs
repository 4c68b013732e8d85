//! The documented request limits (reference 6.3), counted per application and tenant in fixed windows.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::faults::Family;

/// Names one limit; reading and writing presence share theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quota {
    /// Presence calls of every kind: 10,000 in 30 s.
    Presence,
    /// Creating, renewing and deleting subscriptions: 500 in 20 s.
    SubscriptionWrite,
    /// Reading one subscription: 500 in 20 s.
    SubscriptionRead,
    /// Listing subscriptions: 25 in 20 s.
    SubscriptionList,
    /// Reauthorising: 1,000 in 20 s.
    Reauthorize,
    /// Resource units of the directory: 3,500, 5,000 or 8,000 in 10 s by its size.
    Directory,
}

impl Quota {
    /// Returns the limit that a family counts against.
    pub(super) fn of(family: Family) -> Option<Self> {
        match family {
            Family::PresenceRead | Family::PresenceWrite => Some(Self::Presence),
            Family::SubscriptionWrite => Some(Self::SubscriptionWrite),
            Family::SubscriptionRead => Some(Self::SubscriptionRead),
            Family::SubscriptionList => Some(Self::SubscriptionList),
            Family::Reauthorize => Some(Self::Reauthorize),
            Family::Users => Some(Self::Directory),
            _ => None,
        }
    }
}

/// So many units in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many units.
    pub units: u32,
    /// In which period.
    pub period: Duration,
}

struct Window {
    began: Instant,
    used: u32,
}

/// Counts requests against the limits.
#[derive(Default)]
pub(super) struct Throttle {
    overrides: HashMap<Quota, Limit>,
    windows: HashMap<(Quota, Uuid, Uuid), Window>,
}

impl Throttle {
    /// Replaces a documented limit.
    pub(super) fn set(&mut self, quota: Quota, limit: Limit) {
        self.overrides.insert(quota, limit);
        self.windows.retain(|(known, _, _), _| *known != quota);
    }

    /// Counts a request; refused, it says how long the window still lasts.
    pub(super) fn charge(
        &mut self,
        quota: Quota,
        app: Uuid,
        tenant: Uuid,
        cost: u32,
        directory_size: usize,
    ) -> Result<(), Duration> {
        let limit = self
            .overrides
            .get(&quota)
            .copied()
            .unwrap_or_else(|| documented(quota, directory_size));
        let now = Instant::now();
        let window = self
            .windows
            .entry((quota, app, tenant))
            .or_insert(Window { began: now, used: 0 });
        if now.saturating_duration_since(window.began) >= limit.period {
            *window = Window { began: now, used: 0 };
        }
        let used = window.used.saturating_add(cost);
        if used > limit.units {
            return Err((window.began + limit.period).saturating_duration_since(now));
        }
        window.used = used;
        Ok(())
    }
}

fn documented(quota: Quota, directory_size: usize) -> Limit {
    let (units, seconds) = match quota {
        Quota::Presence => (10_000, 30),
        Quota::SubscriptionWrite | Quota::SubscriptionRead => (500, 20),
        Quota::SubscriptionList => (25, 20),
        Quota::Reauthorize => (1000, 20),
        Quota::Directory if directory_size < 50 => (3500, 10),
        Quota::Directory if directory_size <= 500 => (5000, 10),
        Quota::Directory => (8000, 10),
    };
    Limit {
        units,
        period: Duration::from_secs(seconds),
    }
}
