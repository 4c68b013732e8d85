//! Calls of ours at the PBXs: where they can be put, which stand, and what became of their writes.

use chrono::{DateTime, Utc};

use super::own_call::HAUNTING;
use super::{Board, Outcome, OwnCall};
use crate::identity::{PbxGuid, PbxName};
use crate::ports::LedgerChange;

impl Board {
    /// Notes that another connection of a PBX, or none, puts calls of ours on its users from now on. Whatever stood there
    /// ended with the connection before, or will as soon as the PBX notices.
    pub fn change_alien_calls(&mut self, pbx: &PbxName, possible: bool, now: DateTime<Utc>) {
        if possible {
            self.alien_calls_at.insert(pbx.clone());
        } else {
            self.alien_calls_at.remove(pbx);
        }
        let at = |own_call: &OwnCall| own_call.pbx() == pbx;
        for (user, sight) in &mut self.sights {
            if sight.own_call.as_ref().is_some_and(at) {
                sight.lose_own_call(now + HAUNTING);
                self.dirty.insert(user.clone());
            }
        }
        for (user, person) in &mut self.people {
            if person.member.pbx.home == *pbx {
                person.end_alien_hold();
                self.dirty.insert(user.clone());
            }
        }
    }

    /// Takes in that a call of ours stands, or may, where that is not confirmed: whoever keeps the connection has ordered
    /// it.
    pub fn see_alien_call(&mut self, pbx: &PbxName, user: &PbxGuid, confirmed: bool, now: DateTime<Utc>) {
        let sight = self.sights.entry(user.clone()).or_default();
        sight.begin_own_call(pbx, confirmed.then_some(now));
        self.dirty.insert(user.clone());
    }

    /// Takes in the outcome of a write of our call; answers the change of the ledger.
    pub fn alien_call_written(
        &mut self,
        user: &PbxGuid,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> Option<LedgerChange> {
        let (person, sight, _rules) = self.answered(user)?;
        person.alien_call_written(outcome, sight, now)
    }
}
