//! How calls leave, and what is learned from their answers.

use std::collections::HashSet;
use std::rc::Rc;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use chrono::{DateTime, Utc};
use m365_presence::cadence::{Call, Refusal, Watch};
use m365_presence::identity::TeamsId;
use m365_presence::ports::GraphError;
use m365_presence::teams::TeamsObservation;
use tokio::time::Instant;

use super::PresenceSweep;
use crate::presence_sync::{Reception, TeamsRead};
use crate::supervision::Context;

/// Reads that may be under way at a time. With the shortest pause of 3 s this stays far below 10,000 in 30 s
/// (graph.md 6.3), whatever the number of users.
const CALLS: usize = 8;

impl PresenceSweep {
    /// Begins as many calls as may be under way.
    pub(super) fn read(&mut self, ctx: &mut Context<Self>) {
        while self.may_begin() {
            let Some(call) = self.cadence.take_call(Instant::now().into_std()) else {
                break;
            };
            self.calls_under_way += 1;
            let begun_at = self.dependencies.clock.now();
            let io = Rc::clone(&self.dependencies.presence_io);
            let read = async move {
                let answer = io.read(&call.users).await;
                (call, answer)
            };
            ctx.spawn(read.into_actor(self).map(move |(call, answer), actor, ctx| {
                actor.calls_under_way -= 1;
                match answer {
                    Ok(observations) => actor.take_in(begun_at, call, observations, ctx),
                    Err(error) => actor.put_back(begun_at, call, &error, ctx),
                }
                actor.read(ctx);
            }));
        }
        // an answer, or the end of the pause, looks again
        if self.may_begin() {
            self.look_later(ctx);
        }
    }

    /// A call that failed keeps the others back as well.
    fn may_begin(&self) -> bool {
        let allowed = if self.outage.failures() > 0 { 1 } else { CALLS };
        self.paused_until.is_none() && self.calls_under_way < allowed
    }

    fn take_in(
        &mut self,
        begun_at: DateTime<Utc>,
        call: Call,
        observations: Vec<TeamsObservation>,
        ctx: &mut Context<Self>,
    ) {
        let answered_at = Instant::now();
        self.outage.end();
        self.status.last_failure = None;
        self.status.lacks_permission = false;
        self.status.calls += 1;
        self.status.read += u64::try_from(call.users.len()).unwrap_or_default();
        self.cadence
            .answered(&call, &observations, answered_at.into_std());
        self.tell(begun_at, call, observations, answered_at, ctx);
    }

    fn tell(
        &mut self,
        begun_at: DateTime<Utc>,
        call: Call,
        observations: Vec<TeamsObservation>,
        answered_at: Instant,
        ctx: &mut Context<Self>,
    ) {
        let told = self.dependencies.presence_sync.ask(TeamsRead {
            begun_at,
            asked: call.users.clone(),
            observations,
        });
        ctx.spawn(told.into_actor(self).map(move |reception, actor, ctx| {
            if let Ok(reception) = reception {
                actor.learn(&call, answered_at, reception);
                actor.look_later(ctx);
            }
        }));
    }

    /// Learns from what became of a read who is lively, and what no notification had told.
    fn learn(&mut self, call: &Call, answered_at: Instant, reception: Reception) {
        let now = answered_at.into_std();
        let on_the_phone: HashSet<&TeamsId> = reception.on_the_phone.iter().collect();
        for user in &call.users {
            self.cadence.note_phone(user, on_the_phone.contains(user), now);
        }
        self.cadence.note_changes(&reception.changed, now);
        for user in reception.changed {
            if !call.ordered.contains(&user) && self.cadence.watch_of(&user) != Watch::Nobody {
                self.status.found_first += 1;
                self.finds.entry(user).or_insert(answered_at);
            }
        }
    }

    fn put_back(&mut self, begun_at: DateTime<Utc>, call: Call, error: &GraphError, ctx: &mut Context<Self>) {
        self.status.failures += 1;
        if lies_with_the_users(error) {
            let now = Instant::now();
            match self.cadence.refused(call.clone(), now.into_std()) {
                Refusal::Halved => return,
                Refusal::Alone => {
                    log::info!("graph refuses to read the presence of one user: {error}");
                    return self.tell(begun_at, call, Vec::new(), now, ctx);
                }
                Refusal::Everything => {}
            }
        } else {
            self.cadence.failed(call);
        }
        self.status.last_failure = Some(error.to_string());
        self.status.lacks_permission = error.lacks_permission();
        self.pause(error, ctx);
    }

    fn pause(&mut self, error: &GraphError, ctx: &mut Context<Self>) {
        // calls that were under way with the one that failed say nothing new, unless they know when to ask again
        if self.paused_until.is_some() && error.wait().is_none() {
            return;
        }
        let wait = self.outage.fail_with(error, "teams presence cannot be read");
        let until = Instant::now() + wait;
        if self.paused_until.is_none_or(|before| before < until) {
            self.paused_until = Some(until);
            ctx.run_later(wait, move |actor, ctx| {
                if actor.paused_until == Some(until) {
                    actor.paused_until = None;
                    actor.read(ctx);
                }
            });
        }
    }
}

/// Whether Graph may dislike one of the ids that it was asked for (graph.md 6.2: 400 malformed, 404 unknown).
fn lies_with_the_users(error: &GraphError) -> bool {
    matches!(
        error,
        GraphError::Refused {
            status: 400 | 404,
            ..
        }
    )
}
