//! Users of both sides, as many as wanted.

use std::collections::{BTreeMap, BTreeSet};

use m365_presence::identity::{PbxGuid, PbxName, TeamsId};
use m365_presence::matching::{Directory, MatchRule, MicrosoftField, PbxField};
use m365_presence::pbx::PbxUser;
use m365_presence::teams::TeamsUser;

/// The same people as both sides list them.
pub struct Populace {
    pub teams: Vec<TeamsUser>,
    pub pbx: Vec<PbxUser>,
}

impl Populace {
    /// Describes `count` people; one in twenty has no counterpart, one in a hundred a double.
    pub fn of(count: usize) -> Self {
        Self {
            teams: (0..count).map(teams_user).collect(),
            pbx: (0..count).map(pbx_user).collect(),
        }
    }

    /// Matches everybody by name and mail address.
    pub fn matched(&self) -> Directory {
        let rule = MatchRule {
            pbx: PbxField::H323,
            microsoft: MicrosoftField::Mail,
            strip_domain: true,
        };
        Directory::build(&self.teams, &self.pbx, &rule, &BTreeMap::new(), &BTreeSet::new())
    }
}

fn teams_user(number: usize) -> TeamsUser {
    let name = match number {
        number if number % 20 == 7 => format!("visitor.{number}"),
        number if number % 100 == 3 => format!("first.last{}", number - 1),
        number => format!("first.last{number}"),
    };
    let mail = format!("{name}@contoso.example");
    TeamsUser {
        id: TeamsId::new(format!("{number:08x}-0000-4000-8000-{number:012x}")),
        display_name: Some(format!("First Last{number}")),
        mail: Some(mail.clone()),
        mail_nickname: Some(name),
        on_premises_distinguished_name: None,
        on_premises_sam_account_name: None,
        on_premises_user_principal_name: None,
        user_principal_name: Some(mail),
        account_enabled: true,
        guest: false,
        teams_plan: true,
    }
}

fn pbx_user(number: usize) -> PbxUser {
    PbxUser {
        guid: PbxGuid::new(format!("{number:032x}")),
        h323: format!("first.last{number}"),
        cn: format!("First Last{number}"),
        home: PbxName::new("pbx-main"),
    }
}
