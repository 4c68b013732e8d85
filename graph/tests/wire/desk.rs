//! Microsoft's side of notifications: signed tokens, encrypted content, and our opener that receives them.

use std::cell::Cell;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use m365_graph::{WebhookOpener, WebhookSettings, generate_notification_key};
use m365_presence::identity::{Account, TeamsId};
use m365_presence::ports::{
    AcceptedState, KeyPairs as _, Notice, NotificationKey, NotificationOpener, Opened, SubscriptionKind,
};
use m365_presence::secret::Secret;
use m365_presence::teams::TeamsPresence;
use serde_json::{Value, json};

use crate::support::{APP, Reply, Rig, Seen};

pub const DIRECTORY: &str = "e0bd2321-07fa-4cf0-87b8-00aa2a747329";
pub const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
pub const STATE: &str = "our client state";

/// Entra's side: a signing key with its id.
#[derive(Clone)]
pub struct Signer {
    pub kid: String,
    pub pkcs8: Vec<u8>,
}

impl Signer {
    pub fn new(kid: &str) -> Self {
        let key = generate_notification_key(Utc::now()).unwrap();
        Self {
            kid: kid.to_owned(),
            pkcs8: STANDARD.decode(key.private_key.expose()).unwrap(),
        }
    }

    pub fn jwk(&self) -> Value {
        let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(&self.pkcs8).unwrap();
        let public = pair.public_key();
        let n = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
        let e = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
        json!({"kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid, "n": n, "e": e})
    }

    pub fn sign(&self, claims: &Value) -> String {
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::RS256)
        };
        let pem = pem_of(&self.pkcs8);
        jsonwebtoken::encode(
            &header,
            claims,
            &EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
        )
        .unwrap()
    }
}

pub fn pem_of(pkcs8: &[u8]) -> String {
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(pkcs8)
    )
}

pub fn claims() -> Value {
    let now = Utc::now().timestamp();
    json!({
        "aud": APP, "iss": format!("https://login.microsoftonline.com/{DIRECTORY}/v2.0"), "iat": now, "nbf": now,
        "exp": now + 86_700, "azp": PUBLISHER, "azpacr": "2", "tid": DIRECTORY, "ver": "2.0",
    })
}

pub fn changed(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// Microsoft's side of the encryption.
pub fn encrypted(key: &NotificationKey, content: &Value) -> Value {
    let mut secret = [0_u8; 32];
    rand::fill(&mut secret).unwrap();
    let mut data = content.to_string().into_bytes();
    let cipher =
        PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &secret).unwrap()).unwrap();
    let initial: [u8; 16] = secret[..16].try_into().unwrap();
    cipher
        .less_safe_encrypt(&mut data, EncryptionContext::Iv128(initial.into()))
        .unwrap();
    let der = STANDARD.decode(key.private_key.expose()).unwrap();
    let public = PrivateDecryptingKey::from_pkcs8(&der).unwrap().public_key();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let mut data_key = vec![0; public.ciphertext_size()];
    public
        .encrypt(&OAEP_SHA1_MGF1SHA1, &secret, &mut data_key, None)
        .unwrap();
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), &data);
    json!({
        "data": STANDARD.encode(&data), "dataKey": STANDARD.encode(&data_key),
        "dataSignature": STANDARD.encode(signature), "encryptionCertificateId": key.id,
        "encryptionCertificateThumbprint": "4B95353E086AD37196606ACF834A14532F03E6DB",
    })
}

pub fn busy(user: &str) -> Value {
    json!({
        "@odata.id": format!("users/{user}/presence"), "id": user,
        "availability": "Busy", "activity": "InACall", "sequenceNumber": "0001",
    })
}

pub fn rich(key: &NotificationKey, user: &str, content: &Value) -> Value {
    json!({
        "subscriptionId": "s", "clientState": STATE, "changeType": "updated", "tenantId": DIRECTORY,
        "resource": format!("communications/presences/{user}"),
        "resourceData": {"@odata.id": format!("users/{user}/presence"), "id": user},
        "encryptedContent": encrypted(key, content),
    })
}

/// An opener with Entra, and the key that we gave to Microsoft.
pub struct Desk {
    pub rig: Rig,
    pub opener: WebhookOpener,
    pub key: NotificationKey,
    pub received_at: Cell<DateTime<Utc>>,
}

impl Desk {
    pub fn new(tenant: &str, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let rig = Rig::new(script);
        let key = generate_notification_key(Utc::now()).unwrap();
        rig.keys.take_in(&key).unwrap();
        let settings = WebhookSettings {
            tenant: tenant.to_owned(),
            client_ids: vec![APP.to_owned(), "another-app".to_owned()],
        };
        let opener = WebhookOpener::new(
            rig.http.clone(),
            rig.endpoints.clone(),
            rig.keys.clone(),
            settings,
        );
        Self {
            rig,
            opener,
            key,
            received_at: Cell::new(Utc::now()),
        }
    }

    pub fn with_signers(signers: &[&Signer]) -> Self {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        Self::new(DIRECTORY, move |_| Reply::json(200, json!({ "keys": keys })))
    }

    pub async fn open(&self, body: &Value) -> Opened {
        self.open_raw(body.to_string().as_bytes()).await
    }

    pub async fn open_raw(&self, body: &[u8]) -> Opened {
        let accepted = [
            AcceptedState {
                client_state: Secret::new(STATE),
                kind: SubscriptionKind::Presence(Account::new("presence@contoso.com")),
            },
            AcceptedState {
                client_state: Secret::new("users"),
                kind: SubscriptionKind::Users,
            },
        ];
        self.opener
            .open(body.into(), self.received_at.get(), &accepted)
            .await
    }

    /// Opens one good rich item under a token.
    pub async fn under(&self, token: &str) -> Opened {
        let item = rich(&self.key, "oid", &busy("oid"));
        self.open(&json!({"value": [item], "validationTokens": [token]}))
            .await
    }
}

pub fn is_busy(opened: &Opened) -> bool {
    let [Notice::Presence(seen)] = opened.notices.as_slice() else {
        return false;
    };
    seen.user == TeamsId::new("oid") && seen.presence == TeamsPresence::new("Busy", "InACall")
}
