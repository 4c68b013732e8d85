//! What the journal of a PBX holds.

use std::time::Instant;

use serde_json::Value;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The PBX sent it.
    Sent,
    /// The PBX received it.
    Received,
}

/// One message, reassembled and parsed, as it passed the socket.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Tells when it passed.
    pub at: Instant,
    /// Tells which way it went.
    pub way: Way,
    /// Counts the PBX's connections, from 1.
    pub connection: u64,
    /// Holds the message; a text that is no JSON is kept as a string.
    pub message: Value,
}

impl Frame {
    pub(crate) fn new(way: Way, connection: u64, text: &str) -> Self {
        let message = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        Self {
            at: Instant::now(),
            way,
            connection,
            message,
        }
    }

    /// Returns a textual member of the message, or an empty text.
    #[must_use]
    pub fn text(&self, member: &str) -> &str {
        self.message
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Returns the message's `mt`, or an empty text.
    #[must_use]
    pub fn mt(&self) -> &str {
        self.text("mt")
    }

    /// Returns whether the PBX received this kind of message.
    #[must_use]
    pub fn is_received(&self, mt: &str) -> bool {
        self.way == Way::Received && self.mt() == mt
    }

    /// Returns whether the PBX sent this kind of message.
    #[must_use]
    pub fn is_sent(&self, mt: &str) -> bool {
        self.way == Way::Sent && self.mt() == mt
    }
}
