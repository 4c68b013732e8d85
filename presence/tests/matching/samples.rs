//! Users of both sides, and the worlds that they live in.

use std::collections::{BTreeMap, BTreeSet};

use m365_presence::identity::{PbxGuid, PbxName, TeamsId};
use m365_presence::matching::{Directory, MatchRule, MicrosoftField, PbxField, Reason};
use m365_presence::pbx::PbxUser;
use m365_presence::teams::TeamsUser;

pub(crate) const LICENSE: &str = "App(innovaphone-microsoft365)";

pub(crate) fn teams(id: &str, display_name: &str) -> TeamsUser {
    TeamsUser {
        id: TeamsId::new(id),
        display_name: Some(display_name.to_owned()),
        mail: None,
        mail_nickname: None,
        on_premises_distinguished_name: None,
        on_premises_sam_account_name: None,
        on_premises_user_principal_name: None,
        user_principal_name: None,
        account_enabled: true,
        guest: false,
        teams_plan: true,
    }
}

pub(crate) fn pbx(h323: &str, cn: &str) -> PbxUser {
    PbxUser {
        guid: PbxGuid::new(format!("guid-{h323}")),
        h323: h323.into(),
        cn: cn.into(),
        home: PbxName::new("pbx"),
    }
}

pub(crate) fn rule(pbx: PbxField, microsoft: MicrosoftField, strip_domain: bool) -> MatchRule {
    MatchRule {
        pbx,
        microsoft,
        strip_domain,
    }
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) teams: Vec<TeamsUser>,
    pub(crate) pbx: Vec<PbxUser>,
    pub(crate) rule: MatchRule,
    pub(crate) overrides: BTreeMap<String, String>,
    pub(crate) excluded: BTreeSet<String>,
}

impl World {
    pub(crate) fn new(teams: Vec<TeamsUser>, pbx: Vec<PbxUser>) -> Self {
        Self {
            teams,
            pbx,
            ..Self::default()
        }
    }

    pub(crate) fn by(mut self, rule: MatchRule) -> Self {
        self.rule = rule;
        self
    }

    pub(crate) fn bind(mut self, h323: &str, teams: &str) -> Self {
        self.overrides.insert(h323.to_owned(), teams.to_owned());
        self
    }

    pub(crate) fn exclude(mut self, h323: &str) -> Self {
        self.excluded.insert(h323.to_owned());
        self
    }

    pub(crate) fn build(&self) -> Directory {
        Directory::build(
            &self.teams,
            &self.pbx,
            &self.rule,
            &self.overrides,
            &self.excluded,
        )
    }
}

pub(crate) fn reason_at_the_pbx(directory: &Directory, h323: &str) -> Option<Reason> {
    directory.by_h323(h323).unwrap().verdict.reason()
}

pub(crate) fn reason_in_teams(directory: &Directory, id: &str) -> Option<Reason> {
    directory.by_teams_id(&TeamsId::new(id)).unwrap().verdict.reason()
}

pub(crate) fn pairs(directory: &Directory) -> Vec<(String, String)> {
    directory
        .pairs()
        .map(|(pbx, teams)| (pbx.h323.clone(), teams.id.to_string()))
        .collect()
}

pub(crate) fn explained(directory: &Directory, h323: &str) -> String {
    let entry = directory.by_h323(h323).unwrap();
    directory.explanation(entry, entry.verdict.reason().unwrap(), LICENSE)
}

pub(crate) fn pair(h323: &str, id: &str) -> (String, String) {
    (h323.to_owned(), id.to_owned())
}

pub(crate) fn ineligible() -> [(TeamsUser, Reason); 3] {
    let (mut disabled, mut guest, mut unlicensed) =
        (teams("t1", "Max"), teams("t1", "Max"), teams("t1", "Max"));
    disabled.account_enabled = false;
    guest.guest = true;
    unlicensed.teams_plan = false;
    [
        (disabled, Reason::AccountDisabled),
        (guest, Reason::Guest),
        (unlicensed, Reason::NoTeamsLicense),
    ]
}
