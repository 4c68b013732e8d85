//! The directory: all users, page by page, filtered locally, because a server-side filter cannot explain why
//! somebody is missing (graph.md 2.1).

use std::collections::BTreeMap;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_presence::identity::{Credential, TeamsId};
use m365_presence::ports::{GraphError, Users};
use m365_presence::teams::TeamsUser;
use serde_json::Value;

use super::GraphClient;
use crate::http::Family;

/// The service plans that make a Teams user (graph.md 2.1): TEAMS1, GCC, GCC High and DoD in both spellings, free.
pub const DEFAULT_TEAMS_PLANS: [&str; 7] = [
    "57ff2da0-773e-42df-b2af-ffb7a2317929",
    "304767db-7d23-49e8-a945-4a7eb65f9f28",
    "9953b155-8aef-4c56-92f3-72b0487fce41",
    "fd500458-c24c-478e-856c-a6067a8376cd",
    "495922d5-f138-498b-8967-4acdcdfb2a74",
    "ec0dd2de-a877-4059-a9b8-5838b5629b2a",
    "4fa4026d-ce74-4962-a151-8e96d57ea8e4",
];

const PATH: &str = "/users?$select=id,displayName,mail,mailNickname,onPremisesDistinguishedName,\
    onPremisesSamAccountName,onPremisesUserPrincipalName,userPrincipalName,accountEnabled,assignedPlans,userType\
    &$count=true&$top=999";

/// Graph remembers no header from page to page, so it goes with each.
const HEADERS: [(&str, &str); 1] = [("ConsistencyLevel", "eventual")];

impl Users for GraphClient {
    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<TeamsUser>, GraphError>> {
        async move {
            let first = self.endpoints.graph(PATH);
            let items = self
                .pages(&Credential::App, Family::Directory, first, &HEADERS)
                .await?;
            // A user who moves between pages while they are read is told twice: the newer reading counts.
            let users: BTreeMap<TeamsId, TeamsUser> = items
                .iter()
                .filter_map(|item| user(item, &self.settings.teams_plans))
                .map(|user| (user.id.clone(), user))
                .collect();
            Ok(users.into_values().collect())
        }
        .boxed_local()
    }
}

/// Reads a user; fields of a wrong type count as unset, and a user without an id is nobody.
fn user(item: &Value, teams_plans: &[String]) -> Option<TeamsUser> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(TeamsUser {
        id: TeamsId::new(text("id").filter(|id| !id.is_empty())?),
        display_name: text("displayName"),
        mail: text("mail"),
        mail_nickname: text("mailNickname"),
        on_premises_distinguished_name: text("onPremisesDistinguishedName"),
        on_premises_sam_account_name: text("onPremisesSamAccountName"),
        on_premises_user_principal_name: text("onPremisesUserPrincipalName"),
        user_principal_name: text("userPrincipalName"),
        account_enabled: item
            .get("accountEnabled")
            .and_then(Value::as_bool)
            .unwrap_or(true),
        guest: is_guest(text("userType"), text("userPrincipalName")),
        teams_plan: has_plan(item, teams_plans),
    })
}

/// Where the kind of user is not told, the sign-in name of a guest tells it: `adele_fabrikam.com#EXT#@contoso.com`.
fn is_guest(kind: Option<String>, sign_in_name: Option<String>) -> bool {
    match kind {
        Some(kind) => kind.eq_ignore_ascii_case("guest"),
        None => sign_in_name.is_some_and(|name| name.to_uppercase().contains("#EXT#")),
    }
}

/// `Warning` is the grace period, in which the service still works.
fn has_plan(item: &Value, teams_plans: &[String]) -> bool {
    let plans = item
        .get("assignedPlans")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    plans.iter().any(|plan| {
        let is = |name: &str, allowed: &str| {
            plan.get(name)
                .and_then(Value::as_str)
                .is_some_and(|text| text.eq_ignore_ascii_case(allowed))
        };
        teams_plans.iter().any(|wanted| is("servicePlanId", wanted))
            && ["Enabled", "Warning"]
                .iter()
                .any(|status| is("capabilityStatus", status))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plans() -> Vec<String> {
        DEFAULT_TEAMS_PLANS.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_guest_is_told_by_the_kind_of_user_or_else_by_the_sign_in_name() {
        let name = "adele_fabrikam.com#ext#@contoso.onmicrosoft.com";
        for (kind, name, expected) in [
            (Some("Guest"), "adele@contoso.com", true),
            (Some("Member"), name, false),
            (None, name, true),
            (None, "adele@contoso.com", false),
        ] {
            let guest = is_guest(kind.map(str::to_owned), Some(name.to_owned()));
            assert_eq!(guest, expected, "{kind:?} {name}");
        }
    }

    #[test]
    fn a_teams_plan_counts_while_enabled_or_in_grace() {
        for (status, expected) in [
            ("Enabled", true),
            ("Warning", true),
            ("Suspended", false),
            ("Deleted", false),
        ] {
            let item = json!({"id": "A", "assignedPlans": [
                {"servicePlanId": "57FF2DA0-773e-42df-b2af-ffb7a2317929", "capabilityStatus": status}
            ]});
            assert_eq!(user(&item, &plans()).unwrap().teams_plan, expected, "{status}");
        }
        let other =
            json!({"id": "A", "assignedPlans": [{"servicePlanId": "x", "capabilityStatus": "Enabled"}]});
        assert!(!user(&other, &plans()).unwrap().teams_plan);
    }

    #[test]
    fn a_user_of_wrong_types_is_still_a_user_and_one_without_an_id_is_not() {
        let odd =
            json!({"id": "ABC", "mail": 7, "displayName": null, "accountEnabled": "no", "assignedPlans": {}});
        let read = user(&odd, &plans()).unwrap();
        assert_eq!(
            (read.id.as_str(), read.mail, read.account_enabled),
            ("abc", None, true)
        );
        for nobody in [
            json!({"id": null}),
            json!({"id": ""}),
            json!({}),
            json!(7),
            json!([]),
        ] {
            assert_eq!(user(&nobody, &plans()), None);
        }
    }

    #[test]
    fn a_real_page_is_read() {
        let page: Value =
            serde_json::from_str(include_str!("../../tests/vectors/wire/users-page-real.json")).unwrap();
        let users: Vec<_> = page["body"]["value"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|item| user(item, &plans()))
            .collect();
        assert_eq!(users[0].display_name.as_deref(), Some("Alya Abbott"));
        assert_eq!(users.len(), 2);
    }
}
