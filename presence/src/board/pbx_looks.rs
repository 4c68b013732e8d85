//! What the PBXs tell: presence, calls, and that they tell nothing any more.

use chrono::{DateTime, Utc};

use super::{Board, EntryWrite, Member, Place};
use crate::identity::{PbxGuid, PbxName};
use crate::mapping::Meaning;
use crate::pbx::PresenceEntry;

impl Board {
    /// Takes in a user's whole presence at the PBX. Answers what must be removed at another PBX, where our entry has
    /// stayed behind when the user moved; nobody needs to know what becomes of that.
    pub fn see_presence(
        &mut self,
        pbx: &PbxName,
        user: &PbxGuid,
        entries: &[PresenceEntry],
    ) -> Option<EntryWrite> {
        let sight = self.sights.entry(user.clone()).or_default();
        let before = sight.phone_entry.map(|phone| (phone, sight.choice.clone()));
        let noted_before = self.rules.notes_to_teams.then(|| sight.note.clone());
        let left_behind = sight.see_presence(pbx, entries, &self.rules.contact);
        let unknown = sight
            .choice
            .clone()
            .filter(|choice| self.rules.pbx_to_teams.map(choice) == Meaning::Unknown);
        if let (Some(person), Some(own)) = (self.people.get_mut(user), &sight.own_entry) {
            person.note_presence(sight, before.as_ref());
            if let Some(before) = noted_before.filter(|before| *before != sight.note) {
                person.note_words(sight, before.is_some());
            }
            person.see_entry(own, &sight.own_note);
        }
        self.dirty.insert(user.clone());
        if let Some(activity) = unknown {
            self.count_unmapped(activity);
        }
        let person = self.people.get(user)?;
        Some(EntryWrite {
            user: user.clone(),
            h323: person.member.pbx.h323.clone(),
            pbx: left_behind?,
            activity: String::new(),
            note: String::new(),
        })
    }

    /// Notes that a user's presence is not followed any more.
    pub fn lose_presence(&mut self, user: &PbxGuid) {
        if let Some(sight) = self.sights.get_mut(user) {
            sight.lose_presence();
            self.dirty.insert(user.clone());
        }
    }

    /// Takes in the number of calls that a user has at a PBX; other PBXs than the user's own know nothing of them.
    pub fn see_calls(&mut self, pbx: &PbxName, user: &PbxGuid, calls: u32) {
        let elsewhere = |member: &Member| !member.pbx.home.as_str().is_empty() && member.pbx.home != *pbx;
        if self.roster.get(user).is_some_and(elsewhere) {
            return;
        }
        let sight = self.sights.entry(user.clone()).or_default();
        let before = sight.calls.get(pbx).map(|told| told.number);
        sight.see_calls(pbx, calls);
        if before != Some(calls)
            && (calls > 0 || before.is_some())
            && let Some(person) = self.people.get_mut(user)
        {
            person.note(Place::Calls, format!("{calls} calls"), before.is_some());
        }
        self.dirty.insert(user.clone());
    }

    /// Notes that a PBX does not tell of calls any more, while it may tell of presence: what it told counts until the
    /// lease ends that stands for it.
    pub fn lose_lines(&mut self, pbx: &PbxName) {
        for (user, sight) in &mut self.sights {
            sight.lose_calls(pbx);
            self.dirty.insert(user.clone());
        }
    }

    /// Notes that a PBX tells nothing any more: what it told stays, but is not renewed.
    pub fn lose_pbx(&mut self, pbx: &PbxName) {
        for (user, sight) in &mut self.sights {
            sight.lose(pbx);
            self.dirty.insert(user.clone());
        }
    }

    /// Lets writes leave at once that waited because the PBX could not be reached.
    pub fn reach_pbx(&mut self) {
        for (user, person) in &mut self.people {
            person.end_entry_hold();
            self.dirty.insert(user.clone());
        }
    }

    /// Looks anew at a user, by order: Teams is read, and what was refused or waits for an answer may leave at once.
    pub fn resync(&mut self, user: &PbxGuid, now: DateTime<Utc>) {
        if let Some(person) = self.people.get_mut(user) {
            person.resync(now);
            self.dirty.insert(user.clone());
        }
    }

    /// Notes that Teams cannot be written: what is wanted there is decided when it can be, and not before.
    pub fn lose_teams(&mut self) {
        self.teams_in_reach = false;
    }

    /// Notes that Teams can be written again, and lets everything leave at once that waited for it.
    pub fn reach_teams(&mut self) {
        self.teams_in_reach = true;
        for (user, person) in &mut self.people {
            person.end_teams_hold();
            self.dirty.insert(user.clone());
        }
    }
}
