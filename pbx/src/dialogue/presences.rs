//! Presence subscriptions (pbx.md 3.1); the `src` of each is its user's guid, because updates name nobody else.

use std::collections::HashSet;

use m365_presence::identity::PbxGuid;
use m365_presence::pbx::{PbxApi, PresenceEntry};
use m365_presence::ports::PbxEvent;
use serde_json::Value;

use super::window::Window;
use crate::message::{Message, Object};
use crate::outbox::Outbox;
use crate::outgoing::Request;

/// How many subscriptions may be unanswered; thousands follow one another when a PBX connects.
const IN_FLIGHT: usize = 100;

pub(super) struct Presences {
    followed: HashSet<PbxGuid>,
    window: Window<String>,
}

impl Default for Presences {
    fn default() -> Self {
        Self {
            followed: HashSet::new(),
            window: Window::new(IN_FLIGHT),
        }
    }
}

impl Presences {
    pub(super) fn subscribe(&mut self, user: PbxGuid, h323: String, outbox: &mut Outbox) {
        self.followed.insert(user.clone());
        self.window.ask(user, h323);
        self.send(outbox);
    }

    /// Ends a subscription; one that was not sent yet is just forgotten.
    pub(super) fn unsubscribe(&mut self, user: &PbxGuid, h323: &str, outbox: &mut Outbox) {
        self.followed.remove(user);
        if !self.window.withdraw(user) {
            outbox.push(&Request::UnsubscribePresence {
                api: PbxApi::PbxApi,
                src: user,
                sip: h323,
            });
        }
        self.window.settle(user);
        self.send(outbox);
    }

    pub(super) fn receive(&mut self, message: &Message, outbox: &mut Outbox) -> Option<Vec<PbxEvent>> {
        let user = PbxGuid::new(message.src()?);
        if message.kind() == "UnsubscribePresenceResult" {
            return Some(Vec::new());
        }
        // A PBX works in order but may stay silent where it grants nothing, so an answer settles all before it.
        self.window.settle_through(&user);
        self.send(outbox);
        if !self.followed.contains(&user) {
            return None;
        }
        match message.kind() {
            "SubscribePresenceResult" => Some(self.answered(user, message)),
            "PresenceState" if message.object().flag("up") => Some(Vec::new()),
            "PresenceState" => Some(vec![PbxEvent::PresenceLost(user)]),
            _ => Some(vec![PbxEvent::Presence {
                user,
                entries: entries(message)?,
            }]),
        }
    }

    fn answered(&mut self, user: PbxGuid, message: &Message) -> Vec<PbxEvent> {
        let Some(reason) = message.object().refusal() else {
            return Vec::new();
        };
        self.followed.remove(&user);
        vec![PbxEvent::PresenceRefused {
            user,
            message: reason,
        }]
    }

    fn send(&mut self, outbox: &mut Outbox) {
        while let Some((user, h323)) = self.window.next() {
            outbox.push(&Request::SubscribePresence {
                api: PbxApi::PbxApi,
                src: &user,
                sip: &h323,
            });
        }
    }
}

/// The whole list, newest first; a list that was left out is empty.
fn entries(message: &Message) -> Option<Vec<PresenceEntry>> {
    let Some(list) = message.object().member("presence") else {
        return Some(Vec::new());
    };
    Some(list.as_array()?.iter().filter_map(entry).collect())
}

fn entry(item: &Value) -> Option<PresenceEntry> {
    let item = Object::of(item)?;
    let text = |name| item.text(name).unwrap_or_default();
    Some(PresenceEntry {
        contact: text("contact"),
        activity: text("activity"),
        note: text("note"),
    })
}
