//! Addresses: what we listen on, and the base addresses of web services.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use super::problem::Refusal;

/// Reads an IP address with port.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, Refusal> {
    text.parse().map_err(|_| {
        Refusal::with_remedy(
            "is no IP address with a port",
            "0.0.0.0 listens on all addresses of the machine, 127.0.0.1 on the loopback address only",
        )
    })
}

/// Tells whether two listeners would claim the same socket. Port 0 means any free port, which is never the same.
pub(super) fn collide(left: SocketAddr, right: SocketAddr) -> bool {
    let (ip, other) = (left.ip(), right.ip());
    left.port() == right.port()
        && left.port() != 0
        && (ip == other || ip.is_unspecified() || other.is_unspecified())
}

/// The address at which this machine reaches a listener of its own.
pub(super) fn reached_from_here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Reads the base address of a web service: scheme, host, perhaps a port and a path, and nothing behind it. The
/// result has no slash at its end, so that paths can be appended.
pub(super) fn base_url(text: &str) -> Result<String, Refusal> {
    if text.contains(['?', '#']) {
        return Err("has a query or fragment behind it: leave out everything from '?' or '#' on".into());
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]@".contains(c);
    if let Some(odd) = text.chars().find(|c| !allowed(*c)) {
        return Err(format!("has {odd:?} in it, which no address has").into());
    }
    let url = Url::parse(text).map_err(|error| Refusal::from(format!("is no address: {error}")))?;
    let host = match (url.scheme(), url.host()) {
        ("http" | "https", Some(host)) => host,
        _ => return Err("begins neither with https:// nor with http://".into()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("carries a user name or password, which does not belong there".into());
    }
    if url.path().contains("//") {
        return Err("has two slashes in a row in its path".into());
    }
    if url.scheme() == "http" && !is_loopback(&host) {
        return Err(Refusal::with_remedy(
            "is plain http, which is allowed for a loopback host only",
            "use https; behind a reverse proxy give the proxy's public https address",
        ));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Reads the name or IP address of a host, perhaps with a port.
pub(super) fn host(text: &str) -> Result<String, Refusal> {
    if text.contains("://") {
        return Err(Refusal::with_remedy(
            "is a whole address, where a host belongs",
            "use the host alone, or url = for an address of an unusual form",
        ));
    }
    if text.contains(['/', '?', '#', '@']) {
        return Err("has more in it than a host and perhaps a port".into());
    }
    let url = Url::parse(&format!("wss://{text}"))
        .map_err(|error| Refusal::from(format!("is no host: {error}")))?;
    if let Some(Host::Ipv6(_)) = url.host() {
        return Err(no_ipv6_literal());
    }
    let host = url.host_str().ok_or_else(|| Refusal::from("is no host"))?;
    Ok(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Reads the address of a websocket; without TLS for a loopback host only.
pub(super) fn websocket(text: &str) -> Result<String, Refusal> {
    let url = Url::parse(text).map_err(|error| Refusal::from(format!("is no address: {error}")))?;
    let host = match (url.scheme(), url.host()) {
        ("wss", Some(Host::Ipv6(_))) => return Err(no_ipv6_literal()),
        ("ws" | "wss", Some(host)) => host,
        _ => return Err("begins neither with wss:// nor with ws://".into()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("carries a user name or password, which does not belong there".into());
    }
    if url.scheme() == "ws" && !is_loopback(&host) {
        let remedy = "use wss://, with certificate = for a certificate that the PBX has made itself";
        return Err(Refusal::with_remedy(
            "is without TLS, which is allowed for a loopback host only",
            remedy,
        ));
    }
    Ok(url.as_str().to_owned())
}

/// The TLS connector takes such an address for a malformed name.
fn no_ipv6_literal() -> Refusal {
    Refusal::with_remedy(
        "is an IPv6 address, which TLS cannot be spoken to here",
        "use the PBX's DNS name, which may lead to an IPv6 address, or its IPv4 address",
    )
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_address_loses_its_last_slash_and_nothing_else() {
        for (text, read) in [
            ("https://connector.example.com", "https://connector.example.com"),
            ("https://Connector.Example.com/", "https://connector.example.com"),
            ("https://example.com:8443/m365/", "https://example.com:8443/m365"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://[::1]:9000/", "http://[::1]:9000"),
            ("http://graph.localhost", "http://graph.localhost"),
        ] {
            assert_eq!(base_url(text).as_deref(), Ok(read), "{text}");
        }
    }

    #[test]
    fn what_is_no_base_address_is_refused() {
        for text in [
            "connector.example.com",
            "ftp://example.com",
            "http://example.com",
            "http://10.0.0.1",
            "https://",
            "https://user:password@example.com",
            "https://example.com?x=1",
            "https://example.com#x",
            "https://example.com//graph",
            "https://example.com/ x",
            "https://example.com:port",
            "https://example.com\"",
        ] {
            assert!(base_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn listeners_collide_on_the_same_port_only() {
        let collide = |left: &str, right: &str| collide(left.parse().unwrap(), right.parse().unwrap());
        assert!(collide("127.0.0.1:1", "127.0.0.1:1"));
        assert!(collide("0.0.0.0:1", "127.0.0.1:1"));
        assert!(!collide("0.0.0.0:1", "0.0.0.0:2"));
        assert!(!collide("0.0.0.0:0", "0.0.0.0:0"));
        assert!(!collide("127.0.0.1:1", "127.0.0.2:1"));
    }

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_loopback() {
        let here = |listen: &str| reached_from_here(listen.parse().unwrap()).to_string();
        assert_eq!(here("0.0.0.0:81"), "127.0.0.1:81");
        assert_eq!(here("[::]:81"), "[::1]:81");
        assert_eq!(here("10.1.2.3:81"), "10.1.2.3:81");
    }
}
