//! Questions for single users between two rounds.
//!
//! No message tells of a license, but the PBX reports every change of a user, and a license may be among what changed.
//! Reports are collected for a moment, so that a flood of them leads to one question a second at most, and to none for
//! who is asked for by a round anyway.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::identity::PbxGuid;
use m365_presence::matching::Directory;

use super::{LicenseCheck, PARTLY_ANSWERED};
use crate::pbx_session::{CheckLicenses, LicenseRound};
use crate::supervision::Context;

/// Reported changes are collected this long.
const COLLECTED: Duration = Duration::from_secs(1);

impl LicenseCheck {
    /// Notes users who are to be asked for alone.
    pub(super) fn suspect(&mut self, users: BTreeSet<PbxGuid>, ctx: &mut Context<Self>) {
        self.suspects.extend(users);
        self.plan_recheck(ctx);
    }

    /// Notes users for whom the PBX answered with errors only.
    pub(super) fn suspect_later(&self, users: BTreeSet<PbxGuid>, ctx: &mut Context<Self>) {
        if !users.is_empty() {
            ctx.run_later(PARTLY_ANSWERED, move |actor, ctx| actor.suspect(users, ctx));
        }
    }

    /// Plans the next questions, unless they are planned or a round must end first.
    pub(super) fn plan_recheck(&mut self, ctx: &mut Context<Self>) {
        if self.checking || self.recheck_planned || self.suspects.is_empty() {
            return;
        }
        self.recheck_planned = true;
        ctx.run_later(COLLECTED, |actor, ctx| {
            actor.recheck_planned = false;
            if !actor.checking {
                actor.recheck(ctx);
            }
        });
    }

    /// Asks for those suspects who are matched; nobody else could be synchronised.
    fn recheck(&mut self, ctx: &mut Context<Self>) {
        let (Some(directory), Some(master)) = (self.directory.clone(), self.dependencies.sessions.master())
        else {
            // a round follows when the users are known and the master is back
            return;
        };
        let suspects = std::mem::take(&mut self.suspects);
        let users: Vec<_> = directory
            .pairs()
            .filter(|(user, _)| suspects.contains(&user.guid))
            .map(|(user, _)| (user.guid.clone(), user.h323.clone()))
            .collect();
        if users.is_empty() {
            return;
        }
        self.checking = true;
        let asked = async move { master.ask(CheckLicenses(users)).await.unwrap_or_default() };
        ctx.spawn(
            asked
                .into_actor(self)
                .map(move |round, actor, ctx| actor.take_in_recheck(directory, &round, ctx)),
        );
    }

    fn take_in_recheck(&mut self, directory: Arc<Directory>, round: &LicenseRound, ctx: &mut Context<Self>) {
        self.checking = false;
        self.status.rechecks += 1;
        self.suspect_later(round.faulty.iter().map(|(user, _)| user.clone()).collect(), ctx);
        if self.remember(&round.answers) {
            self.persist(ctx);
            // what is known of a few is no roster
            if self.status.told {
                self.publish(directory, ctx);
            }
        }
        self.go_on(ctx);
    }
}
