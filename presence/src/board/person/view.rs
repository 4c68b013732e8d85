//! What an administrator sees of one person: both sides, what we set, and why.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::super::claim::Claim;
use super::super::message_side::NoteStanding;
use super::super::own_call::OwnCall;
use super::super::pbx_sight::{ON_THE_PHONE, PbxSight};
use super::super::standing::{ClaimState, Standing};
use super::super::teams_side::{Look, Scene};
use super::super::transition::Side;
use super::super::{Brake, Receipt, Rules, TeamsCalls};
use super::Person;
use crate::mapping::PbxShown;

/// What an administrator sees of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonView {
    /// The pair that Teams shows, as `availability/activity`.
    pub teams_presence: Option<String>,
    /// The activity that the PBX shows, empty for none.
    pub pbx_presence: Option<String>,
    /// What we show at the PBX, as our entry or as a call of ours; empty for nothing.
    pub shown_at_pbx: Option<String>,
    /// Whether the PBX has taken our entry and does not show it.
    pub entry_unseen: bool,
    /// Whether a call of ours makes the PBX treat the user as busy.
    pub alien_call: bool,
    /// The pairs that we hold in Teams or are about to set there, the session first.
    pub set_in_teams: Option<String>,
    /// How it stands with them.
    pub teams_claim_state: Option<ClaimState>,
    /// How it stands with the user's note at the PBX as the status message in Teams.
    pub note_in_teams: Option<ClaimState>,
    /// Whether the user has a Teams session of the user's own, as far as Teams shows it.
    pub teams_signed_in: Option<bool>,
    /// What is decided and not written yet, and what holds it back.
    pub held_back: Vec<Receipt>,
    /// Whether both sides are known.
    pub synchronised: bool,
    /// Whether the user is being released.
    pub leaving: bool,
    /// Who decided, as one sentence.
    pub why: String,
}

impl Person {
    /// Tells what an administrator sees.
    pub(in super::super) fn view(&self, pbx: &PbxSight, now: DateTime<Utc>, rules: &Rules) -> PersonView {
        let held = [&self.side.session, &self.side.preferred].into_iter().flatten();
        let set: Vec<String> = held
            .filter(|claim| claim.holds())
            .map(|claim| claim.presence.to_string())
            .collect();
        let standing = self.standing(pbx, now, rules);
        let note = self.note_standing(pbx, now, rules);
        PersonView {
            teams_presence: self.teams.presence.as_ref().map(ToString::to_string),
            pbx_presence: pbx.activity().map(str::to_owned),
            shown_at_pbx: self.shown_at_pbx(pbx),
            entry_unseen: self.entry_unseen(),
            alien_call: self.has_alien_call(pbx),
            set_in_teams: (!set.is_empty()).then(|| set.join(" + ")),
            teams_claim_state: standing.as_ref().map(|standing| standing.state),
            note_in_teams: note.as_ref().map(|note| note.state),
            teams_signed_in: self.signed_in(),
            held_back: self.held_back(),
            synchronised: self.both_known(pbx),
            leaving: self.leaving,
            why: self.why_with_note(standing.as_ref(), note.as_ref(), pbx, now, rules),
        }
    }

    fn held_back(&self) -> Vec<Receipt> {
        let receipts = [
            self.side.held_back.receipt(),
            self.message.held_back.receipt(),
            self.entry.held_back.receipt(),
            self.alien.held_back.receipt(),
        ];
        receipts.into_iter().flatten().cloned().collect()
    }

    /// How it stands with what the PBX asks Teams to show.
    pub(in super::super) fn standing(
        &self,
        pbx: &PbxSight,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> Option<Standing> {
        let look = self.teams.presence.as_ref().zip(self.teams.seen_at);
        let look = look.map(|(presence, at)| Look { presence, at });
        let scene = Scene::of(&self.member, self.leaving, pbx, now, rules);
        self.side.standing(look, scene)
    }

    /// Somebody without any session is shown Offline whatever is preferred; a session of ours is a session, too, and who
    /// prefers to be off work may or may not be there (graph.md 5.3).
    fn signed_in(&self) -> Option<bool> {
        let shown = self.teams.presence.as_ref()?;
        let unknown = shown.availability.eq_ignore_ascii_case("PresenceUnknown")
            || shown.activity.eq_ignore_ascii_case("OffWork")
            || self.side.session.as_ref().is_some_and(Claim::holds);
        (!unknown).then(|| !shown.availability.eq_ignore_ascii_case("Offline"))
    }

    /// Whether the PBX has taken our entry and does not show it.
    pub(in super::super) fn entry_unseen(&self) -> bool {
        self.entry.is_unseen()
    }

    fn has_alien_call(&self, pbx: &PbxSight) -> bool {
        pbx.own_call.as_ref().is_some_and(OwnCall::stands)
    }

    fn shown_at_pbx(&self, pbx: &PbxSight) -> Option<String> {
        if self.has_alien_call(pbx) {
            return Some(ON_THE_PHONE.to_owned());
        }
        self.entry.shown().map(str::to_owned)
    }

    /// How a call in Teams is shown at the PBX, where the rules want a call of ours.
    fn manner_of_call(&self, pbx: &PbxSight, now: DateTime<Utc>) -> String {
        if self.has_alien_call(pbx) {
            return ", by a call of ours: callers find the user busy".to_owned();
        }
        match self.alien.refusal(now) {
            Some(refusal) => format!(", by an entry only: the pbx takes no call of ours: {refusal}"),
            None => ", by an entry only: a call of ours needs the connection of the user's own pbx, and the checkmark Impersonation at its App object".to_owned(),
        }
    }

    /// Who decided, and how it stands with the note.
    pub(super) fn why_with_note(
        &self,
        standing: Option<&Standing>,
        note: Option<&NoteStanding>,
        pbx: &PbxSight,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> String {
        let why = self.why(standing, pbx, now, rules);
        match note.filter(|_| !self.leaving) {
            Some(note) => format!("{why}; {}", note.clause()),
            None => why,
        }
    }

    fn why(&self, standing: Option<&Standing>, pbx: &PbxSight, now: DateTime<Utc>, rules: &Rules) -> String {
        if self.leaving {
            return "the user is no longer synchronised; what the connector set is being removed".to_owned();
        }
        if let Some(refusal) = self.entry.hold.refusal() {
            return format!("the pbx refused the last write: {refusal}");
        }
        let Some(observed) = &self.teams.presence else {
            return "teams has not told this user's presence yet".to_owned();
        };
        if let Some(standing) = standing {
            return standing.sentence();
        }
        if self.side.explains(observed, now, rules) {
            return "teams still shows what was set there for the pbx and has been removed".to_owned();
        }
        match rules.teams_to_pbx.map(observed) {
            PbxShown::Nothing => "teams shows nothing that the pbx should display".to_owned(),
            PbxShown::Activity(activity) => {
                let as_call = rules.teams_calls == TeamsCalls::AlienCall && activity == ON_THE_PHONE;
                let manner = if as_call {
                    self.manner_of_call(pbx, now)
                } else {
                    String::new()
                };
                let shown = &observed.activity;
                match rules.restraint.of(&self.member, Side::Pbx) {
                    Some(Brake::Shadow) => format!(
                        "teams shows {shown}, which the pbx would display as {activity}, were sync.shadow not on"
                    ),
                    Some(_) => format!(
                        "teams shows {shown}, which the pbx displays as {activity} as soon as the direction or the user is not paused any more"
                    ),
                    None => format!("teams shows {shown}, which the pbx displays as {activity}{manner}"),
                }
            }
            PbxShown::Unknown => format!(
                "the mapping has no row for {}; the last known state stays",
                observed.activity
            ),
        }
    }
}
