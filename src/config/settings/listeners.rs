//! `[public]` and `[management]`: the two listeners, and who may use them.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use m365_presence::secret::Secret;

use super::sync::Needs;
use crate::config::address;
use crate::config::pem;
use crate::config::problem::Refusal;
use crate::config::reader::Reader;

/// A bearer token of fewer characters can be guessed by whoever reaches the listener.
const TOKEN_CHARACTERS: usize = 16;

/// What stands behind `public.url`, and is often copied along with it.
const ROUTES: [&str; 3] = ["/graph", "/graph/notifications", "/graph/lifecycle"];

/// What Microsoft and the PBXs reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Base address from outside, without a slash at its end; `None` only when polling.
    pub url: Option<String>,
    /// Certificate and key when the connector itself terminates TLS.
    pub tls: Option<Tls>,
}

/// PEM files for TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key.
    pub private_key: PathBuf,
    /// The end of the chain's first certificate.
    pub expires_at: DateTime<Utc>,
}

/// What administrators reach.
#[derive(Clone, Debug)]
pub struct Management {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Bearer token of the administrator role.
    pub token: Secret,
    /// Bearer token of the role that reads everything and changes nothing.
    pub viewer_token: Option<Secret>,
}

pub(super) fn public(reader: &mut Reader, needs: Needs) -> Option<Public> {
    let listen = reader.parsed("public.listen", address::listen_address);
    if needs.public_url() {
        reader.demand("public.url");
    }
    let url = reader.parsed("public.url", public_url);
    let files = pem::tls_pair(reader, "public.tls_certificate", "public.tls_private_key");
    let tls = files.map(|(certificate, private_key, expires_at)| Tls {
        certificate,
        private_key,
        expires_at,
    });
    Some(Public {
        listen: listen?,
        url,
        tls,
    })
}

fn public_url(text: &str) -> Result<String, Refusal> {
    let url = address::base_url(text)?;
    match ROUTES.into_iter().find(|route| url.ends_with(route)) {
        Some(route) => Err(Refusal::with_remedy(
            format!("ends with {route}, which the connector appends itself"),
            format!("use \"{}\"", url.trim_end_matches(route)),
        )),
        None => Ok(url),
    }
}

/// Reads the one key that the health check needs.
pub(in crate::config) fn management_listen(reader: &mut Reader) -> Option<SocketAddr> {
    reader.parsed("management.listen", address::listen_address)
}

pub(super) fn management(reader: &mut Reader) -> Option<Management> {
    let listen = management_listen(reader);
    let public = reader
        .peek("public.listen")
        .and_then(|text| address::listen_address(&text).ok());
    if let (Some(listen), Some(public)) = (listen, public)
        && address::collide(listen, public)
    {
        let remedy = "give it another port: what administrators use is never reachable through public.listen";
        reader.refuse(
            "management.listen",
            Refusal::with_remedy("is the same as public.listen", remedy),
        );
    }
    reader.demand("management.token");
    let token = reader.secret("management.token");
    let viewer_token = reader.secret("management.viewer_token");
    if let Some(listen) = listen {
        judge_length(reader, "management.token", token.as_ref(), listen);
        judge_length(reader, "management.viewer_token", viewer_token.as_ref(), listen);
    }
    if token.is_some() && token == viewer_token {
        let remedy =
            "draw another one, or remove it: a viewer with the administrator's token could change settings";
        let refusal = Refusal::with_remedy("is the same as management.token", remedy);
        reader.refuse("management.viewer_token", refusal);
    }
    Some(Management {
        listen: listen?,
        token: token?,
        viewer_token,
    })
}

/// A short token is refused where others reach the listener, and remarked upon where only this machine does.
fn judge_length(reader: &mut Reader, path: &str, token: Option<&Secret>, listen: SocketAddr) {
    let length = token.map_or(TOKEN_CHARACTERS, |token| token.expose().chars().count());
    if length >= TOKEN_CHARACTERS {
        return;
    }
    let cause = format!("has {length} characters, fewer than {TOKEN_CHARACTERS}");
    let remedy = "draw one with: openssl rand -hex 24";
    if listen.ip().is_loopback() {
        reader.warn(path, cause, remedy);
    } else {
        reader.refuse(path, Refusal::with_remedy(cause, remedy));
    }
}
