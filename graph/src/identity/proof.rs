//! How an app registration proves itself: by a secret, or by a certificate's signature (graph.md 1.2).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use m365_presence::secret::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;

use super::form::Form;

/// The assertion's age at its birth, so that a clock that is slightly behind ours takes it.
const BACKDATED: TimeDelta = TimeDelta::seconds(30);

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

/// Why a certificate cannot prove anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The certificate does not parse.
    #[error("the client certificate is no PEM certificate (-----BEGIN CERTIFICATE-----)")]
    Certificate,
    /// The private key does not parse.
    #[error("the client private key is no unencrypted RSA key in PEM (-----BEGIN PRIVATE KEY-----)")]
    PrivateKey,
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
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes())
                    .map_err(|_| ProofError::Certificate)?;
                let key = EncodingKey::from_rsa_pem(private_key.expose().as_bytes())
                    .map_err(|_| ProofError::PrivateKey)?;
                let thumbprint =
                    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, certificate.as_ref()));
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

    #[test]
    fn files_that_prove_nothing_are_refused_at_once() {
        assert!(certificate(CERTIFICATE, KEY).is_ok());
        assert_eq!(certificate("no pem", KEY).err(), Some(ProofError::Certificate));
        assert_eq!(
            certificate(CERTIFICATE, "no pem").err(),
            Some(ProofError::PrivateKey)
        );
        assert_eq!(
            certificate(CERTIFICATE, CERTIFICATE).err(),
            Some(ProofError::PrivateKey)
        );
    }
}
