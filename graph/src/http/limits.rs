//! The documented limits that are kept ahead, so that no request runs into them (graph.md 6.3).
//!
//! They hold for the app and the tenant together, whoever's token a request carries. The directory's resource units
//! are not among them: a page of 999 users costs one of at least 3,500 in ten seconds.

use std::cell::RefCell;
use std::time::Duration;

use m365_presence::traffic::{Limit, Window};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::patience::Family;

const fn limit(units: u32, seconds: u64) -> Limit {
    Limit {
        units,
        period: Duration::from_secs(seconds),
    }
}

/// Reads and writes of presence share theirs.
const PRESENCE: Limit = limit(10_000, 30);

/// Creates, renewals and deletes of subscriptions.
const SUBSCRIPTIONS: Limit = limit(500, 20);

/// Lists of subscriptions.
const SUBSCRIPTION_LISTS: Limit = limit(25, 20);

/// One limit and whoever waits for it.
struct Meter {
    window: RefCell<Window>,
    changed: Notify,
}

impl Meter {
    fn new(limit: Limit) -> Self {
        Self {
            window: RefCell::new(Window::new(limit)),
            changed: Notify::new(),
        }
    }
}

/// What was spent of the limits.
pub(super) struct Limits {
    presence: Meter,
    subscriptions: Meter,
    subscription_lists: Meter,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            presence: Meter::new(PRESENCE),
            subscriptions: Meter::new(SUBSCRIPTIONS),
            subscription_lists: Meter::new(SUBSCRIPTION_LISTS),
        }
    }
}

impl Limits {
    /// Waits until a request of this cost may leave.
    pub(super) async fn wait(&self, family: Family, cost: u32) -> Allowance<'_> {
        let meter = match family {
            Family::PresenceRead | Family::PresenceWrite => Some(&self.presence),
            Family::Subscriptions => Some(&self.subscriptions),
            Family::SubscriptionList => Some(&self.subscription_lists),
            Family::Token | Family::SigningKeys | Family::Directory => None,
        };
        let allowance = Allowance {
            meter,
            cost,
            spent: false,
        };
        let Some(meter) = meter else {
            return allowance;
        };
        loop {
            let changed = meter.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let left = meter.window.borrow_mut().leave(cost, Instant::now().into_std());
            match left {
                Ok(()) => return allowance,
                Err(wait) if wait.is_zero() => changed.await,
                Err(wait) => {
                    let _free_or_given_back = tokio::time::timeout(wait, changed).await;
                }
            }
        }
    }
}

/// The right to spend a part of a limit: given back when nothing left.
pub(super) struct Allowance<'a> {
    meter: Option<&'a Meter>,
    cost: u32,
    spent: bool,
}

impl Allowance<'_> {
    /// Notes that the request leaves.
    pub(super) fn spend(&mut self) {
        self.spent = true;
    }
}

impl Drop for Allowance<'_> {
    fn drop(&mut self) {
        let Some(meter) = self.meter else { return };
        let mut window = meter.window.borrow_mut();
        if self.spent {
            window.answered(self.cost, Instant::now().into_std());
        } else {
            window.give_back(self.cost);
        }
        drop(window);
        meter.changed.notify_waiters();
    }
}
