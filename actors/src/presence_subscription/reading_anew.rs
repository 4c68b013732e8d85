//! Reads that stand in for notifications: none came, none will come, or some were lost.

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::ports::SubscriptionKind;

use super::PresenceSubscription;
use crate::presence_sweep::Read;
use crate::supervision::Context;
use crate::user_sync::UsersChanged;

impl PresenceSubscription {
    /// Orders reads of everything that a subscription watches.
    pub(super) fn read_anew(&mut self, kind: &SubscriptionKind, ctx: &mut Context<Self>) {
        match kind {
            SubscriptionKind::Users => {
                let told = self.dependencies.user_sync.ask(UsersChanged);
                ctx.spawn(told.into_actor(self).map(|_fetches_when_back, _, _| ()));
            }
            SubscriptionKind::Presence(account) => {
                let users = self
                    .assignment
                    .shards
                    .get(account)
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect();
                let told = self.dependencies.presence_sweep.ask(Read { users });
                ctx.spawn(told.into_actor(self).map(|_sweeps_when_back, _, _| ()));
            }
        }
    }
}
