//! What is known from before: our subscriptions, and the client states that our notifications carry.

use std::rc::Rc;
use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::hearing::Hearing;
use m365_presence::light::SubscriptionCode;
use m365_presence::ports::{AcceptedState, StoredSubscription, SubscriptionKind};
use m365_presence::secret::Secret;
use m365_presence::sharding::Assignment;
use m365_presence::subscription::{Event, Held, Keys, Subscription, Terms};

use super::lifecycle::Losses;
use super::{Entry, PresenceSubscription};
use crate::outage::Outage;
use crate::supervision::Context;

impl PresenceSubscription {
    /// The directory's subscription, and one per configured account.
    fn kinds(&self) -> Vec<SubscriptionKind> {
        let accounts = self.dependencies.accounts.iter().cloned();
        std::iter::once(SubscriptionKind::Users)
            .chain(accounts.map(SubscriptionKind::Presence))
            .collect()
    }

    /// The client states that our notifications carry; also those of accounts that are configured no more, while their
    /// subscriptions last.
    pub(super) fn client_states(&self) -> Vec<AcceptedState> {
        let own = self.entries.values().map(|entry| &entry.client_state);
        own.chain(&self.former).cloned().collect()
    }

    /// Takes up the work with what the store knows: one plan per kind, each with a client state that is stored.
    pub(super) fn take_up(
        &mut self,
        stored: Vec<StoredSubscription>,
        states: Vec<AcceptedState>,
        ctx: &mut Context<Self>,
    ) {
        let now = self.dependencies.clock.now();
        let mut drawn = Vec::new();
        for kind in self.kinds() {
            let known = states.iter().find(|state| state.kind == kind).cloned();
            let used = known.is_some();
            let state = known.unwrap_or_else(|| draw_client_state(&kind));
            if !used {
                drawn.push(state.clone());
            }
            let held = stored.iter().find(|stored| stored.kind == kind).cloned();
            let entry = self.new_entry(&kind, state, used, held.map(Held::from_stored));
            self.entries.insert(kind, entry);
        }
        let (lasting, ended): (Vec<_>, Vec<_>) = stored
            .iter()
            .filter(|stored| !self.entries.contains_key(&stored.kind))
            .partition(|stored| stored.expires_at > now);
        let ended: Vec<SubscriptionKind> = ended.iter().map(|stored| stored.kind.clone()).collect();
        let lasts = |state: &&AcceptedState| lasting.iter().any(|stored| stored.kind == state.kind);
        self.former = states.iter().filter(lasts).cloned().collect();
        let shards = stored.iter().filter_map(|stored| {
            let account = stored.kind.account()?;
            let configured = self.entries.contains_key(&stored.kind);
            configured.then(|| {
                (
                    account.clone(),
                    stored.expires_at,
                    stored.users.iter().cloned().collect(),
                )
            })
        });
        self.assignment = Arc::new(Assignment::from_stored(shards));
        let store = Rc::clone(&self.dependencies.store);
        let kept = async move {
            for state in &drawn {
                store.put_client_state(state).await?;
            }
            for kind in &ended {
                store.remove_subscription(kind).await?;
            }
            Ok::<(), m365_presence::ports::StoreError>(())
        };
        ctx.wait(kept.into_actor(self).map(|kept, actor, ctx| {
            if let Err(error) = kept {
                log::error!(
                    "client states cannot be stored, the next start will not know their subscriptions: {error}"
                );
            }
            actor.states_known = true;
            actor.accept_notifications(ctx);
            for kind in actor.entries.keys().cloned().collect::<Vec<_>>() {
                let want = actor.want_of(&kind);
                actor.feed(&kind, Event::Wanted(want), ctx);
            }
            actor.ask_for_keys(ctx);
            actor.ask_for_roster(ctx);
        }));
    }

    fn new_entry(
        &self,
        kind: &SubscriptionKind,
        state: AcceptedState,
        used: bool,
        held: Option<Held>,
    ) -> Entry {
        let terms = Terms {
            period: match kind {
                SubscriptionKind::Users => self.dependencies.users_period,
                SubscriptionKind::Presence(_) => self.dependencies.presence_period,
            },
            notification_url: self.dependencies.subscriptions.notification_url().to_owned(),
            client_state: state.client_state.clone(),
            client_state_used: used,
            keys: match kind {
                SubscriptionKind::Users => Some(Keys::default()),
                SubscriptionKind::Presence(_) => self.keys.clone(),
            },
        };
        Entry {
            stored: held.clone(),
            plan: Subscription::new(terms, held),
            client_state: state,
            was_live: false,
            hearing: Hearing::default(),
            signed_out: None,
            code: SubscriptionCode::Starting,
            since: self.dependencies.clock.now(),
            plans: 0,
            outage: Outage::default(),
            losses: Losses::default(),
            created: 0,
            renewed: 0,
        }
    }
}

/// Draws a secret of 244 random bits; Graph takes up to 128 characters (graph.md 3.1).
fn draw_client_state(kind: &SubscriptionKind) -> AcceptedState {
    let drawn = format!(
        "{}{}",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    );
    AcceptedState {
        client_state: Secret::new(drawn),
        kind: kind.clone(),
    }
}
