//! What another rule would gain and lose; nothing is changed by asking.

use serde::Serialize;
use utoipa::ToSchema;

use super::directory::{Counts, Directory, Entry};
use super::reason::Reason;
use crate::identity::{PbxGuid, TeamsId};

/// One user or pair whose verdict would be another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Turn {
    /// Name at the PBX, for an entry with a PBX side.
    pub h323: Option<String>,
    /// Long name at the PBX.
    pub cn: Option<String>,
    /// Object id in Teams, for an entry with a Teams side.
    pub teams_id: Option<TeamsId>,
    /// Name shown in Teams.
    pub teams_name: Option<String>,
    /// Why it would not be matched; null for a pair.
    pub reason: Option<Reason>,
    /// The same as one sentence; empty for a pair.
    pub explanation: String,
}

/// What another rule would gain and lose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preview {
    /// Users and pairs of the present rule.
    pub now: Counts,
    /// Users and pairs of the other rule.
    pub then: Counts,
    /// Pairs that stay as they are.
    pub unchanged: usize,
    /// Pairs that there would be and are not.
    pub gains: Vec<Turn>,
    /// PBX users who would lose their pair, or get another one (which is a gain as well).
    pub losses: Vec<Turn>,
    /// Users of either side who would be ambiguous.
    pub ambiguities: Vec<Turn>,
    /// PBX users who would miss a pair narrowly.
    pub near_misses: Vec<Turn>,
}

impl Directory {
    /// Compares this directory with one of the same users by another rule. `license` is what a PBX user needs.
    pub fn preview(&self, then: &Self, license: &str) -> Preview {
        let turn = |entry: &Entry| then.turn(entry, license);
        let mut preview = Preview {
            now: self.counts(),
            then: then.counts(),
            ..Preview::default()
        };
        for entry in then.entries() {
            let before = entry.pbx.as_ref().and_then(|user| self.partner(&user.guid));
            let after = entry.pair().map(|(_, teams)| &teams.id);
            match (before, after) {
                (Some(before), Some(after)) if before == after => preview.unchanged += 1,
                (Some(_), Some(_)) => {
                    preview.losses.push(turn(entry));
                    preview.gains.push(turn(entry));
                }
                (None, Some(_)) => preview.gains.push(turn(entry)),
                (Some(_), None) => preview.losses.push(turn(entry)),
                (None, None) => {}
            }
            match entry.verdict.reason() {
                Some(Reason::Ambiguous) => preview.ambiguities.push(turn(entry)),
                Some(Reason::NearMiss) if entry.pbx.is_some() => preview.near_misses.push(turn(entry)),
                _ => {}
            }
        }
        preview
    }

    fn partner(&self, guid: &PbxGuid) -> Option<&TeamsId> {
        let (_, teams) = self.by_guid(guid)?.pair()?;
        Some(&teams.id)
    }

    fn turn(&self, entry: &Entry, license: &str) -> Turn {
        let reason = entry.verdict.reason();
        Turn {
            h323: entry.pbx.as_ref().map(|user| user.h323.clone()),
            cn: entry.pbx.as_ref().map(|user| user.cn.clone()),
            teams_id: entry.teams.as_ref().map(|user| user.id.clone()),
            teams_name: entry.teams.as_ref().and_then(|user| user.display_name.clone()),
            explanation: reason
                .map(|reason| self.explanation(entry, reason, license))
                .unwrap_or_default(),
            reason,
        }
    }
}
