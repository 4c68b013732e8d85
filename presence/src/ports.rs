//! What the actors ask of the outside world.
//!
//! Every trait is object safe and returns a `LocalBoxFuture`, because awc's futures are not `Send` and all actors
//! live on one thread. Adapters move blocking work to the pool. What the outside world is expected to answer is a
//! value of the success type; an error is what the caller must treat as a failure.

mod graph;
mod keys;
mod notification;
mod pbx;
mod reachability;
mod settings;
mod sign_in;
mod store;
mod subscription;
mod timeline;

pub use graph::{
    BATCH_LIMIT, GraphError, PresenceChange, PresenceIo, PresenceWrite, READ_LIMIT, Users, refusal_words,
};
pub use keys::{KeyError, KeyPairs};
pub use notification::{AcceptedState, Body, Discard, LifecycleEvent, Notice, NotificationOpener, Opened};
pub use pbx::{DialEnd, DialledPbx, PbxDialogue, PbxDialogues, PbxEvent, PbxOrder};
pub use reachability::Reachability;
pub use settings::{AuditRecord, NumberedRecord, SettingChange, SettingsStore, StoredSetting};
pub use sign_in::{
    AccessToken, DeviceCode, DeviceSignIn, Identity, Presented, Rejected, SignInError, SignedIn, Tokens,
};
pub use store::{
    LedgerChange, LedgerRow, LedgerState, LicenseAnswer, NotificationKey, Replaced, Slot, Store, StoreError,
    Stored, StoredKeys, StoredSubscription,
};
pub use subscription::{
    Created, Deleted, GraphSubscription, Renewed, SubscriptionKind, SubscriptionRequest, Subscriptions,
};
pub use timeline::{TIMELINE_ALTOGETHER, TIMELINE_DAYS, TIMELINE_PER_USER, TimelineRow, TimelineStore};
