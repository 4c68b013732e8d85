//! Whether the notifications of a living subscription still arrive.
//!
//! Graph says nothing when it cannot deliver, so silence alone proves nothing: people may be at rest. But when a sweep
//! sees a change that no notification told, and half a sweep period later still none has come for anybody of that
//! shard, the shard is *deaf* and its subscription is made anew (DESIGN 6). The time in between lets a late
//! notification speak for it: Graph takes a minute at times (graph.md 3.4).

use std::collections::BTreeSet;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::identity::{Account, TeamsId};
use m365_presence::ports::SubscriptionKind;
use m365_presence::subscription::{Event, Phase};
use tokio::time::Instant;

use super::{PresenceSubscription, Reading};
use crate::presence_sweep::TakeMissed;
use crate::supervision::Context;
use crate::webhook_intake::TakeHeard;

/// A late notification gets this long at least to speak for its shard.
const SHORTEST_SILENCE: Duration = Duration::from_secs(10);

/// A shard is not made anew for its deafness more often than this.
const SHORTEST_LIFE: Duration = Duration::from_secs(5 * 60);

/// The shards that are under suspicion, and when one was made anew last.
#[derive(Default)]
pub(super) struct Suspicion {
    shards: BTreeSet<Account>,
    made_anew_at: Option<Instant>,
}

impl PresenceSubscription {
    /// Begins to listen; only a sweep can tell what was missed.
    pub(super) fn listen(&self, ctx: &mut Context<Self>) {
        if self.dependencies.reading == Reading::Hybrid {
            let patience = (self.dependencies.sweep_period / 2).max(SHORTEST_SILENCE);
            ctx.run_interval(patience, |actor, ctx| actor.ask_what_was_missed(ctx));
        }
    }

    fn ask_what_was_missed(&self, ctx: &mut Context<Self>) {
        let missed = self.dependencies.presence_sweep.ask(TakeMissed);
        let heard = self.dependencies.webhook_intake.ask(TakeHeard);
        let both = async move { Ok((missed.await?, heard.await?)) };
        ctx.spawn(both.into_actor(self).map(
            |told: Result<_, crate::supervision::Gone>, actor, ctx| match told {
                Ok((missed, heard)) => actor.judge_shards(&missed, &heard, ctx),
                // one of both has forgotten what it knew: nothing can be said of this period
                Err(_gone) => actor.suspicion.shards.clear(),
            },
        ));
    }

    fn judge_shards(
        &mut self,
        missed: &BTreeSet<TeamsId>,
        heard: &BTreeSet<TeamsId>,
        ctx: &mut Context<Self>,
    ) {
        let suspected = std::mem::take(&mut self.suspicion.shards);
        let made_anew_lately = self
            .suspicion
            .made_anew_at
            .is_some_and(|at| at.elapsed() < SHORTEST_LIFE);
        let silent: Vec<Account> = self
            .assignment
            .shards
            .iter()
            .filter(|(_, users)| users.is_disjoint(heard))
            .map(|(account, _)| account.clone())
            .collect();
        for account in silent {
            let kind = SubscriptionKind::Presence(account.clone());
            let lives = self
                .entries
                .get(&kind)
                .is_some_and(|entry| *entry.plan.phase() == Phase::Live);
            let misses = self
                .assignment
                .shards
                .get(&account)
                .is_some_and(|users| !users.is_disjoint(missed));
            if lives && suspected.contains(&account) && !made_anew_lately {
                log::warn!(
                    "a presence subscription lives, but its notifications do not arrive: it is made anew"
                );
                self.suspicion.made_anew_at = Some(Instant::now());
                self.feed(&kind, Event::Deaf, ctx);
            } else if lives && (misses || suspected.contains(&account)) {
                self.suspicion.shards.insert(account);
            }
        }
    }
}
