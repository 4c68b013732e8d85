//! Recognises what the user chose in Teams after us, and when a change at the PBX takes the slot again.
//!
//! DESIGN 5, the later choice wins. Only a read tells: a notification may be older than our write. A notification that
//! contradicts our claim puts it in doubt, though, and what is in doubt is neither cleared nor renewed before a read.

use chrono::{DateTime, Utc};

use super::super::claim::{Claim, FadingClaim, SETTLING};
use super::super::pbx_sight::ON_THE_PHONE;
use super::scene::{Scene, delta};
use super::{TeamsSide, slot_of};
use crate::mapping::Meaning;
use crate::ports::{LedgerChange, LedgerState, Slot};
use crate::teams::TeamsPresence;

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
    /// Takes in a notification that was believed; tells whether a read must follow.
    pub(in super::super) fn see_notice(
        &mut self,
        observed: &TeamsPresence,
        received_at: DateTime<Utc>,
        scene: Scene,
    ) -> bool {
        let held = self.preferred.as_ref().filter(|claim| claim.holds());
        let Some(claim) = held.filter(|claim| !claim.explains(observed, scene.rules)) else {
            return false;
        };
        if claim.confirmed() && received_at > claim.written_at && !says_nothing(observed) {
            self.doubted_at.get_or_insert(received_at);
        }
        true
    }

    /// Takes in a read that was believed: released claims end, and the user's own later choice is recognised.
    pub(in super::super) fn see_read(
        &mut self,
        observed: &TeamsPresence,
        begun_at: DateTime<Utc>,
        scene: Scene,
    ) -> Vec<LedgerChange> {
        for claim in &mut self.fading {
            claim.outlive(begun_at);
        }
        if !self.last_write.lets_judge(begun_at) {
            return Vec::new();
        }
        let clear_unanswered = self.clear_unanswered;
        let doubted = self.end_doubt(begun_at);
        if says_nothing(observed) {
            return Vec::new();
        }
        if doubted && scene.wish().is_none() && self.is_gone(observed, scene) {
            if clear_unanswered && scene.session_wanted() {
                self.empty_during.clone_from(&scene.pbx.choice);
            }
            self.end_replaced(begun_at);
            if let Some(claim) = self.preferred.take() {
                self.fade(FadingClaim::seen_gone(claim.presence, begun_at));
            }
            let mut changes = vec![scene.remove(Slot::Preferred)];
            changes.extend(self.yield_during_call(observed, begun_at, scene));
            return changes;
        }
        if let Some(claim) = &mut self.preferred {
            let overridden = claim.confirmed()
                && begun_at >= claim.written_at + SETTLING
                && !claim.explains(observed, scene.rules);
            if !overridden {
                return Vec::new();
            }
            claim.state = LedgerState::Overridden;
            let taken = FadingClaim::seen_gone(claim.presence.clone(), begun_at);
            let change = scene.put(Slot::Preferred, claim);
            if claim.stands_for == ON_THE_PHONE && scene.pbx.choice.is_some() {
                self.choice_before.clone_from(&scene.pbx.choice);
                self.chose_during = false;
            }
            self.fade(taken);
            return vec![change];
        }
        self.yield_during_call(observed, begun_at, scene)
    }

    /// Notes that a read left the user out: it will tell nothing more.
    pub(in super::super) fn see_missing(&mut self, begun_at: DateTime<Utc>) {
        self.end_doubt(begun_at);
    }

    fn end_doubt(&mut self, begun_at: DateTime<Utc>) -> bool {
        let settled = |doubted_at: &mut DateTime<Utc>| begun_at >= *doubted_at + SETTLING;
        let ended = self.doubted_at.take_if(settled).is_some();
        self.clear_unanswered &= !ended;
        ended
    }

    /// Whether a claim that is not wanted any more is out of the slot by our own doing: it was never set, or its clear
    /// was done although nobody said so.
    fn is_gone(&self, observed: &TeamsPresence, scene: Scene) -> bool {
        let replaced = self.replaced.explain(observed, scene.rules);
        self.preferred.as_ref().is_some_and(|claim| {
            claim.state == LedgerState::Intended && !replaced && !claim.explains(observed, scene.rules)
        })
    }

    /// Recognises that the user filled the empty preferred slot while a call lasts: nothing is put back afterwards. What
    /// the user chose at the PBX during the call is later than what may have been in the slot before.
    fn yield_during_call(
        &mut self,
        observed: &TeamsPresence,
        begun_at: DateTime<Utc>,
        scene: Scene,
    ) -> Vec<LedgerChange> {
        let session_shown = |claim: &Claim| claim.confirmed() && begun_at >= claim.written_at + SETTLING;
        let Some(session) = self.accepted_session().filter(|claim| session_shown(claim)) else {
            return Vec::new();
        };
        if session.explains(observed, scene.rules) && scene.pbx.choice.is_some() {
            self.empty_during.clone_from(&scene.pbx.choice);
        }
        let Some(choice) = scene.pbx.choice.as_ref().or(self.empty_during.as_ref()) else {
            return Vec::new();
        };
        if !can_only_be_preferred(observed) || self.empty_during.as_ref() != Some(choice) {
            return Vec::new();
        }
        let Meaning::Preferred(preferred) = scene.rules.pbx_to_teams.map(choice) else {
            return Vec::new();
        };
        let claim = Claim {
            presence: preferred.presence(),
            stands_for: choice.clone(),
            state: LedgerState::Overridden,
            since: begun_at,
            written_at: begun_at,
            until: begun_at + delta(preferred.lifetime()),
        };
        let change = scene.put(Slot::Preferred, &claim);
        self.preferred = Some(claim);
        vec![change]
    }

    /// The session as Graph accepted it last: its renewal may be under way.
    fn accepted_session(&self) -> Option<&Claim> {
        let under_way = self.under_way.as_ref();
        match under_way.filter(|write| slot_of(&write.change) == Slot::Session) {
            Some(write) => write.before.as_ref(),
            None => self.session.as_ref(),
        }
    }

    /// Follows the user's choice at the PBX while the preferred slot is the user's: a new choice takes it again. A call
    /// is no new choice, and what is hidden by one is unknown.
    pub(in super::super) fn follow_choice(&mut self, scene: Scene) -> Option<LedgerChange> {
        let on_the_phone = scene.pbx.on_the_phone();
        let hung_up = self.was_on_the_phone && !on_the_phone;
        if scene.pbx.choice.is_some() && scene.pbx.choice != self.empty_during {
            self.empty_during = None;
        }
        let known = self.choice_before.as_ref();
        let another =
            known.is_some_and(|known| scene.pbx.choice.as_ref().is_some_and(|choice| choice != known));
        self.chose_during |= another;
        let same_choice =
            !self.chose_during && known.is_none_or(|known| scene.pbx.choice.as_ref() == Some(known));
        self.was_on_the_phone = on_the_phone;
        // after a restart, what shows first during a call stands for what was chosen before it
        if !on_the_phone || self.choice_before.is_none() {
            self.choice_before.clone_from(&scene.pbx.choice);
            self.chose_during = false;
        }
        let claim = self.preferred.as_mut().filter(|claim| !claim.holds())?;
        let choice = scene.pbx.choice.as_ref()?;
        let of_the_call = claim.stands_for == ON_THE_PHONE;
        if (on_the_phone && of_the_call) || claim.stands_for == *choice {
            return None;
        }
        if hung_up && same_choice && of_the_call && !choice.is_empty() {
            claim.stands_for.clone_from(choice);
            return Some(scene.put(Slot::Preferred, claim));
        }
        self.preferred = None;
        Some(scene.remove(Slot::Preferred))
    }
}
