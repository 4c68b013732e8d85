//! Whom subscriptions watch, and who is left to others.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, Handler, MessageResult, WrapFuture};
use m365_presence::cadence::Reading;
use m365_presence::identity::TeamsId;
use m365_presence::ports::SubscriptionKind;
use m365_presence::subscription::{Held, Phase};

use super::{Entry, GetCoverage, GetUnserved, PresenceSubscription};
use crate::presence_sweep::{Coverage, SetCoverage};
use crate::presence_sync::PlacesChanged;
use crate::supervision::Context;

impl Handler<GetCoverage> for PresenceSubscription {
    type Result = MessageResult<GetCoverage>;

    fn handle(&mut self, _message: GetCoverage, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(Arc::new(self.coverage()))
    }
}

impl Handler<GetUnserved> for PresenceSubscription {
    type Result = MessageResult<GetUnserved>;

    fn handle(&mut self, message: GetUnserved, ctx: &mut Self::Context) -> Self::Result {
        self.take_in_roster(message.0, ctx);
        let unserved: Arc<BTreeSet<TeamsId>> = Arc::new(self.without_observer().cloned().collect());
        self.unserved = Some(Arc::clone(&unserved));
        MessageResult(unserved)
    }
}

impl Entry {
    /// The subscription that watches this entry's users, and whether it is doubted, while it lives.
    fn covers(&self) -> Option<(&Held, bool)> {
        let held = self.plan.held().filter(|_| *self.plan.phase() == Phase::Live)?;
        Some((held, self.hearing.is_doubted()))
    }
}

impl PresenceSubscription {
    /// Tells the sweep whom subscriptions watch, when that has changed. A subscription's users never change, so its id
    /// stands for them.
    pub(super) fn tell_coverage(&mut self, ctx: &mut Context<Self>) {
        let covering: Vec<_> = self
            .shards()
            .filter_map(|(_, entry)| entry.covers())
            .map(|(held, doubted)| (held.id.clone(), doubted))
            .collect();
        if self.covering.as_ref() != Some(&covering) {
            self.covering = Some(covering);
            let told = self
                .dependencies
                .presence_sweep
                .ask(SetCoverage(Arc::new(self.coverage())));
            ctx.spawn(told.into_actor(self).map(|_asks_when_back, _, _| ()));
        }
    }

    fn coverage(&self) -> Coverage {
        let users = |wanted: bool| -> BTreeSet<TeamsId> {
            let covering = self.shards().filter_map(|(_, entry)| entry.covers());
            covering
                .filter(|(_, doubted)| *doubted == wanted)
                .flat_map(|(held, _)| held.watch.users().cloned())
                .collect()
        };
        Coverage {
            trusted: users(false),
            doubted: users(true),
        }
    }

    /// Has the board ask anew who is to come on it, when others find no place now.
    pub(super) fn tell_unserved(&mut self, ctx: &mut Context<Self>) {
        let unserved: Arc<BTreeSet<TeamsId>> = Arc::new(self.without_observer().cloned().collect());
        let lost = self.dependencies.reading == Reading::Subscription;
        if lost && self.unserved.as_ref() != Some(&unserved) {
            self.unserved = Some(unserved);
            let told = self.dependencies.presence_sync.ask(PlacesChanged);
            ctx.spawn(told.into_actor(self).map(|_asks_when_back, _, _| ()));
        }
    }

    /// Users who find no place and are not polled instead.
    pub(super) fn without_observer(&self) -> impl Iterator<Item = &TeamsId> {
        let lost = self.dependencies.reading == Reading::Subscription;
        self.assignment.overflow.iter().filter(move |_| lost)
    }

    /// The shards by account.
    pub(super) fn shards(&self) -> impl Iterator<Item = (&SubscriptionKind, &Entry)> {
        let is_shard = |(kind, _): &(&SubscriptionKind, &Entry)| **kind != SubscriptionKind::Users;
        self.entries.iter().filter(is_shard)
    }
}
