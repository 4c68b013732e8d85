//! The connections of one PBX, one per App object, and which of them serves which API (pbx.md 1.4).

use std::collections::BTreeMap;
use std::rc::Rc;

use m365_presence::pbx::{PbxApi, PbxIntroduction};
use m365_presence::ports::{PbxDialogue, PbxDialogues, PbxEvent, PbxOrder};
use tokio::sync::mpsc;

use super::{ConnectionId, Outgoing};

/// Kinds of useless messages that are counted apart.
const COUNTED_KINDS: usize = 50;

/// APIs whose work is divided among the connections.
const DIVIDED: [PbxApi; 4] = [
    PbxApi::PbxTableUsers,
    PbxApi::PbxApi,
    PbxApi::Rcc,
    PbxApi::PbxAdminApi,
];

struct Conversation {
    connection: ConnectionId,
    introduction: PbxIntroduction,
    dialogue: Box<dyn PbxDialogue>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
}

/// All connections of one PBX.
pub(super) struct Conversations {
    dialogues: Rc<dyn PbxDialogues>,
    by_object: BTreeMap<String, Conversation>,
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

    /// Takes in a connection; an older one of the same App object is closed.
    pub(super) fn attach(
        &mut self,
        connection: ConnectionId,
        introduction: PbxIntroduction,
        outgoing: mpsc::UnboundedSender<Outgoing>,
    ) {
        let object = introduction.app_object.clone();
        let dialogue = self.dialogues.begin();
        let replaced = self.by_object.insert(
            object,
            Conversation {
                connection,
                introduction,
                dialogue,
                outgoing,
            },
        );
        if let Some(replaced) = replaced.filter(|replaced| replaced.connection != connection) {
            let _closed_already = replaced.outgoing.send(Outgoing::Close);
        }
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
        let server = self
            .by_object
            .values_mut()
            .find(|conversation| conversation.introduction.apis.contains(&api));
        server
            .map(|conversation| conversation.dialogue.order(order))
            .is_some()
    }

    /// Takes in a message; `None` when the connection is not known to this run.
    pub(super) fn receive(&mut self, connection: ConnectionId, text: &str) -> Option<Vec<PbxEvent>> {
        let conversation = self
            .by_object
            .values_mut()
            .find(|conversation| conversation.connection == connection)?;
        self.received += 1;
        Some(conversation.dialogue.receive(text))
    }

    /// Sends what the conversations have to say; answers the connections that are gone.
    pub(super) fn send(&mut self) -> Vec<ConnectionId> {
        let mut gone = Vec::new();
        for conversation in self.by_object.values_mut() {
            for frame in conversation.dialogue.outgoing() {
                self.sent += 1;
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
        self.by_object.keys().cloned().collect()
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

    pub(super) fn apis(&self) -> Vec<PbxApi> {
        let listed = self
            .by_object
            .values()
            .flat_map(|conversation| conversation.introduction.apis.iter().copied());
        listed
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
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

    fn server_of(&self, api: PbxApi) -> Option<&Conversation> {
        self.by_object
            .values()
            .find(|conversation| conversation.introduction.apis.contains(&api))
    }
}
