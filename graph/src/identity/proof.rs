//! How an app registration proves itself: by a secret, or by a certificate's signature (graph.md 1.2).

use aws_lc_rs::digest;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use m365_presence::secret::Secret;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;

use super::form::Form;
use crate::certificate::{Certificate, Validity};

/// The assertion's age at its birth, so that a clock that is slightly behind ours takes it.
const BACKDATED: TimeDelta = TimeDelta::seconds(30);

/// Shorter RSA keys are refused by Entra.
const SHORTEST_KEY: usize = 2048;

/// How long an assertion is good for; Entra wants five to ten minutes.
const LIFETIME: TimeDelta = TimeDelta::seconds(300);

/// What proves an app registration.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A client secret: its value, not its id.
    Secret(Secret),
    /// A certificate that the registration knows, with its private key.
    Certificate {
        /// PEM of the certificate; only the first one counts.
        certificate: String,
        /// PEM of its RSA key, PKCS#8 or PKCS#1.
        private_key: Secret,
    },
}

/// Why a certificate cannot prove anything. Each text ends a sentence about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The certificate does not parse.
    #[error("holds no certificate that can be read (PEM: -----BEGIN CERTIFICATE-----)")]
    Certificate,
    /// The certificate is about a key of another kind.
    #[error("holds a certificate whose key is no RSA key, and Entra takes assertions of RSA keys only")]
    NotRsa,
    /// The key is too short.
    #[error("holds a certificate with an RSA key of {bits} bits, and Entra wants 2048 or more")]
    TooShort {
        /// Its length.
        bits: usize,
    },
    /// The private key is encrypted.
    #[error("holds a private key that is encrypted with a passphrase")]
    Encrypted,
    /// The private key does not parse.
    #[error("holds no private RSA key that can be read (PEM: -----BEGIN PRIVATE KEY-----)")]
    PrivateKey,
    /// The two do not belong together.
    #[error("holds a private key that does not belong to the certificate: their public keys differ")]
    Mismatch,
}

impl ProofError {
    /// Tells whether it is the private key's file that is wrong.
    pub fn is_about_the_key(self) -> bool {
        matches!(self, Self::Encrypted | Self::PrivateKey | Self::Mismatch)
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Certificate => {
                "name the PEM file of the certificate that is uploaded at the app registration; a .cer or .pfx file is converted by openssl x509 or openssl pkcs12"
            }
            Self::NotRsa | Self::TooShort { .. } => {
                "make another pair with: openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=m365-connector -keyout app.key -out app.crt; and upload app.crt at the app registration"
            }
            Self::Encrypted => {
                "remove the passphrase with: openssl rsa -in encrypted.key -out app.key; and let only the connector's user read the file"
            }
            Self::PrivateKey => "name the PEM file of the certificate's private key",
            Self::Mismatch => {
                "name the key that the certificate was made with; where a file holds several certificates, the first one counts"
            }
        }
    }
}

/// Judges a client certificate and its private key, both PEM, as a sign-in would use them.
///
/// # Errors
/// What keeps the pair from proving anything. Its time is not judged: it is returned.
pub fn judge_client_certificate(certificate: &str, private_key: &Secret) -> Result<Validity, ProofError> {
    let certificate = Certificate::from_pem(certificate.as_bytes()).ok_or(ProofError::Certificate)?;
    let key = certificate.rsa_key().ok_or(ProofError::NotRsa)?;
    let bits = certificate.rsa_bits();
    if bits < SHORTEST_KEY {
        return Err(ProofError::TooShort { bits });
    }
    if private_key.expose().contains("ENCRYPTED") {
        return Err(ProofError::Encrypted);
    }
    let private_key = match PrivateKeyDer::from_pem_slice(private_key.expose().as_bytes()) {
        Ok(PrivateKeyDer::Pkcs8(key)) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
        Ok(PrivateKeyDer::Pkcs1(key)) => KeyPair::from_der(key.secret_pkcs1_der()),
        _ => return Err(ProofError::PrivateKey),
    };
    let private_key = private_key.map_err(|_| ProofError::PrivateKey)?;
    if private_key.public_key().as_ref() != key {
        return Err(ProofError::Mismatch);
    }
    Ok(certificate.validity())
}

/// The private key of a PEM text without what else stands there: a certificate, as a rule.
fn alone(pem: &Secret) -> Secret {
    let text = pem.expose();
    let key = || {
        let begin = text
            .match_indices("-----BEGIN ")
            .map(|(position, _)| position)
            .find(|position| {
                let label = text.get(*position..).and_then(|rest| rest.lines().next());
                label.is_some_and(|label| label.contains("PRIVATE KEY"))
            })?;
        text.get(begin..)
    };
    key().map_or_else(|| pem.clone(), Secret::new)
}

/// A proof that is ready for use.
pub(super) enum Prover {
    /// Sends the secret.
    Secret(Secret),
    /// Signs assertions.
    Certificate {
        /// SHA-256 of the certificate, base64url.
        thumbprint: String,
        /// Its key.
        key: Box<EncodingKey>,
    },
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl Prover {
    pub(super) fn read(proof: &Proof) -> Result<Self, ProofError> {
        match proof {
            Proof::Secret(secret) => Ok(Self::Secret(secret.clone())),
            Proof::Certificate {
                certificate,
                private_key,
            } => {
                judge_client_certificate(certificate, private_key)?;
                let certificate =
                    Certificate::from_pem(certificate.as_bytes()).ok_or(ProofError::Certificate)?;
                let key = EncodingKey::from_rsa_pem(alone(private_key).expose().as_bytes())
                    .map_err(|_| ProofError::PrivateKey)?;
                let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, certificate.der()));
                let prover = Self::Certificate {
                    thumbprint,
                    key: Box::new(key),
                };
                // A key that cannot sign is found now and not at the first sign-in.
                prover
                    .sign(Form::default(), "", "", DateTime::UNIX_EPOCH)
                    .map_err(|_| ProofError::PrivateKey)?;
                Ok(prover)
            }
        }
    }

    /// What tells this proof from another one.
    pub(super) fn identifies(&self) -> &str {
        match self {
            Self::Secret(secret) => secret.expose(),
            Self::Certificate { thumbprint, .. } => thumbprint,
        }
    }

    /// Adds the proof to a form.
    pub(super) fn sign(
        &self,
        form: Form,
        client_id: &str,
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<Form, jsonwebtoken::errors::Error> {
        match self {
            Self::Secret(secret) => Ok(form.with("client_secret", secret.expose())),
            Self::Certificate { thumbprint, key } => {
                let header = Header {
                    x5t_s256: Some(thumbprint.clone()),
                    ..Header::new(Algorithm::PS256)
                };
                let issued = now - BACKDATED;
                let claims = Claims {
                    aud: audience,
                    iss: client_id,
                    sub: client_id,
                    jti: uuid::Uuid::new_v4().to_string(),
                    iat: issued.timestamp(),
                    nbf: issued.timestamp(),
                    exp: (now + LIFETIME).timestamp(),
                };
                let assertion = jsonwebtoken::encode(&header, &claims, key)?;
                Ok(form
                    .with(
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    )
                    .with("client_assertion", &assertion))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = include_str!("../../tests/vectors/rich-notification/cert.pem");
    const KEY: &str = include_str!("../../tests/vectors/rich-notification/key.pem");

    fn certificate(certificate: &str, private_key: &str) -> Result<Prover, ProofError> {
        Prover::read(&Proof::Certificate {
            certificate: certificate.to_owned(),
            private_key: Secret::new(private_key),
        })
    }

    /// A certificate with its key.
    fn made(algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let parameters = rcgen::CertificateParams::new(["app.test".to_owned()]).unwrap();
        (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_with_its_key_proves_and_tells_its_time() {
        assert!(certificate(CERTIFICATE, KEY).is_ok());
        let validity = judge_client_certificate(CERTIFICATE, &Secret::new(KEY)).unwrap();
        assert!(validity.from < validity.until);
        assert!(
            certificate(CERTIFICATE, &(CERTIFICATE.to_owned() + KEY)).is_ok(),
            "both in one file"
        );
    }

    #[test]
    fn files_that_prove_nothing_are_refused_at_once_and_told_apart() {
        let (other_certificate, other_key) = made(&rcgen::PKCS_RSA_SHA256);
        let (elliptic, elliptic_key) = made(&rcgen::PKCS_ECDSA_P256_SHA256);
        let short = include_str!("../../tests/vectors/short-key/cert.pem");
        let encrypted = KEY.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        for (found, key, expected) in [
            ("no pem", KEY, ProofError::Certificate),
            (KEY, KEY, ProofError::Certificate),
            (elliptic.as_str(), elliptic_key.as_str(), ProofError::NotRsa),
            (short, KEY, ProofError::TooShort { bits: 1024 }),
            (CERTIFICATE, encrypted.as_str(), ProofError::Encrypted),
            (CERTIFICATE, "no pem", ProofError::PrivateKey),
            (CERTIFICATE, CERTIFICATE, ProofError::PrivateKey),
            (CERTIFICATE, elliptic_key.as_str(), ProofError::PrivateKey),
            (CERTIFICATE, other_key.as_str(), ProofError::Mismatch),
            (other_certificate.as_str(), KEY, ProofError::Mismatch),
        ] {
            assert_eq!(certificate(found, key).err(), Some(expected));
        }
    }
}
