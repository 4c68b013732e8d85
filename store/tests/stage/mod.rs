//! Rows to store, and a database file to store them in.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod cable;
pub mod filled;
pub mod postgres;

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::identity::{Account, PbxGuid, PbxName, SubscriptionId, TeamsId};
use m365_presence::ports::{
    AcceptedState, LedgerChange, LedgerRow, LedgerState, NotificationKey, Slot, StoredSubscription,
    SubscriptionKind,
};
use m365_presence::secret::Secret;
use m365_presence::teams::TeamsPresence;
use m365_store::{KeySource, Location, OpenError, PostgresAddress, SqlStore};

/// A directory of its own with a database in it.
pub struct Place {
    pub directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub fn database(&self) -> PathBuf {
        self.directory.path().join("connector.db")
    }

    pub fn key(&self) -> PathBuf {
        self.directory.path().join("connector.db.key")
    }

    pub fn open(&self) -> SqlStore {
        self.try_open().unwrap()
    }

    pub fn try_open(&self) -> Result<SqlStore, OpenError> {
        SqlStore::open_file(self.database(), &KeySource::Beside)
    }

    /// The error that opening ends with, and its text.
    pub fn refusal(&self) -> (OpenError, String) {
        let error = self.try_open().err().expect("the store opened");
        let text = error.to_string();
        (error, text)
    }
}

/// Opens the store at an address.
pub fn open_server(url: &str) -> SqlStore {
    try_open_server(url).unwrap()
}

pub fn try_open_server(url: &str) -> Result<SqlStore, OpenError> {
    SqlStore::open_server(&PostgresAddress::parse(url, None).unwrap(), &KeySource::Beside)
}

/// Where a server's database is.
pub fn on_server(url: &str) -> Location {
    Location::Server(Box::new(PostgresAddress::parse(url, None).unwrap()))
}

pub fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000 + seconds, 123_456_000).unwrap()
}

pub fn presence_of(account: &str) -> SubscriptionKind {
    SubscriptionKind::Presence(Account::new(account))
}

pub fn subscription(kind: SubscriptionKind, id: &str) -> StoredSubscription {
    StoredSubscription {
        kind,
        id: SubscriptionId::new(id),
        users: vec![TeamsId::new("5e2f"), TeamsId::new("77a1")],
        expires_at: time(3600),
        certificate_id: Some("key-1".to_owned()),
        notification_url: "https://connector.example.com/notify".to_owned(),
    }
}

pub fn accepted(kind: SubscriptionKind, client_state: &str) -> AcceptedState {
    AcceptedState {
        client_state: Secret::new(client_state),
        kind,
    }
}

pub fn ledger_row(user: &str, slot: Slot) -> LedgerRow {
    LedgerRow {
        pbx_user: PbxGuid::new(user),
        h323: "ann".to_owned(),
        home: PbxName::new("Headquarters"),
        teams_user: TeamsId::new("5e2f"),
        slot,
        state: LedgerState::Intended,
        value: TeamsPresence::new("Busy", "InACall"),
        stands_for: "on-the-phone".to_owned(),
        written_at: time(0),
        until: Some(time(0) + TimeDelta::minutes(15)),
        replaces: Vec::new(),
    }
}

pub fn put(user: &str, slot: Slot) -> LedgerChange {
    LedgerChange::Put(ledger_row(user, slot))
}

pub fn notification_key(id: &str, created_at: DateTime<Utc>) -> NotificationKey {
    NotificationKey {
        id: id.to_owned(),
        certificate: vec![0x30, 0x82, 0x00, 0xff],
        private_key: Secret::new(format!("private key of {id}")),
        created_at,
    }
}
