//! Writes of our presence entry (pbx.md 3).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use actix::{AsyncContext, Handler, ResponseFuture};
use m365_presence::board::{EntryWrite, Outcome};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::PbxOrder;
use tokio::sync::oneshot;

use super::{PbxSession, SetEntry};
use crate::supervision::Context;

/// A write of our entry that is not answered in this time after it left has failed.
const ENTRY_DEADLINE: Duration = Duration::from_secs(10);

/// Writes that may be unanswered: a whole department that goes to lunch must not time out behind itself.
const UNDER_WAY: usize = 100;

/// A write that is not permitted is tried again after this time.
const UNPERMITTED_PAUSE: Duration = Duration::from_secs(1);

/// Who wants to know what became of a write.
type Asker = oneshot::Sender<Outcome>;

/// The writes that a session carries out.
#[derive(Default)]
pub(super) struct Entries {
    under_way: HashMap<PbxGuid, (u64, Asker)>,
    waiting: VecDeque<(EntryWrite, Asker)>,
    next_number: u64,
}

impl Entries {
    fn ask(&mut self, write: EntryWrite) -> oneshot::Receiver<Outcome> {
        let (asker, outcome) = oneshot::channel();
        self.waiting.push_back((write, asker));
        outcome
    }

    /// Takes out the next write that may leave now, with a number of its own.
    fn next(&mut self) -> Option<(EntryWrite, u64)> {
        if self.under_way.len() >= UNDER_WAY {
            return None;
        }
        let (write, asker) = self.waiting.pop_front()?;
        self.next_number += 1;
        self.under_way
            .insert(write.user.clone(), (self.next_number, asker));
        Some((write, self.next_number))
    }

    fn give_up(&mut self, user: &PbxGuid, number: u64) {
        if self.under_way.get(user).is_some_and(|(late, _)| *late == number) {
            self.under_way.remove(user);
        }
    }

    /// Nobody will answer any more: whoever waits learns that the write failed.
    pub(super) fn fail(&mut self) {
        self.under_way.clear();
        self.waiting.clear();
    }
}

impl Handler<SetEntry> for PbxSession {
    type Result = ResponseFuture<Outcome>;

    fn handle(&mut self, message: SetEntry, ctx: &mut Self::Context) -> Self::Result {
        // unlike a lost connection, this passes without anybody telling of it
        if !self.dependencies.permit.is_granted() {
            return Box::pin(async {
                Outcome::Failed {
                    wait: Some(UNPERMITTED_PAUSE),
                }
            });
        }
        let outcome = self.entries.ask(message.0);
        self.write_entries(ctx);
        Box::pin(async move { outcome.await.unwrap_or(Outcome::Failed { wait: None }) })
    }
}

impl PbxSession {
    /// Lets as many writes leave as may be under way.
    pub(super) fn write_entries(&mut self, ctx: &mut Context<Self>) {
        while let Some((write, number)) = self.entries.next() {
            let user = write.user.clone();
            let order = PbxOrder::SetEntry {
                user: write.user,
                h323: write.h323,
                contact: self.dependencies.contact.clone(),
                activity: write.activity,
            };
            if !self.conversations.order(order) {
                self.entries.fail();
                break;
            }
            ctx.run_later(ENTRY_DEADLINE, move |actor, ctx| {
                actor.entries.give_up(&user, number);
                actor.write_entries(ctx);
            });
        }
        self.send(ctx);
    }

    /// Tells what became of a write.
    pub(super) fn end_entry(&mut self, user: &PbxGuid, outcome: Outcome, ctx: &mut Context<Self>) {
        if let Some((_, asker)) = self.entries.under_way.remove(user) {
            // who asked may be gone by now
            let _gone = asker.send(outcome);
        }
        self.write_entries(ctx);
    }
}
