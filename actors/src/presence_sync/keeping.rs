//! How transitions are kept: in memory at once, in the store a little later, and told from both.

use std::rc::Rc;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, Handler, Message, ResponseFuture, WrapFuture};
use chrono::{DateTime, Utc};
use m365_presence::board::{Outcome, Side, Transition};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::StoreError;
use m365_presence::timeline::Item;

use tokio::time::timeout;

use super::PresenceSync;
use crate::supervision::Context;

/// Transitions are collected this long before they are stored: what must be stored at once goes before them.
const PAUSE: Duration = Duration::from_secs(1);

/// The stored part of a timeline is left out when it is not there in this time.
const PATIENCE: Duration = Duration::from_secs(1);

/// Transitions that are stored in one go: few enough that the ledger never waits long.
const AT_ONCE: usize = 500;

/// Asks for a user's last transitions before a number, newest first.
#[derive(Message)]
#[rtype(result = "Vec<Item>")]
pub struct GetTimeline {
    /// Whose.
    pub user: PbxGuid,
    /// The number of the last one that is known already.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: usize,
}

impl Handler<GetTimeline> for PresenceSync {
    type Result = ResponseFuture<Vec<Item>>;

    fn handle(&mut self, message: GetTimeline, _ctx: &mut Self::Context) -> Self::Result {
        let GetTimeline { user, before, limit } = message;
        let mut items = self.timeline.of(&user, before, limit);
        let before = items.last().map(|item| item.number).or(before);
        let missing = limit.saturating_sub(items.len());
        if missing == 0 {
            return Box::pin(async { items });
        }
        let store = Rc::clone(&self.dependencies.timeline);
        Box::pin(async move {
            match timeout(PATIENCE, store.timeline(&user, before, missing)).await {
                Ok(Ok(older)) => items.extend(older),
                Ok(Err(error)) => {
                    log::warn!("the stored part of a timeline cannot be read: {error}");
                }
                Err(_elapsed) => {
                    log::warn!(
                        "the stored part of a timeline is missing, the database does not answer in time"
                    );
                }
            }
            items
        })
    }
}

impl PresenceSync {
    /// Goes on with the numbers of what is stored.
    pub(super) fn resume_numbers(&self, ctx: &mut Context<Self>) {
        let store = Rc::clone(&self.dependencies.timeline);
        let newest = async move { store.newest_in_timeline().await };
        // nothing waits for it: only a clock that was set back makes it matter
        ctx.spawn(newest.into_actor(self).map(|newest, actor, _| {
            if let Ok(Some(newest)) = newest {
                actor.timeline.resume(newest);
            }
        }));
    }

    pub(super) fn keep(&mut self, transitions: Vec<Transition>, now: DateTime<Utc>, ctx: &mut Context<Self>) {
        let opened_at = self.opened_at.take().unwrap_or(now);
        for transition in transitions {
            self.trace(&transition);
            self.timeline.record(transition, opened_at, now);
        }
        self.store_later(ctx);
    }

    /// Tells whoever traces the user what was seen and decided.
    fn trace(&self, transition: &Transition) {
        if !log::log_enabled!(log::Level::Debug) {
            return;
        }
        let seen = transition.seen.iter();
        let seen: Vec<String> = seen
            .map(|seen| format!("{:?}: '{}'", seen.place, seen.what))
            .collect();
        let planned = transition.planned.iter();
        let planned: Vec<String> = planned
            .map(|write| format!("{:?} '{}'", write.side, write.what))
            .collect();
        log::debug!(
            user = self.name(&transition.user), seen = seen.join(", "), write = planned.join(", ");
            "decided: {}", transition.why
        );
    }

    /// Tells whoever traces the user what became of a write.
    pub(super) fn trace_outcome(&self, user: &PbxGuid, side: Side, outcome: &Outcome) {
        log::debug!(user = self.name(user), side:? = side, outcome:? = outcome; "a write was answered");
    }

    fn name(&self, user: &PbxGuid) -> &str {
        self.board.name(user).unwrap_or_default()
    }

    /// Plans to store what is finished, unless that is planned already.
    pub(super) fn store_later(&mut self, ctx: &mut Context<Self>) {
        if self.storing || !self.timeline.has_finished() {
            return;
        }
        self.storing = true;
        ctx.run_later(PAUSE, |actor, ctx| {
            let rows = actor.timeline.take_finished(AT_ONCE);
            let lost = u64::try_from(rows.len()).unwrap_or_default();
            let store = Rc::clone(&actor.dependencies.timeline);
            let stored = async move { store.add_to_timeline(&rows).await };
            ctx.spawn(stored.into_actor(actor).map(move |stored, actor, ctx| {
                actor.note_stored(&stored, lost);
                actor.storing = false;
                actor.store_later(ctx);
            }));
        });
    }

    /// What could not be stored stays in memory as long as there is room; nothing waits for it.
    fn note_stored(&mut self, stored: &Result<(), StoreError>, lost: u64) {
        let Err(error) = stored else { return };
        if self.status.transitions_lost == 0 {
            log::warn!("the timeline cannot be stored and is kept in memory only: {error}");
        }
        self.status.transitions_lost += lost;
    }
}
