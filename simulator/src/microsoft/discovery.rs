//! What Entra ID tells everybody: its endpoints, its keys, its clouds and whose users are whose (reference 1.1).

use serde_json::{Value, json};

use super::{
    answer::{Answer, Call},
    cloud::Cloud,
    refusal::{Aadsts, Refusal},
};

/// The real sign-in host: tokens name it as their issuer although this cloud answers elsewhere.
const HOST: &str = "https://login.microsoftonline.com";

/// Returns the issuer of v2 tokens of a tenant.
pub(super) fn issuer_v2(tenant: &str) -> String {
    format!("{HOST}/{tenant}/v2.0")
}

/// Returns the issuer of v1 tokens of a tenant.
pub(super) fn issuer_v1(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// Answers the openid-configuration of a tenant, version 2 or 1.
pub(super) fn configuration(cloud: &Cloud, tenant: &str, version_2: bool) -> Result<Answer, Refusal> {
    let named = match tenant {
        "common" | "organizations" => "{tenantid}".to_owned(),
        name => cloud
            .state()
            .tenant(name)
            .ok_or(Aadsts::UNKNOWN_TENANT)?
            .id
            .to_string(),
    };
    let base = format!("{}/{tenant}", cloud.login_url);
    let (oauth, keys, issuer) = if version_2 {
        (
            format!("{base}/oauth2/v2.0"),
            format!("{base}/discovery/v2.0/keys"),
            issuer_v2(&named),
        )
    } else {
        (
            format!("{base}/oauth2"),
            format!("{}/common/discovery/keys", cloud.login_url),
            issuer_v1(&named),
        )
    };
    Ok(Answer::ok(json!({
        "token_endpoint": format!("{oauth}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": keys,
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": format!("{oauth}/authorize"),
        "device_authorization_endpoint": format!("{oauth}/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{oauth}/logout"),
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host",
            "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash",
            "c_hash", "email"
        ],
        "tenant_region_scope": null,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })))
}

/// Answers the signing keys.
pub(super) fn keys(cloud: &Cloud, version_2: bool) -> Answer {
    let state = cloud.state();
    let issuer = (version_2 && state.knobs.key_issuers).then(|| issuer_v2("{tenantid}"));
    let keys: Value = state.keys.iter().map(|key| key.jwk(issuer.as_deref())).collect();
    Answer::ok(json!({ "keys": keys }))
}

/// Answers which hosts belong to one cloud.
pub(super) fn instance(call: &Call) -> Result<Answer, Refusal> {
    let endpoint = call.parameter("authorization_endpoint").ok_or(Aadsts(900_144))?;
    let tenant = endpoint.split('/').nth(3).ok_or(Aadsts(50049))?;
    let network = |names: &[&str]| json!({"preferred_network": names.first(), "preferred_cache": names.get(1).or(names.first()), "aliases": names});
    Ok(Answer::ok(json!({
        "tenant_discovery_endpoint": format!("{HOST}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [
            network(&["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]),
            network(&["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"]),
            network(&["login.microsoftonline.us", "login.usgovcloudapi.net"]),
        ],
    }))
    .with("Cache-Control", "max-age=86400, private"))
}

/// Answers whose domain a user name belongs to.
pub(super) fn realm(user: &str) -> Answer {
    let domain = user.rsplit_once('@').map_or("", |(_, domain)| domain);
    Answer::ok(json!({
        "ver": "1.0", "account_type": "Managed", "domain_name": domain,
        "cloud_instance_name": "microsoftonline.com", "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }))
}
