//! How it stands with what the PBX asks Teams to show: one state of a closed set, for an administrator's eyes.
//!
//! A write that Graph accepted is not yet a state that others see. What is shown is read back with the next look at
//! Teams: the user's own choice, a missing Teams session or a stronger state of the user's own may prevail.

use chrono::{DateTime, Utc};

use super::super::claim::{Claim, SETTLING};
use super::super::standing::{ClaimState, Standing, Wait, wait_of};
use super::need::Need;
use super::scene::Scene;
use super::{TeamsSide, slot_of};
use crate::mapping::Meaning;
use crate::ports::{PresenceChange, Slot};
use crate::teams::TeamsPresence;

/// The newest look at Teams that was believed.
#[derive(Clone, Copy)]
pub(in super::super) struct Look<'a> {
    pub(in super::super) presence: &'a TeamsPresence,
    /// What is shown was true at this time or later.
    pub(in super::super) at: DateTime<Utc>,
}

impl TeamsSide {
    /// Tells how it stands with the claim that matters now: a call before a choice, and what is to be removed last.
    pub(in super::super) fn standing(&self, look: Option<Look>, scene: Scene) -> Option<Standing> {
        if scene.session_wanted() {
            let standing = self.standing_of(Slot::Session, self.need_session(scene), look, scene);
            return standing.map(|standing| self.with_lifted_choice(standing, scene));
        }
        if scene.wish().is_some() {
            return self.standing_of(Slot::Preferred, self.need_preferred(scene), look, scene);
        }
        self.removal(scene)
    }

    fn standing_of(
        &self,
        slot: Slot,
        need: Option<Need>,
        look: Option<Look>,
        scene: Scene,
    ) -> Option<Standing> {
        let under_way = self
            .under_way
            .as_ref()
            .filter(|write| slot_of(&write.change) == slot);
        let claim = self.claim(slot);
        let renewed = need.as_ref().is_none_or(|need| need.renewal);
        match (claim, under_way) {
            (Some(claim), None) if renewed => Some(accepted(claim, slot, look, scene)),
            (Some(claim), Some(write)) if write.renewal => Some(accepted(claim, slot, look, scene)),
            (Some(claim), Some(_)) => {
                let (presence, choice) = (claim.presence.clone(), &claim.stands_for);
                Some(Standing::of(ClaimState::Writing, presence, choice))
            }
            (None, _) | (Some(_), None) => self.waiting(&need?, scene),
        }
    }

    /// A needed write that has not left, and why.
    fn waiting(&self, need: &Need, scene: Scene) -> Option<Standing> {
        let (state, wait) = self.wait_of(&need.change, scene);
        Some(Standing {
            wait,
            ..Standing::of(state, pair_of(&need.change)?.clone(), &need.stands_for)
        })
    }

    /// What is still there of ours although nothing asks for it.
    fn removal(&self, scene: Scene) -> Option<Standing> {
        let slots = [
            (&self.session, PresenceChange::ClearSession),
            (&self.preferred, PresenceChange::ClearPreferred),
        ];
        let mut held = slots
            .into_iter()
            .filter_map(|(claim, clear)| Some((claim.as_ref().filter(|claim| claim.holds())?, clear)));
        let (claim, clear) = held.next()?;
        let state = match self.wait_of(&clear, scene) {
            (ClaimState::Writing, _) if self.doubted_at.is_some() => (ClaimState::WaitingForRead, None),
            (ClaimState::Writing, _) => (ClaimState::Releasing, None),
            waiting => waiting,
        };
        Some(Standing {
            wait: state.1,
            ..Standing::of(state.0, claim.presence.clone(), &claim.stands_for)
        })
    }

    fn wait_of(&self, change: &PresenceChange, scene: Scene) -> (ClaimState, Option<Wait>) {
        wait_of(&self.hold, change, scene.now, || {
            scene.restrained().or_else(|| self.pace.brake(scene.now))
        })
    }

    fn with_lifted_choice(&self, standing: Standing, scene: Scene) -> Standing {
        let choice = scene.pbx.choice.as_deref().unwrap_or_default();
        let preferred = matches!(scene.rules.pbx_to_teams.map(choice), Meaning::Preferred(_));
        if standing.state != ClaimState::Shown || self.preferred.is_some() || !preferred {
            return standing;
        }
        Standing {
            state: ClaimState::Lifted,
            stands_for: choice.to_owned(),
            ..standing
        }
    }

    fn claim(&self, slot: Slot) -> Option<&Claim> {
        match slot {
            Slot::Session => self.session.as_ref(),
            Slot::Preferred | Slot::PbxEntry | Slot::AlienCall | Slot::StatusMessage => {
                self.preferred.as_ref()
            }
        }
    }
}

/// What became of a claim that Graph has accepted.
fn accepted(claim: &Claim, slot: Slot, look: Option<Look>, scene: Scene) -> Standing {
    Standing {
        shown: look.map(|look| look.presence.clone()),
        ..Standing::of(
            shown(claim, slot, look, scene),
            claim.presence.clone(),
            &claim.stands_for,
        )
    }
}

fn shown(claim: &Claim, slot: Slot, look: Option<Look>, scene: Scene) -> ClaimState {
    if !claim.holds() {
        return ClaimState::Overridden;
    }
    let Some(look) = look.filter(|look| look.at >= claim.since) else {
        return ClaimState::Accepted;
    };
    let is = |presence: &TeamsPresence, word| presence.availability.eq_ignore_ascii_case(word);
    let offline = is(look.presence, "Offline") && !is(&claim.presence, "Offline");
    if claim.explains(look.presence, scene.rules) && !offline {
        return ClaimState::Shown;
    }
    let told = look.at >= claim.since + SETTLING && !is(look.presence, "PresenceUnknown");
    match slot {
        Slot::Session if told => ClaimState::Masked,
        Slot::Preferred if told && offline => ClaimState::NoSession,
        // a contradiction is judged by the read that follows it
        Slot::Session | Slot::Preferred | Slot::PbxEntry | Slot::AlienCall | Slot::StatusMessage => {
            ClaimState::Accepted
        }
    }
}

fn pair_of(change: &PresenceChange) -> Option<&TeamsPresence> {
    match change {
        PresenceChange::SetSession { presence, .. } | PresenceChange::SetPreferred { presence, .. } => {
            Some(presence)
        }
        PresenceChange::ClearSession
        | PresenceChange::ClearPreferred
        | PresenceChange::SetMessage { .. }
        | PresenceChange::ClearMessage => None,
    }
}
