//! Which certificates are accepted from a PBX that we dial.
//!
//! PBXs usually show a certificate that they have made themselves (pbx.md 1.5). It is accepted when an administrator has
//! pinned it, whatever its names and dates say. Without a pin the public and the machine's own authorities decide, as
//! for every other server.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};

/// The SHA-256 fingerprint of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(bytes)
    }
}

/// Shows it as PBXs and browsers do: bytes in hexadecimal digits, parted by colons.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, byte) in self.0.iter().enumerate() {
            let colon = if number == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Whom a dialled PBX must prove to be.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Whoever the public and the machine's own authorities vouch for.
    #[default]
    Authorities,
    /// The holder of the certificate with this fingerprint.
    Pinned(Fingerprint),
    /// The holder of one of these certificates, or of one that they have signed.
    Certificates(Vec<CertificateDer<'static>>),
}

/// A certificate was not accepted; [`fmt::Display`] completes a sentence about the PBX.
#[derive(Debug)]
pub(super) struct NotAccepted {
    shown: Fingerprint,
    pinned: bool,
    cause: Option<rustls::Error>,
}

impl fmt::Display for NotAccepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shown, pinned, cause } = self;
        match (pinned, cause) {
            (true, _) => write!(
                f,
                "shows another certificate than the pinned one, with the SHA-256 fingerprint {shown}"
            ),
            (false, Some(cause)) => write!(
                f,
                "shows a certificate that no authority vouches for ({cause}), with the SHA-256 fingerprint {shown}"
            ),
            (false, None) => write!(
                f,
                "shows an unknown certificate, with the SHA-256 fingerprint {shown}"
            ),
        }
    }
}

impl std::error::Error for NotAccepted {}

#[derive(Debug)]
struct Verifier {
    pins: Vec<Fingerprint>,
    /// Whoever else may vouch for a certificate.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

/// Makes the TLS configuration for one PBX.
///
/// # Errors
/// Only where the cryptography offers no protocol version at all.
pub(super) fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let (pins, roots) = match trust {
        Trust::Authorities => (Vec::new(), m365_graph::trusted_roots()),
        Trust::Pinned(fingerprint) => (vec![*fingerprint], RootCertStore::empty()),
        Trust::Certificates(certificates) => {
            let mut roots = RootCertStore::empty();
            // one that cannot be an authority is pinned nevertheless
            let _added = roots.add_parsable_certificates(certificates.iter().cloned());
            (certificates.iter().map(Fingerprint::of).collect(), roots)
        }
    };
    let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = Verifier {
        pins,
        // without any root there is nobody to ask
        authorities: authorities.build().ok(),
        provider: Arc::clone(&provider),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // a websocket is HTTP/1.1; awc's own switch for the version would throw this configuration away
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = Fingerprint::of(end_entity);
        if self.pins.contains(&shown) {
            return Ok(ServerCertVerified::assertion());
        }
        let vouched = self.authorities.as_ref().map(|authorities| {
            authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        });
        match vouched {
            Some(Ok(verified)) => Ok(verified),
            refused => {
                let refusal = NotAccepted {
                    shown,
                    pinned: !self.pins.is_empty(),
                    cause: refused.and_then(Result::err),
                };
                Err(CertificateError::Other(OtherError(Arc::new(refusal))).into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
