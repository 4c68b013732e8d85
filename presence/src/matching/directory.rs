//! The immutable snapshot of everybody.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pairing::{Match, Pairing, Verdicts, is_eligible};
use super::rule::{MatchRule, key};
use crate::identity::{PbxGuid, TeamsId};
use crate::pbx::PbxUser;
use crate::teams::TeamsUser;

/// A user of either side, or a pair; at least one side is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The user at the PBX.
    pub pbx: Option<PbxUser>,
    /// The user in Teams; beside a PBX user only when the two match.
    pub teams: Option<TeamsUser>,
    /// What matching found out.
    pub verdict: Match,
}

impl Entry {
    /// Where the entry stands in the list.
    pub fn position(&self) -> Position {
        match (&self.pbx, &self.teams) {
            (Some(pbx), _) => Position::of_pbx(pbx),
            (None, Some(teams)) => Position::of_teams(teams),
            (None, None) => Position::Teams {
                name: String::new(),
                id: TeamsId::new(""),
            },
        }
    }

    /// Both sides of a matched pair.
    pub fn pair(&self) -> Option<(&PbxUser, &TeamsUser)> {
        self.pbx.as_ref().zip(self.teams.as_ref())
    }
}

/// A place in the list that outlives the snapshot: users with a PBX side by h323, then those of Teams only by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// A PBX user.
    Pbx {
        /// In lower case.
        h323: String,
        /// Tells users of the same name apart.
        guid: PbxGuid,
    },
    /// A user of Teams only.
    Teams {
        /// The name shown, in lower case.
        name: String,
        /// Tells users of the same name apart.
        id: TeamsId,
    },
}

impl Position {
    fn of_pbx(user: &PbxUser) -> Self {
        Self::Pbx {
            h323: key(&user.h323).unwrap_or_default(),
            guid: user.guid.clone(),
        }
    }

    fn of_teams(user: &TeamsUser) -> Self {
        let name = user.display_name.as_deref().and_then(key).unwrap_or_default();
        Self::Teams {
            name,
            id: user.id.clone(),
        }
    }
}

/// How many users there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MatchCounts)]
pub struct Counts {
    /// Teams users who may be matched: enabled, no guests, with a Teams plan.
    pub teams: usize,
    /// PBX users.
    pub pbx: usize,
    /// Pairs.
    pub matched: usize,
}

/// Everybody of either side with a verdict each; never changed once built, cheap to share in an `Arc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    rule: MatchRule,
    overrides: BTreeMap<String, String>,
    excluded: BTreeSet<String>,
    /// In the order of their positions.
    entries: Vec<Entry>,
    by_guid: HashMap<PbxGuid, usize>,
    by_teams_id: HashMap<TeamsId, usize>,
    counts: Counts,
}

impl Directory {
    /// Matches all users of both sides.
    ///
    /// `overrides` leads from a PBX user's h323 to a Teams object id or sign-in name; `excluded` holds h323 names.
    /// Both are compared like values: trimmed and without case. Of two users with the same id the later one counts.
    pub fn build(
        teams: &[TeamsUser],
        pbx: &[PbxUser],
        rule: &MatchRule,
        overrides: &BTreeMap<String, String>,
        excluded: &BTreeSet<String>,
    ) -> Self {
        let teams = in_order(teams, |user| &user.id, Position::of_teams);
        let pbx = in_order(pbx, |user| &user.guid, Position::of_pbx);
        let overrides: BTreeMap<String, String> = overrides
            .iter()
            .filter_map(|(h323, wanted)| Some((key(h323)?, wanted.clone())))
            .collect();
        let excluded: BTreeSet<String> = excluded.iter().filter_map(|h323| key(h323)).collect();

        let verdicts = Pairing::new(&teams, &pbx, rule).decide(&overrides, &excluded);
        let eligible = teams.iter().filter(|user| is_eligible(user)).count();
        let pbx_count = pbx.len();
        let entries = list(teams, pbx, verdicts);
        Self {
            rule: *rule,
            overrides,
            excluded,
            by_guid: places(&entries, |entry| entry.pbx.as_ref().map(|user| user.guid.clone())),
            by_teams_id: places(&entries, |entry| entry.teams.as_ref().map(|user| user.id.clone())),
            counts: Counts {
                teams: eligible,
                pbx: pbx_count,
                matched: entries.iter().filter(|entry| entry.pair().is_some()).count(),
            },
            entries,
        }
    }

    /// Matches the same users by another rule; overrides and exclusions stay.
    #[must_use]
    pub fn under(&self, rule: &MatchRule) -> Self {
        let teams: Vec<TeamsUser> = self
            .entries
            .iter()
            .filter_map(|entry| entry.teams.clone())
            .collect();
        let pbx: Vec<PbxUser> = self
            .entries
            .iter()
            .filter_map(|entry| entry.pbx.clone())
            .collect();
        Self::build(&teams, &pbx, rule, &self.overrides, &self.excluded)
    }

    /// The rule that it was built by.
    pub fn rule(&self) -> &MatchRule {
        &self.rule
    }

    /// How many users there are.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Everybody: PBX users by h323, then users of Teams only by name.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Everybody who stands after a position, which need not be taken any more.
    pub fn after(&self, position: &Position) -> &[Entry] {
        let start = self
            .entries
            .partition_point(|entry| entry.position() <= *position);
        self.entries.get(start..).unwrap_or_default()
    }

    /// The matched pairs, in the order of the list.
    pub fn pairs(&self) -> impl Iterator<Item = (&PbxUser, &TeamsUser)> {
        self.entries.iter().filter_map(Entry::pair)
    }

    /// Finds a PBX user by object id.
    pub fn by_guid(&self, guid: &PbxGuid) -> Option<&Entry> {
        self.entries.get(*self.by_guid.get(guid)?)
    }

    /// Finds a Teams user by object id.
    pub fn by_teams_id(&self, id: &TeamsId) -> Option<&Entry> {
        self.entries.get(*self.by_teams_id.get(id)?)
    }

    /// Finds a PBX user by name, without case. Where several share the name, a matched one comes first.
    pub fn by_h323(&self, h323: &str) -> Option<&Entry> {
        let h323 = key(h323)?;
        let name_of = |entry: &Entry| entry.pbx.as_ref().and_then(|user| key(&user.h323));
        let start = self
            .entries
            .partition_point(|entry| entry.pbx.is_some() && name_of(entry).is_none_or(|name| name < h323));
        let namesakes = || {
            let rest = self.entries.get(start..).unwrap_or_default();
            rest.iter()
                .take_while(|entry| name_of(entry).as_ref() == Some(&h323))
        };
        namesakes()
            .find(|entry| entry.pair().is_some())
            .or_else(|| namesakes().next())
    }

    /// What an override binds this PBX user to.
    pub(super) fn override_of(&self, user: &PbxUser) -> Option<&str> {
        self.overrides.get(&key(&user.h323)?).map(String::as_str)
    }
}

/// The users by position; of two with the same id the later one.
fn in_order<User: Clone, Id: Ord>(
    users: &[User],
    id: impl Fn(&User) -> &Id,
    position: impl Fn(&User) -> Position,
) -> Vec<User> {
    let distinct: BTreeMap<&Id, &User> = users.iter().map(|user| (id(user), user)).collect();
    let mut users: Vec<User> = distinct.into_values().cloned().collect();
    users.sort_by_cached_key(position);
    users
}

fn list(teams: Vec<TeamsUser>, pbx: Vec<PbxUser>, verdicts: Verdicts) -> Vec<Entry> {
    let mut matched: HashMap<TeamsId, TeamsUser> = HashMap::new();
    let mut alone = Vec::new();
    for (user, verdict) in teams.into_iter().zip(verdicts.teams) {
        if matches!(verdict, Match::Matched { .. }) {
            matched.insert(user.id.clone(), user);
        } else {
            alone.push(Entry {
                pbx: None,
                teams: Some(user),
                verdict,
            });
        }
    }
    let mut entries: Vec<Entry> = pbx
        .into_iter()
        .zip(verdicts.pbx)
        .map(|(user, verdict)| {
            let teams = match &verdict {
                Match::Matched { teams, .. } => matched.remove(teams),
                _ => None,
            };
            Entry {
                pbx: Some(user),
                teams,
                verdict,
            }
        })
        .collect();
    entries.append(&mut alone);
    entries
}

fn places<Id: std::hash::Hash + Eq>(
    entries: &[Entry],
    id: impl Fn(&Entry) -> Option<Id>,
) -> HashMap<Id, usize> {
    entries
        .iter()
        .enumerate()
        .filter_map(|(place, entry)| Some((id(entry)?, place)))
        .collect()
}
