//! One synchronised user: what either side shows, what we set there, and what follows from it.

mod deciding;
mod remaining;
mod status_message;
mod transitions;
mod view;

use chrono::{DateTime, TimeDelta, Utc};

use super::alien_side::AlienSide;
use super::claim::SETTLING;
use super::entry_side::{EntrySide, Shown};
use super::message_side::{MessageSide, Noted};
use super::pace::Paces;
use super::pbx_sight::PbxSight;
use super::sight::{TeamsSight, Verdict};
use super::teams_side::{Scene, TeamsSide};
use super::transition::{Journal, Place, Side, Transition};
use super::{AlienCallWrite, EntryWrite, Member, Outcome, Rules};
use crate::ports::{LedgerChange, LedgerRow, PresenceWrite, Slot};
pub use view::PersonView;

use crate::teams::{Source, TeamsObservation, TeamsPresence};

/// A notification without a sequence number is confirmed by a read begun this long after it (DESIGN 5: within 2 s).
const CONFIRMATION: TimeDelta = TimeDelta::seconds(1);

/// Reads that one user may have ordered at a time; more would tell nothing more.
const ORDERED_READS: usize = 16;

/// One user on the board.
#[derive(Clone, Debug)]
pub struct Person {
    pub(super) member: Member,
    pub(super) leaving: bool,
    teams: TeamsSight,
    side: TeamsSide,
    message: MessageSide,
    entry: EntrySide,
    alien: AlienSide,
    /// What we wanted the PBX to show last: stays while Teams shows something without a meaning.
    wanted_entry: Option<String>,
    ordered_reads: Vec<DateTime<Utc>>,
    journal: Journal,
}

/// What a step of one person asks for.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) ledger: Vec<LedgerChange>,
    pub(super) teams: Option<PresenceWrite>,
    pub(super) message: Option<PresenceWrite>,
    pub(super) entry: Option<EntryWrite>,
    pub(super) transition: Option<Transition>,
    pub(super) alien_call: Option<AlienCallWrite>,
}

/// What can be written at this time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub(super) teams: bool,
    /// Whether the PBX where the user lives takes calls of ours.
    pub(super) alien_calls: bool,
}

impl Person {
    pub(super) fn new(member: Member, now: DateTime<Utc>, paces: Option<Paces>) -> Self {
        let (mut side, mut entry) = (TeamsSide::new(), EntrySide::new());
        if let Some(paces) = paces {
            (side.pace, entry.pace) = (paces.teams, paces.pbx);
        }
        Self {
            member,
            leaving: false,
            teams: TeamsSight::default(),
            side,
            message: MessageSide::default(),
            entry,
            alien: AlienSide::default(),
            wanted_entry: None,
            ordered_reads: vec![now],
            journal: Journal::default(),
        }
    }

    /// Takes in what the ledger says that we may have set.
    pub(super) fn restore(&mut self, row: &LedgerRow, now: DateTime<Utc>) {
        match row.slot {
            Slot::PbxEntry => self.entry.restore(row),
            Slot::AlienCall => self.alien.restore(),
            Slot::StatusMessage => self.message.restore(row, now),
            Slot::Session | Slot::Preferred => self.side.restore(row, now),
        }
    }

    /// Takes in a look at Teams.
    pub(super) fn see_teams(
        &mut self,
        observation: &TeamsObservation,
        pbx: &PbxSight,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> (Verdict, Vec<LedgerChange>) {
        let before = self.as_shown(&observation.presence);
        let (verdict, changes) = self.take_in_teams(observation, pbx, now, rules);
        self.note_teams(observation, verdict, &before);
        (verdict, changes)
    }

    fn take_in_teams(
        &mut self,
        observation: &TeamsObservation,
        pbx: &PbxSight,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> (Verdict, Vec<LedgerChange>) {
        let observed = &observation.presence;
        let scene = Scene::of(&self.member, self.leaving, pbx, now, rules);
        let echo = self.side.recalls(observed, rules) && !self.side.carries(observed, rules);
        let late_note = matches!(observation.source, Source::Notified { .. })
            && observation
                .note
                .as_ref()
                .is_some_and(|note| self.message.recalls(note, scene));
        let verdict = self.teams.see(observation, echo, !late_note);
        match (observation.source, verdict) {
            (_, Verdict::Old) => {}
            (Source::Read { begun_at }, Verdict::Doubted) => {
                self.ordered_reads.retain(|wanted| *wanted > begun_at);
                self.order_read(now + SETTLING);
            }
            (Source::Read { begun_at }, _) => {
                self.ordered_reads.retain(|wanted| *wanted > begun_at);
                let mut changes = self.side.see_read(observed, begun_at, scene);
                let noted = self.message.see_read(observation, begun_at, scene);
                changes.extend(self.take_note(noted));
                if verdict == Verdict::BelievedUnconfirmed {
                    self.order_read(now + SETTLING);
                }
                return (verdict, changes);
            }
            (Source::Notified { received_at }, _) => {
                let contradicts =
                    verdict != Verdict::Doubted && self.side.see_notice(observed, received_at, scene);
                let contradicts = contradicts || self.message.see_notice(observation, scene);
                if verdict == Verdict::Doubted {
                    // nothing is shown before a read: one that knows of it already may come sooner
                    self.order_read(now);
                }
                if contradicts || verdict != Verdict::Believed {
                    self.order_read(now + CONFIRMATION);
                }
            }
        }
        (verdict, Vec::new())
    }

    /// Notes that a read begun at this time left the user out.
    pub(super) fn miss_teams(&mut self, begun_at: DateTime<Utc>) {
        self.teams.see_missing();
        self.side.see_missing(begun_at);
        self.message.see_missing(begun_at);
        self.ordered_reads.retain(|wanted| *wanted > begun_at);
    }

    /// Orders a read, to begin at this time or later.
    pub(super) fn order_read(&mut self, at: DateTime<Utc>) {
        if self.ordered_reads.contains(&at) {
            return;
        }
        if self.ordered_reads.len() >= ORDERED_READS {
            // what is wanted last must not be lost
            let latest = self.ordered_reads.iter_mut().max();
            if let Some(latest) = latest {
                *latest = at.max(*latest);
            }
            return;
        }
        self.ordered_reads.push(at);
    }

    /// Takes out the ordered reads that may begin now; tells whether there was one.
    pub(super) fn take_due_reads(&mut self, now: DateTime<Utc>) -> bool {
        let ordered = self.ordered_reads.len();
        self.ordered_reads.retain(|at| *at > now);
        self.ordered_reads.len() < ordered
    }

    /// The pair that Teams shows, as far as it is known.
    pub(super) fn teams_presence(&self) -> Option<&TeamsPresence> {
        self.teams.presence.as_ref()
    }

    /// Whether Teams shows nothing but what we have set there.
    pub(super) fn shows_our_own(&self, now: DateTime<Utc>, rules: &Rules) -> bool {
        let shown = self.teams.presence.as_ref();
        shown.is_some_and(|shown| self.side.explains(shown, now, rules))
    }

    /// Takes in what the PBX shows as our entry.
    pub(super) fn see_entry(&mut self, own_entry: &str, own_note: &str) {
        self.entry.see(own_entry, own_note);
    }

    /// Whether a lease of ours stands for a call.
    pub(super) fn holds_call(&self, now: DateTime<Utc>) -> bool {
        self.side.holds_call(now)
    }

    /// Looks anew at everything.
    pub(super) fn resync(&mut self, now: DateTime<Utc>) {
        self.journal.note_plainly(Place::Order, "resync", true);
        self.order_read(now);
        self.side.hold.end();
        self.message.end_hold();
        self.entry.hold.end();
        self.entry.doubt();
        self.alien.end_hold();
    }

    /// Lets a write leave at once that waited because its side could not be reached.
    pub(super) fn end_entry_hold(&mut self) {
        self.entry.hold.end();
    }

    /// Lets a write leave at once that waited because Graph could not be reached.
    pub(super) fn end_teams_hold(&mut self) {
        self.side.hold.reach();
        self.message.reach();
    }

    /// Lets a write of our call leave at once: another connection may take it.
    pub(super) fn end_alien_hold(&mut self) {
        self.alien.end_hold();
    }

    /// Decides anew, and notes as under way what it answers; nothing for what is out of reach.
    pub(super) fn step(
        &mut self,
        pbx: &mut PbxSight,
        reach: Reach,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> Step {
        let scene = Scene::of(&self.member, self.leaving, pbx, now, rules);
        let expired = self.side.expire(scene);
        let mut ledger = expired.changes;
        let mut teams = None;
        if pbx.is_certain() {
            ledger.extend(self.side.follow_choice(scene));
        }
        let followed = self.message.follow(scene);
        let known = self.leaving || !rules.direction.pbx_to_teams || pbx.is_certain();
        let mut message = None;
        let mut asked = Noted::default();
        if reach.teams && self.teams.read && known {
            let (write, change) = self.side.next_write(scene);
            teams = write;
            ledger.extend(change);
        }
        if reach.teams && self.teams.read {
            (message, asked) = self.message.next_write(scene, &mut self.side.pace);
        }
        ledger.extend(self.take_note(followed));
        ledger.extend(self.take_note(asked));
        if expired.read {
            self.order_read(now + SETTLING);
            self.journal
                .note_plainly(Place::Clock, "what was set in teams has ended by itself", true);
        }
        self.wanted_entry = self.decide_entry(now, rules);
        let (alien_call, change) = self.write_alien_call(pbx, reach, now, rules);
        ledger.extend(change);
        let wanted = self.entry_beside_call(pbx).map(|activity| Shown {
            activity,
            note: self.decide_note(pbx, now, rules),
        });
        let restrained = rules.restraint.of(&self.member, Side::Pbx);
        let (entry, change) =
            self.entry
                .next_write(wanted.as_ref(), &self.member, pbx, self.leaving, restrained, now);
        ledger.extend(change);
        let mut step = Step {
            ledger,
            teams,
            message,
            entry,
            transition: None,
            alien_call,
        };
        step.transition = self.transition(&step, pbx, now, rules);
        step
    }

    /// Takes in the outcome of the write to Teams that was under way.
    pub(super) fn teams_written(
        &mut self,
        outcome: &Outcome,
        pbx: &PbxSight,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> Vec<LedgerChange> {
        let scene = Scene::of(&self.member, self.leaving, pbx, now, rules);
        let renewed = self.side.renews();
        let written = self.side.written(outcome, scene);
        if written.read {
            self.order_read(now + SETTLING);
        }
        if renewed {
            self.note_renewal(outcome);
        }
        written.changes
    }

    /// Takes in the outcome of the write to the PBX that was under way.
    pub(super) fn entry_written(&mut self, outcome: &Outcome, now: DateTime<Utc>) -> Option<LedgerChange> {
        self.entry.written(outcome, &self.member, now)
    }

    /// Takes in the outcome of the write of our call that was under way.
    pub(super) fn alien_call_written(
        &mut self,
        outcome: &Outcome,
        pbx: &mut PbxSight,
        now: DateTime<Utc>,
    ) -> Option<LedgerChange> {
        self.alien.written(outcome, &self.member, pbx, now)
    }

    /// How often the user was written lately.
    pub(super) fn paces(&self) -> Paces {
        Paces {
            teams: self.side.pace.clone(),
            pbx: self.entry.pace.clone(),
        }
    }

    /// Whether nothing of ours is left on either side.
    pub(super) fn is_released(&self, pbx: &PbxSight) -> bool {
        self.leaving
            && self.side.is_clear()
            && self.message.is_clear()
            && self.entry.is_clear()
            && self.alien.is_clear(pbx)
    }

    /// Whether nothing of ours is left that may be released.
    pub(super) fn is_released_as_far_as_allowed(&self, pbx: &PbxSight, rules: &Rules) -> bool {
        let kept = |side| rules.restraint.of(&self.member, side).is_some();
        let teams = self.side.is_clear() || (kept(Side::Teams) && !self.side.is_busy());
        let message = self.message.is_clear() || (kept(Side::TeamsNote) && !self.message.is_busy());
        let entry = self.entry.is_clear() || (kept(Side::Pbx) && !self.entry.is_busy());
        let call = self.alien.is_clear(pbx) || (kept(Side::PbxCall) && !self.alien.is_busy());
        self.leaving && teams && message && entry && call
    }

    /// When something changes by itself next.
    pub(super) fn next_deadline(
        &self,
        pbx: &PbxSight,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> Option<DateTime<Utc>> {
        let scene = Scene::of(&self.member, self.leaving, pbx, now, rules);
        let side = self.side.next_deadline(scene);
        let read = self.ordered_reads.iter().min().copied();
        let alien = self.alien.next_deadline(pbx, now);
        let message = self.message.next_deadline(&self.side.pace, scene);
        [side, message, self.entry.next_deadline(now), alien, read]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether both sides are known.
    pub(super) fn both_known(&self, pbx: &PbxSight) -> bool {
        !self.leaving && self.teams.presence.is_some() && !self.teams.missing && pbx.known()
    }
}
