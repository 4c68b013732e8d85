//! What we set in Teams for one user, and which write comes next.
//!
//! There are two slots: our session, which shows a call, and the preferred presence, which shows what the user chose at
//! the PBX. A preferred presence masks every session, so it is lifted while a call lasts. Sets always come before clears:
//! the session is set before the preferred presence is lifted, and the preferred presence is put back before the session
//! is cleared. At most one write is under way.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::claim::{Claim, FadingClaim, SETTLING};
use super::hold::Hold;
use super::pace::Pace;
use super::sight::{ON_THE_PHONE, PbxSight};
use super::{Member, OnThePhone, Outcome, Rules};
use crate::mapping::{Meaning, Preferred};
use crate::ports::{LedgerChange, LedgerRow, LedgerState, PresenceChange, PresenceWrite, Slot};
use crate::teams::TeamsPresence;

/// Graph's shortest and longest lifetime of a session (graph.md 5.2).
const SHORTEST_LEASE: Duration = Duration::from_secs(5 * 60);
const LONGEST_LEASE: Duration = Duration::from_secs(4 * 3_600);

/// A long-lived preferred presence is set again this long before its end.
const RENEWED_BEFORE: Duration = Duration::from_secs(3_600);

/// The pair of our session during a call (graph.md 5.2).
fn call() -> TeamsPresence {
    TeamsPresence::new("Busy", "InACall")
}

/// A state that Teams should carry in the preferred slot.
struct Wish {
    presence: TeamsPresence,
    stands_for: String,
    lifetime: Duration,
    renewed_after: Duration,
}

/// A needed write, before it is noted as under way.
struct Need {
    change: PresenceChange,
    stands_for: String,
    renewal: bool,
}

#[derive(Clone, Debug)]
struct UnderWay {
    change: PresenceChange,
    renewal: bool,
}

/// The two slots of one user, with what is under way.
#[derive(Clone, Debug)]
pub(super) struct TeamsSide {
    pub(super) session: Option<Claim>,
    pub(super) preferred: Option<Claim>,
    fading: Vec<FadingClaim>,
    under_way: Option<UnderWay>,
    last_write: Option<DateTime<Utc>>,
    /// When a clear of the preferred slot was left unanswered: a read must tell whether it was done.
    clear_in_doubt: Option<DateTime<Utc>>,
    pub(super) hold: Hold,
    pace: Pace,
    was_on_the_phone: bool,
    choice_before: Option<String>,
}

/// What the decision depends on besides the slots.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) member: &'a Member,
    pub(super) pbx: &'a PbxSight,
    pub(super) leaving: bool,
    pub(super) now: DateTime<Utc>,
    pub(super) rules: &'a Rules,
}

impl Scene<'_> {
    /// Whether the connector may claim anything for this user.
    fn claims(&self) -> bool {
        !self.leaving && self.rules.direction.pbx_to_teams
    }

    fn on_the_phone(&self) -> bool {
        self.claims() && self.pbx.on_the_phone()
    }

    fn remove(&self, slot: Slot) -> LedgerChange {
        LedgerChange::Remove {
            pbx_user: self.member.pbx.guid.clone(),
            slot,
        }
    }

    fn put(&self, slot: Slot, claim: &Claim) -> LedgerChange {
        LedgerChange::Put(LedgerRow {
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
        })
    }

    /// What the preferred slot should carry.
    fn wish(&self) -> Option<Wish> {
        if !self.claims() {
            return None;
        }
        if self.pbx.on_the_phone() {
            return match self.rules.on_the_phone {
                OnThePhone::InACall => None,
                OnThePhone::DoNotDisturb => Some(Wish {
                    presence: Preferred::DoNotDisturb.presence(),
                    stands_for: ON_THE_PHONE.to_owned(),
                    lifetime: lease(self.rules.renewal),
                    renewed_after: self.rules.renewal,
                }),
            };
        }
        let choice = self.pbx.choice.as_deref()?;
        match self.rules.pbx_to_teams.map(choice) {
            Meaning::Preferred(preferred) => Some(Wish {
                presence: preferred.presence(),
                stands_for: choice.to_owned(),
                lifetime: preferred.lifetime(),
                renewed_after: preferred.lifetime().saturating_sub(RENEWED_BEFORE),
            }),
            Meaning::Nothing | Meaning::OnThePhone | Meaning::Unknown => None,
        }
    }
}

/// A lease that outlasts its renewal, within Graph's bounds.
fn lease(renewal: Duration) -> Duration {
    renewal.saturating_mul(2).clamp(SHORTEST_LEASE, LONGEST_LEASE)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// Pairs that say nothing about the preferred slot (DESIGN 5).
fn says_nothing(observed: &TeamsPresence) -> bool {
    ["Offline", "PresenceUnknown"]
        .iter()
        .any(|silent| observed.availability.eq_ignore_ascii_case(silent))
}

/// Pairs that can only come from the preferred slot while our session shows a call: weaker than Busy, or the plain
/// do-not-disturb that a user chooses (graph.md 5.3).
fn can_only_be_preferred(observed: &TeamsPresence) -> bool {
    let is = |text: &String, value: &str| text.eq_ignore_ascii_case(value);
    ["Available", "AvailableIdle", "Away", "BeRightBack"]
        .iter()
        .any(|weak| is(&observed.availability, weak))
        || (is(&observed.availability, "DoNotDisturb") && is(&observed.activity, "DoNotDisturb"))
}

impl TeamsSide {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self {
            session: None,
            preferred: None,
            fading: Vec::new(),
            under_way: None,
            last_write: None,
            clear_in_doubt: None,
            hold: Hold::default(),
            pace: Pace::new(now),
            was_on_the_phone: false,
            choice_before: None,
        }
    }

    /// Takes in a row of the ledger that has not ended.
    pub(super) fn restore(&mut self, row: &LedgerRow, until: DateTime<Utc>) {
        let claim = Claim {
            presence: row.value.clone(),
            stands_for: row.stands_for.clone(),
            state: row.state,
            written_at: row.written_at,
            until,
        };
        if row.slot == Slot::Session {
            self.was_on_the_phone = true;
            self.session = Some(claim);
        } else {
            self.was_on_the_phone |= row.stands_for == ON_THE_PHONE;
            if row.state == LedgerState::Intended {
                self.clear_in_doubt = Some(row.written_at);
            }
            self.preferred = Some(claim);
        }
    }

    /// Tells whether an observed pair is of our own making.
    pub(super) fn explains(&self, observed: &TeamsPresence, now: DateTime<Utc>, rules: &Rules) -> bool {
        let held = [&self.session, &self.preferred].into_iter().flatten();
        held.filter(|claim| claim.holds())
            .any(|claim| claim.explains(observed, rules))
            || self
                .fading
                .iter()
                .any(|claim| claim.lasts(now) && claim.explains(observed, rules))
    }

    /// Tells whether the preferred slot should show something else than what was observed.
    pub(super) fn contradicted_by(&self, observed: &TeamsPresence, rules: &Rules) -> bool {
        self.preferred
            .as_ref()
            .is_some_and(|claim| claim.holds() && !claim.explains(observed, rules))
    }

    /// Whether nothing of ours is left in Teams.
    pub(super) fn is_clear(&self) -> bool {
        let held = |claim: &Option<Claim>| claim.as_ref().is_some_and(Claim::holds);
        self.under_way.is_none() && !held(&self.session) && !held(&self.preferred)
    }

    /// Takes in a read that was believed: released claims end, and the user's own later choice is recognised.
    pub(super) fn see_read(
        &mut self,
        observed: &TeamsPresence,
        begun_at: DateTime<Utc>,
        scene: Scene,
    ) -> Vec<LedgerChange> {
        self.fading.retain(|claim| !claim.outlived_by_read(begun_at));
        let settled = self
            .last_write
            .is_none_or(|written| begun_at >= written + SETTLING);
        if self.under_way.is_some() || !settled || says_nothing(observed) {
            return Vec::new();
        }
        if self
            .clear_in_doubt
            .is_some_and(|tried| begun_at >= tried + SETTLING)
        {
            self.clear_in_doubt = None;
            let gone = |claim: &Claim| !claim.explains(observed, scene.rules);
            if scene.wish().is_none() && self.preferred.as_ref().is_some_and(gone) {
                self.preferred = None;
                return vec![scene.remove(Slot::Preferred)];
            }
        }
        if let Some(claim) = &mut self.preferred {
            let overridden = claim.confirmed()
                && begun_at >= claim.written_at + SETTLING
                && !claim.explains(observed, scene.rules);
            if !overridden {
                return Vec::new();
            }
            claim.state = LedgerState::Overridden;
            return vec![scene.put(Slot::Preferred, claim)];
        }
        self.yield_during_call(observed, begun_at, scene)
    }

    /// Recognises that the user filled the lifted preferred slot while a call lasts: nothing is put back afterwards.
    fn yield_during_call(
        &mut self,
        observed: &TeamsPresence,
        begun_at: DateTime<Utc>,
        scene: Scene,
    ) -> Vec<LedgerChange> {
        let session_shown = |claim: &Claim| claim.confirmed() && begun_at >= claim.written_at + SETTLING;
        if !self.session.as_ref().is_some_and(session_shown) || !can_only_be_preferred(observed) {
            return Vec::new();
        }
        let Some(choice) = scene.pbx.choice.as_ref() else {
            return Vec::new();
        };
        let Meaning::Preferred(preferred) = scene.rules.pbx_to_teams.map(choice) else {
            return Vec::new();
        };
        let claim = Claim {
            presence: preferred.presence(),
            stands_for: choice.clone(),
            state: LedgerState::Overridden,
            written_at: begun_at,
            until: begun_at + delta(preferred.lifetime()),
        };
        let change = scene.put(Slot::Preferred, &claim);
        self.preferred = Some(claim);
        vec![change]
    }

    /// Drops what has ended by itself; answers the rows that go with it. What Teams still tells of it is explained
    /// until a read shows what lies beneath.
    pub(super) fn expire(&mut self, scene: Scene) -> Vec<LedgerChange> {
        self.fading.retain(|claim| claim.lasts(scene.now));
        let mut changes = Vec::new();
        if self.under_way.is_some() {
            return changes;
        }
        for slot in [Slot::Session, Slot::Preferred] {
            if let Some(ended) = self.slot(slot).take_if(|claim| claim.until <= scene.now) {
                if ended.holds() {
                    self.fading.push(FadingClaim {
                        presence: ended.presence,
                        gone_at: Some(scene.now),
                    });
                }
                changes.push(scene.remove(slot));
            }
        }
        changes
    }

    /// Decides which write Teams needs next and notes that it is under way. Answers the write, and the changes of the
    /// ledger that must be stored before it leaves.
    pub(super) fn next_write(&mut self, scene: Scene) -> (Option<PresenceWrite>, Vec<LedgerChange>) {
        let mut changes = self.follow_choice(scene);
        if self.under_way.is_some() || self.hold.lasts(scene.now) {
            return (None, changes);
        }
        let Some(need) = self.need(scene) else {
            return (None, changes);
        };
        if !need.renewal && self.pace.next() > scene.now {
            return (None, changes);
        }
        changes.extend(self.intend(&need, scene));
        self.pace.take(scene.now, need.renewal);
        self.last_write = Some(scene.now);
        self.under_way = Some(UnderWay {
            change: need.change.clone(),
            renewal: need.renewal,
        });
        (
            Some(PresenceWrite {
                user: scene.member.teams.clone(),
                change: need.change,
            }),
            changes,
        )
    }

    /// Takes in the outcome of the write under way. Answers the changes of the ledger, and whether what lies beneath
    /// must be read.
    pub(super) fn written(&mut self, outcome: &Outcome, scene: Scene) -> (Vec<LedgerChange>, bool) {
        let Some(written) = self.under_way.take() else {
            return (Vec::new(), false);
        };
        let slot = slot_of(&written.change);
        let clears = matches!(
            written.change,
            PresenceChange::ClearSession | PresenceChange::ClearPreferred
        );
        match outcome {
            Outcome::Accepted => {}
            // where there is nobody, there is no slot to be cleared
            Outcome::Refused { gone: true, .. } if clears => {}
            Outcome::Refused { message, .. } => {
                self.hold.refuse(scene.now, message);
                return (Vec::new(), false);
            }
            Outcome::Failed { wait } => {
                self.hold.fail(scene.now, *wait);
                let in_doubt = written.change == PresenceChange::ClearPreferred;
                if in_doubt {
                    self.clear_in_doubt = Some(scene.now);
                }
                return (Vec::new(), in_doubt);
            }
        }
        self.hold.end();
        self.last_write = Some(scene.now);
        for claim in self.fading.iter_mut().filter(|claim| claim.gone_at.is_none()) {
            claim.gone_at = Some(scene.now);
        }
        if clears {
            if let Some(claim) = self.slot(slot).take() {
                self.fading.push(FadingClaim {
                    presence: claim.presence,
                    gone_at: Some(scene.now),
                });
            }
            return (vec![scene.remove(slot)], true);
        }
        let Some(claim) = self.slot(slot) else {
            return (Vec::new(), true);
        };
        let lifetime = claim.until - claim.written_at;
        claim.state = LedgerState::Confirmed;
        claim.written_at = scene.now;
        claim.until = scene.now + lifetime;
        (vec![scene.put(slot, claim)], !written.renewal)
    }

    /// When something of this side changes by itself next.
    pub(super) fn next_deadline(&self, scene: Scene) -> Option<DateTime<Utc>> {
        if self.under_way.is_some() {
            return None;
        }
        let ends = [&self.session, &self.preferred]
            .into_iter()
            .flatten()
            .map(|claim| claim.until);
        let renewal = |claim: &Claim| claim.written_at + delta(scene.rules.renewal);
        let session = self
            .session
            .as_ref()
            .map(renewal)
            .filter(|_| scene.pbx.surely_on_the_phone());
        let preferred = self
            .preferred
            .as_ref()
            .filter(|claim| claim.confirmed())
            .zip(scene.wish());
        let preferred = preferred.map(|(claim, wish)| claim.written_at + delta(wish.renewed_after));
        let fading = self
            .fading
            .iter()
            .filter_map(|claim| claim.gone_at)
            .map(|gone| gone + super::claim::FADING);
        let waits = [session, preferred, self.hold.until(), Some(self.pace.next())];
        let ahead = |time: &DateTime<Utc>| *time > scene.now;
        ends.chain(fading)
            .chain(waits.into_iter().flatten())
            .filter(ahead)
            .min()
    }

    /// Follows the user's choice at the PBX while the preferred slot is the user's: a new choice takes it again.
    fn follow_choice(&mut self, scene: Scene) -> Vec<LedgerChange> {
        let on_the_phone = scene.pbx.on_the_phone();
        let hung_up = self.was_on_the_phone && !on_the_phone;
        let same_choice = self.choice_before == scene.pbx.choice;
        self.was_on_the_phone = on_the_phone;
        if !on_the_phone {
            self.choice_before.clone_from(&scene.pbx.choice);
        }
        let Some(claim) = self.preferred.as_mut().filter(|claim| !claim.holds()) else {
            return Vec::new();
        };
        let choice = scene.pbx.choice.clone().unwrap_or_default();
        if !scene.claims() {
            self.preferred = None;
            return vec![scene.remove(Slot::Preferred)];
        }
        if on_the_phone || claim.stands_for == choice {
            return Vec::new();
        }
        if hung_up && same_choice && claim.stands_for == ON_THE_PHONE && !choice.is_empty() {
            claim.stands_for = choice;
            return vec![scene.put(Slot::Preferred, claim)];
        }
        self.preferred = None;
        vec![scene.remove(Slot::Preferred)]
    }

    /// The one rule of what Teams needs: session first, then lift; put back first, then clear.
    fn need(&self, scene: Scene) -> Option<Need> {
        let session_wanted = scene.on_the_phone() && scene.rules.on_the_phone == OnThePhone::InACall;
        if session_wanted && scene.pbx.surely_on_the_phone() {
            let due = |claim: &Claim| {
                !claim.confirmed() || scene.now >= claim.written_at + delta(scene.rules.renewal)
            };
            if self.session.as_ref().is_none_or(due) {
                let change = PresenceChange::SetSession {
                    presence: call(),
                    lifetime: lease(scene.rules.renewal),
                };
                return Some(Need {
                    change,
                    stands_for: ON_THE_PHONE.to_owned(),
                    renewal: self.session.as_ref().is_some_and(Claim::confirmed),
                });
            }
        }
        if let Some(need) = self.need_preferred(scene, session_wanted) {
            return Some(need);
        }
        (self.session.is_some() && !session_wanted).then(|| Need {
            change: PresenceChange::ClearSession,
            stands_for: String::new(),
            renewal: false,
        })
    }

    fn need_preferred(&self, scene: Scene, session_wanted: bool) -> Option<Need> {
        let Some(wish) = scene.wish() else {
            let claim = self.preferred.as_ref().filter(|claim| claim.holds())?;
            let session_shown =
                self.session.as_ref().is_some_and(Claim::confirmed) || !scene.pbx.surely_on_the_phone();
            if (session_wanted && !session_shown) || self.clear_in_doubt.is_some() {
                return None;
            }
            let stands_for = claim.stands_for.clone();
            return Some(Need {
                change: PresenceChange::ClearPreferred,
                stands_for,
                renewal: false,
            });
        };
        let same = |claim: &Claim| claim.presence == wish.presence && claim.stands_for == wish.stands_for;
        let leased = wish.stands_for == ON_THE_PHONE;
        let renewal = match &self.preferred {
            Some(claim) if same(claim) && !claim.holds() => return None,
            Some(claim) if same(claim) => {
                let due = scene.now >= claim.written_at + delta(wish.renewed_after);
                if (claim.confirmed() && !due) || (leased && !scene.pbx.surely_on_the_phone()) {
                    return None;
                }
                claim.confirmed()
            }
            _ if leased && !scene.pbx.surely_on_the_phone() => return None,
            _ => false,
        };
        let change = PresenceChange::SetPreferred {
            presence: wish.presence,
            lifetime: wish.lifetime,
        };
        Some(Need {
            change,
            stands_for: wish.stands_for,
            renewal,
        })
    }

    /// Notes a set as intended before it is written, so that a crash leaves a trace of it.
    fn intend(&mut self, need: &Need, scene: Scene) -> Vec<LedgerChange> {
        let (presence, lifetime) = match &need.change {
            PresenceChange::SetSession { presence, lifetime }
            | PresenceChange::SetPreferred { presence, lifetime } => (presence, *lifetime),
            PresenceChange::ClearSession | PresenceChange::ClearPreferred => return Vec::new(),
        };
        let slot = slot_of(&need.change);
        let claim = Claim {
            presence: presence.clone(),
            stands_for: need.stands_for.clone(),
            state: LedgerState::Intended,
            written_at: scene.now,
            until: scene.now + delta(lifetime),
        };
        let change = scene.put(slot, &claim);
        if slot == Slot::Preferred {
            self.clear_in_doubt = None;
        }
        if let Some(replaced) = self.slot(slot).replace(claim)
            && replaced.holds()
            && replaced.presence != *presence
        {
            self.fading.push(FadingClaim {
                presence: replaced.presence,
                gone_at: None,
            });
        }
        vec![change]
    }

    fn slot(&mut self, slot: Slot) -> &mut Option<Claim> {
        if slot == Slot::Session {
            &mut self.session
        } else {
            &mut self.preferred
        }
    }
}

fn slot_of(change: &PresenceChange) -> Slot {
    match change {
        PresenceChange::SetSession { .. } | PresenceChange::ClearSession => Slot::Session,
        PresenceChange::SetPreferred { .. } | PresenceChange::ClearPreferred => Slot::Preferred,
    }
}
