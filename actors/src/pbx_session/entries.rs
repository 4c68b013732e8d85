//! Writes of our presence entry (pbx.md 3).

use actix::{AsyncContext, Handler, ResponseFuture};
use m365_presence::board::Outcome;
use m365_presence::identity::PbxGuid;
use m365_presence::ports::PbxOrder;

use super::writes::DEADLINE;
use super::{PbxSession, SetEntry};
use crate::supervision::Context;

impl Handler<SetEntry> for PbxSession {
    type Result = ResponseFuture<Outcome>;

    fn handle(&mut self, message: SetEntry, ctx: &mut Self::Context) -> Self::Result {
        if let Some(unpermitted) = self.unpermitted() {
            return Box::pin(async { unpermitted });
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
                note: write.note,
            };
            if !self.conversations.order(order) {
                self.entries.fail();
                break;
            }
            ctx.run_later(DEADLINE, move |actor, ctx| {
                actor.entries.give_up(&user, number);
                actor.write_entries(ctx);
            });
        }
        self.send(ctx);
    }

    /// Tells what became of a write.
    pub(super) fn end_entry(&mut self, user: &PbxGuid, outcome: Outcome, ctx: &mut Context<Self>) {
        self.entries.end(user, outcome);
        self.write_entries(ctx);
    }
}
