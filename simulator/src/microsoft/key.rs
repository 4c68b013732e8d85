//! RSA keys with their self-signed certificates: the cloud's signing keys, and test material for certificates that an
//! administrator would upload.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use super::der;

/// Says why a key could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The certificate could not be built.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The cryptographic library refused the key.
    #[error("the cryptographic library refused the key")]
    Refused,
}

/// An RSA 2048 key with a self-signed certificate; clones share the key.
#[derive(Clone)]
pub struct SigningKey {
    inner: Arc<Inner>,
}

struct Inner {
    pair: RsaKeyPair,
    certificate_der: Vec<u8>,
    certificate_pem: String,
    private_key_pem: String,
    kid: String,
}

impl SigningKey {
    /// Generates a key and its certificate for `common_name`; takes up to a second in a debug build.
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn generate(common_name: &str) -> Result<Self, KeyError> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, common_name);
        let certificate = params.self_signed(&key)?;
        let pair = RsaKeyPair::from_pkcs8(key.serialized_der()).map_err(|_| KeyError::Refused)?;
        let certificate_der = certificate.der().to_vec();
        Ok(Self {
            inner: Arc::new(Inner {
                pair,
                kid: URL_SAFE_NO_PAD.encode(sha1(&certificate_der)),
                certificate_pem: certificate.pem(),
                private_key_pem: key.serialize_pem(),
                certificate_der,
            }),
        })
    }

    /// Returns one key per process, generated at first use, so that many clouds in one test binary cost one key.
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn shared() -> Result<Self, KeyError> {
        static SHARED: OnceLock<SigningKey> = OnceLock::new();
        if let Some(key) = SHARED.get() {
            return Ok(key.clone());
        }
        let fresh = Self::generate("accounts.accesscontrol.windows.net")?;
        Ok(SHARED.get_or_init(|| fresh).clone())
    }

    /// Returns the key id: base64url, without padding, of the certificate's SHA-1 (reference 1.1).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.inner.kid
    }

    /// Returns the certificate as X.509 DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.inner.certificate_der
    }

    /// Returns the certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.inner.certificate_pem
    }

    /// Returns the private key as PKCS#8 PEM: throw-away test material.
    #[must_use]
    pub fn private_key_pem(&self) -> &str {
        &self.inner.private_key_pem
    }

    /// Returns the public half as PKCS#1 DER.
    pub(super) fn public_key(&self) -> &[u8] {
        self.inner.pair.public_key().as_ref()
    }

    /// Returns the JSON Web Key (reference 1.1), with the `issuer` of newer v2 documents when given.
    pub(super) fn jwk(&self, issuer: Option<&str>) -> Value {
        let (modulus, exponent) = der::rsa_numbers(self.public_key()).unwrap_or_default();
        let mut key = json!({
            "kty": "RSA", "use": "sig", "kid": self.kid(), "x5t": self.kid(),
            "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent),
            "x5c": [STANDARD.encode(self.certificate_der())],
        });
        if let (Some(issuer), Some(members)) = (issuer, key.as_object_mut()) {
            members.insert("issuer".to_owned(), issuer.into());
        }
        key
    }

    /// Signs claims as a JSON Web Token with RS256.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, KeyError> {
        let header = json!({"typ": "JWT", "alg": "RS256", "x5t": self.kid(), "kid": self.kid()});
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signature = vec![0_u8; self.inner.pair.public_modulus_len()];
        self.inner
            .pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .map_err(|_| KeyError::Refused)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Returns the SHA-1 of `bytes`, which the protocols use as a name, never as a proof.
pub(super) fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes)
        .as_ref()
        .to_vec()
}

/// Returns the SHA-256 of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

/// Returns `bytes` as upper-case hexadecimal text.
pub(super) fn upper_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
