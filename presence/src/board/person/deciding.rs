//! What should stand on either side, and whether it does.

use chrono::{DateTime, Utc};

use super::super::own_call::OwnCall;
use super::super::pbx_sight::{ON_THE_PHONE, PbxSight};
use super::super::standing::ClaimState;
use super::super::transition::Side;
use super::super::{AlienCallWrite, Rules, TeamsCalls};
use super::{Person, Reach};
use crate::mapping::PbxShown;
use crate::ports::LedgerChange;

impl Person {
    /// A call in Teams is a call of ours at the PBX where the rules say so and the PBX takes it.
    pub(super) fn write_alien_call(
        &mut self,
        pbx: &mut PbxSight,
        reach: Reach,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> (Option<AlienCallWrite>, Option<LedgerChange>) {
        let Some(wanted) = &self.wanted_entry else {
            return (None, None);
        };
        let stands = pbx.own_call.as_ref().is_some_and(OwnCall::stands);
        let wanted = rules.teams_calls == TeamsCalls::AlienCall
            && wanted == ON_THE_PHONE
            && reach.alien_calls
            && self.alien.refusal(now).is_none()
            // who telephones at the pbx is busy there, and beside a call of ours that might not be seen any more
            && (stands || !pbx.on_the_phone());
        let restrained = rules.restraint.of(&self.member, Side::PbxCall);
        let (write, mut change) =
            self.alien
                .next_write(wanted, &self.member, pbx, &mut self.entry.pace, restrained, now);
        if self.leaving && self.alien.is_clear(pbx) {
            change = change.or(self.alien.leave(&self.member));
        }
        (write, change)
    }

    /// What our entry should be: none while a call of ours surely shows the same, and as it is while one comes or goes.
    pub(super) fn entry_beside_call(&self, pbx: &PbxSight) -> Option<String> {
        if self.alien.is_busy() {
            return None;
        }
        let stands = pbx.own_call.as_ref().is_some_and(OwnCall::is_confirmed);
        match self.wanted_entry.as_deref() {
            Some(ON_THE_PHONE) if stands => Some(String::new()),
            wanted => wanted.map(str::to_owned),
        }
    }

    /// The rule of what the PBX should show as our entry: what Teams shows, unless we made Teams show it.
    pub(super) fn decide_entry(&self, now: DateTime<Utc>, rules: &Rules) -> Option<String> {
        if self.leaving || !rules.direction.teams_to_pbx {
            return Some(String::new());
        }
        let Some(observed) = &self.teams.presence else {
            return self.wanted_entry.clone();
        };
        if self.side.explains(observed, now, rules) {
            return Some(String::new());
        }
        match rules.teams_to_pbx.map(observed) {
            PbxShown::Nothing => Some(String::new()),
            PbxShown::Activity(activity) => Some(activity),
            PbxShown::Unknown => self.wanted_entry.clone(),
        }
    }

    /// Whether a side does not show what was decided, because a write waits, is under way, or was refused; `claim` is
    /// how it stands with what the PBX asks Teams to show, and `note` with what it asks Teams to say.
    pub(in super::super) fn is_divergent(
        &self,
        pbx: &PbxSight,
        claim: Option<ClaimState>,
        note: Option<ClaimState>,
    ) -> bool {
        let wanted = self.entry_beside_call(pbx);
        let entry = wanted.is_some_and(|wanted| self.entry.shown().is_some_and(|shown| shown != wanted));
        entry || [claim, note].into_iter().flatten().any(ClaimState::is_pending)
    }
}
