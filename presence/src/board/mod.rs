//! The board: per user what either side shows, what we set there, and what follows from it.
//!
//! The board is a value. Observations and outcomes go in with the present time, [`Board::due`] answers what must be
//! done now, and [`Board::next_deadline`] when to ask again. Nothing here waits, sends or stores.
//!
//! A person is on the board while the roster names it, and afterwards as *leaving* until everything of ours is released
//! on both sides. A person whose counterpart changes leaves first and comes back with the new one, so that two users
//! never share a slot.

mod admission;
mod alien_calls;
mod alien_side;
mod claim;
mod entry_side;
mod hold;
mod last_write;
mod message_side;
mod own_call;
mod pace;
mod pbx_looks;
mod pbx_sight;
mod person;
mod remains;
mod restraint;
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
use crate::mapping::PbxShown;
use crate::ports::{LedgerChange, LedgerRow};
use crate::teams::{TeamsObservation, TeamsPresence};

pub use claim::{Claim, FADING, SETTLING};
pub use own_call::{HAUNTING, LINGERING, OwnCall};
pub use pace::{Brake, WritePaces};
pub use pbx_sight::{ON_THE_PHONE, PbxSight, ToldCalls};
use person::Reach;
pub use person::{Person, PersonView};
pub use remains::{Released, Remains};
pub use restraint::Restraint;
pub use rules::{Direction, OnThePhone, Rules, TeamsCalls};
pub use sight::Verdict;
pub use standing::ClaimState;
pub use transition::{Place, Planned, Receipt, Seen, Side, Transition};
pub use views::Tally;
pub use writing::{AlienCallWrite, Due, EntryWrite, Member, Outcome};

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
    echoes: u64,
    /// PBXs whose sessions can put calls of ours on their users.
    alien_calls_at: BTreeSet<PbxName>,
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
            echoes: 0,
            alien_calls_at: BTreeSet::new(),
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
        let shows_it = |person: &Person| person.teams_presence() == Some(&observation.presence);
        let known = shows_it(person);
        let (verdict, changes) = person.see_teams(observation, sight, now, &self.rules);
        if !known && shows_it(person) && person.shows_our_own(now, &self.rules) {
            self.echoes += 1;
        }
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
            sight.forget_own_call(now);
            let reach = Reach {
                teams: self.teams_in_reach,
                alien_calls: self.alien_calls_at.contains(&person.member.pbx.home),
            };
            let step = person.step(sight, reach, now, &self.rules);
            due.ledger.extend(step.ledger);
            let writes = step.teams.into_iter().chain(step.message);
            due.teams.extend(writes.map(|write| (guid.clone(), write)));
            due.entries.extend(step.entry);
            if let Some(transition) = step.transition {
                for receipt in &transition.held {
                    *self.held.entry((receipt.side, receipt.brake)).or_default() += 1;
                }
                due.transitions.push(transition);
            }
            due.alien_calls.extend(step.alien_call);
            if person.take_due_reads(now) {
                due.reads.push(person.member.teams.clone());
            }
            self.touched.insert(guid.clone());
            if person.is_released(sight) {
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
        let Some((person, sight, rules)) = self.answered(user) else {
            return Vec::new();
        };
        person.teams_written(outcome, sight, now, rules)
    }

    /// Takes in the outcome of a write of a status message to Teams; answers the change of the ledger.
    pub fn message_written(
        &mut self,
        user: &PbxGuid,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> Option<LedgerChange> {
        let (person, sight, rules) = self.answered(user)?;
        person.message_written(outcome, sight, now, rules)
    }

    /// Takes in the outcome of a write to the PBX; answers changes of the ledger.
    pub fn entry_written(
        &mut self,
        user: &PbxGuid,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> Option<LedgerChange> {
        let (person, _sight, _rules) = self.answered(user)?;
        person.entry_written(outcome, now)
    }

    /// Of whom a write was answered; what follows from the answer is decided with the next [`Board::due`].
    fn answered(&mut self, user: &PbxGuid) -> Option<(&mut Person, &mut PbxSight, &Rules)> {
        let person = self.people.get_mut(user)?;
        let sight = self.sights.entry(user.clone()).or_default();
        self.dirty.insert(user.clone());
        Some((person, sight, &self.rules))
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
