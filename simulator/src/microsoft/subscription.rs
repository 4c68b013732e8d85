//! A change notification subscription (reference 3.1), and how it is read from a request.

use std::collections::HashSet;

use aws_lc_rs::rsa::PublicEncryptingKey;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    clock::graph_time,
    der,
    key::{sha1, upper_hex},
    tenant::App,
};

/// What a subscription watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The presences of these users.
    Presences(HashSet<Uuid>),
    /// All users, or one.
    Users(Option<Uuid>),
}

/// How the content of rich notifications is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The subscriber's own name for the certificate.
    pub certificate_id: String,
    /// Upper-case hexadecimal SHA-1 of the certificate.
    pub thumbprint: String,
    /// The certificate's public key, `SubjectPublicKeyInfo` DER.
    pub public_key: Vec<u8>,
}

/// A live or expired subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its id.
    pub id: Uuid,
    /// The tenant that it watches.
    pub tenant: Uuid,
    /// The application that created it.
    pub app: Uuid,
    /// The user (delegated) or service principal (application) that created it.
    pub creator: Uuid,
    /// Whether a user's token created it.
    pub delegated: bool,
    /// The `changeType` as it was sent.
    pub change_type: String,
    /// The `resource` as it was sent.
    pub resource: String,
    /// What it watches.
    pub target: Target,
    /// Where notifications go.
    pub notification_url: String,
    /// Where lifecycle notifications go.
    pub lifecycle_url: Option<String>,
    /// The secret that every notification repeats.
    pub client_state: Option<String>,
    /// When it ends, in the cloud's clock.
    pub expires: DateTime<Utc>,
    /// When it was created or renewed last.
    pub(super) authorized_at: DateTime<Utc>,
    /// When the creator's token ends: no delivery after that until it is renewed.
    pub authorized_until: DateTime<Utc>,
    /// How rich content is locked; `None` is a basic subscription.
    pub lock: Option<Lock>,
    /// The `latestSupportedTlsVersion`.
    pub tls: String,
    /// The audience for validation tokens, instead of the application.
    pub notification_url_app: Option<String>,
    /// When the last automatic lifecycle notice was sent.
    pub(super) warned: Option<DateTime<Utc>>,
}

/// How many users one presence subscription may watch (reference 3.1).
pub(super) const MAX_USERS: usize = 650;

impl Subscription {
    /// Describes a basic subscription that some program left behind, by a user's token that lasts as long; `None` when
    /// the resource is none that can be watched.
    #[must_use]
    pub fn left_behind(
        app: &App,
        creator: Uuid,
        resource: &str,
        notification_url: &str,
        expires: DateTime<Utc>,
    ) -> Option<Self> {
        Some(Self {
            id: Uuid::new_v4(),
            tenant: app.tenant,
            app: app.client_id,
            creator,
            delegated: true,
            change_type: "updated".to_owned(),
            resource: resource.to_owned(),
            target: target(resource).ok()?,
            notification_url: notification_url.to_owned(),
            lifecycle_url: None,
            client_state: None,
            expires,
            authorized_at: Utc::now(),
            authorized_until: expires,
            lock: None,
            tls: "v1_2".to_owned(),
            notification_url_app: None,
            warned: None,
        })
    }

    /// Tells whether this watches presences.
    #[must_use]
    pub fn is_presence(&self) -> bool {
        matches!(self.target, Target::Presences(_))
    }

    /// Tells whether a change of this user's presence concerns the subscription.
    pub(super) fn watches_presence(&self, user: Uuid) -> bool {
        matches!(&self.target, Target::Presences(users) if users.contains(&user))
    }

    /// Tells whether a change of this directory user concerns the subscription.
    pub(super) fn watches_user(&self, user: Uuid, change: &str) -> bool {
        let watched = matches!(&self.target, Target::Users(only) if only.is_none_or(|only| only == user));
        watched && self.change_type.split(',').any(|wanted| wanted.trim() == change)
    }

    /// Returns the subscription as Graph writes it; the client state is shown to nobody but its creator at creation.
    pub(super) fn shown(&self, with_client_state: bool, with_certificate_id: bool) -> Value {
        let lock = self.lock.as_ref().filter(|_| with_certificate_id);
        json!({
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.app,
            "changeType": self.change_type,
            "clientState": self.client_state.as_ref().filter(|_| with_client_state),
            "notificationUrl": self.notification_url,
            "notificationQueryOptions": null,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": graph_time(self.expires),
            "creatorId": self.creator,
            "includeResourceData": self.lock.is_some(),
            "latestSupportedTlsVersion": self.tls,
            "encryptionCertificate": null,
            "encryptionCertificateId": lock.map(|lock| &lock.certificate_id),
            "notificationUrlAppId": self.notification_url_app,
        })
    }
}

/// Says why a resource cannot be watched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadResource {
    /// It is none that this cloud knows.
    Unknown,
    /// It names so many users.
    TooMany(usize),
}

/// Reads the `resource` of a subscription.
pub(super) fn target(resource: &str) -> Result<Target, BadResource> {
    let resource = resource.strip_prefix('/').unwrap_or(resource);
    let lower = resource.to_ascii_lowercase();
    if lower == "users" {
        return Ok(Target::Users(None));
    }
    let user = |text: &str| Uuid::parse_str(text).map_err(|_| BadResource::Unknown);
    if lower.starts_with("users/") {
        return user(resource.get(6..).unwrap_or_default()).map(|id| Target::Users(Some(id)));
    }
    if lower.starts_with("communications/presences/") {
        let id = user(resource.get(25..).unwrap_or_default())?;
        return Ok(Target::Presences(HashSet::from([id])));
    }
    let query = lower
        .strip_prefix("communications/presences?$filter=")
        .ok_or(BadResource::Unknown)?;
    let list = query.trim().strip_prefix("id in").map(str::trim);
    let list = list
        .and_then(|list| list.strip_prefix('('))
        .and_then(|list| list.strip_suffix(')'));
    let mut users = HashSet::new();
    for quoted in list.ok_or(BadResource::Unknown)?.split(',') {
        let id = quoted
            .trim()
            .strip_prefix('\'')
            .and_then(|id| id.strip_suffix('\''));
        users.insert(user(id.ok_or(BadResource::Unknown)?)?);
    }
    if users.len() > MAX_USERS {
        Err(BadResource::TooMany(users.len()))
    } else {
        Ok(Target::Presences(users))
    }
}

/// Reads an `encryptionCertificate` with its id; `None` when either breaks a rule of reference 3.1.
pub(super) fn lock(certificate: &str, id: &str) -> Option<Lock> {
    let der = STANDARD.decode(certificate).ok()?;
    let public_key = der::subject_public_key(&der)?;
    let bits = PublicEncryptingKey::from_der(public_key).ok()?.key_size_bits();
    let acceptable = (2048..=4096).contains(&bits) && !id.is_empty() && id.chars().count() <= 128;
    acceptable.then(|| Lock {
        certificate_id: id.to_owned(),
        thumbprint: upper_hex(&sha1(&der)),
        public_key: public_key.to_vec(),
    })
}
