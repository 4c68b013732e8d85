//! Calls of ours at the PBXs: where they can be put on, which stand, and how they leave.

use actix::{ActorFutureExt, AsyncContext, Handler, Message, WrapFuture};
use m365_presence::board::{AlienCallWrite, Outcome, Side};
use m365_presence::identity::{PbxGuid, PbxName};

use super::PresenceSync;
use crate::pbx_session::SetAlienCall;
use crate::supervision::Context;

/// Another connection of a PBX than before, or none, can put calls of ours on its users.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AlienCallsTold {
    /// Which PBX.
    pub pbx: PbxName,
    /// Whether there is such a connection.
    pub possible: bool,
    /// The calls of ours that may stand on it, and whether each surely does.
    pub calls: Vec<(PbxGuid, bool)>,
}

impl Handler<AlienCallsTold> for PresenceSync {
    type Result = ();

    fn handle(&mut self, message: AlienCallsTold, ctx: &mut Self::Context) {
        let AlienCallsTold { pbx, possible, calls } = message;
        let now = self.dependencies.clock.now();
        self.board.change_alien_calls(&pbx, possible, now);
        for (user, confirmed) in calls {
            self.board.see_alien_call(&pbx, &user, confirmed, now);
        }
        self.pump(ctx);
    }
}

impl PresenceSync {
    /// Puts a call of ours on a user or takes it off, at the PBX where it is to stand: calls are local.
    pub(super) fn write_alien_call(&mut self, call: AlienCallWrite, ctx: &mut Context<Self>) {
        let user = call.user.clone();
        self.timeline
            .written(&user, Side::PbxCall, self.dependencies.clock.now());
        let session = self.dependencies.sessions.connected(&call.pbx);
        let written = async move {
            match session {
                Some(session) => session
                    .ask(SetAlienCall(call))
                    .await
                    .unwrap_or(Outcome::Failed { wait: None }),
                None => Outcome::Failed { wait: None },
            }
        };
        ctx.spawn(written.into_actor(self).map(move |outcome, actor, ctx| {
            match &outcome {
                Outcome::Accepted => actor.status.alien_calls_accepted += 1,
                Outcome::Failed { .. } => actor.status.alien_calls_failed += 1,
                Outcome::Refused { .. } => actor.status.alien_calls_refused += 1,
            }
            let now = actor.dependencies.clock.now();
            actor.timeline.answered(&user, Side::PbxCall, &outcome, now);
            let change = actor.board.alien_call_written(&user, &outcome, now);
            actor.store(change.into_iter().collect(), ctx);
            actor.pump(ctx);
        }));
    }
}
