//! How what the board wants leaves: the ledger first, then the writes, then the ledger again.

use std::rc::Rc;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::board::{AlienCallWrite, Due, EntryWrite, Outcome, Side};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::{BATCH_LIMIT, GraphError, PresenceWrite, refusal_words};

use super::PresenceSync;
use crate::fair_queue::FairQueue;
use crate::pbx_session::SetEntry;
use crate::presence_sweep::Read;
use crate::supervision::Context;

/// Requests to Graph that may be under way at a time.
const BATCHES: usize = 8;

/// Writes whose intents are stored.
struct Ready {
    teams: Vec<(PbxGuid, PresenceWrite)>,
    entries: Vec<EntryWrite>,
    alien_calls: Vec<AlienCallWrite>,
}

/// Of which side a write to Teams is.
fn side_of(write: &PresenceWrite) -> Side {
    if write.change.is_of_message() {
        Side::TeamsNote
    } else {
        Side::Teams
    }
}

impl PresenceSync {
    /// Asks the board what must be done now, lets it leave, and plans to ask again.
    pub(super) fn pump(&mut self, ctx: &mut Context<Self>) {
        let mut due = self.board.due(self.dependencies.clock.now());
        let decided_at = self.dependencies.clock.now();
        self.keep(std::mem::take(&mut due.transitions), decided_at, ctx);
        if self.releasing && self.board.has_released() {
            self.end_release();
        }
        self.carry_out(due, ctx);
        self.plan(ctx);
    }

    fn carry_out(&mut self, due: Due, ctx: &mut Context<Self>) {
        if !due.reads.is_empty() {
            let ordered = self.dependencies.presence_sweep.ask(Read { users: due.reads });
            ctx.spawn(
                ordered
                    .into_actor(self)
                    .map(|_sweeps_everybody_when_back, _, _| ()),
            );
        }
        let ready = Ready {
            teams: due.teams,
            entries: due.entries,
            alien_calls: due.alien_calls,
        };
        if due.ledger.is_empty() {
            self.let_leave(ready, ctx);
            return;
        }
        let store = Rc::clone(&self.dependencies.store);
        let stored = async move { store.change_ledger(&due.ledger).await };
        ctx.spawn(stored.into_actor(self).map(move |stored, actor, ctx| {
            if let Err(error) = stored {
                log::error!("the ledger cannot be written, a crash may leave something behind: {error}");
            }
            actor.let_leave(ready, ctx);
        }));
    }

    fn let_leave(&mut self, ready: Ready, ctx: &mut Context<Self>) {
        for (user, write) in ready.teams {
            let queue = self.leaving.entry(write.urgency()).or_default();
            let home = self.board.home(&user).cloned();
            queue.push(home, (user, write));
        }
        self.write_teams(ctx);
        for entry in ready.entries {
            self.write_entry(entry, ctx);
        }
        for call in ready.alien_calls {
            self.write_alien_call(call, ctx);
        }
    }

    fn write_entry(&mut self, entry: EntryWrite, ctx: &mut Context<Self>) {
        let user = entry.user.clone();
        self.timeline
            .written(&user, Side::Pbx, self.dependencies.clock.now());
        let session = self.dependencies.sessions.carrying(&entry.pbx);
        let written = async move {
            match session {
                Some(session) => session
                    .ask(SetEntry(entry))
                    .await
                    .unwrap_or(Outcome::Failed { wait: None }),
                None => Outcome::Failed { wait: None },
            }
        };
        ctx.spawn(written.into_actor(self).map(move |outcome, actor, ctx| {
            match &outcome {
                Outcome::Accepted => actor.status.entries_accepted += 1,
                Outcome::Failed { .. } => actor.status.entries_failed += 1,
                Outcome::Refused { .. } => actor.status.entries_refused += 1,
            }
            let now = actor.dependencies.clock.now();
            actor.timeline.answered(&user, Side::Pbx, &outcome, now);
            actor.trace_outcome(&user, Side::Pbx, &outcome);
            let change = actor.board.entry_written(&user, &outcome, now);
            actor.store(change.into_iter().collect(), ctx);
            actor.pump(ctx);
        }));
    }

    /// Removes our entry where it stayed behind when its user moved. Where that PBX is away, nobody sees it either.
    pub(super) fn remove_left_behind(&self, left: EntryWrite, ctx: &mut Context<Self>) {
        if let Some(session) = self.dependencies.sessions.connected(&left.pbx) {
            let removed = session.ask(SetEntry(left));
            ctx.spawn(removed.into_actor(self).map(|_outcome_of_no_concern, _, _| ()));
        }
    }

    /// Lets as many writes leave as may be under way and as the tenant's pace allows.
    fn write_teams(&mut self, ctx: &mut Context<Self>) {
        while !self.slowed && self.batches_under_way < BATCHES && self.waiting_writes() > 0 {
            let allowed = self.pace.take(self.waiting_writes().min(BATCH_LIMIT));
            if allowed == 0 {
                self.slowed = true;
                ctx.run_later(self.pace.wait(), |actor, ctx| {
                    actor.slowed = false;
                    actor.write_teams(ctx);
                });
                return;
            }
            let (users, writes): (Vec<_>, Vec<_>) = self.most_urgent(allowed).into_iter().unzip();
            let sides = writes.iter().map(side_of);
            let written: Vec<(PbxGuid, Side)> = users.into_iter().zip(sides).collect();
            self.batches_under_way += 1;
            let now = self.dependencies.clock.now();
            for (user, side) in &written {
                self.timeline.written(user, *side, now);
            }
            let io = Rc::clone(&self.dependencies.presence_io);
            let answered = async move { io.write(&writes).await };
            ctx.spawn(answered.into_actor(self).map(move |results, actor, ctx| {
                actor.batches_under_way -= 1;
                actor.take_in(written, results, ctx);
                actor.write_teams(ctx);
            }));
        }
    }

    /// Number of writes to Teams that have not left yet.
    pub(super) fn waiting_writes(&self) -> usize {
        self.leaving.values().map(FairQueue::len).sum()
    }

    /// Takes so many writes out, the most urgent first.
    fn most_urgent(&mut self, allowed: usize) -> Vec<(PbxGuid, PresenceWrite)> {
        let queues = self.leaving.values_mut();
        let waiting = queues.flat_map(|queue| std::iter::from_fn(|| queue.pop()));
        waiting.take(allowed).collect()
    }

    fn take_in(
        &mut self,
        written: Vec<(PbxGuid, Side)>,
        results: Vec<Result<(), GraphError>>,
        ctx: &mut Context<Self>,
    ) {
        let now = self.dependencies.clock.now();
        let unanswered = std::iter::repeat_with(|| {
            Err(GraphError::Lost {
                detail: "no result".to_owned(),
            })
        });
        let mut changes = Vec::new();
        for ((user, side), result) in written.into_iter().zip(results.into_iter().chain(unanswered)) {
            let outcome = self.judge(&result);
            self.timeline.answered(&user, side, &outcome, now);
            self.trace_outcome(&user, side, &outcome);
            if side == Side::TeamsNote {
                changes.extend(self.board.message_written(&user, &outcome, now));
            } else {
                changes.extend(self.board.teams_written(&user, &outcome, now));
            }
        }
        self.store(changes, ctx);
        self.pump(ctx);
    }

    /// While Graph is out of reach the board decides nothing for Teams: what is wanted there is decided when it can be
    /// set, and leaves at once.
    pub(super) fn await_outage(&self, ctx: &mut Context<Self>) {
        let reachability = Rc::clone(&self.dependencies.reachability);
        let lost = async move {
            reachability.lost().await;
            reachability
        };
        ctx.spawn(lost.into_actor(self).map(|reachability, actor, ctx| {
            actor.board.lose_teams();
            let reached = async move { reachability.reached().await };
            ctx.spawn(reached.into_actor(actor).map(|(), actor, ctx| {
                actor.board.reach_teams();
                actor.pump(ctx);
                actor.await_outage(ctx);
            }));
        }));
    }

    fn judge(&mut self, result: &Result<(), GraphError>) -> Outcome {
        match result {
            Ok(()) => {
                self.status.teams_accepted += 1;
                self.status.lacks_permission = None;
                Outcome::Accepted
            }
            Err(GraphError::Throttled { retry_after }) => {
                self.status.teams_failed += 1;
                self.pace.throttled(*retry_after);
                Outcome::Failed {
                    wait: Some(*retry_after),
                }
            }
            // 401 after a fresh token, 409 and 423 are about this moment, not about the write
            Err(
                GraphError::Lost { .. }
                | GraphError::Unreachable { .. }
                | GraphError::NotSignedIn { .. }
                | GraphError::Refused {
                    status: 401 | 409 | 423,
                    ..
                },
            ) => {
                self.status.teams_failed += 1;
                Outcome::Failed { wait: None }
            }
            Err(GraphError::Refused {
                status,
                code,
                message,
            }) => {
                let words = refusal_words(*status, code, message);
                self.status.teams_refused += 1;
                if *status == 403 {
                    self.status.lacks_permission = Some(words.clone());
                }
                if self.status.teams_refused == 1 {
                    log::warn!("teams refuses a presence write: {words}");
                }
                Outcome::Refused {
                    message: words,
                    gone: *status == 404,
                }
            }
        }
    }

    /// Plans to ask the board again at its next deadline, unless that is planned already.
    fn plan(&mut self, ctx: &mut Context<Self>) {
        let now = self.dependencies.clock.now();
        let Some(at) = self.board.next_deadline(now) else {
            return;
        };
        if self.waking_at.is_some_and(|waking_at| waking_at <= at) {
            return;
        }
        self.waking_at = Some(at);
        self.timer += 1;
        let timer = self.timer;
        let wait = (at - now).to_std().unwrap_or_default() + Duration::from_millis(1);
        ctx.run_later(wait, move |actor, ctx| {
            if actor.timer == timer {
                actor.waking_at = None;
                actor.pump(ctx);
            }
        });
    }
}
