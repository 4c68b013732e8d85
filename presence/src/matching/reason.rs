//! Why a user is not synchronised, and what to change where.

use serde::Serialize;
use utoipa::ToSchema;

use super::directory::{Directory, Entry};
use super::nearness::{Difference, Suggestion};
use super::pairing::{Match, Rivals};
use crate::pbx::PbxUser;
use crate::teams::TeamsUser;

/// So many users are named where several are concerned.
const NAMED: usize = 3;

/// The closed set of reasons why a user is not synchronised (DESIGN 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(description = "Why a user is not synchronised; docs/LIGHTS.md tells the remedy of each.")]
pub enum Reason {
    /// Nobody on the other side.
    NoMatch,
    /// Several users share the value.
    Ambiguous,
    /// Nobody, but somebody is suggested.
    NearMiss,
    /// The PBX user does not hold our license.
    NoLicense,
    /// No Teams plan.
    NoTeamsLicense,
    /// The Microsoft account may not sign in.
    AccountDisabled,
    /// The Microsoft account is a guest.
    Guest,
    /// More users than the communication users can carry.
    OverCapacity,
    /// Teams has not told a presence yet.
    PresenceUnknown,
    /// The user's PBX is not connected.
    PbxAway,
    /// Excluded by configuration.
    Excluded,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::NoMatch,
        Self::Ambiguous,
        Self::NearMiss,
        Self::NoLicense,
        Self::NoTeamsLicense,
        Self::AccountDisabled,
        Self::Guest,
        Self::OverCapacity,
        Self::PresenceUnknown,
        Self::PbxAway,
        Self::Excluded,
    ];

    /// The stable spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoMatch => "no_match",
            Self::Ambiguous => "ambiguous",
            Self::NearMiss => "near_miss",
            Self::NoLicense => "no_license",
            Self::NoTeamsLicense => "no_teams_license",
            Self::AccountDisabled => "account_disabled",
            Self::Guest => "guest",
            Self::OverCapacity => "over_capacity",
            Self::PresenceUnknown => "presence_unknown",
            Self::PbxAway => "pbx_away",
            Self::Excluded => "excluded",
        }
    }
}

impl Directory {
    /// Says in one plain sentence why a user is not synchronised and what to change where. `reason` is the entry's
    /// own where matching has failed; `license` is the license that a PBX user needs.
    pub fn explanation(&self, entry: &Entry, reason: Reason, license: &str) -> String {
        let user = name_of_entry(entry);
        match reason {
            Reason::NoLicense => {
                format!("{user} does not hold the license {license}: assign it to the user at the PBX.")
            }
            Reason::OverCapacity => format!(
                "{user} is beyond the 650 users that each communication user can carry: add a communication user."
            ),
            Reason::PresenceUnknown => format!(
                "No presence of {user} has been told yet: wait for the next read, and check that the account has signed in to Teams once."
            ),
            Reason::PbxAway => {
                let home = entry
                    .pbx
                    .as_ref()
                    .map(|user| user.home.as_str())
                    .unwrap_or_default();
                let pbx = if home.is_empty() {
                    "the user's PBX".to_owned()
                } else {
                    format!("the PBX {home}")
                };
                format!("{user} lives on {pbx}, which is not connected: check that PBX and its App object.")
            }
            _ => self.explain_verdict(entry),
        }
    }

    fn explain_verdict(&self, entry: &Entry) -> String {
        let user = name_of_entry(entry);
        match &entry.verdict {
            Match::Matched { .. } => format!("{user} is matched."),
            Match::NoMatch => self.explain_no_match(entry),
            Match::Ambiguous(rivals) => self.explain_ambiguous(&user, rivals),
            Match::NearMiss(suggestion) => self.explain_near_miss(suggestion),
            Match::NoTeamsLicense(id) => format!(
                "The Microsoft account {} has no Teams license: assign one in the Microsoft 365 admin centre.",
                self.teams_name(id)
            ),
            Match::AccountDisabled(id) => format!(
                "The Microsoft account {} is disabled: enable it in the Entra admin centre.",
                self.teams_name(id)
            ),
            Match::Guest(id) => format!(
                "The Microsoft account {} is a guest, whose presence belongs to another organisation: match the user with a member's account.",
                self.teams_name(id)
            ),
            Match::Excluded => {
                format!("{user} is excluded from synchronisation in the connector's matching settings.")
            }
        }
    }

    fn explain_no_match(&self, entry: &Entry) -> String {
        let (pbx_field, microsoft_field) = (self.rule().pbx, self.rule().microsoft);
        let user = name_of_entry(entry);
        if let Some(pbx) = &entry.pbx {
            if let Some(wanted) = self.override_of(pbx) {
                return format!(
                    "The override of {user} names '{wanted}', which is no account's object id or userPrincipalName: correct the override."
                );
            }
            let value = pbx_field.value(pbx).trim();
            if value.is_empty() {
                return format!(
                    "{user} has no {} to match by: enter it at the PBX.",
                    pbx_field.label()
                );
            }
            return format!(
                "No Teams user's {microsoft_field} equals the {} '{value}' of {user}: correct one of the two, or set an override.",
                pbx_field.label()
            );
        }
        let value = entry
            .teams
            .as_ref()
            .map(|teams| microsoft_field.value(teams).trim())
            .unwrap_or_default();
        if value.is_empty() {
            return format!(
                "{user} has no {microsoft_field} to match by: enter it in the Entra admin centre."
            );
        }
        format!(
            "No PBX user's {} equals the {microsoft_field} '{value}' of {user}: correct one of the two, or set an override.",
            pbx_field.label()
        )
    }

    fn explain_ambiguous(&self, user: &str, rivals: &Rivals) -> String {
        let pbx = rivals
            .pbx
            .iter()
            .map(|guid| self.by_guid(guid).map(name_of_entry).unwrap_or_default());
        let teams = rivals.teams.iter().map(|id| self.teams_name(id));
        format!(
            "{user} cannot be matched one to one, for at the PBX {} and in Teams {} belong together by {} and {}: make the values unique on both sides, or set overrides.",
            enumerated(pbx, rivals.pbx.len()),
            enumerated(teams, rivals.teams.len()),
            self.rule().pbx,
            self.rule().microsoft,
        )
    }

    fn explain_near_miss(&self, suggestion: &Suggestion) -> String {
        let Suggestion {
            pbx_field,
            pbx_value,
            microsoft_field,
            microsoft_value,
            ..
        } = suggestion;
        let pbx = self
            .by_guid(&suggestion.pbx)
            .map(name_of_entry)
            .unwrap_or_default();
        let teams = self.teams_name(&suggestion.teams);
        let values = format!("{pbx_field} '{pbx_value}' and {microsoft_field} '{microsoft_value}'");
        match suggestion.difference {
            Difference::Domain => format!(
                "{pbx} and {teams} differ only by the domain ({values}): set strip_domain = true, or set an override."
            ),
            Difference::Spelling => format!(
                "{pbx} and {teams} differ only in spelling ({values}): correct one of the two, or set an override."
            ),
            Difference::OtherField => format!(
                "{pbx} and {teams} do not agree by {}, but resemble each other by {values}: correct the values, match by these fields, or set an override.",
                self.rule()
            ),
        }
    }

    fn teams_name(&self, id: &crate::identity::TeamsId) -> String {
        let user = self.by_teams_id(id).and_then(|entry| entry.teams.as_ref());
        user.map_or_else(|| id.to_string(), name_in_teams)
    }
}

fn name_of_entry(entry: &Entry) -> String {
    let pbx = entry.pbx.as_ref().map(name_at_the_pbx);
    pbx.or_else(|| entry.teams.as_ref().map(name_in_teams))
        .unwrap_or_default()
}

fn name_at_the_pbx(user: &PbxUser) -> String {
    [&user.h323, &user.cn]
        .into_iter()
        .find(|name| !name.trim().is_empty())
        .map_or_else(|| user.guid.to_string(), |name| name.trim().to_owned())
}

fn name_in_teams(user: &TeamsUser) -> String {
    match (user.display_name.as_deref(), user.user_principal_name.as_deref()) {
        (Some(name), Some(sign_in)) => format!("{name} ({sign_in})"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => user.id.to_string(),
    }
}

/// The first few names, and how many more there are.
fn enumerated(names: impl Iterator<Item = String>, count: usize) -> String {
    let named: Vec<String> = names.take(NAMED).collect();
    match count.saturating_sub(named.len()) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
