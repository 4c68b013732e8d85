//! Writing our own presence entry of a user (pbx.md 3.3).
//!
//! Only the newest write of a user is reported: the answer to one that was replaced says nothing about what stands.

use std::collections::HashMap;

use m365_presence::identity::PbxGuid;
use m365_presence::pbx::PbxApi;
use m365_presence::ports::PbxEvent;

use super::Numbers;
use crate::message::Message;
use crate::outbox::Outbox;
use crate::outgoing::Request;

/// What an entry carries.
pub(super) struct Entry<'a> {
    pub(super) contact: &'a str,
    pub(super) activity: &'a str,
    pub(super) note: &'a str,
}

pub(super) struct Entries {
    numbers: Numbers,
    /// The newest unanswered write of each user.
    newest: HashMap<PbxGuid, u64>,
}

impl Entries {
    pub(super) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            newest: HashMap::new(),
        }
    }

    /// Writes the entry; with neither an activity nor a note it is gone.
    pub(super) fn set(&mut self, user: PbxGuid, h323: &str, entry: Entry<'_>, outbox: &mut Outbox) {
        let number = self.numbers.next();
        outbox.push(&Request::SetPresence {
            api: PbxApi::PbxApi,
            src: &format!("set:{user}:{number}"),
            guid: &user,
            sip: h323,
            contact: entry.contact,
            activity: entry.activity,
            note: entry.note,
        });
        self.newest.insert(user, number);
    }

    pub(super) fn receive(&mut self, message: &Message) -> Option<Vec<PbxEvent>> {
        let src = message.src()?;
        let (user, number) = src.strip_prefix("set:")?.rsplit_once(':')?;
        let user = PbxGuid::new(user);
        let newest = *self.newest.get(&user)?;
        if number.parse::<u64>().ok()? < newest {
            return Some(Vec::new());
        }
        self.newest.remove(&user);
        Some(vec![match message.object().refusal() {
            None => PbxEvent::EntrySet(user),
            Some(message) => PbxEvent::EntryRefused { user, message },
        }])
    }
}
