//! The encryption keys that subscriptions name.

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::ports::SubscriptionKind;
use m365_presence::subscription::{Event, Keys};

use super::PresenceSubscription;
use crate::notification_keys::GetKeys;
use crate::supervision::Context;
use crate::webhook_intake::Expect;

impl PresenceSubscription {
    pub(super) fn ask_for_keys(&mut self, ctx: &mut Context<Self>) {
        let keys = self.dependencies.notification_keys.ask(GetKeys);
        ctx.spawn(keys.into_actor(self).map(|keys, actor, ctx| {
            if let Ok(Some(keys)) = keys {
                actor.take_in_keys(keys, ctx);
            }
        }));
    }

    pub(super) fn take_in_keys(&mut self, keys: Keys, ctx: &mut Context<Self>) {
        let first = self.keys.is_none();
        self.keys = Some(keys.clone());
        if first {
            self.accept_notifications(ctx);
        }
        let shards = self
            .entries
            .keys()
            .filter(|kind| **kind != SubscriptionKind::Users);
        for kind in shards.cloned().collect::<Vec<_>>() {
            self.feed(&kind, Event::Keys(keys.clone()), ctx);
        }
    }

    /// Whether notifications can be opened: with our client states and the keys.
    pub(super) fn accepts(&self) -> bool {
        self.states_known && self.keys.is_some()
    }

    /// Has notifications opened, as soon as they can be.
    pub(super) fn accept_notifications(&mut self, ctx: &mut Context<Self>) {
        if self.accepts() {
            let states = self.client_states();
            let expected = self.dependencies.webhook_intake.ask(Expect(states));
            ctx.spawn(expected.into_actor(self).map(|_asks_when_back, _, _| ()));
        }
    }
}
