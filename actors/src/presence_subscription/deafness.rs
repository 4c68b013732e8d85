//! Which shard's notifications arrive: what was found and what was heard goes to the shard that it concerns, and is
//! judged there by [`m365_presence::hearing`].

use std::collections::BTreeMap;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::cadence::Reading;
use m365_presence::identity::TeamsId;
use m365_presence::ports::SubscriptionKind;
use m365_presence::subscription::{Event, Phase};
use tokio::time::Instant;

use super::{Entry, PresenceSubscription};
use crate::presence_sweep::TakeFinds;
use crate::supervision::{Context, Gone};
use crate::webhook_intake::TakeHeard;

/// How often what was found is compared with what was heard.
const LOOK: Duration = Duration::from_secs(5);

/// When something happened, per user.
type Times = BTreeMap<TeamsId, Instant>;

impl PresenceSubscription {
    /// Begins to listen; only a sweep can tell what was missed.
    pub(super) fn listen(&self, ctx: &mut Context<Self>) {
        if self.dependencies.reading == Reading::Hybrid {
            ctx.run_interval(LOOK, |actor, ctx| actor.ask_what_was_missed(ctx));
        }
    }

    fn ask_what_was_missed(&self, ctx: &mut Context<Self>) {
        let found = self.dependencies.presence_sweep.ask(TakeFinds);
        let heard = self.dependencies.webhook_intake.ask(TakeHeard);
        let both = async move { Ok((found.await?, heard.await?)) };
        ctx.spawn(both.into_actor(self).map(|told: Result<_, Gone>, actor, ctx| {
            match told {
                Ok((found, heard)) => actor.judge_shards(&found, &heard, ctx),
                // one of both has forgotten what it knew: nothing can be said of this time
                Err(_gone) => actor
                    .entries
                    .values_mut()
                    .for_each(|entry| entry.hearing.begin_anew()),
            }
        }));
    }

    fn judge_shards(&mut self, found: &Times, heard: &Times, ctx: &mut Context<Self>) {
        let (sweep, now) = (self.dependencies.sweep_period, Instant::now().into_std());
        let (mut deaf, mut hearing) = (Vec::new(), Vec::new());
        for (kind, entry) in &mut self.entries {
            if entry.hears_again(heard) {
                hearing.push(kind.clone());
            }
            if *kind != SubscriptionKind::Users && entry.listen(found, heard).judge(sweep, now) {
                deaf.push(kind.clone());
            }
        }
        for kind in deaf {
            log::warn!("a presence subscription lives, but its notifications do not arrive: it is made anew");
            self.feed(&kind, Event::Deaf, ctx);
        }
        for kind in hearing {
            log::info!("notifications of a presence subscription arrive again: it is kept");
            self.feed(&kind, Event::Hearing, ctx);
        }
        for kind in self.entries.keys().cloned().collect::<Vec<_>>() {
            self.note_phase(&kind, ctx);
        }
    }
}

impl Entry {
    /// Takes in what concerns the users of this shard, while its subscription lives. A deaf one that Graph does not delete
    /// may be heard again, and what a read finds meanwhile proves nothing against it.
    fn listen(&mut self, found: &Times, heard: &Times) -> &mut m365_presence::hearing::Hearing {
        let live = *self.plan.phase() == Phase::Live;
        if let Some(held) = self.plan.held().filter(|_| live || self.plan.is_deaf()) {
            for user in held.watch.users() {
                if let Some(at) = found.get(user).filter(|_| live) {
                    self.hearing.find(user.clone(), at.into_std());
                }
                if let Some(at) = heard.get(user) {
                    self.hearing.hear(user, at.into_std());
                }
            }
        }
        &mut self.hearing
    }

    /// Whether something was heard of a deaf one, which may be there still because Graph does not delete it.
    fn hears_again(&self, heard: &Times) -> bool {
        let held = self.plan.held().filter(|_| self.plan.is_deaf());
        held.is_some_and(|held| held.watch.users().any(|user| heard.contains_key(user)))
    }
}
