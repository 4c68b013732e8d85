//! The board: per user what either side shows, what we set there, and what follows from it.
//!
//! The board is a value. Observations and outcomes go in with the present time, [`Board::due`] answers what must be
//! done now, and [`Board::next_deadline`] when to ask again. Nothing here waits, sends or stores.
//!
//! A person is on the board while the roster names it, and afterwards as *leaving* until everything of ours is released
//! on both sides. A person whose counterpart changes leaves first and comes back with the new one, so that two users
//! never share a slot.

mod admission;
mod claim;
mod entry_side;
mod hold;
mod pace;
mod person;
mod rules;
mod sight;
mod standing;
mod teams_side;
mod transition;
mod views;
mod writing;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use crate::identity::{PbxGuid, PbxName, TeamsId};
use crate::mapping::{Meaning, PbxShown};
use crate::pbx::PresenceEntry;
use crate::ports::{LedgerChange, LedgerRow};
use crate::teams::{TeamsObservation, TeamsPresence};

pub use claim::{Claim, FADING, SETTLING};
pub use pace::{Brake, WritePaces};
pub use person::{Person, PersonView};
pub use rules::{Direction, OnThePhone, Rules};
pub use sight::{ON_THE_PHONE, PbxSight, ToldCalls, Verdict};
pub use standing::ClaimState;
pub use transition::{Place, Planned, Receipt, Seen, Side, Transition};
pub use writing::{Due, EntryWrite, Member, Outcome};

/// Everything that is known and set, for all users.
pub struct Board {
    rules: Rules,
    roster: BTreeMap<PbxGuid, Member>,
    people: HashMap<PbxGuid, Person>,
    by_teams: HashMap<TeamsId, PbxGuid>,
    sights: HashMap<PbxGuid, PbxSight>,
    ledger: HashMap<PbxGuid, Vec<LedgerRow>>,
    dirty: BTreeSet<PbxGuid>,
    /// Whose view may have changed since somebody asked last.
    touched: BTreeSet<PbxGuid>,
    deadlines: BTreeMap<DateTime<Utc>, BTreeSet<PbxGuid>>,
    unmapped: BTreeMap<String, u64>,
    paces: WritePaces,
    teams_in_reach: bool,
    held: BTreeMap<(Side, Brake), u64>,
}

impl Board {
    /// Begins with what the ledger says that we may have set.
    pub fn new(rules: Rules, ledger: Vec<LedgerRow>) -> Self {
        let mut rows: HashMap<PbxGuid, Vec<LedgerRow>> = HashMap::new();
        for row in ledger {
            rows.entry(row.pbx_user.clone()).or_default().push(row);
        }
        Self {
            rules,
            roster: BTreeMap::new(),
            people: HashMap::new(),
            by_teams: HashMap::new(),
            sights: HashMap::new(),
            ledger: rows,
            dirty: BTreeSet::new(),
            touched: BTreeSet::new(),
            deadlines: BTreeMap::new(),
            unmapped: BTreeMap::new(),
            paces: WritePaces::default(),
            teams_in_reach: true,
            held: BTreeMap::new(),
        }
    }

    /// Takes in how often users were written before this board began.
    pub fn resume_paces(&mut self, paces: WritePaces) {
        self.paces = paces;
    }

    /// Takes out how often users were written, for the board that comes after this one.
    pub fn take_paces(&mut self, now: DateTime<Utc>) -> WritePaces {
        let mut paces = std::mem::take(&mut self.paces);
        for (guid, person) in &self.people {
            paces.remember(guid.clone(), person.paces(), now);
        }
        paces
    }

    /// Takes in a look at Teams; answers what became of it and changes of the ledger.
    pub fn see_teams(
        &mut self,
        observation: &TeamsObservation,
        now: DateTime<Utc>,
    ) -> (Option<Verdict>, Vec<LedgerChange>) {
        if self.rules.teams_to_pbx.map(&observation.presence) == PbxShown::Unknown {
            let pair = format!(
                "{}/{}",
                observation.presence.availability, observation.presence.activity
            );
            self.count_unmapped(pair);
        }
        let Some(guid) = self.by_teams.get(&observation.user).cloned() else {
            return (None, Vec::new());
        };
        let Some(person) = self.people.get_mut(&guid) else {
            return (None, Vec::new());
        };
        let sight = self.sights.entry(guid.clone()).or_default();
        let (verdict, changes) = person.see_teams(observation, sight, now, &self.rules);
        self.dirty.insert(guid);
        (Some(verdict), changes)
    }

    /// Notes that a read begun at this time left a user out.
    pub fn miss_teams(&mut self, user: &TeamsId, begun_at: DateTime<Utc>) {
        if let Some(guid) = self.by_teams.get(user)
            && let Some(person) = self.people.get_mut(guid)
        {
            person.miss_teams(begun_at);
            self.dirty.insert(guid.clone());
        }
    }

    /// The pair that Teams shows for a user, as far as it is known.
    pub fn teams_presence(&self, user: &TeamsId) -> Option<&TeamsPresence> {
        self.by_teams
            .get(user)
            .and_then(|guid| self.people.get(guid))?
            .teams_presence()
    }

    /// Who a PBX user on the board is in Teams.
    pub fn teams_user_of(&self, user: &PbxGuid) -> Option<&TeamsId> {
        self.people.get(user).map(|person| &person.member.teams)
    }

    /// Whether a user is on the phone, by the last whole picture of the PBX.
    pub fn is_on_the_phone(&self, user: &TeamsId) -> bool {
        self.by_teams
            .get(user)
            .and_then(|guid| self.sights.get(guid))
            .is_some_and(PbxSight::on_the_phone)
    }

    /// Orders a read of a user, because something changed there.
    pub fn order_read(&mut self, user: &TeamsId, at: DateTime<Utc>) {
        if let Some(guid) = self.by_teams.get(user)
            && let Some(person) = self.people.get_mut(guid)
        {
            person.order_read(at);
            self.dirty.insert(guid.clone());
        }
    }

    /// Looks anew at a user, by order: Teams is read, and what was refused or waits for an answer may leave at once.
    pub fn resync(&mut self, user: &PbxGuid, now: DateTime<Utc>) {
        if let Some(person) = self.people.get_mut(user) {
            person.resync(now);
            self.dirty.insert(user.clone());
        }
    }

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
        let left_behind = sight.see_presence(pbx, entries, &self.rules.contact);
        let unknown = sight
            .choice
            .clone()
            .filter(|choice| self.rules.pbx_to_teams.map(choice) == Meaning::Unknown);
        if let (Some(person), Some(own)) = (self.people.get_mut(user), &sight.own_entry) {
            person.note_presence(sight, before.as_ref());
            person.see_entry(own);
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

    /// Decides for everybody for whom something changed or fell due, and notes as under way what it answers.
    pub fn due(&mut self, now: DateTime<Utc>) -> Due {
        while let Some(entry) = self.deadlines.first_entry().filter(|entry| *entry.key() <= now) {
            self.dirty.append(&mut entry.remove());
        }
        let mut due = Due::default();
        let mut released = Vec::new();
        for guid in std::mem::take(&mut self.dirty) {
            let Some(person) = self.people.get_mut(&guid) else {
                continue;
            };
            let sight = self.sights.entry(guid.clone()).or_default();
            if !person.holds_call(now) {
                sight.forget_unfollowed_calls();
            }
            let step = person.step(sight, self.teams_in_reach, now, &self.rules);
            due.ledger.extend(step.ledger);
            due.teams.extend(step.teams.map(|write| (guid.clone(), write)));
            due.entries.extend(step.entry);
            if let Some(transition) = step.transition {
                for receipt in &transition.held {
                    *self.held.entry((receipt.side, receipt.brake)).or_default() += 1;
                }
                due.transitions.push(transition);
            }
            if person.take_due_reads(now) {
                due.reads.push(person.member.teams.clone());
            }
            self.touched.insert(guid.clone());
            if person.is_released() {
                released.push(guid);
            } else if let Some(at) = person.next_deadline(sight, now, &self.rules) {
                self.deadlines.entry(at).or_default().insert(guid);
            }
        }
        for guid in &released {
            if let Some(person) = self.people.remove(guid) {
                self.by_teams.remove(&person.member.teams);
                self.paces.remember(guid.clone(), person.paces(), now);
            }
        }
        if !released.is_empty() {
            // what was just released there may be read once more: the second read begins when it cannot
            for guid in self.admit_joiners(now) {
                if let Some(person) = self.people.get_mut(&guid) {
                    person.order_read(now + SETTLING);
                }
            }
        }
        due
    }

    /// Takes out whose view may have changed since this was asked last; never more than there are people.
    pub fn take_touched(&mut self) -> BTreeSet<PbxGuid> {
        std::mem::take(&mut self.touched)
    }

    /// Takes in the outcome of a write to Teams; answers changes of the ledger.
    pub fn teams_written(
        &mut self,
        user: &PbxGuid,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> Vec<LedgerChange> {
        let Some(person) = self.people.get_mut(user) else {
            return Vec::new();
        };
        let sight = self.sights.entry(user.clone()).or_default();
        self.dirty.insert(user.clone());
        person.teams_written(outcome, sight, now, &self.rules)
    }

    /// Takes in the outcome of a write to the PBX; answers changes of the ledger.
    pub fn entry_written(
        &mut self,
        user: &PbxGuid,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> Option<LedgerChange> {
        let person = self.people.get_mut(user)?;
        self.dirty.insert(user.clone());
        person.entry_written(outcome, now)
    }

    /// When [`Board::due`] should be asked again, unless something happens before.
    pub fn next_deadline(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.dirty.is_empty() {
            self.deadlines.keys().next().copied()
        } else {
            Some(now)
        }
    }

    fn count_unmapped(&mut self, state: String) {
        const DISTINCT: usize = 100;
        if self.unmapped.len() < DISTINCT || self.unmapped.contains_key(&state) {
            *self.unmapped.entry(state).or_default() += 1;
        }
    }
}
