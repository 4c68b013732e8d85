//! Notifications that are not what they claim to be: a client must answer them like every other and believe none of them.

use serde_json::{Value, json};

/// What is wrong with a forged notification; everything else about it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// The client state is another one.
    WrongClientState,
    /// The validation token's signature does not fit.
    BadTokenSignature,
    /// The validation token was issued to another publisher.
    WrongPublisher,
    /// The validation token is meant for another application.
    WrongAudience,
    /// The validation token comes from another tenant.
    WrongTenant,
    /// The validation token is no longer valid.
    ExpiredToken,
    /// The validation tokens are missing.
    NoTokens,
    /// The content names a certificate that nobody has.
    UnknownCertificate,
    /// The content was changed after it was signed.
    TamperedData,
    /// The content's signature was changed.
    TamperedSignature,
    /// The envelope is no JSON.
    Garbage,
}

impl Forgery {
    /// Spoils one notification of the envelope.
    pub(super) fn spoil_item(self, item: &mut Value) {
        let content = item.get_mut("encryptedContent").and_then(Value::as_object_mut);
        match (self, content) {
            (Self::WrongClientState, _) => {
                if let Some(members) = item.as_object_mut() {
                    members.insert("clientState".to_owned(), "another-client-state".into());
                }
            }
            (Self::UnknownCertificate, Some(content)) => {
                content.insert("encryptionCertificateId".to_owned(), "nobodys-certificate".into());
                content.insert(
                    "encryptionCertificateThumbprint".to_owned(),
                    "0".repeat(40).into(),
                );
            }
            (Self::TamperedData, Some(content)) => tamper(content, "data"),
            (Self::TamperedSignature, Some(content)) => tamper(content, "dataSignature"),
            _ => {}
        }
    }

    /// Spoils the claims of a validation token before it is signed.
    pub(super) fn spoil_claims(self, claims: &mut Value) {
        let Some(members) = claims.as_object_mut() else {
            return;
        };
        let now = members.get("iat").and_then(Value::as_i64).unwrap_or_default();
        let other = "11111111-2222-3333-4444-555555555555";
        match self {
            Self::WrongPublisher => {
                let name = if members.contains_key("azp") {
                    "azp"
                } else {
                    "appid"
                };
                members.insert(name.to_owned(), other.into());
            }
            Self::WrongAudience => {
                members.insert("aud".to_owned(), other.into());
            }
            Self::WrongTenant => {
                members.insert("tid".to_owned(), other.into());
                members.insert(
                    "iss".to_owned(),
                    format!("https://login.microsoftonline.com/{other}/v2.0").into(),
                );
            }
            Self::ExpiredToken => {
                members.insert("iat".to_owned(), json!(now - 200_000));
                members.insert("nbf".to_owned(), json!(now - 200_000));
                members.insert("exp".to_owned(), json!(now - 100_000));
            }
            _ => {}
        }
    }

    /// Spoils a signed validation token.
    pub(super) fn spoil_token(self, token: String) -> String {
        match (self, token.rsplit_once('.')) {
            (Self::BadTokenSignature, Some((message, signature))) => {
                format!("{message}.{}", signature.chars().rev().collect::<String>())
            }
            _ => token,
        }
    }
}

/// Changes the first letter of a base64 text, which stays base64.
fn tamper(content: &mut serde_json::Map<String, Value>, name: &str) {
    if let Some(Value::String(text)) = content.get_mut(name) {
        let first = if text.starts_with('A') { "B" } else { "A" };
        text.replace_range(..1, first);
    }
}
