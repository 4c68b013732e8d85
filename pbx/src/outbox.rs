//! What waits to be sent.

use serde::Serialize;

/// The length in bytes that no sent message reaches: the PBX's runtime takes 65535 at most (pbx.md 1.1).
pub const MESSAGE_LIMIT: usize = 65_535;

/// Messages to send, in order.
#[derive(Default)]
pub(crate) struct Outbox(Vec<String>);

impl Outbox {
    /// Adds a message. One that the PBX could not take is left out: it would cost the whole connection.
    pub(crate) fn push(&mut self, message: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(message)
            && text.len() < MESSAGE_LIMIT
        {
            self.0.push(text);
        }
    }

    /// Takes out everything.
    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0)
    }
}
