//! The users of a directory and how Graph shows them.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::clock::graph_time;

/// The service plan TEAMS1 (reference 2.1).
pub const TEAMS_PLAN: &str = "57ff2da0-773e-42df-b2af-ffb7a2317929";

/// What Graph returns without `$select` (reference 2.1).
pub(super) const DEFAULT_PROPERTIES: &[&str] = &[
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// What a token with only `User.ReadBasic.All` may select (reference 0).
pub(super) const BASIC_PROPERTIES: &[&str] = &[
    "displayName",
    "givenName",
    "id",
    "mail",
    "photo",
    "surname",
    "userPrincipalName",
];

const PROPERTIES: &[&str] = &[
    "accountEnabled",
    "assignedPlans",
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mailNickname",
    "mobilePhone",
    "officeLocation",
    "onPremisesDistinguishedName",
    "onPremisesSamAccountName",
    "onPremisesUserPrincipalName",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "userType",
];

/// Describes one assigned service plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The service plan id.
    pub service_plan_id: String,
    /// The service's name, such as `TeamspaceAPI`.
    pub service: String,
    /// `Enabled`, `Warning`, `Suspended`, `Deleted` or `LockedOut`.
    pub capability_status: String,
    /// When it was assigned.
    pub assigned: DateTime<Utc>,
}

impl Plan {
    /// Describes the Teams plan in the given capability status.
    #[must_use]
    pub fn teams(capability_status: &str) -> Self {
        Self {
            service_plan_id: TEAMS_PLAN.to_owned(),
            service: "TeamspaceAPI".to_owned(),
            capability_status: capability_status.to_owned(),
            assigned: DateTime::UNIX_EPOCH + chrono::TimeDelta::days(19_359),
        }
    }

    /// Tells whether the service works: enabled, or in its time of grace.
    fn works(&self) -> bool {
        matches!(self.capability_status.as_str(), "Enabled" | "Warning")
    }
}

/// Describes a directory user; `None` is a property that is not set, which Graph returns as null.
#[derive(Clone, Debug)]
pub struct User {
    /// The object id.
    pub id: Uuid,
    /// The display name.
    pub display_name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// The surname.
    pub surname: Option<String>,
    /// The job title.
    pub job_title: Option<String>,
    /// The mail address.
    pub mail: Option<String>,
    /// The mail nickname.
    pub mail_nickname: Option<String>,
    /// The distinguished name on premises.
    pub on_premises_distinguished_name: Option<String>,
    /// The SAM account name on premises.
    pub on_premises_sam_account_name: Option<String>,
    /// The user principal name on premises.
    pub on_premises_user_principal_name: Option<String>,
    /// The user principal name.
    pub user_principal_name: String,
    /// Whether the account is enabled.
    pub account_enabled: bool,
    /// `Member`, `Guest`, or nothing.
    pub user_type: Option<String>,
    /// The assigned plans.
    pub plans: Vec<Plan>,
}

impl User {
    /// Describes an enabled member with a Teams plan; mail and nickname follow from the user principal name.
    #[must_use]
    pub fn new(display_name: &str, user_principal_name: &str) -> Self {
        let nickname = user_principal_name.split('@').next().unwrap_or_default();
        Self {
            id: Uuid::new_v4(),
            display_name: Some(display_name.to_owned()),
            given_name: None,
            surname: None,
            job_title: None,
            mail: Some(user_principal_name.to_owned()),
            mail_nickname: Some(nickname.to_owned()),
            on_premises_distinguished_name: None,
            on_premises_sam_account_name: None,
            on_premises_user_principal_name: None,
            user_principal_name: user_principal_name.to_owned(),
            account_enabled: true,
            user_type: Some("Member".to_owned()),
            plans: vec![Plan::teams("Enabled")],
        }
    }

    /// Tells whether the user may use Teams.
    #[must_use]
    pub fn has_teams(&self) -> bool {
        self.plans
            .iter()
            .any(|plan| plan.service == "TeamspaceAPI" && plan.works())
    }

    /// Returns one property as Graph writes it; `None` when Graph has no such property.
    pub(super) fn property(&self, name: &str) -> Option<Value> {
        let known = PROPERTIES.iter().find(|known| known.eq_ignore_ascii_case(name))?;
        Some(match *known {
            "accountEnabled" => json!(self.account_enabled),
            "assignedPlans" => self.plans.iter().map(plan).collect(),
            "businessPhones" => json!([]),
            "displayName" => json!(self.display_name),
            "givenName" => json!(self.given_name),
            "id" => json!(self.id),
            "jobTitle" => json!(self.job_title),
            "mail" => json!(self.mail),
            "mailNickname" => json!(self.mail_nickname),
            "onPremisesDistinguishedName" => json!(self.on_premises_distinguished_name),
            "onPremisesSamAccountName" => json!(self.on_premises_sam_account_name),
            "onPremisesUserPrincipalName" => json!(self.on_premises_user_principal_name),
            "surname" => json!(self.surname),
            "userPrincipalName" => json!(self.user_principal_name),
            "userType" => json!(self.user_type),
            _ => Value::Null,
        })
    }

    /// Returns the user with the selected properties, spelled as Graph spells them.
    pub(super) fn shown(&self, properties: &[&str]) -> Value {
        properties
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.property(name)?)))
            .collect::<Map<_, _>>()
            .into()
    }
}

/// Returns Graph's spelling of a property name, or `None` when Graph has no such property.
pub(super) fn spelled(name: &str) -> Option<&'static str> {
    PROPERTIES
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .copied()
}

fn plan(plan: &Plan) -> Value {
    json!({
        "assignedDateTime": graph_time(plan.assigned),
        "capabilityStatus": plan.capability_status,
        "service": plan.service,
        "servicePlanId": plan.service_plan_id,
    })
}
