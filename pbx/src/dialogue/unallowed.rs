//! Presence subscriptions that no visibility allows, as the PBX lists them (pbx.md 6, MonitorUnallowed).

use m365_presence::pbx::PbxApi;
use m365_presence::ports::PbxEvent;
use serde_json::Value;

use super::Numbers;
use crate::message::{Message, Object};
use crate::outbox::Outbox;
use crate::outgoing::Request;

/// Subscribers of one user that are read.
const MOST_SOURCES: usize = 100;

pub(super) struct Unallowed {
    numbers: Numbers,
    /// The `src` of the newest order; empty before the first.
    src: String,
}

impl Unallowed {
    pub(super) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            src: String::new(),
        }
    }

    pub(super) fn monitor(&mut self, outbox: &mut Outbox) {
        self.src = format!("unallowed:{}", self.numbers.next());
        outbox.push(&Request::MonitorUnallowed {
            api: PbxApi::PbxAdminApi,
            src: &self.src,
        });
    }

    pub(super) fn receive(&self, message: &Message) -> Option<Vec<PbxEvent>> {
        if self.src.is_empty() || !message.belongs_to(&self.src) {
            return None;
        }
        let pending = match message.kind() {
            "MonitorUnallowedAdd" => true,
            "MonitorUnallowedDel" => false,
            _ => return Some(Vec::new()),
        };
        let sources = message.object().member("srcs").and_then(Value::as_array);
        let names = sources.into_iter().flatten().take(MOST_SOURCES);
        Some(vec![PbxEvent::Unallowed {
            user: name_of(message.object().member("user")?)?,
            subscribers: names.filter_map(name_of).collect(),
            pending,
        }])
    }
}

/// A name as such, or the one of an object.
fn name_of(value: &Value) -> Option<String> {
    if let Some(name) = value.as_str() {
        return Some(name.to_owned()).filter(|name| !name.is_empty());
    }
    let object = Object::of(value)?;
    ["guid", "h323", "sip", "name", "cn"]
        .into_iter()
        .find_map(|member| object.name(member))
}
