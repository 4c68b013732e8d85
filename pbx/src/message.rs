//! Reading what a PBX sends, with the leniency that its firmwares need.
//!
//! Numbers arrive as numbers or as strings, false and empty members are often left out, and new members appear with
//! every release (pbx.md 1.6, 2.5, 5). So nothing is rejected for a member that is wrong or missing: whoever reads a
//! member says what its absence means.

use serde_json::{Map, Value};

/// One message: a JSON object.
#[derive(Default)]
pub(crate) struct Message(Map<String, Value>);

impl Message {
    /// Reads a message; anything but a JSON object, or nested deeper than serde_json's 128 levels, is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The message's type, its member `mt`; empty when it has none.
    pub(crate) fn kind(&self) -> &str {
        self.0.get("mt").and_then(Value::as_str).unwrap_or_default()
    }

    /// The members.
    pub(crate) fn object(&self) -> Object<'_> {
        Object(&self.0)
    }

    /// Whose request this answers or follows.
    pub(crate) fn src(&self) -> Option<String> {
        self.object().text("src")
    }

    /// Tells whether the message belongs to a request: by `src`, or by its type alone where no `src` came back.
    pub(crate) fn belongs_to(&self, request: &str) -> bool {
        self.src().is_none_or(|src| src == request)
    }
}

/// A JSON object inside a message.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a>(&'a Map<String, Value>);

impl<'a> Object<'a> {
    /// Takes a value for an object.
    pub(crate) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// A member; a null counts as left out.
    pub(crate) fn member(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A member as text; a number is told in digits.
    pub(crate) fn text(self, name: &str) -> Option<String> {
        match self.member(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A member as text that is not empty.
    pub(crate) fn name(self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A member as a number that is not negative, also when it came as text.
    pub(crate) fn number(self, name: &str) -> Option<u64> {
        match self.member(name)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A member as a flag; left out it is false, as firmwares leave out what is false.
    pub(crate) fn flag(self, name: &str) -> bool {
        match self.member(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true" || text == "1",
            Some(Value::Number(number)) => number.as_u64().is_some_and(|number| number != 0),
            _ => false,
        }
    }

    /// The PBX's text when it refuses: a member `error` other than 0 and false (pbx.md 2.1, 3.3).
    pub(crate) fn refusal(self) -> Option<String> {
        let error = match self.member("error")? {
            Value::Bool(false) => return None,
            Value::String(text) if text.is_empty() || text == "0" => return None,
            Value::String(text) => text.clone(),
            Value::Number(number) if number.as_f64() == Some(0.0) => return None,
            Value::Number(number) => format!("error {number}"),
            _ => String::from("refused without a reason"),
        };
        Some(self.name("errorText").unwrap_or(error))
    }
}
