//! The replication of the user table (pbx.md 2).
//!
//! Always the whole table, asked for row by row, with the live changes in between. No row is remembered here: an
//! update carries all columns, so an update of an unknown user is an addition by itself.

use m365_presence::identity::{PbxGuid, PbxName};
use m365_presence::pbx::{PbxApi, PbxUser};
use m365_presence::ports::PbxEvent;
use serde_json::Value;

use super::Numbers;
use crate::message::{Message, Object};
use crate::outbox::Outbox;
use crate::outgoing::{Columns, Request};

/// Ordinary users and executives; a longer list of types makes a PBX restart in a loop (pbx.md 2.1).
const USER_TYPES: [&str; 2] = ["", "executive"];

pub(super) struct Users {
    numbers: Numbers,
    /// The `src` of the newest replication: whatever belongs to an earlier one is out of date.
    src: String,
    stage: Stage,
}

#[derive(PartialEq)]
enum Stage {
    Idle,
    Starting,
    Pulling,
    Live,
}

impl Users {
    pub(super) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            src: String::new(),
            stage: Stage::Idle,
        }
    }

    /// Begins a replication from the start.
    pub(super) fn replicate(&mut self, outbox: &mut Outbox) {
        self.src = format!("users:{}", self.numbers.next());
        self.stage = Stage::Starting;
        outbox.push(&Request::ReplicateStart {
            api: PbxApi::PbxTableUsers,
            src: &self.src,
            add: false,
            del: false,
            columns: Columns::default(),
            pseudo: USER_TYPES,
        });
    }

    pub(super) fn receive(&mut self, message: &Message, outbox: &mut Outbox) -> Option<Vec<PbxEvent>> {
        if self.stage == Stage::Idle || !message.belongs_to(&self.src) {
            return None;
        }
        match message.kind() {
            "ReplicateStartResult" if self.stage == Stage::Starting => Some(self.started(message, outbox)),
            "ReplicateNextResult" if self.stage == Stage::Pulling => self.pulled(message, outbox),
            "ReplicateAdd" | "ReplicateUpdate" => {
                let user = user(columns(message)?)?;
                Some(vec![PbxEvent::UserListed(user)])
            }
            "ReplicateDel" => {
                // nobody has written down where a removal names its user (pbx.md 10)
                let guid = columns(message)
                    .and_then(guid)
                    .or_else(|| guid(message.object()))?;
                Some(vec![PbxEvent::UserRemoved(guid)])
            }
            _ => None,
        }
    }

    fn started(&mut self, message: &Message, outbox: &mut Outbox) -> Vec<PbxEvent> {
        if let Some(reason) = message.object().refusal() {
            return self.refused(reason);
        }
        self.stage = Stage::Pulling;
        self.pull(outbox);
        Vec::new()
    }

    /// The end of the table is a result without columns, or with columns that name nobody (pbx.md 2.2).
    fn pulled(&mut self, message: &Message, outbox: &mut Outbox) -> Option<Vec<PbxEvent>> {
        if let Some(reason) = message.object().refusal() {
            return Some(self.refused(reason));
        }
        if message.object().member("columns").is_some_and(is_no_row) {
            self.pull(outbox);
            return None;
        }
        let Some(user) = columns(message).and_then(user) else {
            self.stage = Stage::Live;
            return Some(vec![PbxEvent::UsersComplete]);
        };
        self.pull(outbox);
        Some(vec![PbxEvent::UserListed(user)])
    }

    fn pull(&self, outbox: &mut Outbox) {
        outbox.push(&Request::ReplicateNext {
            api: PbxApi::PbxTableUsers,
            src: &self.src,
        });
    }

    fn refused(&mut self, message: String) -> Vec<PbxEvent> {
        self.stage = Stage::Idle;
        vec![PbxEvent::UsersRefused { message }]
    }
}

/// Whether these columns hold something and are no row all the same; an empty list is how some write that there are none.
fn is_no_row(columns: &Value) -> bool {
    match columns {
        Value::Object(_) | Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

fn columns(message: &Message) -> Option<Object<'_>> {
    message.object().member("columns").and_then(Object::of)
}

fn guid(columns: Object<'_>) -> Option<PbxGuid> {
    columns.name("guid").map(PbxGuid::new)
}

fn user(columns: Object<'_>) -> Option<PbxUser> {
    Some(PbxUser {
        guid: guid(columns)?,
        h323: columns.text("h323").unwrap_or_default(),
        cn: columns.text("cn").unwrap_or_default(),
        home: PbxName::new(columns.text("loc").unwrap_or_default()),
    })
}
