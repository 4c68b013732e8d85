//! What either side shows, as it comes in.

use std::collections::HashSet;

use actix::{Handler, MessageResult};
use chrono::{DateTime, Utc};
use m365_presence::board::Verdict;
use m365_presence::identity::TeamsId;
use m365_presence::teams::{Source, TeamsObservation};

use super::{PbxLost, PbxReached, PbxSeen, PresenceSync, Sighting, TeamsNotified, TeamsRead};
use crate::supervision::Context;

impl Handler<PbxSeen> for PresenceSync {
    type Result = ();

    fn handle(&mut self, message: PbxSeen, ctx: &mut Self::Context) {
        for sighting in message.sightings {
            match sighting {
                Sighting::Presence { user, entries } => {
                    if let Some(left) = self.board.see_presence(&message.pbx, &user, &entries) {
                        self.remove_left_behind(left, ctx);
                    }
                }
                Sighting::PresenceLost { user } => self.board.lose_presence(&user),
                Sighting::Calls { user, calls } => self.board.see_calls(&message.pbx, &user, calls),
            }
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
        let answered: HashSet<&TeamsId> = message
            .observations
            .iter()
            .map(|observation| &observation.user)
            .collect();
        for user in message.asked.iter().filter(|user| !answered.contains(user)) {
            self.board.miss_teams(user, message.begun_at);
        }
        let mut missed = Vec::new();
        for observation in &message.observations {
            let known = self.board.teams_presence(&observation.user);
            if known.is_some_and(|known| *known != observation.presence) {
                missed.push(observation.user.clone());
            }
            self.see(observation, now, ctx);
        }
        self.pump(ctx);
        MessageResult(missed)
    }
}

impl PresenceSync {
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
