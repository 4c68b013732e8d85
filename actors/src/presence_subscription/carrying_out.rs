//! How the plan of a subscription is carried out: events in, requests out, what is held stored in between.

use std::rc::Rc;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use chrono::TimeDelta;
use m365_presence::light::SubscriptionCode;
use m365_presence::ports::{
    Created, GraphError, Renewed, SubscriptionKind, SubscriptionRequest, refusal_words,
};
use m365_presence::subscription::{Event, Phase, Step, Want, Watch};
use tokio::time::Instant;

use super::{Entry, PresenceSubscription};
use crate::supervision::Context;

impl PresenceSubscription {
    /// What is wanted of a subscription, as far as it is known.
    pub(super) fn want_of(&self, kind: &SubscriptionKind) -> Want {
        if !self.subscribes() {
            return Want::Nothing;
        }
        match kind {
            SubscriptionKind::Users => Want::Watch(Watch::Directory),
            SubscriptionKind::Presence(_) if self.roster.is_none() => Want::Unknown,
            SubscriptionKind::Presence(account) => match self.assignment.shards.get(account) {
                Some(users) if !users.is_empty() => Want::Watch(Watch::Presence(users.clone())),
                _ => Want::Nothing,
            },
        }
    }

    /// Tells a plan what happened, stores what is held if that changed, and only then tells of it and goes on.
    pub(super) fn feed(&mut self, kind: &SubscriptionKind, event: Event, ctx: &mut Context<Self>) {
        let now = self.dependencies.clock.now();
        let Some(entry) = self.entries.get_mut(kind) else {
            return;
        };
        let step = entry.plan.on(event, now);
        let held = entry.plan.held().cloned();
        let changed = held != entry.stored;
        entry.stored.clone_from(&held);
        entry.plans += 1;
        let plan = entry.plans;
        if !changed {
            self.note_phase(kind, ctx);
            self.carry_out(kind.clone(), plan, step, ctx);
            return;
        }
        let store = Rc::clone(&self.dependencies.store);
        let whose = kind.clone();
        let stored = async move {
            match &held {
                Some(held) => store.put_subscription(&held.to_stored(whose)).await,
                None => store.remove_subscription(&whose).await,
            }
        };
        let kind = kind.clone();
        ctx.spawn(stored.into_actor(self).map(move |stored, actor, ctx| {
            if let Err(error) = stored {
                log::error!("a subscription cannot be stored, the next start looks for it at graph: {error}");
            }
            actor.note_phase(&kind, ctx);
            actor.carry_out(kind, plan, step, ctx);
        }));
    }

    /// Keeps the light's code, and has a shard read that has just been opened.
    pub(super) fn note_phase(&mut self, kind: &SubscriptionKind, ctx: &mut Context<Self>) {
        let unlicensed = self.lacks_teams_license(kind);
        let now = self.dependencies.clock.now();
        let Some(entry) = self.entries.get_mut(kind) else {
            return;
        };
        let code = match entry.plan.phase() {
            Phase::Forbidden { .. } if unlicensed => SubscriptionCode::NoTeamsLicense,
            Phase::Unanswered if entry.signed_out.is_some() => SubscriptionCode::NotSignedIn,
            Phase::Live if entry.hearing.is_to_be_told(Instant::now().into_std()) => SubscriptionCode::Deaf,
            // why it waits says more than that it waits
            Phase::WaitingForExpiry { .. } if entry.plan.is_deaf() => SubscriptionCode::Deaf,
            phase => phase.code(),
        };
        if code != entry.code {
            entry.code = code;
            entry.since = now;
            log::info!(code = code.as_str(); "the subscription of {} is now {}", name_of(kind), code.as_str());
        }
        let live = *entry.plan.phase() == Phase::Live;
        let opened = live && !entry.was_live;
        entry.was_live = live;
        if opened {
            entry.hearing.begin_anew();
            self.read_anew(kind, ctx);
        }
        self.tell_coverage(ctx);
    }

    fn carry_out(&mut self, kind: SubscriptionKind, plan: u64, step: Step, ctx: &mut Context<Self>) {
        let subscriptions = Rc::clone(&self.dependencies.subscriptions);
        let credential = kind.credential();
        let Some(entry) = self.entries.get_mut(&kind) else {
            return;
        };
        match step {
            Step::Nothing { until } => {
                let wait = match (until, entry.plan.phase()) {
                    (Some(until), _) => (until - self.dependencies.clock.now())
                        .to_std()
                        .unwrap_or_default(),
                    // nobody to watch: the licenses are looked at as often as if there were somebody
                    (None, Phase::Idle | Phase::Starting) => self.dependencies.presence_period,
                    (None, _) => return,
                };
                // a plan that is due at once must not starve the thread
                ctx.run_later(wait.max(Duration::from_millis(10)), move |actor, ctx| {
                    if actor.entries.get(&kind).is_some_and(|entry| entry.plans == plan) {
                        actor.fall_due(kind, ctx);
                    }
                });
            }
            Step::Renew {
                id,
                expires_at,
                certificate,
            } => {
                let renewed = async move {
                    let certificate = certificate.as_deref();
                    subscriptions
                        .renew(&credential, &id, expires_at, certificate)
                        .await
                };
                ctx.spawn(renewed.into_actor(self).map(move |renewed, actor, ctx| {
                    actor.count(&kind, |entry| {
                        entry.renewed += u64::from(matches!(renewed, Ok(Renewed::Live(_))))
                    });
                    actor.conclude(&kind, renewed.map(Event::Renewed), ctx);
                }));
            }
            Step::Create {
                watch,
                expires_at,
                certificate,
            } => {
                let request = SubscriptionRequest {
                    kind: kind.clone(),
                    users: watch.users().cloned().collect(),
                    client_state: entry.client_state.client_state.clone(),
                    expires_at,
                    certificate,
                };
                let created = async move { subscriptions.create(&request).await };
                ctx.spawn(created.into_actor(self).map(move |created, actor, ctx| {
                    actor.count(&kind, |entry| {
                        entry.created += u64::from(matches!(created, Ok(Created::Live(_))))
                    });
                    actor.conclude(&kind, created.map(Event::Created), ctx);
                }));
            }
            Step::Delete { id } => {
                let deleted = async move { subscriptions.delete(&credential, &id).await };
                ctx.spawn(deleted.into_actor(self).map(move |deleted, actor, ctx| {
                    actor.conclude(&kind, deleted.map(Event::Deleted), ctx);
                }));
            }
            Step::List => {
                let listed = async move { subscriptions.list(&credential).await };
                ctx.spawn(listed.into_actor(self).map(move |listed, actor, ctx| {
                    actor.conclude(&kind, listed.map(Event::Listed), ctx);
                }));
            }
        }
    }

    /// The time that a plan named has come: before a presence subscription is touched, the licenses are checked.
    fn fall_due(&mut self, kind: SubscriptionKind, ctx: &mut Context<Self>) {
        match kind {
            SubscriptionKind::Users => self.feed(&kind, Event::Due, ctx),
            SubscriptionKind::Presence(_) => self.check_licenses(vec![(kind, Event::Due)], ctx),
        }
    }

    fn conclude(
        &mut self,
        kind: &SubscriptionKind,
        outcome: Result<Event, GraphError>,
        ctx: &mut Context<Self>,
    ) {
        let now = self.dependencies.clock.now();
        let Some(entry) = self.entries.get_mut(kind) else {
            return;
        };
        let event = match outcome {
            Ok(event) => {
                entry.outage.end();
                entry.signed_out = None;
                event
            }
            Err(GraphError::Refused {
                status,
                code,
                message,
            }) => {
                entry.outage.end();
                Event::Refused {
                    message: refusal_words(status, &code, &message),
                }
            }
            Err(error) => {
                let signed_out = matches!(error, GraphError::NotSignedIn { .. });
                entry.signed_out = signed_out.then(|| error.to_string());
                let what = format!("the subscription of {} got no answer", name_of(kind));
                let wait = entry.outage.fail_with(&error, &what);
                let wait = TimeDelta::from_std(wait).unwrap_or_default();
                Event::Unanswered { retry_at: now + wait }
            }
        };
        self.feed(kind, event, ctx);
    }

    fn count(&mut self, kind: &SubscriptionKind, count: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.get_mut(kind) {
            count(entry);
        }
    }
}

fn name_of(kind: &SubscriptionKind) -> String {
    match kind {
        SubscriptionKind::Users => "the directory's users".to_owned(),
        SubscriptionKind::Presence(_) => "a presence shard".to_owned(),
    }
}
