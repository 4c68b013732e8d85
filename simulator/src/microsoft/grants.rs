//! What the token endpoint handed out and must recognise again: refresh tokens and device codes, and which access tokens
//! were revoked.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{cloud::State, jwt::Jwt};

/// A signed-in user with an application and what it may do.
#[derive(Clone, Debug)]
pub(super) struct SignIn {
    pub(super) app: Uuid,
    pub(super) user: Uuid,
    pub(super) scopes: Vec<String>,
    /// Whether `offline_access` was asked for.
    pub(super) offline: bool,
    /// Whether `openid` was asked for.
    pub(super) open_id: bool,
    /// Whether a password, and no browser, proved the user.
    pub(super) by_password: bool,
}

/// A refresh token; using it does not end it.
pub(super) struct Refresh {
    pub(super) sign_in: SignIn,
    pub(super) expires: DateTime<Utc>,
    pub(super) revoked: bool,
}

/// How far the user got with a device code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    Pending,
    Declined,
    Given(Uuid),
}

/// A device code.
pub(super) struct Device {
    pub(super) user_code: String,
    pub(super) app: Uuid,
    pub(super) tenant: Uuid,
    pub(super) scope: String,
    pub(super) expires: DateTime<Utc>,
    pub(super) polled: Option<DateTime<Utc>>,
    pub(super) consent: Consent,
}

/// Everything that was granted.
#[derive(Default)]
pub(super) struct Grants {
    pub(super) refresh: HashMap<String, Refresh>,
    pub(super) devices: HashMap<String, Device>,
    /// Numbers of the first valid access token per user or service principal, after a revocation.
    pub(super) revoked_below: HashMap<Uuid, u64>,
    issued: u64,
}

impl Grants {
    /// Makes every access and refresh token of a user, or service principal, invalid.
    pub(super) fn revoke(&mut self, subject: Uuid) {
        self.revoked_below.insert(subject, self.issued + 1);
        self.revoke_refresh(subject);
    }

    /// Makes every refresh token of a user invalid.
    pub(super) fn revoke_refresh(&mut self, user: Uuid) {
        for refresh in self
            .refresh
            .values_mut()
            .filter(|refresh| refresh.sign_in.user == user)
        {
            refresh.revoked = true;
        }
    }
}

/// Who stands behind an access token.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) tenant: Uuid,
    pub(super) app: Uuid,
    /// The user's object id, or the service principal's.
    pub(super) subject: Uuid,
    pub(super) delegated: bool,
    /// The `scp` or `roles`.
    pub(super) permissions: Vec<String>,
    pub(super) expires: DateTime<Utc>,
    /// The number of the token.
    pub(super) token: u64,
}

impl Caller {
    /// Tells whether the token carries one of the permissions.
    pub(super) fn may(&self, permissions: &[&str]) -> bool {
        self.permissions
            .iter()
            .any(|held| permissions.contains(&held.as_str()))
    }

    /// Names the caller for the journal.
    pub(super) fn name(&self) -> String {
        if self.delegated {
            format!("{} for {}", self.app, self.subject)
        } else {
            self.app.to_string()
        }
    }

    /// Reads an access token that was verified.
    pub(super) fn of(jwt: &Jwt) -> Option<Self> {
        let id = |name| jwt.text(name).and_then(|text| Uuid::parse_str(text).ok());
        let scopes = jwt.text("scp");
        let roles = jwt.claims.get("roles").and_then(Value::as_array);
        Some(Self {
            tenant: id("tid")?,
            app: id("appid")?,
            subject: id("oid")?,
            delegated: scopes.is_some(),
            permissions: match scopes {
                Some(scopes) => scopes.split(' ').map(str::to_owned).collect(),
                None => roles
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            },
            expires: DateTime::from_timestamp(jwt.claims.get("exp")?.as_i64()?, 0)?,
            token: jwt
                .claims
                .get("number")
                .and_then(Value::as_u64)
                .unwrap_or_default(),
        })
    }
}

impl State {
    /// Returns the claims of a new access token and its life in seconds.
    pub(super) fn access_claims(
        &mut self,
        tenant: Uuid,
        app: Uuid,
        user: Option<(Uuid, &[String])>,
    ) -> (Value, i64) {
        let life = match self.knobs.token_life {
            Some(life) => i64::try_from(life.as_secs()).unwrap_or(i64::MAX),
            None if user.is_some() => self.rng.i64(3599..5400),
            None => 3599,
        };
        self.grants.issued += 1;
        let now = self.clock.now().timestamp();
        let mut claims = json!({
            "aud": "https://graph.microsoft.com",
            "iss": format!("https://sts.windows.net/{tenant}/"),
            "iat": now, "nbf": now, "exp": now.saturating_add(life),
            "appid": app, "tid": tenant, "ver": "1.0",
            "uti": Uuid::new_v4(), "number": self.grants.issued,
        });
        let (subject, name, value) = match user {
            Some((user, scopes)) => (user, "scp", json!(scopes.join(" "))),
            None => {
                let registered = self.apps.get(&app);
                let principal = registered.map_or(app, |app| app.service_principal);
                (
                    principal,
                    "roles",
                    json!(registered.map(|app| app.application.clone()).unwrap_or_default()),
                )
            }
        };
        if let Some(members) = claims.as_object_mut() {
            members.insert("oid".to_owned(), json!(subject));
            members.insert("sub".to_owned(), json!(subject));
            members.insert(name.to_owned(), value);
        }
        (claims, life)
    }
}
