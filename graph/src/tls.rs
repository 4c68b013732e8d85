//! The TLS that requests to Microsoft use.
//!
//! The protocol is pinned to HTTP/1.1 by ALPN in the rustls configuration itself: awc's own switch for the version
//! rebuilds the connector and silently throws this configuration away.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// Makes a client configuration that trusts the public roots and, where the machine has some, its own.
///
/// The machine's roots carry the company's proxies; the compiled-in ones let the program run in an empty container.
///
/// # Errors
/// Only where the cryptography offers no protocol version at all.
pub fn client_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    client_config_trusting(trusted_roots())
}

/// The public roots and, where the machine has some, its own.
pub fn trusted_roots() -> RootCertStore {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let native = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(native.certs);
    log::debug!(added, ignored; "machine's own root certificates read");
    roots
}

/// Makes a client configuration that trusts exactly these roots.
///
/// # Errors
/// Only where the cryptography offers no protocol version at all.
pub fn client_config_trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
