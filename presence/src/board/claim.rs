//! What we have set in Teams, and which observations it explains.

use chrono::{DateTime, TimeDelta, Utc};

use super::Rules;
use crate::mapping::PbxShown;
use crate::ports::LedgerState;
use crate::teams::TeamsPresence;

/// A change needs this long until a read must show it (DESIGN 5: one second after Graph accepted it).
pub const SETTLING: TimeDelta = TimeDelta::seconds(1);

/// A released claim explains observations no longer than this (DESIGN 5).
pub const FADING: TimeDelta = TimeDelta::seconds(15);

/// A notification without an order may tell of a released claim this long after (graph.md 3.4: up to a minute late, and
/// repeated when we did not take it).
pub(super) const REMEMBERED: TimeDelta = TimeDelta::seconds(90);

/// A state of ours in one slot of Teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The pair that we wrote.
    pub presence: TeamsPresence,
    /// The PBX state for which we wrote it.
    pub stands_for: String,
    /// How sure we are of it.
    pub state: LedgerState,
    /// When Graph accepted it first: renewals change nothing.
    pub since: DateTime<Utc>,
    /// When Graph accepted it last; before that, when we meant to write it.
    pub written_at: DateTime<Utc>,
    /// When it ends by itself.
    pub until: DateTime<Utc>,
}

impl Claim {
    /// Tells whether the slot still carries what we wrote, as far as we know.
    pub fn holds(&self) -> bool {
        self.state != LedgerState::Overridden
    }

    /// Tells whether Graph has accepted it.
    pub fn confirmed(&self) -> bool {
        self.state == LedgerState::Confirmed
    }

    /// Tells whether an observed pair is what this claim makes Teams show.
    pub fn explains(&self, observed: &TeamsPresence, rules: &Rules) -> bool {
        same_to_the_pbx(&self.presence, observed, rules)
    }
}

/// A claim that we have released or replaced, while Teams may still tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FadingClaim {
    pub(super) presence: TeamsPresence,
    /// When Graph accepted the change.
    gone_at: DateTime<Utc>,
    /// Whether a read has shown what lies beneath.
    outlived: bool,
}

impl FadingClaim {
    /// A claim that is gone since this time.
    pub(super) fn gone(presence: TeamsPresence, at: DateTime<Utc>) -> Self {
        Self {
            presence,
            gone_at: at,
            outlived: false,
        }
    }

    /// A claim that is out of the slot, as a read begun at this time has shown.
    pub(super) fn seen_gone(presence: TeamsPresence, begun_at: DateTime<Utc>) -> Self {
        Self {
            presence,
            gone_at: begun_at,
            outlived: true,
        }
    }

    /// Tells whether an observed pair is what this claim made Teams show.
    pub(super) fn explains(&self, observed: &TeamsPresence, now: DateTime<Utc>, rules: &Rules) -> bool {
        now < self.ends_at() && !self.outlived && same_to_the_pbx(&self.presence, observed, rules)
    }

    /// Tells whether an observed pair may be a late trace of this claim: it is told in the very word that we wrote.
    pub(super) fn recalls(&self, observed: &TeamsPresence) -> bool {
        self.presence.activity.eq_ignore_ascii_case(&observed.activity)
    }

    /// Takes in a read: from one second after the change on it shows what lies beneath.
    pub(super) fn outlive(&mut self, begun_at: DateTime<Utc>) {
        self.outlived |= begun_at >= self.gone_at + SETTLING;
    }

    /// Whether a notification may still tell of it.
    pub(super) fn is_remembered(&self, now: DateTime<Utc>) -> bool {
        now <= self.gone_at + REMEMBERED
    }

    /// When it explains nothing any more.
    pub(super) fn ends_at(&self) -> DateTime<Utc> {
        self.gone_at + FADING
    }
}

/// Tells whether two pairs are one state at the PBX.
fn same_to_the_pbx(one: &TeamsPresence, other: &TeamsPresence, rules: &Rules) -> bool {
    match (rules.teams_to_pbx.map(one), rules.teams_to_pbx.map(other)) {
        (PbxShown::Unknown, _) | (_, PbxShown::Unknown) => {
            one.availability.eq_ignore_ascii_case(&other.availability)
                && one.activity.eq_ignore_ascii_case(&other.activity)
        }
        (one, other) => one == other,
    }
}
