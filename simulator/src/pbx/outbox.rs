//! What one connection has still to send, in order, with the faults of its PBX applied.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    faults::{Cut, Faults},
    message::Message,
};

/// The switches that a test turns while the PBX runs.
pub(crate) type SharedFaults = Arc<Mutex<Faults>>;

/// One thing for the connection to do, not before it is due.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) due: Option<Instant>,
    pub(crate) action: Action,
}

#[derive(Debug)]
pub(crate) enum Action {
    Text(String),
    Pong(Bytes),
    Cut(Cut),
}

/// The sending end of one connection. A connection that has ended swallows what it is given.
#[derive(Debug)]
pub(crate) struct Outbox {
    sender: UnboundedSender<Outgoing>,
    faults: SharedFaults,
    sent: u64,
}

impl Outbox {
    pub(crate) fn new(sender: UnboundedSender<Outgoing>, faults: SharedFaults) -> Self {
        Self {
            sender,
            faults,
            sent: 0,
        }
    }

    /// Returns the present faults.
    pub(crate) fn faults(&self) -> Faults {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn send(&mut self, mut message: Message) {
        let faults = self.faults();
        faults.distort(&mut message);
        self.queue(message.to_text(), &faults);
    }

    /// Sends a text that was written elsewhere, such as the login with its raw `info`.
    pub(crate) fn send_text(&mut self, text: String) {
        let faults = self.faults();
        self.queue(text, &faults);
    }

    pub(crate) fn pong(&self, payload: Bytes) {
        self.queue_action(Action::Pong(payload), None);
    }

    pub(crate) fn cut(&self, cut: Cut) {
        self.queue_action(Action::Cut(cut), None);
    }

    fn queue(&mut self, text: String, faults: &Faults) {
        self.sent = self.sent.saturating_add(1);
        if faults.close_at_message == Some(self.sent) {
            self.cut(Cut::Close);
            return;
        }
        let due = faults.delay.map(|delay| Instant::now() + delay);
        if faults.unknown_messages {
            let unknown = Message::new("Unheard").with("of", "anybody").to_text();
            self.queue_action(Action::Text(unknown), due);
        }
        self.queue_action(Action::Text(text), due);
    }

    fn queue_action(&self, action: Action, due: Option<Instant>) {
        // The receiver is gone once the connection has ended, and so is whoever would have read this.
        self.sender.send(Outgoing { due, action }).ok();
    }
}
