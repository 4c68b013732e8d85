//! A JSON Web Token taken apart, before anybody believed it.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// Holds header, claims and signature of a token whose signature was not looked at yet.
pub(super) struct Jwt {
    pub(super) header: Value,
    pub(super) claims: Value,
    message: String,
    signature: Vec<u8>,
}

impl Jwt {
    /// Takes a compact token apart; `None` when it is none.
    pub(super) fn parse(compact: &str) -> Option<Self> {
        let (message, signature) = compact.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        Some(Self {
            header: part(header)?,
            claims: part(claims)?,
            message: message.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Tells whether the public key (PKCS#1 or `SubjectPublicKeyInfo` DER) made the signature, by RS256 or PS256.
    pub(super) fn is_signed_by(&self, public_key: &[u8]) -> bool {
        let algorithm = match self.header_text("alg") {
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, public_key)
            .verify(self.message.as_bytes(), &self.signature)
            .is_ok()
    }

    /// Returns a text of the header.
    pub(super) fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// Returns a text claim.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Returns a time claim in seconds since 1970, which some clients write with a fraction (reference 1.2).
    pub(super) fn seconds(&self, name: &str) -> Option<f64> {
        self.claims.get(name).and_then(Value::as_f64)
    }
}

fn part(encoded: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}
