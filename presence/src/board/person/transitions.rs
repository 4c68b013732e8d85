//! What is noted of one person for the timeline, and when it makes a transition.

use chrono::{DateTime, Utc};

use super::super::alien_side::in_words;
use super::super::pbx_sight::{ON_THE_PHONE, PbxSight};
use super::super::sight::Verdict;
use super::super::transition::{Place, Planned, Seen, Side, Transition};
use super::super::{Outcome, Rules};
use super::{Person, Step};
use crate::teams::{Source, TeamsObservation, TeamsPresence};

/// What a look at Teams may change.
#[derive(PartialEq)]
pub(super) struct AsShown {
    /// Whether Teams has been seen before.
    known: bool,
    /// Whether Teams shows what was looked at.
    same: bool,
    overridden: bool,
    /// Whether the status message is the user's own, who has a note at the PBX.
    own_words: bool,
    missing: bool,
}

impl Person {
    pub(super) fn as_shown(&self, observed: &TeamsPresence) -> AsShown {
        let preferred = self.side.preferred.as_ref();
        AsShown {
            known: self.teams.presence.is_some(),
            same: self.teams.presence.as_ref() == Some(observed),
            overridden: preferred.is_some_and(|claim| !claim.holds()),
            own_words: self.message.is_given_up(),
            missing: self.teams.missing,
        }
    }

    /// Notes a look at Teams that told something new.
    pub(super) fn note_teams(&mut self, observation: &TeamsObservation, verdict: Verdict, before: &AsShown) {
        if before.same && *before == self.as_shown(&observation.presence) {
            return;
        }
        let (place, at) = match observation.source {
            Source::Notified { received_at } => (Place::TeamsNotified, received_at),
            Source::Read { begun_at } => (Place::TeamsRead, begun_at),
        };
        let seen = Seen {
            place,
            what: observation.presence.to_string(),
            verdict: Some(verdict),
            at: Some(at),
        };
        self.journal.note(seen, before.known);
    }

    /// Notes a presence at the PBX that differs from the one before, and an entry of ours that is not what we wrote.
    pub(in super::super) fn note_presence(
        &mut self,
        pbx: &PbxSight,
        before: Option<&(bool, Option<String>)>,
    ) {
        let same = before.is_some_and(|(phone, choice)| {
            pbx.phone_entry == Some(*phone) && pbx.choice.as_ref() == choice.as_ref()
        });
        if !same {
            let what = match (pbx.phone_entry, &pbx.choice) {
                (Some(true), _) => ON_THE_PHONE,
                (_, Some(choice)) if !choice.is_empty() => choice,
                _ => "none",
            };
            self.note(Place::PbxEntry, what, before.is_some());
        }
        if let Some(own) = pbx.own_entry.as_ref().filter(|own| self.entry.contradicts(own)) {
            self.note(Place::PbxEntry, format!("our entry shows '{own}'"), true);
        }
    }

    /// Notes a renewal that was not taken; one that was is no news.
    pub(super) fn note_renewal(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted => {}
            Outcome::Failed { .. } => self.note(Place::Clock, "teams gave no answer to a renewal", true),
            Outcome::Refused { message, .. } => {
                self.note(Place::Clock, format!("teams refused a renewal: {message}"), true);
            }
        }
    }

    /// Notes something that was seen elsewhere; a first look is no news.
    pub(in super::super) fn note(&mut self, place: Place, what: impl Into<String>, news: bool) {
        self.journal.note_plainly(place, what, news);
    }

    /// Makes a transition of what was seen and decided, unless nothing has happened.
    pub(super) fn transition(
        &mut self,
        step: &Step,
        pbx: &PbxSight,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> Option<Transition> {
        let receipts = [
            self.side.held_back.take_receipt(),
            self.message.held_back.take_receipt(),
            self.entry.held_back.take_receipt(),
            self.alien.held_back.take_receipt(),
        ];
        let held: Vec<_> = receipts.into_iter().flatten().collect();
        let set = step
            .teams
            .as_ref()
            .filter(|_| !self.side.renews())
            .map(|write| Planned {
                side: Side::Teams,
                what: write.change.to_string(),
            });
        let said = step
            .message
            .as_ref()
            .filter(|_| !self.message.renews())
            .map(|write| Planned {
                side: Side::TeamsNote,
                what: write.change.to_string(),
            });
        let call = step.alien_call.as_ref().map(|write| Planned {
            side: Side::PbxCall,
            what: in_words(write.on).to_owned(),
        });
        let shown = step.entry.as_ref().map(|write| Planned {
            side: Side::Pbx,
            what: write.activity.clone(),
        });
        let planned: Vec<_> = set.into_iter().chain(said).chain(call).chain(shown).collect();
        if planned.is_empty() && held.is_empty() && !self.journal.has_news() {
            return None;
        }
        let standing = self.standing(pbx, now, rules);
        let note = self.note_standing(pbx, now, rules);
        Some(Transition {
            user: self.member.pbx.guid.clone(),
            seen: self.journal.take(),
            why: self.why_with_note(standing.as_ref(), note.as_ref(), pbx, now, rules),
            planned,
            held,
        })
    }
}
