//! Messages of the AppWebsocket protocol: those received are read member by member, those sent keep the member order
//! `mt`, `src`, `api` of a real PBX (reference 1.6).

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

/// One message of the other side, of which only the envelope is understood.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) mt: String,
    pub(crate) api: String,
    pub(crate) src: Option<Value>,
    body: Map<String, Value>,
}

impl Request {
    /// Reads a text frame; anything but an object with a textual `mt` is `None`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let body: Map<String, Value> = serde_json::from_str(text).ok()?;
        let mt = body.get("mt")?.as_str()?.to_owned();
        let api = body
            .get("api")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let src = body.get("src").cloned();
        Some(Self { mt, api, src, body })
    }

    /// Returns a textual member, or an empty text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a member of any kind.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.body.get(name)
    }

    /// Returns whether a member is `true`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.body.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns the source as a key for whatever this request starts.
    pub(crate) fn key(&self) -> String {
        match &self.src {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// Begins the answer: `<mt>Result` with the same api and source.
    pub(crate) fn result(&self) -> Message {
        self.indication(&format!("{}Result", self.mt))
    }

    /// Begins an indication that this request causes, which carries its api and source.
    pub(crate) fn indication(&self, mt: &str) -> Message {
        let mut message = Message::new(mt);
        if let Some(src) = &self.src {
            message = message.with("src", src.clone());
        }
        if !self.api.is_empty() {
            message = message.with("api", self.api.clone());
        }
        message
    }
}

/// A message to send, with its members in order.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    mt: String,
    members: Vec<(String, Value)>,
}

impl Message {
    pub(crate) fn new(mt: &str) -> Self {
        Self {
            mt: mt.to_owned(),
            members: Vec::new(),
        }
    }

    /// Begins an indication under the api and source of an earlier request.
    pub(crate) fn indication(mt: &str, src: &str, api: &str) -> Self {
        Self::new(mt).with("src", src).with("api", api)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn mt(&self) -> &str {
        &self.mt
    }

    /// Removes a member, or gives it another value.
    pub(crate) fn distort(&mut self, name: &str, value: Option<&Value>) {
        self.members.retain(|(member, _)| member != name);
        if let Some(value) = value {
            self.members.push((name.to_owned(), value.clone()));
        }
    }

    /// Turns every number, at any depth, into its text.
    pub(crate) fn spell_numbers(&mut self) {
        for (_, value) in &mut self.members {
            spell(value);
        }
    }

    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len().saturating_add(1)))?;
        map.serialize_entry("mt", &self.mt)?;
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn spell(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(spell),
        Value::Object(members) => members.values_mut().for_each(spell),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
