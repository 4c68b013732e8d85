//! The user's words on either side: the note of our entry, and the status message in Teams.

use chrono::{DateTime, Utc};

use super::super::message_side::{NoteStanding, Noted};
use super::super::pbx_sight::PbxSight;
use super::super::teams_side::Scene;
use super::super::transition::Place;
use super::super::{Outcome, Rules};
use super::Person;
use crate::note::as_note;
use crate::ports::LedgerChange;

impl Person {
    /// Notes that the user's note at the PBX is another, without its text.
    pub(in super::super) fn note_words(&mut self, pbx: &PbxSight, news: bool) {
        let what = match &pbx.note {
            Some(Some(_)) => "another note",
            Some(None) | None => "no note",
        };
        self.note(Place::PbxNote, what, news);
    }

    /// Takes in the outcome of the write of the status message that was under way.
    pub(in super::super) fn message_written(
        &mut self,
        outcome: &Outcome,
        pbx: &PbxSight,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> Option<LedgerChange> {
        let scene = Scene::of(&self.member, self.leaving, pbx, now, rules);
        let renewed = self.message.renews();
        let noted = self.message.written(outcome, scene);
        if renewed {
            self.note_renewal(outcome);
        }
        self.take_note(noted)
    }

    /// Takes in what is known anew of the status message.
    pub(super) fn take_note(&mut self, noted: Noted) -> Option<LedgerChange> {
        if let Some(at) = noted.read_at {
            self.order_read(at);
        }
        if noted.empty {
            self.teams.note = Some(String::new());
        }
        noted.change
    }

    /// The note of our entry: the status message of Teams, as long as it stands there.
    /// What we made Teams say is not carried back.
    pub(super) fn decide_note(&self, pbx: &PbxSight, now: DateTime<Utc>, rules: &Rules) -> String {
        let shown = rules.notes_to_pbx && rules.direction.teams_to_pbx && !self.leaving;
        let scene = Scene::of(&self.member, self.leaving, pbx, now, rules);
        let note = self
            .teams
            .note
            .as_deref()
            .filter(|note| shown && !note.is_empty());
        note.filter(|note| !self.message.explains(note, scene))
            .map(as_note)
            .unwrap_or_default()
    }

    /// How it stands with the PBX's note in Teams.
    pub(in super::super) fn note_standing(
        &self,
        pbx: &PbxSight,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> Option<NoteStanding> {
        let scene = Scene::of(&self.member, self.leaving, pbx, now, rules);
        self.message.standing(&self.side.pace, scene)
    }
}
