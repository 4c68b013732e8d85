//! The certificate that a PBX has made itself, as most of them show one (reference 1.5).

use std::{io::Error, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};

/// A self-signed certificate with its key.
pub struct SelfSigned {
    certificate: CertificateDer<'static>,
    pem: String,
    key: Vec<u8>,
}

impl SelfSigned {
    /// Makes a certificate for these names; PBXs often name themselves by other names than they are reached by.
    ///
    /// # Errors
    /// A name that no certificate can bear.
    pub fn new(names: &[&str]) -> std::io::Result<Self> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).map_err(Error::other)?;
        Ok(Self {
            certificate: cert.der().clone(),
            pem: cert.pem(),
            key: signing_key.serialize_der(),
        })
    }

    /// Returns the certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns the SHA-256 fingerprint: capital hexadecimal digits, bytes parted by colons.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, &self.certificate);
        let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }

    pub(crate) fn server_config(&self) -> std::io::Result<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::other)?
            .with_no_client_auth()
            .with_single_cert(
                vec![self.certificate.clone()],
                PrivatePkcs8KeyDer::from(self.key.clone()).into(),
            )
            .map_err(Error::other)
    }
}
