//! What we set in Teams for one user, and which write comes next.
//!
//! There are two slots: our session, which shows a call, and the preferred presence, which shows what the user chose at
//! the PBX. A preferred presence masks every session, so it is lifted while a call lasts. At most one write is under way.

mod choice;
mod need;
mod replaced;
mod scene;
mod standing;

use chrono::{DateTime, Utc};

use super::claim::{Claim, FadingClaim};
use super::hold::Hold;
use super::last_write::LastWrite;
use super::pace::Pace;
use super::pbx_sight::ON_THE_PHONE;
use super::transition::HeldBack;
use super::{Outcome, Rules};
use crate::ports::{LedgerChange, LedgerRow, LedgerState, PresenceChange, Slot};
use crate::teams::TeamsPresence;

use replaced::ReplacedClaims;
pub(super) use scene::{RENEWED_BEFORE, Scene, delta};
pub(super) use standing::Look;

#[derive(Clone, Debug)]
struct UnderWay {
    change: PresenceChange,
    renewal: bool,
    /// What the slot carried before, as far as we know.
    before: Option<Claim>,
}

/// What became of a write.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) changes: Vec<LedgerChange>,
    /// Whether a read must tell what Teams shows now.
    pub(super) read: bool,
}

/// The two slots of one user, with what is under way.
#[derive(Clone, Debug)]
pub(super) struct TeamsSide {
    pub(super) session: Option<Claim>,
    pub(super) preferred: Option<Claim>,
    fading: Vec<FadingClaim>,
    replaced: ReplacedClaims,
    under_way: Option<UnderWay>,
    last_write: LastWrite,
    /// Since when a read must tell what the preferred slot carries: a write of it was left unanswered, or a notification
    /// contradicts it.
    doubted_at: Option<DateTime<Utc>>,
    /// Whether the doubt is about a clear.
    clear_unanswered: bool,
    /// Slots whose row of the ledger had ended before the start.
    changed_rows: Vec<Slot>,
    pub(super) hold: Hold<PresenceChange>,
    pub(super) pace: Pace,
    pub(super) held_back: HeldBack<PresenceChange>,
    was_on_the_phone: bool,
    choice_before: Option<String>,
    /// Whether another choice at the PBX has been seen during this call.
    chose_during: bool,
    /// The choice at the PBX while which the preferred slot was last known to be empty during a call.
    empty_during: Option<String>,
}

impl TeamsSide {
    pub(super) fn new() -> Self {
        Self {
            session: None,
            preferred: None,
            fading: Vec::new(),
            replaced: ReplacedClaims::default(),
            under_way: None,
            last_write: LastWrite::default(),
            doubted_at: None,
            clear_unanswered: false,
            changed_rows: Vec::new(),
            hold: Hold::default(),
            pace: Pace::of_teams(),
            held_back: HeldBack::default(),
            was_on_the_phone: false,
            choice_before: None,
            chose_during: false,
            empty_during: None,
        }
    }

    /// Takes in a row of the ledger. What has ended explains nothing; what the user took back does not end.
    pub(super) fn restore(&mut self, row: &LedgerRow, now: DateTime<Utc>) {
        let until = row.until.unwrap_or(row.written_at);
        let ended = until <= now && row.state != LedgerState::Overridden;
        let written = Claim {
            presence: row.value.clone(),
            stands_for: row.stands_for.clone(),
            state: row.state,
            since: row.written_at,
            written_at: row.written_at,
            until,
        };
        if row.slot == Slot::Preferred {
            self.replaced.restore(&row.replaces, row.written_at);
            let _explain_nothing = self.replaced.expire(now);
        }
        let claim = if ended {
            self.changed_rows.push(row.slot);
            self.outlasting(row.slot)
        } else {
            Some(written)
        };
        let Some(claim) = claim else { return };
        if row.slot == Slot::Preferred && claim.state == LedgerState::Intended {
            self.doubted_at = Some(row.written_at);
        }
        self.was_on_the_phone |= claim.stands_for == ON_THE_PHONE;
        *self.slot(row.slot) = Some(claim);
    }

    /// What a slot may still carry of ours when the claim that was to replace it has ended.
    fn outlasting(&mut self, slot: Slot) -> Option<Claim> {
        (slot == Slot::Preferred).then(|| self.replaced.take_lasting())?
    }

    /// Tells whether an observed pair is of our own making.
    pub(super) fn explains(&self, observed: &TeamsPresence, now: DateTime<Utc>, rules: &Rules) -> bool {
        let fades = |claim: &FadingClaim| claim.explains(observed, now, rules);
        self.carries(observed, rules)
            || self.replaced.explain(observed, rules)
            || self.fading.iter().any(fades)
    }

    /// Tells whether an observed pair is what we hold in a slot.
    pub(super) fn carries(&self, observed: &TeamsPresence, rules: &Rules) -> bool {
        let held = [&self.session, &self.preferred].into_iter().flatten();
        held.filter(|claim| claim.holds())
            .any(|claim| claim.explains(observed, rules))
    }

    /// Tells whether an observed pair may be a late trace of what we have released.
    pub(super) fn recalls(&self, observed: &TeamsPresence, rules: &Rules) -> bool {
        self.replaced.explain(observed, rules) || self.fading.iter().any(|claim| claim.recalls(observed))
    }

    /// Whether a lease of ours stands for a call at the PBX.
    pub(super) fn holds_call(&self, now: DateTime<Utc>) -> bool {
        let held = [&self.session, &self.preferred].into_iter().flatten();
        self.under_way.is_some()
            || held
                .filter(|claim| claim.holds() && claim.stands_for == ON_THE_PHONE)
                .any(|claim| claim.until > now)
    }

    /// Whether the write under way only repeats what stands.
    pub(super) fn renews(&self) -> bool {
        self.under_way.as_ref().is_some_and(|write| write.renewal)
    }

    /// Whether a write is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether nothing of ours is left in Teams.
    pub(super) fn is_clear(&self) -> bool {
        let held = |claim: &Option<Claim>| claim.as_ref().is_some_and(Claim::holds);
        self.under_way.is_none() && !held(&self.session) && !held(&self.preferred)
    }

    /// Drops what has ended by itself; answers the rows that go with it, and whether Teams shows something else now.
    /// What Teams still tells of it is explained until a read shows what lies beneath. What the user took back is no
    /// state of ours and ends with the next change at the PBX only.
    pub(super) fn expire(&mut self, scene: Scene) -> Written {
        self.fading.retain(|claim| claim.is_remembered(scene.now));
        let mut expired = Written::default();
        for slot in std::mem::take(&mut self.changed_rows) {
            expired.changes.push(self.row(slot, scene));
        }
        if self.under_way.is_some() {
            return expired;
        }
        let given_up = |claim: &mut Claim| !claim.holds() && !scene.claims();
        if self.preferred.take_if(given_up).is_some() {
            expired.changes.push(scene.remove(Slot::Preferred));
        }
        for presence in self.replaced.expire(scene.now) {
            self.fade(FadingClaim::gone(presence, scene.now));
        }
        for slot in [Slot::Session, Slot::Preferred] {
            let ended = |claim: &mut Claim| claim.holds() && claim.until <= scene.now;
            if let Some(ended) = self.slot(slot).take_if(ended) {
                self.fade(FadingClaim::gone(ended.presence, scene.now));
                if let Some(claim) = self.outlasting(slot) {
                    self.doubted_at = Some(scene.now);
                    *self.slot(slot) = Some(claim);
                }
                expired.changes.push(self.row(slot, scene));
                expired.read = true;
            }
        }
        expired
    }

    /// Takes in the outcome of the write under way.
    pub(super) fn written(&mut self, outcome: &Outcome, scene: Scene) -> Written {
        let Some(written) = self.under_way.take() else {
            return Written::default();
        };
        self.last_write.answered(scene.now);
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
                self.hold.refuse(written.change, scene.now, message);
                return self.restore_refused(slot, written.before, scene);
            }
            Outcome::Failed { wait } => {
                self.hold.fail(scene.now, *wait);
                if slot == Slot::Preferred {
                    self.doubted_at = Some(scene.now);
                    self.clear_unanswered = clears;
                }
                return Written {
                    changes: Vec::new(),
                    read: slot == Slot::Preferred,
                };
            }
        }
        self.hold.succeed(&written.change);
        if slot == Slot::Preferred {
            self.end_replaced(scene.now);
        }
        if clears {
            if let Some(claim) = self.slot(slot).take() {
                if slot == Slot::Preferred && scene.session_wanted() {
                    // a call may hide the choice, but what is lifted stood for it
                    self.empty_during = scene.pbx.choice.clone().or(Some(claim.stands_for));
                }
                self.fade(FadingClaim::gone(claim.presence, scene.now));
            }
            return Written {
                changes: vec![scene.remove(slot)],
                read: true,
            };
        }
        let Some(claim) = self.slot(slot) else {
            return Written::default();
        };
        let lifetime = claim.until - claim.written_at;
        claim.state = LedgerState::Confirmed;
        if !written.renewal {
            claim.since = scene.now;
        }
        claim.written_at = scene.now;
        claim.until = scene.now + lifetime;
        Written {
            changes: vec![self.row(slot, scene)],
            read: !written.renewal,
        }
    }

    /// The change of the ledger that makes the row of a slot what we know of it.
    fn row(&self, slot: Slot, scene: Scene) -> LedgerChange {
        let (claim, replaces) = match slot {
            Slot::Session => (&self.session, Vec::new()),
            Slot::Preferred | Slot::PbxEntry | Slot::AlienCall | Slot::StatusMessage => {
                (&self.preferred, self.replaced.rows())
            }
        };
        let row = |claim| LedgerRow {
            replaces,
            ..scene.row(slot, claim)
        };
        claim
            .as_ref()
            .map_or_else(|| scene.remove(slot), |claim| LedgerChange::Put(row(claim)))
    }

    /// A refused write has changed nothing: the slot carries what it carried before. What stood there of ours may have
    /// been contradicted before the write, and is not cleared before a read.
    fn restore_refused(&mut self, slot: Slot, before: Option<Claim>, scene: Scene) -> Written {
        let doubted = slot == Slot::Preferred && before.as_ref().is_some_and(Claim::holds);
        if doubted {
            self.doubted_at = Some(scene.now);
        }
        if let Some(claim) = before.as_ref().filter(|_| slot == Slot::Preferred) {
            self.replaced.forget(&claim.presence);
        }
        *self.slot(slot) = before;
        Written {
            changes: vec![self.row(slot, scene)],
            read: doubted,
        }
    }

    /// When something of this side changes by itself next.
    pub(super) fn next_deadline(&self, scene: Scene) -> Option<DateTime<Utc>> {
        if self.under_way.is_some() {
            return None;
        }
        let held = [&self.session, &self.preferred].into_iter().flatten();
        let ends = held.filter(|claim| claim.holds()).map(|claim| claim.until);
        let renewal = |claim: &Claim| claim.written_at + scene::delta(scene.rules.renewal);
        let session = self
            .session
            .as_ref()
            .filter(|_| scene.surely_calls())
            .map(renewal);
        let confirmed = self.preferred.as_ref().filter(|claim| claim.confirmed());
        let preferred = confirmed
            .zip(scene.wish())
            .map(|(claim, wish)| claim.written_at + scene::delta(wish.renewed_after));
        let waits = [session, preferred, Some(self.pace.next().0)];
        ends.chain(self.fading.iter().map(FadingClaim::ends_at))
            .chain(self.replaced.next_end())
            .chain(self.hold.ends())
            .chain(waits.into_iter().flatten())
            .filter(|time| *time > scene.now)
            .min()
    }

    /// Whatever preferred presence of ours was to be replaced is out of the slot.
    fn end_replaced(&mut self, at: DateTime<Utc>) {
        for presence in self.replaced.end() {
            self.fade(FadingClaim::gone(presence, at));
        }
    }

    /// Keeps one trace per pair.
    fn fade(&mut self, claim: FadingClaim) {
        self.fading.retain(|other| other.presence != claim.presence);
        self.fading.push(claim);
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
        PresenceChange::SetMessage { .. } | PresenceChange::ClearMessage => Slot::StatusMessage,
    }
}
