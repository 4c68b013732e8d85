//! The call of ours that makes the PBX treat a user as busy while he talks in Teams: when it is put on him, and when it
//! is taken off again.
//!
//! Whether it stands is known by the PBX's session, which keeps its number, and told as [`OwnCall`](super::OwnCall) in
//! the PBX's sight. It is local to the PBX where the user lives. Where it is refused, our entry stands in.

use chrono::{DateTime, Utc};

use super::hold::Hold;
use super::own_call::{LINGERING, OwnCall};
use super::pace::Pace;
use super::pbx_sight::{ON_THE_PHONE, PbxSight};
use super::transition::{HeldBack, Receipt, Side};
use super::{AlienCallWrite, Brake, Member, Outcome};
use crate::identity::PbxName;
use crate::ports::{LedgerChange, LedgerRow, LedgerState, Slot};
use crate::teams::TeamsPresence;

/// Our call at the PBX of one user.
#[derive(Clone, Debug, Default)]
pub(super) struct AlienSide {
    under_way: Option<AlienCallWrite>,
    /// Whether the ledger has a row of it.
    stored: bool,
    hold: Hold<bool>,
    pub(super) held_back: HeldBack<bool>,
}

impl AlienSide {
    /// Takes in a row of the ledger: the call ended with its connection at the latest.
    pub(super) fn restore(&mut self) {
        self.stored = true;
    }

    /// Whether nothing of ours is left at the PBX.
    pub(super) fn is_clear(&self, pbx: &PbxSight) -> bool {
        self.under_way.is_none() && !pbx.own_call.as_ref().is_some_and(|own_call| own_call.stands())
    }

    /// Whether a write is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// The PBX's words, while it takes no call of ours.
    pub(super) fn refusal(&self, now: DateTime<Utc>) -> Option<String> {
        self.hold.holds_back(&true, now).and_then(|(_, message)| message)
    }

    /// Whether the PBX has refused the last write.
    pub(super) fn is_refused(&self) -> bool {
        self.hold.refusal().is_some()
    }

    /// Lets a write leave at once: another connection may take it.
    pub(super) fn end_hold(&mut self) {
        self.hold.end();
    }

    /// Decides whether the call must be put on the user or taken off, and notes that this is under way. Answers the
    /// write, and the change of the ledger that must be stored before it leaves.
    pub(super) fn next_write(
        &mut self,
        wanted: bool,
        member: &Member,
        pbx: &mut PbxSight,
        pace: &mut Pace,
        restrained: Option<Brake>,
        now: DateTime<Utc>,
    ) -> (Option<AlienCallWrite>, Option<LedgerChange>) {
        if self.under_way.is_some() {
            return (None, None);
        }
        let confirmed = pbx.own_call.as_ref().is_some_and(OwnCall::is_confirmed);
        let stands_at = pbx
            .own_call
            .as_ref()
            .filter(|own_call| own_call.stands())
            .map(|own_call| own_call.pbx().clone());
        let home = &member.pbx.home;
        let (at, on) = match stands_at {
            Some(at) if !wanted || at != *home => (at, false),
            Some(_) if confirmed => return (None, None),
            None if !wanted => {
                self.held_back.end();
                return (None, self.forget(member, pbx));
            }
            Some(_) | None => (home.clone(), true),
        };
        if self.hold.stops(&on, now) {
            return (None, None);
        }
        let order = restrained.map(|brake| (brake, None));
        if let Some((brake, until)) = order.or_else(|| pace.brake(now)) {
            self.held_back.note(on, |on| Receipt {
                side: Side::PbxCall,
                what: in_words(*on).to_owned(),
                brake,
                until,
            });
            return (None, None);
        }
        self.held_back.end();
        pace.take(now, false);
        let write = AlienCallWrite {
            user: member.pbx.guid.clone(),
            h323: member.pbx.h323.clone(),
            pbx: at,
            on,
        };
        self.under_way = Some(write.clone());
        if !on {
            pbx.order_end_of_own_call();
            return (Some(write), None);
        }
        pbx.begin_own_call(&write.pbx, None);
        self.stored = true;
        let row = row(member, &write.pbx, pbx, LedgerState::Intended, now);
        (Some(write), Some(row))
    }

    /// Takes in the outcome of the write under way. Answers the change of the ledger.
    pub(super) fn written(
        &mut self,
        outcome: &Outcome,
        member: &Member,
        pbx: &mut PbxSight,
        now: DateTime<Utc>,
    ) -> Option<LedgerChange> {
        let AlienCallWrite { pbx: at, on, .. } = self.under_way.take()?;
        match (outcome, on) {
            (Outcome::Accepted, true) => {
                self.hold.succeed(&on);
                pbx.begin_own_call(&at, Some(now));
                Some(row(member, &at, pbx, LedgerState::Confirmed, now))
            }
            // where there is nobody, there is no call
            (Outcome::Accepted | Outcome::Refused { gone: true, .. }, false) => {
                self.hold.succeed(&on);
                // its row goes with its last trace
                pbx.end_own_call(now + LINGERING);
                None
            }
            (Outcome::Refused { message, .. }, true) => {
                self.hold.refuse(on, now, message);
                pbx.withdraw_own_call();
                self.forget(member, pbx)
            }
            (Outcome::Refused { message, .. }, false) => {
                self.hold.refuse(on, now, message);
                None
            }
            (Outcome::Failed { wait }, _) => {
                self.hold.fail(now, *wait);
                None
            }
        }
    }

    /// Removes the row of a call of which nothing tells any more.
    fn forget(&mut self, member: &Member, pbx: &PbxSight) -> Option<LedgerChange> {
        let told = |own_call: &OwnCall| own_call.stands() || own_call.is_ambiguous();
        let over = !pbx.own_call.as_ref().is_some_and(told);
        (over && std::mem::take(&mut self.stored)).then(|| no_row(member))
    }

    /// The row that must go with a user who leaves.
    pub(super) fn leave(&mut self, member: &Member) -> Option<LedgerChange> {
        std::mem::take(&mut self.stored).then(|| no_row(member))
    }

    /// When something of this side may change by itself next.
    pub(super) fn next_deadline(&self, pbx: &PbxSight, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let lingers = pbx.own_call.as_ref().and_then(|own_call| own_call.next_end());
        let holds = self.hold.ends().filter(|_| self.under_way.is_none());
        holds.chain(lingers).filter(|time| *time > now).min()
    }
}

/// A write of our call, as it is told.
pub(super) fn in_words(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn no_row(member: &Member) -> LedgerChange {
    LedgerChange::Remove {
        pbx_user: member.pbx.guid.clone(),
        slot: Slot::AlienCall,
    }
}

/// The row of a call of ours; its end is that of the last trace that an earlier one has left.
fn row(
    member: &Member,
    at: &PbxName,
    pbx: &PbxSight,
    state: LedgerState,
    now: DateTime<Utc>,
) -> LedgerChange {
    LedgerChange::Put(LedgerRow {
        pbx_user: member.pbx.guid.clone(),
        h323: member.pbx.h323.clone(),
        home: at.clone(),
        teams_user: member.teams.clone(),
        slot: Slot::AlienCall,
        state,
        value: TeamsPresence::new(ON_THE_PHONE, ON_THE_PHONE),
        stands_for: String::new(),
        written_at: now,
        until: pbx.own_call.as_ref().and_then(OwnCall::last_end),
        replaces: Vec::new(),
    })
}
