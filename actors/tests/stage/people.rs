//! People who exist on both sides: user 1 is `g1` and `u1` at the PBX and `t1` in Teams.

use m365_presence::identity::{PbxGuid, PbxName, TeamsId};
use m365_presence::pbx::PbxUser;
use m365_presence::teams::TeamsUser;

pub const MASTER: &str = "pbx-main";
pub const SLAVE: &str = "pbx-branch";
pub const ANNA: &str = "anna@contoso.test";
pub const BERT: &str = "bert@contoso.test";

pub fn guid(number: usize) -> PbxGuid {
    PbxGuid::new(format!("g{number}"))
}

pub fn teams_id(number: usize) -> TeamsId {
    TeamsId::new(format!("t{number}"))
}

pub fn pbx_user(number: usize, home: &str) -> PbxUser {
    PbxUser {
        guid: guid(number),
        h323: format!("u{number}"),
        cn: format!("User {number}"),
        home: PbxName::new(home),
    }
}

pub fn teams_user(number: usize) -> TeamsUser {
    TeamsUser {
        id: teams_id(number),
        display_name: Some(format!("User {number}")),
        mail: None,
        mail_nickname: None,
        on_premises_distinguished_name: None,
        on_premises_sam_account_name: None,
        on_premises_user_principal_name: None,
        user_principal_name: Some(format!("u{number}@contoso.test")),
        account_enabled: true,
        guest: false,
        teams_plan: true,
    }
}
