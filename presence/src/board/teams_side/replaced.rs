//! Claims of ours that the preferred slot may still carry, because the write that was to replace them had no answer yet.
//!
//! They stand in the ledger beside the intent: after a crash nobody knows whether that write ever left.

use chrono::{DateTime, Utc};

use super::super::Rules;
use super::super::claim::Claim;
use crate::ports::{LedgerState, Replaced};
use crate::teams::TeamsPresence;

/// At most one claim per pair; there are six pairs that can be preferred.
#[derive(Clone, Debug, Default)]
pub(super) struct ReplacedClaims(Vec<Claim>);

impl ReplacedClaims {
    pub(super) fn add(&mut self, claim: Claim) {
        self.forget(&claim.presence);
        self.0.push(claim);
    }

    /// Takes in what a row of the ledger says.
    pub(super) fn restore(&mut self, replaced: &[Replaced], written_at: DateTime<Utc>) {
        for replaced in replaced {
            self.add(Claim {
                presence: replaced.value.clone(),
                stands_for: replaced.stands_for.clone(),
                state: LedgerState::Intended,
                since: written_at,
                written_at,
                until: replaced.until,
            });
        }
    }

    /// What a row of the ledger says of them.
    pub(super) fn rows(&self) -> Vec<Replaced> {
        let row = |claim: &Claim| Replaced {
            value: claim.presence.clone(),
            stands_for: claim.stands_for.clone(),
            until: claim.until,
        };
        self.0.iter().map(row).collect()
    }

    /// Tells whether an observed pair may be what the slot still carries.
    pub(super) fn explain(&self, observed: &TeamsPresence, rules: &Rules) -> bool {
        self.0.iter().any(|claim| claim.explains(observed, rules))
    }

    /// Drops a pair that the slot is known to carry as a claim proper, or does not carry.
    pub(super) fn forget(&mut self, presence: &TeamsPresence) {
        self.0.retain(|claim| claim.presence != *presence);
    }

    /// Takes out all: the slot is known to carry something else.
    pub(super) fn end(&mut self) -> Vec<TeamsPresence> {
        self.0.drain(..).map(|claim| claim.presence).collect()
    }

    /// Takes out those whose lifetime is over.
    pub(super) fn expire(&mut self, now: DateTime<Utc>) -> Vec<TeamsPresence> {
        let ended = self.0.extract_if(.., |claim| claim.until <= now);
        ended.map(|claim| claim.presence).collect()
    }

    /// Takes out the one that lasts longest, as an intent: the write that was to replace it may never have left.
    pub(super) fn take_lasting(&mut self) -> Option<Claim> {
        let place = (0..self.0.len()).max_by_key(|place| self.0.get(*place).map(|claim| claim.until))?;
        Some(Claim {
            state: LedgerState::Intended,
            ..self.0.remove(place)
        })
    }

    /// When the next one's lifetime is over.
    pub(super) fn next_end(&self) -> Option<DateTime<Utc>> {
        self.0.iter().map(|claim| claim.until).min()
    }
}
