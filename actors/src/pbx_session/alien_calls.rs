//! Calls of ours that make the PBX treat users as busy (pbx.md 3.4): which connection can put them on, and their writes.

use actix::{AsyncContext, Handler, Message, ResponseFuture};
use m365_presence::board::{AlienCallWrite, Outcome};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::PbxOrder;

use super::writes::{DEADLINE, Writes};
use super::{ConnectionId, PbxSession};
use crate::presence_sync::AlienCallsTold;
use crate::supervision::Context;

/// Puts a call of ours on a user or takes it off.
#[derive(Message)]
#[rtype(result = "Outcome")]
pub struct SetAlienCall(pub AlienCallWrite);

/// The connection on which calls of ours stand, and the writes on their way there.
#[derive(Default)]
pub(super) struct AlienCalls {
    caller: Option<ConnectionId>,
    writes: Writes<AlienCallWrite>,
}

impl Handler<SetAlienCall> for PbxSession {
    type Result = ResponseFuture<Outcome>;

    fn handle(&mut self, message: SetAlienCall, ctx: &mut Self::Context) -> Self::Result {
        if let Some(unpermitted) = self.unpermitted() {
            return Box::pin(async { unpermitted });
        }
        let outcome = self.alien_calls.writes.ask(message.0);
        self.write_alien_calls(ctx);
        Box::pin(async move { outcome.await.unwrap_or(Outcome::Failed { wait: None }) })
    }
}

impl PbxSession {
    /// Lets as many writes leave as may be under way. What stands as it should is not ordered again: the PBX's answer was
    /// late.
    fn write_alien_calls(&mut self, ctx: &mut Context<Self>) {
        while let Some((write, number)) = self.alien_calls.writes.next() {
            let AlienCallWrite { user, h323, on, .. } = write;
            let stands = self.conversations.own_call(&user);
            if (on && stands == Some(true)) || (!on && stands.is_none()) {
                self.alien_calls.writes.end(&user, Outcome::Accepted);
                continue;
            }
            let order = PbxOrder::SetAlienCall {
                user: user.clone(),
                h323,
                on,
            };
            if !self.conversations.order(order) {
                self.alien_calls.writes.fail();
                break;
            }
            ctx.run_later(DEADLINE, move |actor, ctx| {
                actor.alien_calls.writes.give_up(&user, number);
                actor.write_alien_calls(ctx);
            });
        }
        self.send(ctx);
    }

    /// Tells what became of a write.
    pub(super) fn end_alien_call(&mut self, user: &PbxGuid, outcome: Outcome, ctx: &mut Context<Self>) {
        self.alien_calls.writes.end(user, outcome);
        self.write_alien_calls(ctx);
    }

    /// Tells when another connection than before, or none, can put calls of ours on users. What was put on by the one
    /// before ends: with it, or by order where it still stands.
    pub(super) fn note_caller(&mut self, ctx: &mut Context<Self>) {
        let caller = self.conversations.caller();
        if caller == self.alien_calls.caller {
            return;
        }
        self.alien_calls.caller = caller;
        self.alien_calls.writes.fail();
        self.conversations.end_own_calls_beside(caller);
        self.tell_alien_calls(ctx);
    }

    /// Tells whether calls of ours can be put on users, and which stand.
    pub(super) fn tell_alien_calls(&self, ctx: &mut Context<Self>) {
        let told = AlienCallsTold {
            pbx: self.dependencies.pbx.clone(),
            possible: self.alien_calls.caller.is_some(),
            calls: self.conversations.own_calls(),
        };
        self.tell_presence_sync(told, ctx);
    }
}
