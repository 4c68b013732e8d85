//! What a decision about Teams depends on besides our own slots, and what the PBX's state asks for.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::super::claim::Claim;
use super::super::pbx_sight::PbxSight;
use super::super::transition::Side;
use super::super::{Brake, Member, OnThePhone, Rules};
use crate::mapping::{Meaning, Preferred};
use crate::note::Digest;
use crate::ports::{LedgerChange, LedgerRow, Slot};
use crate::teams::TeamsPresence;

/// Graph's shortest and longest lifetime of a session (graph.md 5.2).
const SHORTEST_LEASE: Duration = Duration::from_secs(5 * 60);
const LONGEST_LEASE: Duration = Duration::from_secs(4 * 3_600);

/// A long-lived preferred presence is set again this long before its end.
pub(in super::super) const RENEWED_BEFORE: Duration = Duration::from_secs(3_600);

/// The pair of our session during a call (graph.md 5.2).
pub(super) fn call() -> TeamsPresence {
    TeamsPresence::new("Busy", "InACall")
}

/// A lease that outlasts its renewal, within Graph's bounds.
pub(super) fn lease(renewal: Duration) -> Duration {
    renewal.saturating_mul(2).clamp(SHORTEST_LEASE, LONGEST_LEASE)
}

pub(in super::super) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// A state that Teams should carry in the preferred slot.
pub(super) struct Wish {
    pub(super) presence: TeamsPresence,
    pub(super) stands_for: String,
    pub(super) lifetime: Duration,
    pub(super) renewed_after: Duration,
    /// Whether it ends with a call: it is only set and renewed while a source tells of the call.
    pub(super) leased: bool,
}

/// What the decision depends on besides the slots.
#[derive(Clone, Copy)]
pub(in super::super) struct Scene<'a> {
    pub(in super::super) member: &'a Member,
    pub(in super::super) pbx: &'a PbxSight,
    pub(in super::super) leaving: bool,
    pub(in super::super) now: DateTime<Utc>,
    pub(in super::super) rules: &'a Rules,
}

impl<'a> Scene<'a> {
    /// What a decision about one user depends on.
    pub(in super::super) fn of(
        member: &'a Member,
        leaving: bool,
        pbx: &'a PbxSight,
        now: DateTime<Utc>,
        rules: &'a Rules,
    ) -> Self {
        Self {
            member,
            pbx,
            leaving,
            now,
            rules,
        }
    }

    /// What an administrator holds writes to Teams back with.
    pub(in super::super) fn restrained(&self) -> Option<(Brake, Option<DateTime<Utc>>)> {
        let brake = self.rules.restraint.of(self.member, Side::Teams)?;
        Some((brake, None))
    }

    /// Whether the connector may claim anything for this user.
    pub(super) fn claims(&self) -> bool {
        !self.leaving && self.rules.direction.pbx_to_teams
    }

    /// Whether the connector may carry this user's note over.
    pub(in super::super) fn claims_notes(&self) -> bool {
        self.claims() && self.rules.notes_to_teams
    }

    /// What a text of this user is known by.
    pub(in super::super) fn digest(&self, text: &str) -> Digest {
        Digest::of(text, &self.member.pbx.guid)
    }

    /// What the PBX's state means; nothing where we may not claim.
    fn meaning(&self) -> Meaning {
        match self.pbx.activity() {
            Some(activity) if self.claims() => self.rules.pbx_to_teams.map(activity),
            _ => Meaning::Nothing,
        }
    }

    /// Whether our session should show a call.
    pub(super) fn session_wanted(&self) -> bool {
        self.meaning() == Meaning::OnThePhone && self.rules.on_the_phone == OnThePhone::InACall
    }

    /// Whether a source that is followed at this time tells of what is shown as a call.
    pub(super) fn surely_calls(&self) -> bool {
        if self.pbx.on_the_phone() {
            self.pbx.surely_on_the_phone()
        } else {
            self.pbx.presence_fresh && self.meaning() == Meaning::OnThePhone
        }
    }

    /// What the preferred slot should carry.
    pub(super) fn wish(&self) -> Option<Wish> {
        let stands_for = self.pbx.activity()?.to_owned();
        let leased = |preferred: Preferred, stands_for| Wish {
            presence: preferred.presence(),
            stands_for,
            lifetime: lease(self.rules.renewal),
            renewed_after: self.rules.renewal,
            leased: true,
        };
        match (self.meaning(), self.rules.on_the_phone) {
            (Meaning::OnThePhone, OnThePhone::DoNotDisturb) => {
                Some(leased(Preferred::DoNotDisturb, stands_for))
            }
            (Meaning::Preferred(preferred), _) if self.pbx.on_the_phone() => {
                Some(leased(preferred, stands_for))
            }
            (Meaning::Preferred(preferred), _) => Some(Wish {
                presence: preferred.presence(),
                stands_for,
                lifetime: preferred.lifetime(),
                renewed_after: preferred.lifetime().saturating_sub(RENEWED_BEFORE),
                leased: false,
            }),
            (Meaning::OnThePhone | Meaning::Nothing | Meaning::Unknown, _) => None,
        }
    }

    pub(in super::super) fn remove(&self, slot: Slot) -> LedgerChange {
        LedgerChange::Remove {
            pbx_user: self.member.pbx.guid.clone(),
            slot,
        }
    }

    pub(super) fn put(&self, slot: Slot, claim: &Claim) -> LedgerChange {
        LedgerChange::Put(self.row(slot, claim))
    }

    pub(super) fn row(&self, slot: Slot, claim: &Claim) -> LedgerRow {
        LedgerRow {
            pbx_user: self.member.pbx.guid.clone(),
            h323: self.member.pbx.h323.clone(),
            home: self.member.pbx.home.clone(),
            teams_user: self.member.teams.clone(),
            slot,
            state: claim.state,
            value: claim.presence.clone(),
            stands_for: claim.stands_for.clone(),
            written_at: claim.written_at,
            until: Some(claim.until),
            replaces: Vec::new(),
        }
    }
}
