//! Both ends of a connection, in plain text.

use aws_lc_rs::digest::{SHA256, digest};
use m365_pbx::{Challenge, Dialogue, Dialogues, Doorway, Outcome, Response};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::{PbxDialogue, PbxEvent, PbxOrder};
use m365_presence::secret::Secret;
use serde_json::{Value, json};

pub(crate) const APP: &str = "innovaphone-microsoft365";
pub(crate) const BUILD: &str = "0a1b";
pub(crate) const PASSWORD: &str = "secret";
pub(crate) const CHALLENGE: &str = "4711081547110815";
pub(crate) const ALICE: &str = "66eaaee678464cffb9a3c8ae259fedd2";

pub(crate) fn doorway() -> Doorway {
    doorway_with(PASSWORD, APP, CHALLENGE)
}

pub(crate) fn doorway_with(password: &str, app: &str, challenge: &str) -> Doorway {
    let bytes = u64::from_str_radix(challenge, 16).unwrap().to_be_bytes();
    Doorway::new(&Secret::new(password), app, BUILD, Challenge::new(bytes))
}

pub(crate) fn frames(response: &Response) -> Vec<Value> {
    response
        .frames
        .iter()
        .map(|frame| serde_json::from_str(frame).unwrap())
        .collect()
}

pub(crate) fn sha256(text: &str) -> String {
    digest(&SHA256, text.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The login of an App object or, with other names, of a person.
pub(crate) fn app_login(sip: &str, info: &str) -> String {
    let digest = sha256(&format!(
        "{APP}:example.com:{sip}:00ff:Dn:{info}:{CHALLENGE}:{PASSWORD}"
    ));
    format!(
        r#"{{"mt":"AppLogin","sip":"{sip}","guid":"00ff","dn":"Dn","digest":"{digest}","domain":"example.com","app":"{APP}","info":{info}}}"#
    )
}

/// A doorway through which an App object has logged in.
pub(crate) fn logged_in(info: &str) -> Doorway {
    let mut doorway = doorway();
    doorway.receive(r#"{"mt":"AppChallenge"}"#);
    let response = doorway.receive(&app_login("m365", info));
    assert!(
        matches!(response.outcome, Outcome::Accepted(_)),
        "{:?}",
        response.outcome
    );
    doorway
}

/// A conversation, and the messages that a PBX would have received.
pub(crate) struct Conversation {
    pub(crate) dialogue: Dialogue,
}

impl Conversation {
    pub(crate) fn new() -> Self {
        Self {
            dialogue: Dialogues::new(APP, BUILD).begin(),
        }
    }

    pub(crate) fn order(&mut self, order: PbxOrder) -> Vec<Value> {
        self.dialogue.order(order);
        self.sent()
    }

    pub(crate) fn sent(&mut self) -> Vec<Value> {
        self.dialogue
            .outgoing()
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect()
    }

    /// What a message means, but for whose line states are told at all.
    pub(crate) fn receive(&mut self, message: Value) -> Vec<PbxEvent> {
        let mut events = self.receive_all(message);
        events.retain(|event| !matches!(event, PbxEvent::LineListed { .. }));
        events
    }

    pub(crate) fn receive_all(&mut self, message: Value) -> Vec<PbxEvent> {
        self.dialogue.receive(&message.to_string())
    }

    pub(crate) fn is_ignored(&mut self, message: Value) -> bool {
        let message_type = message["mt"].as_str().unwrap_or_default().to_owned();
        self.receive(message) == [PbxEvent::Ignored { message_type }]
    }

    /// Orders a replication and lets it start; returns its `src`.
    pub(crate) fn replicating(&mut self) -> String {
        let src = src(&self.order(PbxOrder::ReplicateUsers)[0]);
        self.receive(
            json!({"mt": "ReplicateStartResult", "src": src, "api": "PbxTableUsers", "columns": {}}),
        );
        self.sent();
        src
    }
}

pub(crate) fn src(message: &Value) -> String {
    message["src"].as_str().unwrap().to_owned()
}

pub(crate) fn guid(text: &str) -> PbxGuid {
    PbxGuid::new(text)
}
