//! What the actors ask of the outside world.
//!
//! Every trait is object safe and returns [`LocalBoxFuture`]s, because awc's futures are not `Send` and all actors
//! live on one thread. Adapters move blocking work to the pool. What the outside world is expected to answer is a
//! value of the success type; an error is what the caller must treat as a failure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use crate::identity::{Account, Credential, PbxGuid, PbxName, SubscriptionId, TeamsId};
use crate::light::AuthenticationCode;
use crate::pbx::{PbxUser, PresenceEntry};
use crate::secret::Secret;
use crate::teams::{TeamsObservation, TeamsPresence, TeamsUser};

// ---------------------------------------------------------------------------------------------- sign-in

/// An access token; opaque to us (graph.md 1.4).
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The token itself.
    pub secret: Secret,
    /// When it ends, on Graph's clock.
    pub expires_at: DateTime<Utc>,
    /// How long it lives from its issue on.
    pub lifetime: Duration,
}

/// What a successful sign-in brings.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The token for requests.
    pub access: AccessToken,
    /// A newer refresh token, where one was granted (graph.md 1.2: store the newest).
    pub refresh: Option<Secret>,
}

/// A device code that a person must enter (graph.md 1.2).
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// The code that we poll with.
    pub device_code: Secret,
    /// The code that the person enters.
    pub user_code: String,
    /// Where the person enters it.
    pub verification_uri: String,
    /// When it ends, on Graph's clock.
    pub expires_at: DateTime<Utc>,
    /// Time between two polls.
    pub interval: Duration,
}

/// Answer to a poll with a device code.
#[derive(Clone, Debug)]
pub enum DeviceSignIn {
    /// The person has signed in.
    Done(SignedIn),
    /// Not yet.
    Pending,
    /// Not yet, and we ask too often: add five seconds to the interval.
    SlowDown,
    /// Declined or expired: begin anew.
    Ended,
}

/// Why a sign-in failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    /// Entra refuses this credential; repeating does not help until something changes.
    #[error("{detail}")]
    Refused {
        /// The light's code.
        code: AuthenticationCode,
        /// The AADSTS number where one was given.
        aadsts: Option<u32>,
        /// Cause as one sentence, without any secret.
        detail: String,
    },
    /// Entra asks for patience.
    #[error("the sign-in service asks for {retry_after:?} of patience")]
    Throttled {
        /// From now on.
        retry_after: Duration,
    },
    /// No usable answer: DNS, socket, timeout, 5xx, HTML.
    #[error("{detail}")]
    Lost {
        /// Cause as one sentence.
        detail: String,
    },
}

/// Signs in at Entra.
pub trait Identity {
    /// Signs in with what is configured for the credential: secret or certificate for the app; for a communication
    /// user the refresh token where given, else user name and password.
    fn sign_in<'a>(
        &'a self,
        credential: &'a Credential,
        refresh: Option<&'a Secret>,
    ) -> LocalBoxFuture<'a, Result<SignedIn, SignInError>>;

    /// Asks for a device code for a communication user.
    fn begin_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
    ) -> LocalBoxFuture<'a, Result<DeviceCode, SignInError>>;

    /// Asks once whether the person has signed in.
    fn poll_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
        code: &'a DeviceCode,
    ) -> LocalBoxFuture<'a, Result<DeviceSignIn, SignInError>>;
}

/// Gives tokens to the Graph adapter; implemented by the actor that refreshes them.
pub trait Tokens {
    /// Returns a token that is good for now. `rejected` names the token that Graph has just refused with 401, so that
    /// a fresh one is fetched unless that has happened already.
    fn token<'a>(
        &'a self,
        credential: &'a Credential,
        rejected: Option<&'a AccessToken>,
    ) -> LocalBoxFuture<'a, Result<AccessToken, SignInError>>;
}

// ---------------------------------------------------------------------------------------------- Graph

/// Why a request to Graph brought nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GraphError {
    /// The credential that it needs is not signed in.
    #[error("{credential} is not signed in: {error}")]
    NotSignedIn {
        /// Whose sign-in is missing.
        credential: Credential,
        /// Why.
        error: SignInError,
    },
    /// Graph asks for patience, for this family of endpoints.
    #[error("graph asks for {retry_after:?} of patience")]
    Throttled {
        /// From now on.
        retry_after: Duration,
    },
    /// No usable answer: DNS, socket, timeout, 5xx, HTML; worth a repeat with back-off.
    #[error("{detail}")]
    Lost {
        /// Cause as one sentence.
        detail: String,
    },
    /// Graph understood and refuses; a repeat changes nothing.
    #[error("graph refuses with {status} {code}: {message}")]
    Refused {
        /// HTTP status, 400 to 499.
        status: u16,
        /// Graph's error code, may be empty.
        code: String,
        /// Graph's text.
        message: String,
    },
}

/// Lists the directory.
pub trait Users {
    /// Returns all users, every page of them or an error: never a part (graph.md 2.1).
    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<TeamsUser>, GraphError>>;
}

/// One of the four writes of graph.md 5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresenceChange {
    /// `setPresence` for our session.
    SetSession {
        /// One of the pairs that a session may have.
        presence: TeamsPresence,
        /// PT5M to PT4H.
        lifetime: Duration,
    },
    /// `clearPresence`; that there is no such session is success.
    ClearSession,
    /// `setUserPreferredPresence`.
    SetPreferred {
        /// One of the pairs that may be preferred.
        presence: TeamsPresence,
        /// How long it lives unless set again.
        lifetime: Duration,
    },
    /// `clearUserPreferredPresence`; that nothing was set is success.
    ClearPreferred,
}

/// A write for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceWrite {
    /// Whose presence.
    pub user: TeamsId,
    /// What to write.
    pub change: PresenceChange,
}

/// Largest number of ids of one bulk read (graph.md 5.1).
pub const READ_LIMIT: usize = 650;

/// Largest number of writes of one batch (graph.md 6.4).
pub const BATCH_LIMIT: usize = 20;

/// Reads and writes presence with the app's token.
pub trait PresenceIo {
    /// Reads up to [`READ_LIMIT`] users at once. Users whom Graph leaves out are missing in the answer.
    fn read<'a>(
        &'a self,
        users: &'a [TeamsId],
    ) -> LocalBoxFuture<'a, Result<Vec<TeamsObservation>, GraphError>>;

    /// Writes up to [`BATCH_LIMIT`] changes, in any order; one result each, in the order of `writes`.
    fn write<'a>(&'a self, writes: &'a [PresenceWrite]) -> LocalBoxFuture<'a, Vec<Result<(), GraphError>>>;
}

/// What a subscription watches.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionKind {
    /// The directory's users, with the app's token.
    Users,
    /// The presence of a shard of users, with the communication user's token.
    Presence(Account),
}

impl SubscriptionKind {
    /// Whose token creates and renews it.
    pub fn credential(&self) -> Credential {
        match self {
            Self::Users => Credential::App,
            Self::Presence(account) => Credential::Communication(account.clone()),
        }
    }
}

/// A subscription to be created.
#[derive(Clone, Debug)]
pub struct SubscriptionRequest {
    /// What it watches.
    pub kind: SubscriptionKind,
    /// The users of a presence subscription, at most 650; empty for users.
    pub users: Vec<TeamsId>,
    /// Our secret that every notification carries back; at most 128 characters.
    pub client_state: Secret,
    /// Wanted end, on Graph's clock.
    pub expires_at: DateTime<Utc>,
    /// Whether to ask for resource data, encrypted with the opener's newest certificate.
    pub rich: bool,
}

/// A subscription as Graph tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphSubscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Its resource, as Graph spells it.
    pub resource: String,
    /// Where its notifications go.
    pub notification_url: String,
    /// Its end as granted, on Graph's clock: the only end that counts.
    pub expires_at: DateTime<Utc>,
    /// The secret, where Graph tells it (it is null in lists).
    pub client_state: Option<Secret>,
    /// The key that it encrypts for, where it carries resource data.
    pub certificate_id: Option<String>,
}

/// Answer to a create.
#[derive(Clone, Debug)]
pub enum Created {
    /// It lives.
    Live(GraphSubscription),
    /// There is one already (409), of this app and account.
    Conflict,
    /// Microsoft could not reach the notification URL, or got no answer in time.
    UrlUnreachable {
        /// Graph's text.
        message: String,
    },
    /// The notification URL answered wrongly.
    UrlRejected {
        /// Graph's text.
        message: String,
    },
    /// Too many users for one subscription.
    TooManyUsers,
    /// This account may not subscribe: permission or Teams license missing.
    Forbidden {
        /// Graph's text.
        message: String,
    },
    /// Resource data is refused; a basic subscription may be accepted.
    RichRefused {
        /// Graph's text.
        message: String,
    },
}

/// Answer to a renewal.
#[derive(Clone, Debug)]
pub enum Renewed {
    /// It lives on until the returned end.
    Live(GraphSubscription),
    /// It is gone (404).
    Gone,
}

/// Answer to a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone, now or before.
    Gone,
    /// Graph does not delete it; it ends at its expiry.
    Refused,
}

/// Graph's subscriptions (graph.md 3).
pub trait Subscriptions {
    /// Creates one. The answer may take 30 seconds, for Graph calls both notification URLs meanwhile.
    fn create<'a>(
        &'a self,
        request: &'a SubscriptionRequest,
    ) -> LocalBoxFuture<'a, Result<Created, GraphError>>;

    /// Moves its end, which also renews its authorisation.
    fn renew<'a>(
        &'a self,
        credential: &'a Credential,
        id: &'a SubscriptionId,
        expires_at: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Renewed, GraphError>>;

    /// Deletes it.
    fn delete<'a>(
        &'a self,
        credential: &'a Credential,
        id: &'a SubscriptionId,
    ) -> LocalBoxFuture<'a, Result<Deleted, GraphError>>;

    /// Lists this app's subscriptions (of this account, for a communication user).
    fn list<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Vec<GraphSubscription>, GraphError>>;

    /// Where notifications of ours go: by this a subscription is recognised as ours.
    fn notification_url(&self) -> &str;
}

// ---------------------------------------------------------------------------------------------- webhook

/// A client state that is ours, and what it stands for.
#[derive(Clone, Debug)]
pub struct AcceptedState {
    /// The secret.
    pub client_state: Secret,
    /// What its subscription watches.
    pub kind: SubscriptionKind,
}

/// Why a notification was thrown away; the closed set that the counters use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Discard {
    /// Not JSON, or not the envelope of graph.md 4.1.
    Malformed,
    /// A client state that is none of ours.
    UnknownClientState,
    /// Resource data without any validation token.
    MissingToken,
    /// A validation token whose signature, audience, tenant, publisher or time is wrong.
    BadToken,
    /// Encrypted for a certificate that we do not have.
    UnknownCertificate,
    /// Does not decrypt, or its signature is wrong.
    BadCiphertext,
    /// Names nobody.
    NoUser,
    /// Names another tenant.
    WrongTenant,
    /// The same body was seen already.
    Duplicate,
}

/// What Graph wants to tell about a subscription (graph.md 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleEvent {
    /// Renew it.
    ReauthorizationRequired,
    /// It is gone.
    SubscriptionRemoved,
    /// Notifications were lost.
    Missed,
}

/// What one notification of a body says, once verified.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A user's presence, with its state.
    Presence(TeamsObservation),
    /// A user's presence has changed, the state is not told: it must be read.
    PresenceHint(TeamsId),
    /// A user of the directory was created, changed or deleted.
    UserChanged(TeamsId),
    /// Something about a subscription.
    Lifecycle {
        /// Which one.
        subscription: SubscriptionId,
        /// Of which kind, by its client state.
        kind: SubscriptionKind,
        /// What.
        event: LifecycleEvent,
    },
}

/// The contents of one body.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// What is verified.
    pub notices: Vec<Notice>,
    /// What is not, by reason.
    pub discarded: Vec<Discard>,
    /// Whether every notice came out of encrypted content. Each of those is encrypted with a fresh key, so the same body
    /// never says something new; a body without may say the same again because the same has happened again.
    pub sealed: bool,
}

/// Turns raw bodies into verified notices: parsing, client state, validation tokens, decryption (graph.md 4).
pub trait NotificationOpener {
    /// Opens a body. Never fails: what is wrong with it is told in [`Opened::discarded`]. `received_at` becomes the
    /// time of its observations.
    fn open<'a>(
        &'a self,
        body: Body,
        received_at: DateTime<Utc>,
        accepted: &'a [AcceptedState],
    ) -> LocalBoxFuture<'a, Opened>;
}

/// The raw body of a request, cheap to share.
pub type Body = std::sync::Arc<[u8]>;

// ---------------------------------------------------------------------------------------------- PBX

/// What a PBX tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PbxEvent {
    /// A row of the user table, new or changed.
    UserListed(PbxUser),
    /// A user is gone from the table.
    UserRemoved(PbxGuid),
    /// The initial table is whole.
    UsersComplete,
    /// The user table is refused.
    UsersRefused {
        /// The PBX's text.
        message: String,
    },
    /// A user's whole presence, newest entry first.
    Presence {
        /// Whose.
        user: PbxGuid,
        /// All entries.
        entries: Vec<PresenceEntry>,
    },
    /// A user's presence is not known any more; it comes back by itself.
    PresenceLost(PbxGuid),
    /// A presence subscription is refused.
    PresenceRefused {
        /// Whose.
        user: PbxGuid,
        /// The PBX's text.
        message: String,
    },
    /// Number of calls that a user has at this PBX now.
    Calls {
        /// Whose.
        user: PbxGuid,
        /// Connected, held and outgoing ones.
        calls: u32,
    },
    /// The first round of line states is whole: who was not named has no call.
    LinesComplete,
    /// A write of our entry was taken.
    EntrySet(PbxGuid),
    /// A write of our entry was refused.
    EntryRefused {
        /// Whose.
        user: PbxGuid,
        /// The PBX's text.
        message: String,
    },
    /// Answer to a license check.
    License {
        /// Whose.
        user: PbxGuid,
        /// Whether the license is held.
        held: bool,
    },
    /// A message that nobody asked for, or that does not have the form it must have; counted by its type.
    Ignored {
        /// The message's `mt`, cut at 64 characters.
        message_type: String,
    },
}

/// What we want of a PBX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PbxOrder {
    /// Replicate the user table, from the start.
    ReplicateUsers,
    /// Read the calls of all visible users and follow them.
    FollowLines,
    /// Follow a user's presence.
    SubscribePresence {
        /// Whom.
        user: PbxGuid,
        /// By which name.
        h323: String,
    },
    /// Stop following it.
    UnsubscribePresence {
        /// Whom.
        user: PbxGuid,
        /// By which name.
        h323: String,
    },
    /// Write our own entry; an empty activity removes it.
    SetEntry {
        /// Whose.
        user: PbxGuid,
        /// By which name.
        h323: String,
        /// The contact that we own.
        contact: String,
        /// The activity.
        activity: String,
    },
    /// Ask whether a user holds the license.
    CheckLicense {
        /// Whose.
        user: PbxGuid,
        /// By which name.
        h323: String,
        /// Which, e.g. `App(innovaphone-microsoft365)`.
        license: String,
    },
}

impl PbxOrder {
    /// The API that it needs.
    pub fn api(&self) -> crate::pbx::PbxApi {
        use crate::pbx::PbxApi;
        match self {
            Self::ReplicateUsers => PbxApi::PbxTableUsers,
            Self::FollowLines => PbxApi::Rcc,
            Self::SubscribePresence { .. } | Self::UnsubscribePresence { .. } | Self::SetEntry { .. } => {
                PbxApi::PbxApi
            }
            Self::CheckLicense { .. } => PbxApi::PbxAdminApi,
        }
    }
}

/// The conversation on one connection after its login: frames in, events and frames out; no socket (pbx.md 2 to 5).
pub trait PbxDialogue {
    /// Takes in one whole text message.
    fn receive(&mut self, message: &str) -> Vec<PbxEvent>;

    /// Takes in an order.
    fn order(&mut self, order: PbxOrder);

    /// Takes out what must be sent now, in order.
    fn outgoing(&mut self) -> Vec<String>;
}

/// Begins conversations.
pub trait PbxDialogues {
    /// Begins one, with no memory of an earlier one.
    fn begin(&self) -> Box<dyn PbxDialogue>;
}

// ---------------------------------------------------------------------------------------------- store

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
    /// The pair in Teams; for an entry at the PBX the activity stands in both.
    pub value: TeamsPresence,
    /// The PBX state that it stands for, e.g. `dnd`; empty for an entry at the PBX.
    pub stands_for: String,
    /// When it was written, on Graph's clock.
    pub written_at: DateTime<Utc>,
    /// When it ends by itself; never for an entry at the PBX.
    pub until: Option<DateTime<Utc>>,
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
    /// All notification keys, newest first.
    fn notification_keys(&self) -> Stored<'_, Vec<NotificationKey>>;
    /// Stores a notification key.
    fn put_notification_key<'a>(&'a self, key: &'a NotificationKey) -> Stored<'a, ()>;
    /// The last answered license checks.
    fn license_answers(&self) -> Stored<'_, Vec<LicenseAnswer>>;
    /// Replaces all of them.
    fn put_license_answers<'a>(&'a self, answers: &'a [LicenseAnswer]) -> Stored<'a, ()>;
}
