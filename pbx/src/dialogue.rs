//! The conversation after the login: five parts that share one connection and are told apart by `src`.
//!
//! Each part takes in the messages of its own types and returns what they mean, or nothing when nobody asked for
//! them: that is counted as [`PbxEvent::Ignored`] and never ends the conversation.

mod alien_calls;
mod entries;
mod licenses;
mod lines;
mod presences;
mod unallowed;
mod users;
mod window;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use m365_presence::pbx::PbxApi;
use m365_presence::ports::{PbxDialogue, PbxDialogues, PbxEvent, PbxOrder};

use crate::courtesy::Courtesy;
use crate::message::Message;
use crate::outbox::Outbox;
use alien_calls::AlienCalls;
use entries::{Entries, Entry};
use licenses::Licenses;
use lines::Lines;
use presences::Presences;
use unallowed::Unallowed;
use users::Users;

/// What is told of a message that is no JSON object, in place of its type.
const MALFORMED: &str = "malformed";

/// How many characters of a message's type are told.
const TYPE_LENGTH: usize = 64;

/// Numbers that never come twice, so that answers to an earlier run are not taken for this run's.
#[derive(Clone, Debug, Default)]
struct Numbers(Arc<AtomicU64>);

impl Numbers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Begins conversations that know this app's name and build.
pub struct Dialogues {
    courtesy: Courtesy,
    numbers: Numbers,
}

impl Dialogues {
    /// Prepares conversations; `app` and `build` are those given to [`crate::Doorway::new`].
    pub fn new(app: &str, build: &str) -> Self {
        Self {
            courtesy: Courtesy::new(app, build),
            numbers: Numbers::default(),
        }
    }

    /// Begins a conversation with no memory of an earlier one.
    pub fn begin(&self) -> Dialogue {
        Dialogue {
            courtesy: self.courtesy.clone(),
            outbox: Outbox::default(),
            users: Users::new(self.numbers.clone()),
            presences: Presences::default(),
            entries: Entries::new(self.numbers.clone()),
            lines: Lines::new(self.numbers.clone()),
            licenses: Licenses::new(self.numbers.clone()),
            alien_calls: AlienCalls::new(self.numbers.clone()),
            unallowed: Unallowed::new(self.numbers.clone()),
            answered: BTreeSet::new(),
        }
    }
}

impl PbxDialogues for Dialogues {
    fn begin(&self) -> Box<dyn PbxDialogue> {
        Box::new(self.begin())
    }
}

/// One conversation. What it remembers is bounded by its orders and by the calls of a PBX.
pub struct Dialogue {
    courtesy: Courtesy,
    outbox: Outbox,
    users: Users,
    presences: Presences,
    entries: Entries,
    lines: Lines,
    licenses: Licenses,
    alien_calls: AlienCalls,
    unallowed: Unallowed,
    answered: BTreeSet<PbxApi>,
}

impl PbxDialogue for Dialogue {
    fn receive(&mut self, message: &str) -> Vec<PbxEvent> {
        let Some(message) = Message::parse(message) else {
            return vec![ignored(MALFORMED)];
        };
        let outbox = &mut self.outbox;
        if self.courtesy.answer(&message, outbox) {
            return Vec::new();
        }
        let (api, events) = match message.kind() {
            "ReplicateStartResult"
            | "ReplicateNextResult"
            | "ReplicateAdd"
            | "ReplicateUpdate"
            | "ReplicateDel" => (PbxApi::PbxTableUsers, self.users.receive(&message, outbox)),
            "SubscribePresenceResult" | "UnsubscribePresenceResult" | "PresenceState" | "PresenceUpdate" => {
                (PbxApi::PbxApi, self.presences.receive(&message, outbox))
            }
            "SetPresenceResult" => (PbxApi::PbxApi, self.entries.receive(&message)),
            "InitializeResult" | "UserInfo" | "CallAdd" | "CallUpdate" | "CallInfo" | "CallDel" => {
                (PbxApi::Rcc, self.lines.receive(&message, outbox))
            }
            "CreateApiResult" | "DeleteApiResult" | "AddAlienCallResult" | "DelAlienCallResult" => (
                PbxApi::PbxImpersonation,
                self.alien_calls.receive(&message, outbox),
            ),
            "CheckAppLicResult" => (PbxApi::PbxAdminApi, self.licenses.checked(&message, outbox)),
            "MonitorUnallowedResult" | "MonitorUnallowedAdd" | "MonitorUnallowedDel" => {
                (PbxApi::PbxAdminApi, self.unallowed.receive(&message))
            }
            "GetPbxLicensesResult" => (PbxApi::PbxAdminApi, self.licenses.listed(&message)),
            _ => return vec![ignored(message.kind())],
        };
        if events.is_some() {
            self.answered.insert(api);
        }
        events.unwrap_or_else(|| vec![ignored(message.kind())])
    }

    fn order(&mut self, order: PbxOrder) {
        let outbox = &mut self.outbox;
        match order {
            PbxOrder::ReplicateUsers => self.users.replicate(outbox),
            PbxOrder::FollowLines => self.lines.follow(outbox),
            PbxOrder::SubscribePresence { user, h323 } => self.presences.subscribe(user, h323, outbox),
            PbxOrder::UnsubscribePresence { user, h323 } => self.presences.unsubscribe(&user, &h323, outbox),
            PbxOrder::SetEntry {
                user,
                h323,
                contact,
                activity,
                note,
            } => {
                let entry = Entry {
                    contact: &contact,
                    activity: &activity,
                    note: &note,
                };
                self.entries.set(user, &h323, entry, outbox);
            }
            PbxOrder::CheckLicense { user, h323, license } => {
                self.licenses.check(user, h323, license, outbox);
            }
            PbxOrder::SetAlienCall { user, h323, on } => {
                self.alien_calls.set(user, h323, on, outbox);
            }
            PbxOrder::MonitorUnallowed => self.unallowed.monitor(outbox),
            PbxOrder::DropLicenseChecks => self.licenses.drop_checks(),
            PbxOrder::ListLicenses => self.licenses.list(outbox),
        }
    }

    fn outgoing(&mut self) -> Vec<String> {
        self.outbox.take()
    }

    fn has_answered(&self, api: PbxApi) -> bool {
        self.answered.contains(&api)
    }
}

fn ignored(message_type: &str) -> PbxEvent {
    PbxEvent::Ignored {
        message_type: message_type.chars().take(TYPE_LENGTH).collect(),
    }
}
