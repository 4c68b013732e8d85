//! The `scope` of a token request: which resource, which permissions, which extras.

use super::{
    cloud::Cloud,
    refusal::{Aadsts, Refusal},
    tenant::App,
};

/// The Graph hosts of all clouds (reference 1.1).
const GRAPH_HOSTS: &[&str] = &[
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// The delegated permissions that this cloud knows by name.
const DELEGATED: &[&str] = &[
    "Calendars.Read",
    "Calendars.ReadBasic",
    "Presence.Read",
    "Presence.Read.All",
    "Presence.ReadWrite",
    "User.Read",
    "User.Read.All",
    "User.ReadBasic.All",
];

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Scope {
    /// The delegated permissions to grant.
    pub(super) permissions: Vec<String>,
    /// Whether a refresh token is wanted.
    pub(super) offline: bool,
    /// Whether an id token is wanted.
    pub(super) open_id: bool,
    /// Whether it is exactly one `.default`, all that an application may ask for itself.
    pub(super) is_default_only: bool,
}

/// Reads a scope for an application: unknown resources and permissions are refused, and so is what nobody consented to.
pub(super) fn scope(cloud: &Cloud, text: &str, app: &App) -> Result<Scope, Refusal> {
    let mut scope = Scope {
        permissions: Vec::new(),
        offline: false,
        open_id: false,
        is_default_only: false,
    };
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    for word in &words {
        match *word {
            "offline_access" => scope.offline = true,
            "openid" => scope.open_id = true,
            "profile" | "email" => {}
            word => {
                let permission = permission(cloud, word)?;
                if permission == ".default" {
                    scope.is_default_only = words.len() == 1;
                    scope.permissions.extend(app.delegated.iter().cloned());
                    continue;
                }
                let Some(known) = DELEGATED
                    .iter()
                    .find(|known| known.eq_ignore_ascii_case(permission))
                else {
                    let text = format!(
                        "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope '{word}' is not valid."
                    );
                    return Err(Refusal::from(Aadsts(70011)).with_text(text));
                };
                if !app
                    .delegated
                    .iter()
                    .any(|granted| granted.eq_ignore_ascii_case(known))
                {
                    return Err(Aadsts::CONSENT_MISSING.into());
                }
                scope.permissions.push((*known).to_owned());
            }
        }
    }
    scope.permissions.dedup();
    Ok(scope)
}

/// Takes the resource off a permission; without one it is Graph's.
fn permission<'a>(cloud: &Cloud, word: &'a str) -> Result<&'a str, Refusal> {
    if !word.contains("://") {
        return Ok(word);
    }
    let (resource, permission) = word.rsplit_once('/').unwrap_or((word, ""));
    let resource = resource.trim_end_matches('/');
    if GRAPH_HOSTS.contains(&resource) || resource == cloud.graph_url {
        return Ok(permission);
    }
    let text = format!(
        "The resource principal named {resource} was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant."
    );
    Err(Refusal::from(Aadsts(500_011)).with_text(text))
}
