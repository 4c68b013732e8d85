//! The verdict about every user of either side.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::nearness::{self, Suggestion};
use super::reason::Reason;
use super::rule::{MatchRule, key};
use crate::identity::{PbxGuid, TeamsId};
use crate::pbx::PbxUser;
use crate::teams::TeamsUser;

/// What matching found out about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// One of each side, and nobody else.
    Matched {
        /// Who it is in Teams.
        teams: TeamsId,
        /// Who it is at the PBX.
        pbx: PbxGuid,
    },
    /// Nobody on the other side.
    NoMatch,
    /// Several users share the value, or a counterpart is bound to somebody else by an override.
    Ambiguous(Arc<Rivals>),
    /// Nobody by the rule, but somebody by a rule that resembles it.
    NearMiss(Arc<Suggestion>),
    /// The Teams user, or a PBX user's only counterpart, has no Teams plan.
    NoTeamsLicense(TeamsId),
    /// The Teams user, or a PBX user's only counterpart, may not sign in.
    AccountDisabled(TeamsId),
    /// The Teams user, or a PBX user's only counterpart, is a guest.
    Guest(TeamsId),
    /// The PBX user, or a Teams user's only counterpart, is excluded by configuration.
    Excluded,
}

impl Match {
    /// Why the user cannot be synchronised; `None` for a matched one.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Matched { .. } => None,
            Self::NoMatch => Some(Reason::NoMatch),
            Self::Ambiguous(_) => Some(Reason::Ambiguous),
            Self::NearMiss(_) => Some(Reason::NearMiss),
            Self::NoTeamsLicense(_) => Some(Reason::NoTeamsLicense),
            Self::AccountDisabled(_) => Some(Reason::AccountDisabled),
            Self::Guest(_) => Some(Reason::Guest),
            Self::Excluded => Some(Reason::Excluded),
        }
    }
}

/// Those who would match each other if they were fewer; one list, shared by all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rivals {
    /// In Teams, in order of their ids.
    pub teams: Vec<TeamsId>,
    /// At the PBX, in the order of the list.
    pub pbx: Vec<PbxGuid>,
}

/// Tells whether a Teams user may be matched at all.
pub(super) fn is_eligible(user: &TeamsUser) -> bool {
    ineligible(user).is_none()
}

fn ineligible(user: &TeamsUser) -> Option<Match> {
    let id = || user.id.clone();
    if !user.account_enabled {
        Some(Match::AccountDisabled(id()))
    } else if user.guest {
        Some(Match::Guest(id()))
    } else if !user.teams_plan {
        Some(Match::NoTeamsLicense(id()))
    } else {
        None
    }
}

/// One verdict per user, in the order in which the users were given.
pub(super) struct Verdicts {
    pub(super) teams: Vec<Match>,
    pub(super) pbx: Vec<Match>,
}

/// All who carry one value, by their place in the lists.
#[derive(Default)]
struct Namesakes {
    teams: Vec<usize>,
    pbx: Vec<usize>,
    /// A Teams user who is no candidate, and why; the one with the reason that is easiest to remove.
    ineligible: Option<Match>,
    bound_teams: Vec<usize>,
    bound_pbx: Vec<usize>,
    excluded: bool,
}

/// The work on two lists of distinct users.
pub(super) struct Pairing<'a> {
    teams: &'a [TeamsUser],
    pbx: &'a [PbxUser],
    rule: &'a MatchRule,
    teams_verdicts: Vec<Option<Match>>,
    pbx_verdicts: Vec<Option<Match>>,
    /// Bound Teams users with the PBX users whom overrides bind to them.
    bound: BTreeMap<usize, Vec<usize>>,
}

impl<'a> Pairing<'a> {
    pub(super) fn new(teams: &'a [TeamsUser], pbx: &'a [PbxUser], rule: &'a MatchRule) -> Self {
        Self {
            teams,
            pbx,
            rule,
            teams_verdicts: teams.iter().map(ineligible).collect(),
            pbx_verdicts: vec![None; pbx.len()],
            bound: BTreeMap::new(),
        }
    }

    /// Decides about everybody. `overrides` and `excluded` are keyed by [`key`] of the PBX user's h323.
    pub(super) fn decide(
        mut self,
        overrides: &BTreeMap<String, String>,
        excluded: &BTreeSet<String>,
    ) -> Verdicts {
        self.exclude(excluded);
        self.bind(overrides);
        self.compare(overrides);
        self.look_near();
        let settled = |verdicts: Vec<Option<Match>>| {
            verdicts
                .into_iter()
                .map(|verdict| verdict.unwrap_or(Match::NoMatch))
                .collect()
        };
        Verdicts {
            teams: settled(self.teams_verdicts),
            pbx: settled(self.pbx_verdicts),
        }
    }

    fn exclude(&mut self, excluded: &BTreeSet<String>) {
        for (user, verdict) in self.pbx.iter().zip(&mut self.pbx_verdicts) {
            if key(&user.h323).is_some_and(|h323| excluded.contains(&h323)) {
                *verdict = Some(Match::Excluded);
            }
        }
    }

    fn bind(&mut self, overrides: &BTreeMap<String, String>) {
        if overrides.is_empty() {
            return;
        }
        let by_name = self.teams_by_id_and_sign_in_name();
        for (place, (user, verdict)) in self.pbx.iter().zip(&mut self.pbx_verdicts).enumerate() {
            let Some(wanted) = key(&user.h323).and_then(|h323| overrides.get(&h323)) else {
                continue;
            };
            if verdict.is_some() {
                continue;
            }
            let bound_to = key(wanted).and_then(|name| by_name.get(&name).copied());
            let obstacle = bound_to.and_then(|teams| self.teams_verdicts.get(teams).cloned().flatten());
            *verdict = Some(obstacle.unwrap_or(Match::NoMatch));
            if let Some(teams) = bound_to.filter(|teams| self.teams.get(*teams).is_some_and(is_eligible)) {
                self.bound.entry(teams).or_default().push(place);
            }
        }
        for (teams, pbx) in self.bound.clone() {
            self.settle(&[teams], &pbx);
        }
    }

    fn teams_by_id_and_sign_in_name(&self) -> HashMap<String, usize> {
        let by_sign_in = self.teams.iter().enumerate().filter_map(|(place, user)| {
            key(user.user_principal_name.as_deref().unwrap_or_default()).map(|name| (name, place))
        });
        let by_id = self
            .teams
            .iter()
            .enumerate()
            .map(|(place, user)| (user.id.as_str().to_owned(), place));
        by_sign_in.chain(by_id).collect()
    }

    fn compare(&mut self, overrides: &BTreeMap<String, String>) {
        for namesakes in self.namesakes(overrides).into_values() {
            self.judge(&namesakes);
        }
    }

    fn namesakes(&self, overrides: &BTreeMap<String, String>) -> HashMap<String, Namesakes> {
        let mut groups: HashMap<String, Namesakes> = HashMap::with_capacity(self.pbx.len());
        for (place, user) in self.pbx.iter().enumerate() {
            let Some(value) = self.rule.pbx_key(user) else {
                continue;
            };
            let group = groups.entry(value).or_default();
            if self.pbx_verdicts.get(place) == Some(&Some(Match::Excluded)) {
                group.excluded = true;
            } else if key(&user.h323).is_some_and(|h323| overrides.contains_key(&h323)) {
                group.bound_pbx.push(place);
            } else {
                group.pbx.push(place);
            }
        }
        for (place, user) in self.teams.iter().enumerate() {
            let Some(value) = self.rule.microsoft_key(user) else {
                continue;
            };
            let Some(group) = groups.get_mut(&value) else {
                continue;
            };
            match ineligible(user) {
                Some(obstacle) => group.remember(obstacle),
                None if self.bound.contains_key(&place) => group.bound_teams.push(place),
                None => group.teams.push(place),
            }
        }
        groups
    }

    fn judge(&mut self, namesakes: &Namesakes) {
        match (namesakes.teams.as_slice(), namesakes.pbx.as_slice()) {
            ([], pbx) => {
                let verdict = if namesakes.bound_teams.is_empty() {
                    namesakes.ineligible.clone()
                } else {
                    let takers = namesakes
                        .bound_teams
                        .iter()
                        .filter_map(|teams| self.bound.get(teams));
                    let rivals: Vec<usize> = pbx.iter().chain(takers.flatten()).copied().collect();
                    Some(self.ambiguous(&namesakes.bound_teams, &rivals))
                };
                self.tell(&[], pbx, verdict.as_ref());
            }
            (teams, []) => {
                let verdict = if namesakes.bound_pbx.is_empty() {
                    namesakes.excluded.then_some(Match::Excluded)
                } else {
                    Some(self.ambiguous(teams, &namesakes.bound_pbx))
                };
                self.tell(teams, &[], verdict.as_ref());
            }
            (teams, pbx) => self.settle(teams, pbx),
        }
    }

    /// Pairs one with one; more of either side are ambiguous.
    fn settle(&mut self, teams: &[usize], pbx: &[usize]) {
        let pair = match (teams, pbx) {
            ([one], [other]) => self.teams.get(*one).zip(self.pbx.get(*other)),
            _ => None,
        };
        let verdict = match pair {
            Some((teams, pbx)) => Match::Matched {
                teams: teams.id.clone(),
                pbx: pbx.guid.clone(),
            },
            None => self.ambiguous(teams, pbx),
        };
        self.tell(teams, pbx, Some(&verdict));
    }

    fn ambiguous(&self, teams: &[usize], pbx: &[usize]) -> Match {
        Match::Ambiguous(Arc::new(Rivals {
            teams: teams
                .iter()
                .filter_map(|place| Some(self.teams.get(*place)?.id.clone()))
                .collect(),
            pbx: pbx
                .iter()
                .filter_map(|place| Some(self.pbx.get(*place)?.guid.clone()))
                .collect(),
        }))
    }

    fn tell(&mut self, teams: &[usize], pbx: &[usize], verdict: Option<&Match>) {
        for place in teams {
            if let Some(slot) = self.teams_verdicts.get_mut(*place) {
                *slot = verdict.cloned();
            }
        }
        for place in pbx {
            if let Some(slot) = self.pbx_verdicts.get_mut(*place) {
                *slot = verdict.cloned();
            }
        }
    }

    fn look_near(&mut self) {
        let open = |verdicts: &[Option<Match>]| -> Vec<usize> {
            let undecided = verdicts
                .iter()
                .enumerate()
                .filter(|(_, verdict)| verdict.is_none());
            undecided.map(|(place, _)| place).collect()
        };
        let teams = open(&self.teams_verdicts)
            .into_iter()
            .filter_map(|place| Some((place, self.teams.get(place)?)));
        let pbx = open(&self.pbx_verdicts)
            .into_iter()
            .filter_map(|place| Some((place, self.pbx.get(place)?)));
        for ((teams, pbx), suggestion) in nearness::suggestions(self.rule, teams, pbx) {
            let verdict = Match::NearMiss(Arc::new(suggestion));
            self.tell(&[], &[pbx], Some(&verdict));
            if let Some(slot) = self.teams_verdicts.get_mut(teams) {
                slot.get_or_insert(verdict);
            }
        }
    }
}

impl Namesakes {
    fn remember(&mut self, obstacle: Match) {
        let effort = |obstacle: &Match| match obstacle {
            Match::NoTeamsLicense(_) => 0,
            Match::AccountDisabled(_) => 1,
            _ => 2,
        };
        if self
            .ineligible
            .as_ref()
            .is_none_or(|known| effort(&obstacle) < effort(known))
        {
            self.ineligible = Some(obstacle);
        }
    }
}
