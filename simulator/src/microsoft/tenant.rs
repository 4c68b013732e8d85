//! What an administrator would have set up in Entra ID: tenants, app registrations and the accounts that can sign in.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    key::{sha1, sha256},
    refusal::Refusal,
};

/// Describes a directory.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The directory id.
    pub id: Uuid,
    /// The verified domain, such as `contoso.onmicrosoft.com`.
    pub domain: String,
}

impl Tenant {
    /// Describes a directory with a fresh id.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        Self {
            id: Uuid::new_v4(),
            domain: domain.to_owned(),
        }
    }
}

/// Holds one client secret of an app registration.
#[derive(Clone)]
pub struct Secret {
    /// The secret's value.
    pub value: String,
    /// When it ends, in the cloud's clock; `None` is never.
    pub expires: Option<DateTime<Utc>>,
}

/// Describes an app registration, with the permissions that an administrator consented to.
#[derive(Clone)]
pub struct App {
    /// The tenant that it belongs to.
    pub tenant: Uuid,
    /// The application (client) id.
    pub client_id: Uuid,
    /// The id of its service principal, the creator of app-only subscriptions.
    pub service_principal: Uuid,
    /// The client secrets.
    pub secrets: Vec<Secret>,
    /// The uploaded certificates, X.509 DER.
    pub certificates: Vec<Vec<u8>>,
    /// The granted delegated permissions, by name.
    pub delegated: Vec<String>,
    /// The granted application permissions, by name.
    pub application: Vec<String>,
    /// Whether "Allow public client flows" is on.
    pub public_client: bool,
    /// Whether the application is disabled.
    pub disabled: bool,
    /// Whether the service principal demands role assignments, which makes `validationTokens` null (reference 4.5).
    pub assignment_required: bool,
}

impl App {
    /// Describes a confidential app with every permission that a presence synchroniser needs (reference 0).
    #[must_use]
    pub fn synchroniser(tenant: Uuid, secret: &str) -> Self {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        Self {
            tenant,
            client_id: Uuid::new_v4(),
            service_principal: Uuid::new_v4(),
            secrets: vec![Secret {
                value: secret.to_owned(),
                expires: None,
            }],
            certificates: Vec::new(),
            delegated: names(&["Presence.Read.All", "User.Read.All", "User.Read"]),
            application: names(&["Presence.Read.All", "Presence.ReadWrite.All", "User.Read.All"]),
            public_client: true,
            disabled: false,
            assignment_required: false,
        }
    }

    /// Finds the uploaded certificate that an assertion names by `x5t` or `x5t#S256`, raw bytes.
    pub(super) fn certificate(&self, thumbprint: &[u8]) -> Option<&[u8]> {
        self.certificates
            .iter()
            .find(|der| sha1(der) == thumbprint || sha256(der) == thumbprint)
            .map(Vec::as_slice)
    }
}

/// Describes an account that can sign in; it belongs to a directory user of the same name.
#[derive(Clone)]
pub struct Account {
    /// The tenant that it belongs to.
    pub tenant: Uuid,
    /// The user's object id.
    pub user: Uuid,
    /// The sign-in name.
    pub username: String,
    /// The password; `None` is an account without one (AADSTS50056).
    pub password: Option<String>,
    /// What refuses every sign-in although the password is right.
    pub condition: Option<Refusal>,
    /// Wrong passwords since the last right one; ten lock the account (AADSTS50053).
    pub(super) failures: u32,
}

/// How many wrong passwords in a row lock an account, as Entra's smart lockout does by default.
pub(super) const LOCKOUT: u32 = 10;

impl Account {
    /// Describes an account that signs in with a password.
    #[must_use]
    pub fn new(tenant: Uuid, username: &str, password: &str) -> Self {
        Self {
            tenant,
            user: Uuid::new_v4(),
            username: username.to_owned(),
            password: Some(password.to_owned()),
            condition: None,
            failures: 0,
        }
    }

    /// Adds what refuses every sign-in.
    #[must_use]
    pub fn refused(mut self, condition: impl Into<Refusal>) -> Self {
        self.condition = Some(condition.into());
        self
    }
}
