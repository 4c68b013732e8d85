//! Where Microsoft answers: the hosts of a cloud, or hosts of the administrator's choice (graph.md 1.1).

use std::fmt::Write as _;
use std::str::FromStr;

use awc::http::Uri;
use url::{Host, Url};

use crate::cloud::Cloud;

/// Why an address is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not one of the four clouds.
    #[error("'{found}' is no cloud: use global, us-gov-l4, us-gov-l5 or china")]
    UnknownCloud {
        /// What stood there.
        found: String,
    },
    /// Not an address.
    #[error("{key} = '{found}' is no address such as https://graph.microsoft.com")]
    Invalid {
        /// Name of the setting.
        key: &'static str,
        /// What stood there.
        found: String,
    },
    /// Tokens and passwords would travel in the clear.
    #[error("{key} = '{found}' must be https, because secrets travel there; plain http is for loopback only")]
    NotHttps {
        /// Name of the setting.
        key: &'static str,
        /// What stood there.
        found: String,
    },
}

/// The two generations of Entra's tokens (graph.md 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenVersion {
    /// Issued by `sts.windows.net`, publisher in `appid`.
    One,
    /// Issued by the sign-in host, publisher in `azp`.
    Two,
}

/// The addresses of one cloud, with its overrides.
#[derive(Clone, Debug)]
pub struct Endpoints {
    cloud: Cloud,
    login: String,
    graph: String,
    graph_origin: Origin,
}

impl Endpoints {
    /// Takes the cloud's hosts, or the given ones instead. A path before the protocol's own is kept, a version at the
    /// end of `graph_url` is not.
    ///
    /// # Errors
    /// An address that does not parse, or plain http to anything but loopback.
    pub fn new(
        cloud: Cloud,
        login_url: Option<&str>,
        graph_url: Option<&str>,
    ) -> Result<Self, EndpointError> {
        let login = base("microsoft.login_url", login_url.unwrap_or(cloud.login_host()))?;
        let graph = base("microsoft.graph_url", graph_url.unwrap_or(cloud.graph_host()))?;
        let graph = graph
            .trim_end_matches("/v1.0")
            .trim_end_matches("/beta")
            .to_owned();
        let graph_origin = Uri::from_str(&graph)
            .ok()
            .and_then(|uri| Origin::of(&uri))
            .ok_or_else(|| EndpointError::Invalid {
                key: "microsoft.graph_url",
                found: graph.clone(),
            })?;
        Ok(Self {
            cloud,
            login,
            graph,
            graph_origin,
        })
    }

    /// Where tokens come from; also the audience of a client assertion (graph.md 1.2).
    pub fn token(&self, tenant: &str) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.login, segment(tenant))
    }

    /// Where device codes come from.
    pub fn device_code(&self, tenant: &str) -> String {
        format!("{}/{}/oauth2/v2.0/devicecode", self.login, segment(tenant))
    }

    /// The discovery document, whose issuer tells the directory id.
    pub fn openid_configuration(&self, tenant: &str) -> String {
        format!(
            "{}/{}/v2.0/.well-known/openid-configuration",
            self.login,
            segment(tenant)
        )
    }

    /// The documents that may hold the signing key of a token of this version, in the order in which to try them.
    pub(crate) fn signing_keys(&self, tenant: &str, version: TokenVersion) -> [String; 4] {
        let tenant = segment(tenant);
        let (first, second) = match version {
            TokenVersion::One => ("discovery/keys", "discovery/v2.0/keys"),
            TokenVersion::Two => ("discovery/v2.0/keys", "discovery/keys"),
        };
        [
            format!("{}/{tenant}/{first}", self.login),
            format!("{}/{tenant}/{second}", self.login),
            format!("{}/common/{first}", self.login),
            format!("{}/common/{second}", self.login),
        ]
    }

    /// Every spelling of the issuer of this directory's tokens: v2 and v1 (graph.md 4.5), by the cloud's own host
    /// and by the configured one.
    pub fn issuers(&self, directory: &str) -> [String; 3] {
        [
            format!("{}/{directory}/v2.0", self.cloud.login_host()),
            format!("{}/{directory}/v2.0", self.login),
            format!("{}/{directory}/", self.cloud.first_issuer_host()),
        ]
    }

    /// A resource of Graph's v1.0; `path` begins with a slash.
    pub fn graph(&self, path: &str) -> String {
        format!("{}/v1.0{path}", self.graph)
    }

    /// A resource of Graph's beta, for what v1.0 does not do (graph.md 3.2: delete).
    pub fn graph_beta(&self, path: &str) -> String {
        format!("{}/beta{path}", self.graph)
    }

    /// The scope of an app-only token. It names the cloud's Graph even where `graph_url` is overridden, because it
    /// is a name and not an address.
    pub fn app_scope(&self) -> String {
        format!("{}/.default", self.cloud.graph_host())
    }

    /// The scope of a communication user's token (graph.md 1.2).
    pub fn delegated_scope(&self) -> String {
        format!(
            "{}/Presence.Read.All offline_access openid profile",
            self.cloud.graph_host()
        )
    }

    /// Tells whether a link leads to Graph's own scheme, host and port, so that it may carry our token.
    pub fn leads_to_graph(&self, link: &Uri) -> bool {
        Origin::of(link).is_some_and(|origin| origin == self.graph_origin)
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, so that a text is safe as a path segment
/// and as a form value, whichever way the other side decodes blanks (graph.md 1.3).
pub(crate) fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let usual = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        Some(Self {
            scheme,
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(usual),
        })
    }
}

fn base(key: &'static str, found: &str) -> Result<String, EndpointError> {
    let invalid = || EndpointError::Invalid {
        key,
        found: found.to_owned(),
    };
    let url = Url::parse(found).map_err(|_| invalid())?;
    let loopback = match url.host().ok_or_else(invalid)? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    if !url.username().is_empty() || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid());
    }
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(EndpointError::NotHttps {
                key,
                found: found.to_owned(),
            });
        }
        _ => return Err(invalid()),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sign-in host, Graph host and issuer of v1 tokens by cloud (graph.md 1.1, 4.5).
    const CLOUDS: [(Cloud, &str, &str, &str); 4] = [
        (
            Cloud::Global,
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
            "https://sts.windows.net",
        ),
        (
            Cloud::UsGovL4,
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
            "https://sts.windows.net",
        ),
        (
            Cloud::UsGovL5,
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
            "https://sts.windows.net",
        ),
        (
            Cloud::China,
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://sts.chinacloudapi.cn",
        ),
    ];

    #[test]
    fn every_cloud_has_its_own_hosts_scopes_and_issuers() {
        for (cloud, login, graph, sts) in CLOUDS {
            let endpoints = Endpoints::new(cloud, None, None).unwrap();
            assert_eq!(cloud.as_str().parse::<Cloud>(), Ok(cloud));
            assert_eq!(endpoints.token("t"), format!("{login}/t/oauth2/v2.0/token"));
            assert_eq!(
                endpoints.device_code("t"),
                format!("{login}/t/oauth2/v2.0/devicecode")
            );
            assert_eq!(
                endpoints.openid_configuration("t"),
                format!("{login}/t/v2.0/.well-known/openid-configuration")
            );
            assert_eq!(endpoints.graph("/users"), format!("{graph}/v1.0/users"));
            assert_eq!(endpoints.app_scope(), format!("{graph}/.default"));
            assert!(
                endpoints
                    .delegated_scope()
                    .starts_with(&format!("{graph}/Presence.Read.All "))
            );
            let issuers = endpoints.issuers("d");
            for issuer in [format!("{login}/d/v2.0"), format!("{sts}/d/")] {
                assert!(issuers.contains(&issuer), "{issuer}");
            }
            for version in [TokenVersion::One, TokenVersion::Two] {
                let keys = endpoints.signing_keys("t", version);
                assert!(keys.iter().all(|address| address.starts_with(login)), "{keys:?}");
            }
        }
    }

    #[test]
    fn no_cloud_takes_links_of_another_ones_graph() {
        for (cloud, _, own, _) in CLOUDS {
            let endpoints = Endpoints::new(cloud, None, None).unwrap();
            for (_, _, graph, _) in CLOUDS {
                let link = format!("{graph}/v1.0/users?$skiptoken=x");
                assert_eq!(
                    endpoints.leads_to_graph(&link.parse().unwrap()),
                    graph == own,
                    "{link}"
                );
            }
        }
    }

    #[test]
    fn a_cloud_that_was_closed_is_unknown() {
        assert!("germany".parse::<Cloud>().is_err());
    }

    #[test]
    fn an_overridden_graph_keeps_the_name_in_its_scope() {
        let own = Endpoints::new(Cloud::Global, None, Some("http://127.0.0.1:9/v1.0/")).unwrap();
        assert_eq!(own.graph("/users"), "http://127.0.0.1:9/v1.0/users");
        assert_eq!(
            own.delegated_scope(),
            "https://graph.microsoft.com/Presence.Read.All offline_access openid profile"
        );
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for (url, fine) in [
            ("http://localhost:1", true),
            ("http://[::1]:1", true),
            ("http://127.0.0.9", true),
            ("http://graph.example.com", false),
            ("ftp://localhost", false),
            ("graph", false),
            ("https://user:pass@graph.example.com", false),
        ] {
            assert_eq!(
                Endpoints::new(Cloud::Global, Some(url), None).is_ok(),
                fine,
                "{url}"
            );
        }
    }

    #[test]
    fn a_link_leads_to_graph_by_scheme_host_and_port() {
        let global = Endpoints::new(Cloud::Global, None, None).unwrap();
        for (link, fine) in [
            ("https://graph.microsoft.com/v1.0/users?$skiptoken=x", true),
            ("https://GRAPH.microsoft.com:443/v1.0/users", true),
            ("http://graph.microsoft.com/v1.0/users", false),
            ("https://graph.microsoft.com:8443/v1.0/users", false),
            ("https://graph.microsoft.com.example.net/v1.0/users", false),
            ("https://graph.microsoft.com@example.net/v1.0/users", false),
            ("/v1.0/users", false),
        ] {
            assert_eq!(global.leads_to_graph(&link.parse().unwrap()), fine, "{link}");
        }
    }
}
