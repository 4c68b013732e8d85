//! The conversation with a PBX.

use futures_util::future::LocalBoxFuture;

use crate::identity::{PbxGuid, PbxName};
use crate::licensing::ListedLicense;
use crate::pbx::{PbxApi, PbxUser, PresenceEntry};

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
    /// A user is among those whose line states the PBX tells, or is not any more.
    LineListed {
        /// Whose.
        user: PbxGuid,
        /// Whether the PBX tells them.
        listed: bool,
    },
    /// A user's presence is subscribed by somebody whom no visibility allows it, or that is over.
    Unallowed {
        /// By guid or by a name.
        user: String,
        /// Whose subscriptions those are, by name.
        subscribers: Vec<String>,
        /// Whether they are pending.
        pending: bool,
    },
    /// The first round of line states is whole: who was not named has no call.
    LinesComplete,
    /// The line states are refused: calls are told by presence entries only.
    LinesRefused {
        /// The PBX's text.
        message: String,
    },
    /// A write of our entry was taken.
    EntrySet(PbxGuid),
    /// A write of our entry was refused.
    EntryRefused {
        /// Whose.
        user: PbxGuid,
        /// The PBX's text.
        message: String,
    },
    /// A call of ours stands, or is over.
    AlienCallSet {
        /// Whose.
        user: PbxGuid,
        /// Whether it stands.
        on: bool,
    },
    /// A call of ours was refused.
    AlienCallRefused {
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
    /// An error in place of an answer to a license check.
    LicenseFailed {
        /// Whose.
        user: PbxGuid,
        /// The PBX's text.
        message: String,
    },
    /// The licenses of the PBX, in test mode none.
    LicensesListed(Vec<ListedLicense>),
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
        /// The note, empty for none.
        note: String,
    },
    /// Put a call of ours on a user, so that the PBX treats him as busy, or take it off.
    SetAlienCall {
        /// Whose.
        user: PbxGuid,
        /// By which name.
        h323: String,
        /// Whether to put it on.
        on: bool,
    },
    /// Tell which presence subscriptions no visibility allows, now and later.
    MonitorUnallowed,
    /// Ask whether a user holds the license.
    CheckLicense {
        /// Whose.
        user: PbxGuid,
        /// By which name; by the guid when it is empty.
        h323: String,
        /// Which, e.g. `App(innovaphone-microsoft365)`.
        license: String,
    },
    /// Forget all license checks that are not answered; late answers say nothing any more.
    DropLicenseChecks,
    /// Ask which licenses the PBX has, and how many of them are assigned.
    ListLicenses,
}

impl PbxOrder {
    /// The API that it needs.
    pub fn api(&self) -> PbxApi {
        match self {
            Self::ReplicateUsers => PbxApi::PbxTableUsers,
            Self::FollowLines => PbxApi::Rcc,
            Self::SubscribePresence { .. } | Self::UnsubscribePresence { .. } | Self::SetEntry { .. } => {
                PbxApi::PbxApi
            }
            Self::SetAlienCall { .. } => PbxApi::PbxImpersonation,
            Self::MonitorUnallowed
            | Self::CheckLicense { .. }
            | Self::DropLicenseChecks
            | Self::ListLicenses => PbxApi::PbxAdminApi,
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

    /// Whether the PBX has answered on an API in this conversation, be it with a refusal.
    fn has_answered(&self, api: PbxApi) -> bool;
}

/// Begins conversations.
pub trait PbxDialogues {
    /// Begins one, with no memory of an earlier one.
    fn begin(&self) -> Box<dyn PbxDialogue>;
}

/// A PBX that does not dial by itself, so that we do (pbx.md 1.5).
pub trait DialledPbx {
    /// Dials, logs in and converses until the connection ends; answers how it ended, or why there was none. `reached`
    /// is told the PBX's name when the conversation begins.
    fn converse(&self, reached: Box<dyn FnOnce(PbxName)>) -> LocalBoxFuture<'_, DialEnd>;
}

/// How a dialled connection ended, or why there was none. A cause is one sentence without a remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialEnd {
    /// It stood, and has ended.
    Over {
        /// How.
        cause: String,
    },
    /// There was no connection, or no answer on it.
    Unreachable {
        /// Why.
        cause: String,
    },
    /// The PBX's certificate is neither the pinned one nor trusted.
    Untrusted {
        /// What it shows instead.
        cause: String,
    },
    /// The PBX refuses the login.
    Refused {
        /// In its words.
        cause: String,
    },
    /// The PBX does not say its name, and none is configured.
    Nameless,
    /// Another connection as the same App object has taken its place.
    Replaced,
}
