//! `[microsoft]`: the tenant, its app registration and its communication users.

mod communication;
mod proof;

use m365_graph::{Cloud, DEFAULT_TEAMS_PLANS};
use m365_presence::secret::Secret;

use super::sync::{Direction, Needs, Read};
use crate::config::address;
use crate::config::problem::Refusal;
use crate::config::reader::Reader;

pub use communication::{AppRegistration, CommunicationUser, SignIn};
pub use proof::AppCredential;

/// The tenant, its app registration and its communication users.
#[derive(Clone, Debug)]
pub struct Microsoft {
    /// Which cloud.
    pub cloud: Cloud,
    /// Instead of the cloud's login host; without a slash at its end.
    pub login_url: Option<String>,
    /// Instead of the cloud's Graph host; without a slash at its end.
    pub graph_url: Option<String>,
    /// Domain or directory id.
    pub tenant: String,
    /// Application id of the app registration.
    pub client_id: String,
    /// How the app registration proves itself.
    pub credential: AppCredential,
    /// Each carries the presence subscription of up to 650 users; sign-in names are unique without case.
    pub communication_users: Vec<CommunicationUser>,
    /// Service plans, any of which makes a user a Teams user; lower case.
    pub teams_plans: Vec<String>,
}

pub(super) fn read(reader: &mut Reader, needs: Needs) -> Option<Microsoft> {
    let cloud = reader.parsed("microsoft.cloud", cloud);
    if let Some(cloud) = cloud {
        judge_cloud(reader, cloud, needs);
    }
    let login_url = reader.parsed("microsoft.login_url", address::base_url);
    let graph_url = reader.parsed("microsoft.graph_url", address::base_url);
    reader.demand("microsoft.tenant");
    let tenant = reader.parsed("microsoft.tenant", tenant);
    let client_id = reader.required("microsoft.client_id");
    for (path, id) in [("microsoft.tenant", &tenant), ("microsoft.client_id", &client_id)] {
        remark_on_odd_id(reader, path, id.as_deref());
    }
    let credential = credential(reader);
    let teams_plans = teams_plans(reader);
    let communication_users = communication::read(reader, needs);
    Some(Microsoft {
        cloud: cloud?,
        login_url,
        graph_url,
        tenant: tenant?,
        client_id: client_id?,
        credential: credential?,
        communication_users: communication_users?,
        teams_plans: teams_plans?,
    })
}

fn cloud(text: &str) -> Result<Cloud, Refusal> {
    text.to_lowercase()
        .parse()
        .map_err(|_| "is no cloud of Microsoft's".into())
}

/// Presence subscriptions exist only in the global cloud, and China lacks the presence writes (graph.md 1.1).
fn judge_cloud(reader: &mut Reader, cloud: Cloud, needs: Needs) {
    if cloud != Cloud::Global && needs.read != Read::Polling {
        let cause = "has no presence subscriptions, which exist only in the global cloud";
        reader.refuse(
            "microsoft.cloud",
            Refusal::with_remedy(cause, "set sync.read = \"polling\""),
        );
    }
    if cloud == Cloud::China && needs.direction != Direction::TeamsToPbx {
        let cause = "has no way to set presence in Teams";
        reader.refuse(
            "microsoft.cloud",
            Refusal::with_remedy(cause, "set sync.direction = \"teams-to-pbx\""),
        );
    }
}

fn tenant(text: &str) -> Result<String, Refusal> {
    let lower = text.to_lowercase();
    if ["common", "organizations", "consumers"].contains(&lower.as_str()) {
        return Err("is no tenant but a word for many: an app signs in to one tenant".into());
    }
    if text
        .chars()
        .any(|c| !c.is_ascii_alphanumeric() && !".-_".contains(c))
    {
        return Err("is neither a domain nor a directory id".into());
    }
    Ok(text.to_owned())
}

/// Other ids than GUIDs and domains are unknown to Microsoft, but not to whoever stands in for it.
fn remark_on_odd_id(reader: &mut Reader, path: &str, id: Option<&str>) {
    let is_domain = |id: &str| path.ends_with("tenant") && id.contains('.');
    if let Some(id) = id.filter(|id| !is_guid(id) && !is_domain(id)) {
        let cause = format!("is {id:?}, which has not the form of an id of Microsoft's");
        reader.warn(
            path,
            cause,
            "compare it with the Overview of the app registration",
        );
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Either a secret or a certificate with its key.
fn credential(reader: &mut Reader) -> Option<AppCredential> {
    let set = |key: &str| reader.is_set(&format!("microsoft.{key}"));
    if !set("client_certificate") && !set("client_private_key") {
        reader.demand("microsoft.client_secret");
    }
    proof::read(reader, "microsoft")
}

/// Entra refuses passwords and secrets with blanks at an end; whoever has one has copied it wrongly.
fn unblanked(text: &str) -> Result<Secret, Refusal> {
    if text.trim() == text {
        return Ok(Secret::new(text));
    }
    Err(Refusal::with_remedy(
        "has a blank at its beginning or end, which Entra refuses",
        "copy it again without the blank; it is not removed silently, because then nobody would know what is sent",
    ))
}

fn teams_plans(reader: &mut Reader) -> Option<Vec<String>> {
    const PLANS: &str = "microsoft.teams_plans";
    let plans = reader.list_or(PLANS, &DEFAULT_TEAMS_PLANS)?;
    if plans.is_empty() {
        reader.refuse(PLANS, "is empty, so that nobody would be a Teams user");
    }
    for plan in plans.iter().filter(|plan| !is_guid(plan)) {
        reader.refuse(PLANS, format!("has {plan:?} in it, which is no service plan id"));
    }
    Some(plans.iter().map(|plan| plan.to_lowercase()).collect())
}
