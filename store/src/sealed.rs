//! The rows that hold a secret: made by sealing it, read by opening it.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use m365_presence::identity::{Account, Credential};
use m365_presence::ports::{AcceptedState, NotificationKey, StoredSetting};
use m365_presence::secret::Secret;
use m365_presence::sign_in::{Refusal, SignInRecord, Trial};
use serde::Deserialize;
use serde_json::json;

use crate::error::Failure;
use crate::rows::{kind_columns, stored_time, subscription_kind};
use crate::schema;
use crate::seal::{Cipher, Place};

const CLIENT_STATES: &str = "client_states";
const REFRESH_TOKENS: &str = "refresh_tokens";
const NOTIFICATION_KEYS: &str = "notification_keys";
const SIGN_INS: &str = "sign_ins";
const SETTINGS: &str = "settings";

/// A row of table `client_states`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::client_states)]
pub(crate) struct ClientStateRow {
    pub(crate) kind: String,
    pub(crate) account: String,
    client_state: Vec<u8>,
}

/// A row of table `refresh_tokens`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::refresh_tokens)]
pub(crate) struct RefreshTokenRow {
    pub(crate) account: String,
    token: Vec<u8>,
}

/// A row of table `sign_ins`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::sign_ins)]
pub(crate) struct SignInRow {
    pub(crate) credential: String,
    record: Vec<u8>,
}

/// A row of table `notification_keys`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::notification_keys)]
pub(crate) struct NotificationKeyRow {
    pub(crate) id: String,
    certificate: Vec<u8>,
    private_key: Vec<u8>,
    created_at: NaiveDateTime,
}

/// A row of table `settings`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::settings)]
pub(crate) struct SettingRow {
    pub(crate) key: String,
    value: Vec<u8>,
}

impl SettingRow {
    pub(crate) fn seal(cipher: &Cipher, setting: &StoredSetting) -> Result<Self, Failure> {
        let value = cipher.seal(Place::new(SETTINGS, &[&setting.key]), &setting.value)?;
        Ok(Self {
            key: setting.key.clone(),
            value,
        })
    }

    pub(crate) fn open(self, cipher: &Cipher) -> Result<StoredSetting, Failure> {
        let value = cipher.open(Place::new(SETTINGS, &[&self.key]), &self.value)?;
        Ok(StoredSetting { key: self.key, value })
    }
}

impl ClientStateRow {
    pub(crate) fn seal(cipher: &Cipher, state: &AcceptedState) -> Result<Self, Failure> {
        let (kind, account) = kind_columns(&state.kind);
        let client_state = cipher.seal(Place::new(CLIENT_STATES, &[kind, account]), &state.client_state)?;
        Ok(Self {
            kind: kind.to_owned(),
            account: account.to_owned(),
            client_state,
        })
    }

    pub(crate) fn open(self, cipher: &Cipher) -> Result<AcceptedState, Failure> {
        let key = [self.kind.as_str(), self.account.as_str()];
        Ok(AcceptedState {
            client_state: cipher.open(Place::new(CLIENT_STATES, &key), &self.client_state)?,
            kind: subscription_kind(CLIENT_STATES, &self.kind, &self.account)?,
        })
    }
}

impl RefreshTokenRow {
    pub(crate) fn seal(cipher: &Cipher, account: &Account, token: &Secret) -> Result<Self, Failure> {
        let account = account.as_str();
        let token = cipher.seal(Place::new(REFRESH_TOKENS, &[account]), token)?;
        Ok(Self {
            account: account.to_owned(),
            token,
        })
    }

    pub(crate) fn open(self, cipher: &Cipher) -> Result<Secret, Failure> {
        cipher.open(Place::new(REFRESH_TOKENS, &[&self.account]), &self.token)
    }
}

impl SignInRow {
    /// Seals the whole record: the digest of a password stands in it.
    pub(crate) fn seal(cipher: &Cipher, record: &SignInRecord) -> Result<Self, Failure> {
        let credential = credential_column(&record.credential);
        let trial = record.trial.as_ref().map(|trial| {
            json!({
                "presented": trial.presented.expose(),
                "passwords": trial.passwords,
                "at": trial.at,
                "refusal": trial.refusal,
            })
        });
        let text = json!({"granted_at": record.granted_at, "trial": trial}).to_string();
        let record = cipher.seal(Place::new(SIGN_INS, &[credential]), &Secret::new(text))?;
        Ok(Self {
            credential: credential.to_owned(),
            record,
        })
    }

    pub(crate) fn open(self, cipher: &Cipher) -> Result<SignInRecord, Failure> {
        let text = cipher.open(Place::new(SIGN_INS, &[&self.credential]), &self.record)?;
        let unreadable = |_error| Failure::Row {
            table: SIGN_INS,
            what: "record of a sign-in",
        };
        let read: ReadRecord = serde_json::from_str(text.expose()).map_err(unreadable)?;
        Ok(SignInRecord {
            credential: if self.credential.is_empty() {
                Credential::App
            } else {
                Credential::Communication(Account::new(&self.credential))
            },
            granted_at: read.granted_at,
            trial: read.trial.map(|trial| Trial {
                presented: trial.presented,
                passwords: trial.passwords,
                at: trial.at,
                refusal: trial.refusal,
            }),
        })
    }
}

/// Spells whose sign-in it is.
fn credential_column(credential: &Credential) -> &str {
    match credential {
        Credential::App => "",
        Credential::Communication(account) => account.as_str(),
    }
}

/// What a record of a sign-in is read from.
#[derive(Deserialize)]
struct ReadRecord {
    granted_at: Option<DateTime<Utc>>,
    trial: Option<ReadTrial>,
}

/// What a trial is read from.
#[derive(Deserialize)]
struct ReadTrial {
    presented: Secret,
    passwords: u32,
    at: DateTime<Utc>,
    refusal: Option<Refusal>,
}

impl NotificationKeyRow {
    pub(crate) fn seal(cipher: &Cipher, key: &NotificationKey) -> Result<Self, Failure> {
        Ok(Self {
            id: key.id.clone(),
            certificate: key.certificate.clone(),
            private_key: cipher.seal(Place::new(NOTIFICATION_KEYS, &[&key.id]), &key.private_key)?,
            created_at: stored_time(key.created_at),
        })
    }

    pub(crate) fn open(self, cipher: &Cipher) -> Result<NotificationKey, Failure> {
        let private_key = cipher.open(Place::new(NOTIFICATION_KEYS, &[&self.id]), &self.private_key)?;
        let created_at = self.created_at.and_utc();
        Ok(NotificationKey {
            id: self.id,
            certificate: self.certificate,
            private_key,
            created_at,
        })
    }
}
