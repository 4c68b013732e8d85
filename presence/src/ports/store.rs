//! What must survive a restart.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use super::notification::AcceptedState;
use super::subscription::SubscriptionKind;
use crate::identity::{Account, PbxGuid, PbxName, SubscriptionId, TeamsId};
use crate::secret::Secret;
use crate::sign_in::SignInRecord;
use crate::teams::TeamsPresence;

/// A subscription that must be found again after a restart.
#[derive(Clone, Debug)]
pub struct StoredSubscription {
    /// What it watches.
    pub kind: SubscriptionKind,
    /// Its id.
    pub id: SubscriptionId,
    /// The users that it watches; empty for users.
    pub users: Vec<TeamsId>,
    /// Its end as granted.
    pub expires_at: DateTime<Utc>,
    /// The key that it encrypts for.
    pub certificate_id: Option<String>,
    /// Where its notifications go: after a change of `public.url` it is none of ours any more.
    pub notification_url: String,
}

/// What we may have set and must be able to release: one slot each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// Our session in Teams.
    Session,
    /// The user's preferred presence in Teams.
    Preferred,
    /// Our entry at the PBX.
    PbxEntry,
    /// A call of ours at the PBX, which ends with its connection; its row names the PBX where it is put as `home`.
    AlienCall,
    /// The user's status message in Teams; its row names the text by its digest.
    StatusMessage,
}

/// How sure we are of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// About to be written, or not confirmed: counts as set.
    Intended,
    /// The write was accepted.
    Confirmed,
    /// The user has taken the slot back: neither renewed nor cleared.
    Overridden,
}

/// A state of ours that a write which may never have left was to replace: the slot may still carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The pair in Teams.
    pub value: TeamsPresence,
    /// The PBX state that it stands for.
    pub stands_for: String,
    /// When it ends by itself.
    pub until: DateTime<Utc>,
}

/// One row of the ledger of what we set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The user at the PBX.
    pub pbx_user: PbxGuid,
    /// The user's name at the PBX.
    pub h323: String,
    /// The PBX where the user lives.
    pub home: PbxName,
    /// The user in Teams.
    pub teams_user: TeamsId,
    /// Where it is set.
    pub slot: Slot,
    /// How sure we are.
    pub state: LedgerState,
    /// The pair in Teams; for an entry at the PBX the activity stands in both, for a status message its digest.
    pub value: TeamsPresence,
    /// The PBX state that it stands for, e.g. `dnd`; empty for an entry at the PBX. Of a status message `shown` where Teams
    /// has been seen to tell the user's messages, else empty.
    pub stands_for: String,
    /// When it was written, on Graph's clock.
    pub written_at: DateTime<Utc>,
    /// When it ends by itself; never for an entry at the PBX.
    pub until: Option<DateTime<Utc>>,
    /// What else of ours the slot may carry while the write is only intended: after a crash nobody knows whether it left.
    pub replaces: Vec<Replaced>,
}

/// One change of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerChange {
    /// Insert or replace the row of this user and slot.
    Put(LedgerRow),
    /// Remove the row of this user and slot.
    Remove {
        /// Whose.
        pbx_user: PbxGuid,
        /// Which.
        slot: Slot,
    },
}

/// A key pair for resource data (graph.md 4.4).
#[derive(Clone, Debug)]
pub struct NotificationKey {
    /// The id that subscriptions name.
    pub id: String,
    /// The self-signed certificate, DER.
    pub certificate: Vec<u8>,
    /// The private key: PKCS#8 DER in base64, to be kept encrypted.
    pub private_key: Secret,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// The key pairs that the store kept.
#[derive(Clone, Debug, Default)]
pub struct StoredKeys {
    /// Those that can be read, newest first.
    pub keys: Vec<NotificationKey>,
    /// The ids of those whose private key does not decrypt: the row is damaged, or sealed with another key.
    pub unreadable: Vec<String>,
}

/// The last answered license check of a PBX user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseAnswer {
    /// Whose.
    pub user: PbxGuid,
    /// Whether the license was held.
    pub held: bool,
}

/// Why the store did not answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct StoreError {
    /// Cause and remedy as one sentence.
    pub detail: String,
}

/// Answer of the store.
pub type Stored<'a, T> = LocalBoxFuture<'a, Result<T, StoreError>>;

/// What must survive a restart. Secrets are encrypted at rest by the adapter.
pub trait Store {
    /// All subscriptions.
    fn subscriptions(&self) -> Stored<'_, Vec<StoredSubscription>>;
    /// Inserts or replaces the subscription of its kind.
    fn put_subscription<'a>(&'a self, subscription: &'a StoredSubscription) -> Stored<'a, ()>;
    /// Forgets the subscription of a kind.
    fn remove_subscription<'a>(&'a self, kind: &'a SubscriptionKind) -> Stored<'a, ()>;
    /// All client states: one per kind, drawn once, stored before its first use and reused.
    fn client_states(&self) -> Stored<'_, Vec<AcceptedState>>;
    /// Stores a client state.
    fn put_client_state<'a>(&'a self, state: &'a AcceptedState) -> Stored<'a, ()>;
    /// The whole ledger.
    fn ledger(&self) -> Stored<'_, Vec<LedgerRow>>;
    /// Applies changes in order, all or none.
    fn change_ledger<'a>(&'a self, changes: &'a [LedgerChange]) -> Stored<'a, ()>;
    /// A communication user's refresh token.
    fn refresh_token<'a>(&'a self, account: &'a Account) -> Stored<'a, Option<Secret>>;
    /// Stores or, with `None`, forgets it.
    fn put_refresh_token<'a>(&'a self, account: &'a Account, token: Option<&'a Secret>) -> Stored<'a, ()>;
    /// What is remembered of all sign-ins, one record per credential at most.
    fn sign_in_records(&self) -> Stored<'_, Vec<SignInRecord>>;
    /// Inserts or replaces the record of its credential.
    fn put_sign_in_record<'a>(&'a self, record: &'a SignInRecord) -> Stored<'a, ()>;
    /// All notification keys. One that does not decrypt is told apart and hides none of the others.
    fn notification_keys(&self) -> Stored<'_, StoredKeys>;
    /// Stores a notification key.
    fn put_notification_key<'a>(&'a self, key: &'a NotificationKey) -> Stored<'a, ()>;
    /// Forgets a notification key, be it readable or not.
    fn remove_notification_key<'a>(&'a self, id: &'a str) -> Stored<'a, ()>;
    /// The last answered license checks.
    fn license_answers(&self) -> Stored<'_, Vec<LicenseAnswer>>;
    /// Replaces all of them.
    fn put_license_answers<'a>(&'a self, answers: &'a [LicenseAnswer]) -> Stored<'a, ()>;
}
