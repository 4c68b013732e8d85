//! What is kept of the answers, and who is told of the roster that follows from them.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::board::Member;
use m365_presence::matching::Directory;
use m365_presence::ports::LicenseAnswer;

use super::{LicenseCheck, Roster, RosterChanged};
use crate::supervision::Context;

impl LicenseCheck {
    /// Users who are gone from the PBX take their answers with them.
    pub(super) fn forget_strangers(&mut self, directory: &Directory) -> bool {
        let before = self.answers.len();
        self.answers.retain(|user, _| directory.by_guid(user).is_some());
        self.answers.len() < before
    }

    pub(super) fn remember(&mut self, answers: &[LicenseAnswer]) -> bool {
        let mut changed = false;
        for answer in answers {
            changed |= self.answers.insert(answer.user.clone(), answer.held) != Some(answer.held);
        }
        changed
    }

    pub(super) fn persist(&self, ctx: &mut Context<Self>) {
        let answers: Vec<_> = self
            .answers
            .iter()
            .map(|(user, held)| LicenseAnswer {
                user: user.clone(),
                held: *held,
            })
            .collect();
        let store = Rc::clone(&self.dependencies.store);
        let stored = async move { store.put_license_answers(&answers).await };
        ctx.spawn(stored.into_actor(self).map(|stored, _, _| {
            if let Err(error) = stored {
                log::warn!("the license answers cannot be stored: {error}");
            }
        }));
    }

    pub(super) fn publish(&mut self, directory: Arc<Directory>, ctx: &mut Context<Self>) {
        let licensed: BTreeSet<_> = self
            .answers
            .iter()
            .filter(|(_, held)| **held)
            .map(|(user, _)| user.clone())
            .collect();
        let members: Vec<_> = directory
            .pairs()
            .filter(|(user, _)| licensed.contains(&user.guid))
            .map(|(user, teams)| Member {
                pbx: user.clone(),
                teams: teams.id.clone(),
            })
            .collect();
        let same = |known: &Roster| *known.members == members && Arc::ptr_eq(&known.directory, &directory);
        if self.status.told && self.roster.as_ref().is_some_and(same) {
            return;
        }
        log::info!(licensed = members.len(); "{} matched users hold the license", members.len());
        self.status.licensed = members.len();
        self.status.told = true;
        let roster = Roster {
            directory,
            members: Arc::new(members),
            licensed: Arc::new(licensed),
        };
        self.roster = Some(roster.clone());
        let (subscription, sync) = (
            self.dependencies.presence_subscription.clone(),
            self.dependencies.presence_sync.clone(),
        );
        let told = async move {
            let _asks_again_when_back = sync.ask(RosterChanged(roster.clone())).await;
            let _asks_again_when_back = subscription.ask(RosterChanged(roster)).await;
        };
        ctx.spawn(told.into_actor(self));
    }
}
