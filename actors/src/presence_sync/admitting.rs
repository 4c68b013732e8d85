//! Who comes on the board: everybody of the roster for whom there is a place.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::board::Member;
use m365_presence::identity::TeamsId;

use super::PresenceSync;
use crate::license_check::Roster;
use crate::presence_subscription::GetUnserved;
use crate::presence_sweep::SetWatched;
use crate::supervision::Context;

/// Whoever assigns the places is being restarted and is asked again after this.
const ASKED_AGAIN: Duration = Duration::from_secs(1);

impl PresenceSync {
    /// Takes in a roster, less those who are neither watched by a subscription nor read in bulk: what Teams shows of
    /// them would never be renewed.
    pub(super) fn admit(&mut self, roster: Roster, ctx: &mut Context<Self>) {
        self.rosters += 1;
        self.roster = Some(roster.clone());
        let Some(admission) = &self.dependencies.admission else {
            self.set_roster(&roster, &BTreeSet::new(), ctx);
            return;
        };
        let number = self.rosters;
        let unserved = admission.ask(GetUnserved(roster.clone()));
        ctx.spawn(unserved.into_actor(self).map(move |unserved, actor, ctx| {
            if actor.rosters != number {
                return;
            }
            match unserved {
                Ok(unserved) => actor.set_roster(&roster, &unserved, ctx),
                Err(_gone) => {
                    ctx.run_later(ASKED_AGAIN, move |actor, ctx| {
                        if actor.rosters == number {
                            actor.admit(roster, ctx);
                        }
                    });
                }
            }
        }));
    }

    fn set_roster(&mut self, roster: &Roster, unserved: &BTreeSet<TeamsId>, ctx: &mut Context<Self>) {
        if self.releasing {
            return;
        }
        let is_served = |member: &&Member| !unserved.contains(&member.teams);
        let served = || roster.members.iter().filter(is_served);
        self.board
            .set_roster(served().cloned(), self.dependencies.clock.now());
        let watched: Arc<BTreeSet<TeamsId>> = Arc::new(served().map(|member| member.teams.clone()).collect());
        self.phones.retain(|user| watched.contains(user));
        self.watched = Some(Arc::clone(&watched));
        let told = self.dependencies.presence_sweep.ask(SetWatched(watched));
        ctx.spawn(told.into_actor(self).map(|_asks_again_when_back, _, _| ()));
        self.pump(ctx);
    }
}
