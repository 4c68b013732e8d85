//! What Graph tells about a subscription itself (graph.md 4.7).
//!
//! It tells the same every few minutes as long as nothing changes, and under a fault far more often. So a wish for
//! reauthorisation is answered by the one renewal that is under way, and what was missed is read at once and then once
//! more after a pause, however often it is told meanwhile.

use std::time::Duration;

use actix::{AsyncContext, Handler, Message};
use m365_presence::identity::SubscriptionId;
use m365_presence::ports::{LifecycleEvent, SubscriptionKind};
use m365_presence::subscription::Event;
use tokio::time::Instant;

use super::PresenceSubscription;
use crate::supervision::Context;

/// Everything that a subscription watches is read anew for a loss so often at most.
const BETWEEN_READS: Duration = Duration::from_secs(10);

/// A lifecycle notice of Graph.
#[derive(Message)]
#[rtype(result = "()")]
pub struct LifecycleNotified {
    /// Of which subscription.
    pub subscription: SubscriptionId,
    /// What it watches.
    pub kind: SubscriptionKind,
    /// What happened.
    pub event: LifecycleEvent,
}

/// When everything was read for a loss.
#[derive(Debug, Default)]
pub(super) struct Losses {
    read_at: Option<Instant>,
    /// Another read is planned.
    again: bool,
}

impl Handler<LifecycleNotified> for PresenceSubscription {
    type Result = ();

    fn handle(&mut self, message: LifecycleNotified, ctx: &mut Self::Context) {
        let held = self
            .entries
            .get(&message.kind)
            .and_then(|entry| entry.plan.held());
        if held.is_none_or(|held| held.id != message.subscription) {
            log::debug!(
                "graph tells {:?} of a subscription that is not held any more",
                message.event
            );
            return;
        }
        match message.event {
            LifecycleEvent::ReauthorizationRequired => {
                log::info!("graph asks for the reauthorisation of a subscription");
                self.feed(&message.kind, Event::Reauthorize, ctx);
            }
            LifecycleEvent::SubscriptionRemoved => {
                log::warn!("graph has removed a subscription, it is made anew");
                self.feed(&message.kind, Event::Removed(message.subscription), ctx);
                self.read_anew(&message.kind, ctx);
            }
            LifecycleEvent::Missed => self.read_what_was_missed(message.kind, ctx),
        }
    }
}

impl PresenceSubscription {
    fn read_what_was_missed(&mut self, kind: SubscriptionKind, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&kind) else {
            return;
        };
        if entry.losses.again {
            return;
        }
        let since = entry.losses.read_at.map(|read_at| read_at.elapsed());
        let left = since.map(|since| BETWEEN_READS.saturating_sub(since));
        match left.filter(|left| !left.is_zero()) {
            Some(wait) => {
                entry.losses.again = true;
                ctx.run_later(wait, move |actor, ctx| {
                    if let Some(entry) = actor.entries.get_mut(&kind) {
                        entry.losses.again = false;
                    }
                    actor.read_what_was_missed(kind, ctx);
                });
            }
            None => {
                log::info!("graph has lost notifications, everything is read anew");
                entry.losses.read_at = Some(Instant::now());
                self.read_anew(&kind, ctx);
            }
        }
    }
}
