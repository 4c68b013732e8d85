//! Writes of our presence entry (pbx.md 3).

use std::time::Duration;

use actix::{AsyncContext, Handler, ResponseFuture};
use m365_presence::board::{EntryWrite, Outcome};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::PbxOrder;
use tokio::sync::oneshot;

use super::{PbxSession, SetEntry};

/// A write of our entry that is not answered in this time has failed.
const ENTRY_DEADLINE: Duration = Duration::from_secs(10);

impl Handler<SetEntry> for PbxSession {
    type Result = ResponseFuture<Outcome>;

    fn handle(&mut self, message: SetEntry, ctx: &mut Self::Context) -> Self::Result {
        let EntryWrite {
            user, h323, activity, ..
        } = message.0;
        let order = PbxOrder::SetEntry {
            user: user.clone(),
            h323,
            contact: self.dependencies.contact.clone(),
            activity,
        };
        if !self.conversations.order(order) {
            return Box::pin(async { Outcome::Failed { wait: None } });
        }
        self.next_order += 1;
        let number = self.next_order;
        let (done, outcome) = oneshot::channel();
        self.entries_under_way.insert(user.clone(), (number, done));
        ctx.run_later(ENTRY_DEADLINE, move |actor, _| {
            if actor
                .entries_under_way
                .get(&user)
                .is_some_and(|(under_way, _)| *under_way == number)
            {
                actor.entries_under_way.remove(&user);
            }
        });
        self.send(ctx);
        Box::pin(async move { outcome.await.unwrap_or(Outcome::Failed { wait: None }) })
    }
}

impl PbxSession {
    /// Tells what became of a write.
    pub(super) fn end_entry(&mut self, user: &PbxGuid, outcome: Outcome) {
        if let Some((_, done)) = self.entries_under_way.remove(user) {
            // who asked may be gone by now
            let _gone = done.send(outcome);
        }
    }

    /// Nobody will answer any more: whoever waits learns that the write failed.
    pub(super) fn fail_entries_under_way(&mut self) {
        self.entries_under_way.clear();
    }
}
