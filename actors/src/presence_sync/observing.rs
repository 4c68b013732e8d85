//! What either side shows, as it comes in.

use std::collections::HashSet;

use actix::{ActorFutureExt, AsyncContext, Handler, MessageResult, WrapFuture};
use chrono::{DateTime, Utc};
use m365_presence::board::Verdict;
use m365_presence::identity::{PbxGuid, TeamsId};
use m365_presence::teams::{Source, TeamsObservation};

use super::{
    PbxLost, PbxReached, PbxSeen, PresenceSync, Reception, Resync, Sighting, TeamsNotified, TeamsRead,
};
use crate::pbx_session::Resubscribe;
use crate::presence_sweep::PhonesChanged;
use crate::supervision::Context;

impl Handler<PbxSeen> for PresenceSync {
    type Result = ();

    fn handle(&mut self, message: PbxSeen, ctx: &mut Self::Context) {
        self.opened_at = Some(self.dependencies.clock.now());
        let mut seen = Vec::new();
        for sighting in message.sightings {
            match &sighting {
                Sighting::Presence { user, .. }
                | Sighting::PresenceLost { user }
                | Sighting::Calls { user, .. } => seen.push(user.clone()),
                Sighting::LinesLost => {}
            }
            match sighting {
                Sighting::Presence { user, entries } => {
                    if let Some(left) = self.board.see_presence(&message.pbx, &user, &entries) {
                        self.remove_left_behind(left, ctx);
                    }
                }
                Sighting::PresenceLost { user } => self.board.lose_presence(&user),
                Sighting::Calls { user, calls } => self.board.see_calls(&message.pbx, &user, calls),
                Sighting::LinesLost => self.board.lose_lines(&message.pbx),
            }
        }
        self.tell_phones(&seen, ctx);
        self.pump(ctx);
    }
}

impl Handler<Resync> for PresenceSync {
    type Result = ();

    fn handle(&mut self, message: Resync, ctx: &mut Self::Context) {
        let Resync { user } = message;
        self.board.resync(&user, self.dependencies.clock.now());
        for (_, session) in self.dependencies.sessions.all() {
            let asked = session.ask(Resubscribe { user: user.clone() });
            ctx.spawn(asked.into_actor(self).map(|_tells_all_when_back, _, _| ()));
        }
        self.pump(ctx);
    }
}

impl Handler<PbxLost> for PresenceSync {
    type Result = ();

    fn handle(&mut self, message: PbxLost, ctx: &mut Self::Context) {
        self.board.lose_pbx(&message.pbx);
        self.pump(ctx);
    }
}

impl Handler<PbxReached> for PresenceSync {
    type Result = ();

    fn handle(&mut self, _message: PbxReached, ctx: &mut Self::Context) {
        self.board.reach_pbx();
        self.pump(ctx);
    }
}

impl Handler<TeamsNotified> for PresenceSync {
    type Result = ();

    fn handle(&mut self, message: TeamsNotified, ctx: &mut Self::Context) {
        let now = self.dependencies.clock.now();
        self.opened_at = Some(now);
        for observation in &message.observations {
            self.see(observation, now, ctx);
        }
        for hint in &message.hints {
            self.board.order_read(hint, now);
        }
        self.pump(ctx);
    }
}

impl Handler<TeamsRead> for PresenceSync {
    type Result = MessageResult<TeamsRead>;

    fn handle(&mut self, message: TeamsRead, ctx: &mut Self::Context) -> Self::Result {
        let now = self.dependencies.clock.now();
        self.opened_at = Some(now);
        let answered: HashSet<&TeamsId> = message
            .observations
            .iter()
            .map(|observation| &observation.user)
            .collect();
        for user in message.asked.iter().filter(|user| !answered.contains(user)) {
            self.board.miss_teams(user, message.begun_at);
        }
        let mut changed = Vec::new();
        for observation in &message.observations {
            let known = self.board.teams_presence(&observation.user);
            if known.is_some_and(|known| *known != observation.presence) {
                changed.push(observation.user.clone());
            }
            self.see(observation, now, ctx);
        }
        self.pump(ctx);
        let is_on_the_phone = |user: &&TeamsId| self.board.is_on_the_phone(user);
        MessageResult(Reception {
            changed,
            on_the_phone: message.asked.iter().filter(is_on_the_phone).cloned().collect(),
        })
    }
}

impl PresenceSync {
    /// Tells the sweep who has begun or ended to be on the phone.
    fn tell_phones(&mut self, seen: &[PbxGuid], ctx: &mut Context<Self>) {
        let mut changes = Vec::new();
        for user in seen {
            let Some(teams) = self.board.teams_user_of(user) else {
                continue;
            };
            let on_the_phone = self.board.is_on_the_phone(teams);
            let changed = if on_the_phone {
                self.phones.insert(teams.clone())
            } else {
                self.phones.remove(teams)
            };
            if changed {
                changes.push((teams.clone(), on_the_phone));
            }
        }
        if !changes.is_empty() {
            let told = self.dependencies.presence_sweep.ask(PhonesChanged(changes));
            ctx.spawn(told.into_actor(self).map(|_learns_with_its_next_read, _, _| ()));
        }
    }

    fn see(&mut self, observation: &TeamsObservation, now: DateTime<Utc>, ctx: &mut Context<Self>) {
        let unmapped = self.board.unmapped().len();
        let (verdict, changes) = self.board.see_teams(observation, now);
        match (verdict, observation.source) {
            (Some(Verdict::Old | Verdict::Doubted), _) => self.status.outdated += 1,
            (Some(_), Source::Notified { .. }) => self.status.notified += 1,
            (Some(_), Source::Read { .. }) => self.status.read += 1,
            (None, _) => {}
        }
        if self.board.unmapped().len() > unmapped {
            let presence = &observation.presence;
            log::warn!(
                "teams shows {}/{}, for which the mapping has no row: the last known state stays; add a row to [mapping.teams_to_pbx]",
                presence.availability,
                presence.activity
            );
        }
        self.store(changes, ctx);
    }
}
