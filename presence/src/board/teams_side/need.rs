//! The one rule of which write Teams needs next: the session is set before the preferred presence is lifted, and the
//! preferred presence is put back before the session is cleared.

use super::super::claim::Claim;
use super::super::pbx_sight::ON_THE_PHONE;
use super::super::transition::{Receipt, Side};
use super::scene::{Scene, Wish, call, delta, lease};
use super::{TeamsSide, UnderWay, slot_of};
use crate::ports::{LedgerChange, LedgerState, PresenceChange, PresenceWrite, Slot};

/// A needed write, before it is noted as under way.
pub(super) struct Need {
    pub(super) change: PresenceChange,
    pub(super) stands_for: String,
    pub(super) renewal: bool,
}

impl Need {
    fn of(change: PresenceChange) -> Self {
        Self {
            change,
            stands_for: String::new(),
            renewal: false,
        }
    }
}

impl TeamsSide {
    /// Decides which write Teams needs next and notes that it is under way. Answers the write, and the change of the
    /// ledger that must be stored before it leaves.
    pub(in super::super) fn next_write(
        &mut self,
        scene: Scene,
    ) -> (Option<PresenceWrite>, Option<LedgerChange>) {
        if self.under_way.is_some() {
            return (None, None);
        }
        let Some(need) = self.need(scene) else {
            self.held_back.end();
            return (None, None);
        };
        let pace = || self.pace.brake(scene.now).filter(|_| !need.renewal);
        if let Some((brake, until)) = scene.restrained().or_else(pace) {
            self.held_back.note(need.change, |change| Receipt {
                side: Side::Teams,
                what: change.to_string(),
                brake,
                until,
            });
            return (None, None);
        }
        self.held_back.end();
        let before = self.slot(slot_of(&need.change)).clone();
        let change = self.intend(&need, scene);
        self.pace.take(scene.now, need.renewal);
        self.last_write.leaves(scene.now);
        self.under_way = Some(UnderWay {
            change: need.change.clone(),
            renewal: need.renewal,
            before,
        });
        let write = PresenceWrite {
            user: scene.member.teams.clone(),
            change: need.change,
            renewal: need.renewal,
        };
        (Some(write), change)
    }

    fn need(&self, scene: Scene) -> Option<Need> {
        let over = self.session.is_some() && !scene.session_wanted();
        let clear = || over.then(|| Need::of(PresenceChange::ClearSession));
        let may_leave = |need: &Need| !self.hold.stops(&need.change, scene.now);
        self.need_session(scene)
            .filter(may_leave)
            .or_else(|| self.need_preferred(scene).filter(may_leave))
            .or_else(|| clear().filter(may_leave))
    }

    pub(super) fn need_session(&self, scene: Scene) -> Option<Need> {
        if !scene.session_wanted() || !scene.surely_calls() {
            return None;
        }
        let due =
            |claim: &Claim| !claim.confirmed() || scene.now >= claim.written_at + delta(scene.rules.renewal);
        self.session.as_ref().is_none_or(due).then(|| Need {
            change: PresenceChange::SetSession {
                presence: call(),
                lifetime: lease(scene.rules.renewal),
            },
            stands_for: ON_THE_PHONE.to_owned(),
            renewal: self.session.as_ref().is_some_and(Claim::confirmed),
        })
    }

    pub(super) fn need_preferred(&self, scene: Scene) -> Option<Need> {
        let Some(wish) = scene.wish() else {
            return self.need_clear(scene);
        };
        if wish.leased && !scene.surely_calls() {
            return None;
        }
        // what the user took back is left alone whatever we had set there
        let same = |claim: &&Claim| {
            claim.stands_for == wish.stands_for && (claim.presence == wish.presence || !claim.holds())
        };
        let standing = self.preferred.as_ref().filter(same);
        if standing.is_some_and(|claim| self.stays(claim, &wish, scene)) {
            return None;
        }
        Some(Need {
            change: PresenceChange::SetPreferred {
                presence: wish.presence,
                lifetime: wish.lifetime,
            },
            renewal: standing.is_some_and(Claim::confirmed),
            stands_for: wish.stands_for,
        })
    }

    /// Whether a claim needs no write: the slot is the user's, or it is set and need not, or must not yet, be renewed.
    fn stays(&self, claim: &Claim, wish: &Wish, scene: Scene) -> bool {
        let due = scene.now >= claim.written_at + delta(wish.renewed_after);
        !claim.holds() || (claim.confirmed() && (!due || self.doubted_at.is_some()))
    }

    fn need_clear(&self, scene: Scene) -> Option<Need> {
        self.preferred.as_ref().filter(|claim| claim.holds())?;
        let session_shown = self.session.as_ref().is_some_and(Claim::confirmed) || !scene.surely_calls();
        let too_early = scene.session_wanted() && !session_shown;
        (!too_early && self.doubted_at.is_none()).then(|| Need::of(PresenceChange::ClearPreferred))
    }

    /// Notes a change as intended before it is written, so that a crash leaves a trace of it. A claim that is about to be
    /// cleared is as unsure as one that is about to be set: it must be set anew when it is wanted again.
    fn intend(&mut self, need: &Need, scene: Scene) -> Option<LedgerChange> {
        let (presence, lifetime) = match &need.change {
            PresenceChange::SetSession { presence, lifetime }
            | PresenceChange::SetPreferred { presence, lifetime } => (presence, *lifetime),
            PresenceChange::ClearSession
            | PresenceChange::ClearPreferred
            | PresenceChange::SetMessage { .. }
            | PresenceChange::ClearMessage => {
                let slot = slot_of(&need.change);
                self.slot(slot).as_mut()?.state = LedgerState::Intended;
                return Some(self.row(slot, scene));
            }
        };
        let slot = slot_of(&need.change);
        let standing = self.slot(slot).as_ref().filter(|_| need.renewal);
        let claim = Claim {
            presence: presence.clone(),
            stands_for: need.stands_for.clone(),
            state: LedgerState::Intended,
            since: standing.map_or(scene.now, |claim| claim.since),
            written_at: scene.now,
            until: scene.now + delta(lifetime),
        };
        if slot == Slot::Preferred {
            self.doubted_at = None;
            self.clear_unanswered = false;
        }
        if let Some(replaced) = self.slot(slot).replace(claim)
            && replaced.holds()
            && replaced.presence != *presence
        {
            self.replaced.add(replaced);
        }
        Some(self.row(slot, scene))
    }
}
