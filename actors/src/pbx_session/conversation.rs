//! The connections of one PBX, one per App object and dialler, and which of them serves which API (pbx.md 1.4, 1.5).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use m365_presence::identity::PbxGuid;
use m365_presence::pbx::{PbxApi, PbxIntroduction};
use m365_presence::ports::{PbxDialogue, PbxDialogues, PbxEvent, PbxOrder};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::own_calls::OwnCalls;
use super::{Attach, ConnectionId, Dialler, Outgoing};

/// Kinds of useless messages that are counted apart.
const COUNTED_KINDS: usize = 50;

/// APIs whose work is divided among the connections.
const DIVIDED: [PbxApi; 5] = [
    PbxApi::PbxTableUsers,
    PbxApi::PbxApi,
    PbxApi::Rcc,
    PbxApi::PbxAdminApi,
    PbxApi::PbxImpersonation,
];

/// An API that is assumed and stays unanswered this long is not the App object's: real PBXs drop such requests.
const SILENCE: Duration = Duration::from_secs(15);

/// One connection, as `GET /api/v1/sessions` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConnectionStatus {
    /// The App object's name.
    pub app_object: String,
    /// Who opened it.
    pub dialled_by: Dialler,
    /// Since when it is attached to this run.
    pub since: DateTime<Utc>,
    /// APIs that the PBX listed, or those that it answers.
    pub apis: Vec<PbxApi>,
    /// APIs that this connection serves now.
    pub serves: Vec<PbxApi>,
    /// Text messages received in this run.
    pub frames_received: u64,
    /// Text messages sent in this run.
    pub frames_sent: u64,
}

/// How sure it is that a connection may use an API; the surest one serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    /// It was asked for, and the PBX has left it unanswered.
    Unanswered,
    /// Nobody has listed or tried it.
    Assumed,
    /// The PBX has answered on it.
    Proven,
    /// The PBX has listed it.
    Listed,
}

struct Conversation {
    connection: ConnectionId,
    introduction: PbxIntroduction,
    dialogue: Box<dyn PbxDialogue>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    since: DateTime<Utc>,
    /// When an API was used for the first time.
    asked: BTreeMap<PbxApi, Instant>,
    own_calls: OwnCalls,
    received: u64,
    sent: u64,
}

impl Drop for Conversation {
    /// Nobody else knows how to end the calls of ours that stand on this connection: they end with it.
    fn drop(&mut self) {
        if !self.own_calls.is_empty() {
            let _gone_already = self.outgoing.send(Outgoing::Abandon);
        }
    }
}

impl Conversation {
    fn order(&mut self, order: PbxOrder) {
        self.asked.entry(order.api()).or_insert_with(Instant::now);
        self.own_calls.note_order(&order);
        self.dialogue.order(order);
    }

    fn right(&self, api: PbxApi) -> Option<Right> {
        if !self.introduction.apis.contains(&api) {
            return None;
        }
        if self.introduction.apis_listed {
            return Some(Right::Listed);
        }
        if self.dialogue.has_answered(api) {
            return Some(Right::Proven);
        }
        let asked = self.asked.get(&api);
        let left_unanswered = asked.is_some_and(|asked| asked.elapsed() >= SILENCE);
        Some(if left_unanswered {
            Right::Unanswered
        } else {
            Right::Assumed
        })
    }
}

/// All connections of one PBX.
pub(super) struct Conversations {
    dialogues: Rc<dyn PbxDialogues>,
    by_object: BTreeMap<(String, Dialler), Conversation>,
    /// Which connection serves an API now.
    duties: BTreeMap<PbxApi, ConnectionId>,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) ignored: BTreeMap<String, u64>,
}

impl Conversations {
    pub(super) fn new(dialogues: Rc<dyn PbxDialogues>) -> Self {
        Self {
            dialogues,
            by_object: BTreeMap::new(),
            duties: BTreeMap::new(),
            received: 0,
            sent: 0,
            ignored: BTreeMap::new(),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        !self.by_object.is_empty()
    }

    /// Takes in a connection; an older one of the same App object is closed. One that we have dialled and one that the
    /// PBX has dialled stand beside one another: they would replace each other for ever.
    pub(super) fn attach(&mut self, attached: Attach, since: DateTime<Utc>) {
        let Attach {
            connection,
            introduction,
            dialled_by,
            outgoing,
        } = attached;
        let place = (introduction.app_object.clone(), dialled_by);
        let conversation = Conversation {
            connection,
            introduction,
            dialogue: self.dialogues.begin(),
            outgoing,
            since,
            asked: BTreeMap::new(),
            own_calls: OwnCalls::default(),
            received: 0,
            sent: 0,
        };
        let replaced = self.by_object.insert(place, conversation);
        if let Some(replaced) = replaced.filter(|replaced| replaced.connection != connection) {
            let _closed_already = replaced.outgoing.send(Outgoing::Close);
        }
    }

    /// Lets go a connection whose task has dropped its end; tells whether it was still there.
    pub(super) fn detach_closed(&mut self) -> bool {
        let before = self.by_object.len();
        self.by_object
            .retain(|_, conversation| !conversation.outgoing.is_closed());
        self.by_object.len() < before
    }

    /// Lets a connection go; tells whether it was there.
    pub(super) fn detach(&mut self, connection: ConnectionId) -> bool {
        let before = self.by_object.len();
        self.by_object
            .retain(|_, conversation| conversation.connection != connection);
        self.by_object.len() < before
    }

    /// Divides the APIs anew; answers those that another connection, or none, serves from now on.
    pub(super) fn divide(&mut self) -> Vec<PbxApi> {
        let mut changed = Vec::new();
        for api in DIVIDED {
            let server = self.server_of(api).map(|conversation| conversation.connection);
            let before = match server {
                Some(connection) => self.duties.insert(api, connection),
                None => self.duties.remove(&api),
            };
            if before != server {
                changed.push(api);
            }
        }
        changed
    }

    /// Gives an order to the connection that serves its API; tells whether there is one.
    pub(super) fn order(&mut self, order: PbxOrder) -> bool {
        let api = order.api();
        let server = self.server_of(api).map(|conversation| conversation.connection);
        let server = self
            .by_object
            .values_mut()
            .find(|conversation| Some(conversation.connection) == server);
        let Some(server) = server else { return false };
        server.order(order);
        true
    }

    /// Which connection can put calls of ours on users, as far as is known.
    pub(super) fn caller(&self) -> Option<ConnectionId> {
        let server = self.server_of(PbxApi::PbxImpersonation)?;
        let answered = server.right(PbxApi::PbxImpersonation) > Some(Right::Unanswered);
        answered.then_some(server.connection)
    }

    /// Whether a user's call of ours surely stands where such calls are put on now; nothing when there is none.
    pub(super) fn own_call(&self, user: &PbxGuid) -> Option<bool> {
        self.server_of(PbxApi::PbxImpersonation)?
            .own_calls
            .confirmed(user)
    }

    /// The calls of ours where such calls are put on now, and whether each surely stands.
    pub(super) fn own_calls(&self) -> Vec<(PbxGuid, bool)> {
        let server = self.server_of(PbxApi::PbxImpersonation);
        server.map_or_else(Vec::new, |server| server.own_calls.all())
    }

    /// Orders the end of the calls of ours on other connections than this one.
    pub(super) fn end_own_calls_beside(&mut self, caller: Option<ConnectionId>) {
        let others = self
            .by_object
            .values_mut()
            .filter(|conversation| Some(conversation.connection) != caller);
        for conversation in others {
            for end in conversation.own_calls.ends() {
                conversation.order(end);
            }
        }
    }

    /// Takes in a message; `None` when the connection is not known to this run.
    pub(super) fn receive(&mut self, connection: ConnectionId, text: &str) -> Option<Vec<PbxEvent>> {
        let conversation = self
            .by_object
            .values_mut()
            .find(|conversation| conversation.connection == connection)?;
        self.received += 1;
        conversation.received += 1;
        let events = conversation.dialogue.receive(text);
        for event in &events {
            conversation.own_calls.note_event(event);
        }
        Some(events)
    }

    /// Sends what the conversations have to say; answers the connections that are gone.
    pub(super) fn send(&mut self) -> Vec<ConnectionId> {
        let mut gone = Vec::new();
        for conversation in self.by_object.values_mut() {
            for frame in conversation.dialogue.outgoing() {
                self.sent += 1;
                conversation.sent += 1;
                if conversation.outgoing.send(Outgoing::Frame(frame)).is_err() {
                    gone.push(conversation.connection);
                    break;
                }
            }
        }
        gone
    }

    pub(super) fn ignore(&mut self, message_type: String) {
        if self.ignored.len() < COUNTED_KINDS || self.ignored.contains_key(&message_type) {
            *self.ignored.entry(message_type).or_default() += 1;
        }
    }

    pub(super) fn app_objects(&self) -> Vec<String> {
        let mut objects: Vec<String> = self.by_object.keys().map(|(object, _)| object.clone()).collect();
        objects.dedup();
        objects
    }

    pub(super) fn version(&self) -> Option<String> {
        self.by_object
            .values()
            .find_map(|conversation| conversation.introduction.version.clone())
    }

    pub(super) fn test_mode(&self) -> bool {
        self.by_object
            .values()
            .any(|conversation| conversation.introduction.test_mode)
    }

    /// Service licenses at the App objects, where one tells.
    pub(super) fn service_licenses(&self) -> Option<u64> {
        self.by_object
            .values()
            .filter_map(|conversation| conversation.introduction.service_licenses)
            .max()
    }

    /// APIs that some connection may use, as far as is known.
    pub(super) fn apis(&self) -> Vec<PbxApi> {
        let usable = |api: &PbxApi| {
            self.right_to(*api)
                .is_some_and(|right| right != Right::Unanswered)
        };
        PbxApi::ALL.into_iter().filter(usable).collect()
    }

    /// Whether some connection was given this API, answered or not.
    pub(super) fn may(&self, api: PbxApi) -> bool {
        self.server_of(api).is_some()
    }

    /// APIs that a session needs and no connection may use.
    pub(super) fn missing(&self, master: bool) -> Vec<PbxApi> {
        let needed: &[PbxApi] = if master {
            &[PbxApi::PbxApi, PbxApi::PbxTableUsers, PbxApi::PbxAdminApi]
        } else {
            &[PbxApi::PbxApi]
        };
        let apis = self.apis();
        needed
            .iter()
            .copied()
            .filter(|api| self.is_up() && !apis.contains(api))
            .collect()
    }

    /// APIs that are asked for although the PBX has left them unanswered so far.
    pub(super) fn unanswered(&self) -> Vec<PbxApi> {
        let unanswered = |api: &PbxApi| self.right_to(*api) == Some(Right::Unanswered);
        DIVIDED.into_iter().filter(unanswered).collect()
    }

    /// The connections one by one.
    pub(super) fn statuses(&self) -> Vec<ConnectionStatus> {
        let status = |((app_object, dialled_by), conversation): (&(String, Dialler), &Conversation)| {
            let usable = |api: &PbxApi| conversation.right(*api) >= Some(Right::Assumed);
            let serves = |api: &PbxApi| self.duties.get(api) == Some(&conversation.connection);
            ConnectionStatus {
                app_object: app_object.clone(),
                dialled_by: *dialled_by,
                since: conversation.since,
                apis: PbxApi::ALL.into_iter().filter(usable).collect(),
                serves: DIVIDED.into_iter().filter(serves).collect(),
                frames_received: conversation.received,
                frames_sent: conversation.sent,
            }
        };
        self.by_object.iter().map(status).collect()
    }

    fn right_to(&self, api: PbxApi) -> Option<Right> {
        self.server_of(api)?.right(api)
    }

    /// The connection with the surest right to an API; among equals the one that serves it already, then the first.
    fn server_of(&self, api: PbxApi) -> Option<&Conversation> {
        let serving = self.duties.get(&api);
        let able = self
            .by_object
            .values()
            .filter_map(|conversation| Some((conversation.right(api)?, conversation)));
        let surer = |one: &(Right, &Conversation), other: &(Right, &Conversation)| {
            let serves = |conversation: &Conversation| serving == Some(&conversation.connection);
            (one.0, serves(one.1)).cmp(&(other.0, serves(other.1)))
        };
        // of several maxima the last one is taken, so the first object comes last
        let surest = able.rev().max_by(surer)?;
        Some(surest.1)
    }
}
