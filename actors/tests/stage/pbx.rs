//! The PBXs of one estate. Frames are single lines, which the scripted dialogue turns into events and back.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use m365_actors::pbx_session::{Attach, ConnectionId, Dialler, Outgoing, PbxSession, Received};
use m365_actors::supervision::Post;
use m365_presence::identity::{PbxGuid, PbxName};
use m365_presence::pbx::{PbxApi, PbxIntroduction, PbxUser, PresenceEntry};
use m365_presence::ports::{PbxDialogue, PbxDialogues, PbxEvent, PbxOrder};
use tokio::sync::{Notify, mpsc};

use super::journal::Journal;
use super::people::guid;

pub const ALL_APIS: [PbxApi; 4] = [
    PbxApi::PbxApi,
    PbxApi::PbxTableUsers,
    PbxApi::PbxAdminApi,
    PbxApi::Rcc,
];

/// What all PBXs of an estate know, and what they leave unanswered.
pub struct Estate {
    pub journal: Journal,
    pub users: RefCell<Vec<PbxUser>>,
    pub licensed: RefCell<BTreeSet<PbxGuid>>,
    /// What a user chose at the phone.
    pub choices: RefCell<BTreeMap<PbxGuid, String>>,
    pub calls: RefCell<BTreeMap<PbxGuid, u32>>,
    pub answers_table: Cell<bool>,
    pub refuses_table: Cell<bool>,
    pub refuses_presence: Cell<bool>,
    pub answers_presence: Cell<bool>,
    pub answers_lines: Cell<bool>,
    pub refuses_lines: Cell<bool>,
    pub answers_licenses: Cell<bool>,
    /// Users whose checks are answered with an error, and how often still.
    pub license_errors: RefCell<BTreeMap<PbxGuid, u32>>,
    pub test_mode: Cell<bool>,
    pub answers_entries: Cell<bool>,
    pub refuses_entries: Cell<bool>,
    pub answers_alien_calls: Cell<bool>,
    next_connection: Cell<ConnectionId>,
}

impl Estate {
    pub fn new(journal: Journal) -> Self {
        Self {
            journal,
            users: RefCell::default(),
            licensed: RefCell::default(),
            choices: RefCell::default(),
            calls: RefCell::default(),
            answers_table: Cell::new(true),
            refuses_table: Cell::new(false),
            refuses_presence: Cell::new(false),
            answers_presence: Cell::new(true),
            answers_lines: Cell::new(true),
            refuses_lines: Cell::new(false),
            answers_licenses: Cell::new(true),
            license_errors: RefCell::default(),
            test_mode: Cell::new(false),
            answers_entries: Cell::new(true),
            refuses_entries: Cell::new(false),
            answers_alien_calls: Cell::new(true),
            next_connection: Cell::new(1),
        }
    }

    /// A PBX dials, with an App object that may use these APIs.
    pub async fn dial(
        self: &Rc<Self>,
        pbx: &str,
        object: &str,
        apis: &[PbxApi],
        session: Post<PbxSession>,
    ) -> Line {
        self.connect(pbx, object, apis, Dialler::Pbx, session).await
    }

    /// A connection is opened by one of the two sides; only a PBX that dials lists its APIs.
    pub async fn connect(
        self: &Rc<Self>,
        pbx: &str,
        object: &str,
        apis: &[PbxApi],
        dialled_by: Dialler,
        session: Post<PbxSession>,
    ) -> Line {
        let connection = self.next_connection.get();
        self.next_connection.set(connection + 1);
        let introduction = PbxIntroduction {
            pbx: PbxName::new(pbx),
            domain: "pbx.test".to_owned(),
            app_object: object.to_owned(),
            apis: apis.to_vec(),
            apis_listed: dialled_by == Dialler::Pbx,
            version: None,
            test_mode: self.test_mode.get(),
            service_licenses: None,
        };
        let line = Line {
            connection,
            introduction,
            dialled_by,
            session,
            estate: Rc::clone(self),
            closed: Rc::default(),
            hung_up: Rc::default(),
            end: Rc::default(),
        };
        line.attach().await;
        line
    }

    fn answers(&self, frame: &str) -> Vec<String> {
        let words: Vec<&str> = frame.split(' ').collect();
        match words.as_slice() {
            ["replicate"] if self.refuses_table.get() => vec!["users-refused".to_owned()],
            ["replicate"] if self.answers_table.get() => self.table(),
            ["lines"] if self.refuses_lines.get() => vec!["lines-refused".to_owned()],
            ["lines"] if self.answers_lines.get() => {
                let calls = self.calls.borrow();
                let told = calls.iter().map(|(user, calls)| format!("calls {user} {calls}"));
                told.chain(["lines-complete".to_owned()]).collect()
            }
            ["subscribe", ..] if !self.answers_presence.get() => Vec::new(),
            ["subscribe", user, _] if self.refuses_presence.get() => vec![format!("presence-refused {user}")],
            ["subscribe", user, _] => {
                let choices = self.choices.borrow();
                let choice = choices.get(&PbxGuid::new(user)).map_or("", String::as_str);
                vec![format!("presence {user} tel:={choice}")]
            }
            ["entry", user, ..] if self.refuses_entries.get() => vec![format!("entry-refused {user}")],
            ["entry", user, ..] if self.answers_entries.get() => vec![format!("entry-set {user}")],
            ["alien", user, on] if self.answers_alien_calls.get() => vec![format!("alien-set {user} {on}")],
            ["license", user, ..] if self.fails_license(user) => vec![format!("license-failed {user}")],
            ["license", user, ..] if self.answers_licenses.get() => {
                let held = self.licensed.borrow().contains(&PbxGuid::new(user));
                vec![format!("license {user} {held}")]
            }
            _ => Vec::new(),
        }
    }

    fn fails_license(&self, user: &str) -> bool {
        match self.license_errors.borrow_mut().get_mut(&PbxGuid::new(user)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    fn table(&self) -> Vec<String> {
        let users = self.users.borrow();
        let rows = users.iter().map(listed);
        rows.chain(["users-complete".to_owned()]).collect()
    }
}

/// A row of the user table as a frame.
pub fn listed(user: &PbxUser) -> String {
    format!("user|{}|{}|{}|{}", user.guid, user.h323, user.cn, user.home)
}

/// One connection, as the HTTP worker's task holds it: it attaches again when a run of the session ends.
#[derive(Clone)]
pub struct Line {
    pub connection: ConnectionId,
    introduction: PbxIntroduction,
    dialled_by: Dialler,
    session: Post<PbxSession>,
    estate: Rc<Estate>,
    closed: Rc<Cell<bool>>,
    hung_up: Rc<Cell<bool>>,
    end: Rc<Notify>,
}

impl Line {
    /// Whether the session has asked to close it.
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// The PBX sends a frame; answers whether the session knew the connection.
    pub async fn say(&self, frame: impl Into<String>) -> bool {
        let received = Received {
            connection: self.connection,
            text: frame.into(),
        };
        self.session.ask(received).await.unwrap_or(false)
    }

    /// The connection ends.
    pub async fn hang_up(&self) {
        self.hung_up.set(true);
        self.end.notify_one();
        tokio::task::yield_now().await;
    }

    async fn attach(&self) {
        let (outgoing, frames) = mpsc::unbounded_channel();
        let attach = Attach {
            connection: self.connection,
            introduction: self.introduction.clone(),
            dialled_by: self.dialled_by,
            outgoing,
        };
        self.session.ask(attach).await.unwrap();
        tokio::task::spawn_local(self.clone().serve(frames));
    }

    async fn serve(self, mut frames: mpsc::UnboundedReceiver<Outgoing>) {
        loop {
            let outgoing = tokio::select! {
                outgoing = frames.recv() => outgoing,
                () = self.end.notified() => return,
            };
            let Some(outgoing) = outgoing else { break };
            let frame = match outgoing {
                Outgoing::Close | Outgoing::Abandon => {
                    self.closed.set(true);
                    self.hung_up.set(true);
                    return;
                }
                Outgoing::Frame(frame) => frame,
            };
            if self.hung_up.get() {
                return;
            }
            self.estate
                .journal
                .note(format!("{}: {frame}", self.introduction.pbx));
            for answer in self.estate.answers(&frame) {
                self.say(answer).await;
            }
        }
        if !self.hung_up.get() {
            Box::pin(self.attach()).await;
        }
    }
}

/// Begins scripted dialogues.
pub struct Dialogues;

impl PbxDialogues for Dialogues {
    fn begin(&self) -> Box<dyn PbxDialogue> {
        Box::new(Dialogue::default())
    }
}

#[derive(Default)]
struct Dialogue {
    outgoing: Vec<String>,
    answered: BTreeSet<PbxApi>,
}

impl PbxDialogue for Dialogue {
    fn receive(&mut self, message: &str) -> Vec<PbxEvent> {
        let event = event(message);
        self.answered.extend(api_of(&event));
        vec![event]
    }

    fn order(&mut self, order: PbxOrder) {
        self.outgoing.push(match order {
            PbxOrder::ReplicateUsers => "replicate".to_owned(),
            PbxOrder::FollowLines => "lines".to_owned(),
            PbxOrder::SubscribePresence { user, h323 } => format!("subscribe {user} {h323}"),
            PbxOrder::UnsubscribePresence { user, h323 } => format!("unsubscribe {user} {h323}"),
            PbxOrder::SetEntry {
                user,
                contact,
                activity,
                ..
            } => format!("entry {user} {contact} {activity}"),
            PbxOrder::SetAlienCall { user, on, .. } => format!("alien {user} {on}"),
            PbxOrder::CheckLicense { user, license, .. } => format!("license {user} {license}"),
            PbxOrder::ListLicenses => "stock".to_owned(),
            PbxOrder::MonitorUnallowed => "unallowed".to_owned(),
            PbxOrder::DropLicenseChecks => return,
        });
    }

    fn outgoing(&mut self) -> Vec<String> {
        std::mem::take(&mut self.outgoing)
    }

    fn has_answered(&self, api: PbxApi) -> bool {
        self.answered.contains(&api)
    }
}

fn api_of(event: &PbxEvent) -> Option<PbxApi> {
    match event {
        PbxEvent::UserListed(_)
        | PbxEvent::UserRemoved(_)
        | PbxEvent::UsersComplete
        | PbxEvent::UsersRefused { .. } => Some(PbxApi::PbxTableUsers),
        PbxEvent::Calls { .. } | PbxEvent::LineListed { .. } | PbxEvent::LinesComplete => Some(PbxApi::Rcc),
        PbxEvent::License { .. } => Some(PbxApi::PbxAdminApi),
        PbxEvent::AlienCallSet { .. } => Some(PbxApi::PbxImpersonation),
        PbxEvent::Ignored { .. } => None,
        _ => Some(PbxApi::PbxApi),
    }
}

fn event(frame: &str) -> PbxEvent {
    if let ["user", id, h323, cn, home] = frame.split('|').collect::<Vec<_>>().as_slice() {
        return PbxEvent::UserListed(PbxUser {
            guid: PbxGuid::new(id),
            h323: (*h323).to_owned(),
            cn: (*cn).to_owned(),
            home: PbxName::new(home),
        });
    }
    let message = "no right".to_owned();
    match frame.split(' ').collect::<Vec<_>>().as_slice() {
        ["gone", user] => PbxEvent::UserRemoved(PbxGuid::new(user)),
        ["users-complete"] => PbxEvent::UsersComplete,
        ["users-refused"] => PbxEvent::UsersRefused { message },
        ["presence", user, entries @ ..] => PbxEvent::Presence {
            user: PbxGuid::new(user),
            entries: entries.iter().map(|entry| presence_entry(entry)).collect(),
        },
        ["presence-lost", user] => PbxEvent::PresenceLost(PbxGuid::new(user)),
        ["presence-refused", user] => PbxEvent::PresenceRefused {
            user: PbxGuid::new(user),
            message,
        },
        ["calls", user, calls] => PbxEvent::Calls {
            user: PbxGuid::new(user),
            calls: calls.parse().unwrap(),
        },
        ["lines-complete"] => PbxEvent::LinesComplete,
        ["lines-refused"] => PbxEvent::LinesRefused { message },
        ["entry-set", user] => PbxEvent::EntrySet(PbxGuid::new(user)),
        ["entry-refused", user] => PbxEvent::EntryRefused {
            user: PbxGuid::new(user),
            message,
        },
        ["alien-set", user, on] => PbxEvent::AlienCallSet {
            user: PbxGuid::new(user),
            on: *on == "true",
        },
        ["license-failed", user] => PbxEvent::LicenseFailed {
            user: PbxGuid::new(user),
            message,
        },
        ["license", user, held] => PbxEvent::License {
            user: PbxGuid::new(user),
            held: *held == "true",
        },
        _ => PbxEvent::Ignored {
            message_type: frame.to_owned(),
        },
    }
}

fn presence_entry(text: &str) -> PresenceEntry {
    let (contact, activity) = text.split_once('=').unwrap();
    PresenceEntry {
        contact: contact.to_owned(),
        activity: activity.to_owned(),
        note: String::new(),
    }
}

/// What a PBX tells of a user's choice at the phone.
pub fn chose(number: usize, activity: &str) -> String {
    format!("presence {} tel:={activity}", guid(number))
}
