//! Calls of ours that make the PBX treat a user as busy, "alien calls" in its words (pbx.md 3.4).
//!
//! A call acts on the user of an API channel, so a channel is made for the user first and deleted with the call. Whether
//! a user should have a call is the newest order; every answer, however late, leads one step towards it. So an order that
//! was given up leaves nothing behind.

use std::collections::HashMap;

use m365_presence::identity::PbxGuid;
use m365_presence::pbx::PbxApi;
use m365_presence::ports::PbxEvent;
use serde_json::Value;

use super::Numbers;
use crate::message::Message;
use crate::outbox::Outbox;
use crate::outgoing::Request;

/// What precedes guid and number in each `src`.
const SRC: &str = "alien:";

/// The API of a channel.
const TARGET: &str = "PbxApi";

pub(super) struct AlienCalls {
    numbers: Numbers,
    users: HashMap<PbxGuid, AlienCall>,
}

struct AlienCall {
    h323: String,
    wanted: bool,
    /// The number of the newest request: the answer to an earlier one comes late.
    number: u64,
    stage: Stage,
}

enum Stage {
    /// A channel is asked for.
    Creating,
    /// A call is asked for on this channel.
    Adding(String),
    /// The call stands on this channel, with this number.
    Standing(String, Value),
    /// The call's end is asked for on this channel.
    Ending(String),
    /// The end of this channel is asked for, and with it that of whatever is on it.
    Deleting(String),
}

impl AlienCalls {
    pub(super) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            users: HashMap::new(),
        }
    }

    /// Puts a call on a user or takes it off. Ordered again, what was left unanswered is tried on another way.
    pub(super) fn set(&mut self, user: PbxGuid, h323: String, on: bool, outbox: &mut Outbox) {
        let Some(mut call) = self.users.remove(&user) else {
            if on {
                self.create(user, h323, outbox);
            }
            return;
        };
        let repeated = call.wanted == on;
        call.wanted = on;
        match call.stage {
            // the channel that was asked for before is deleted when it comes
            Stage::Creating if on => return self.create(user, h323, outbox),
            Stage::Adding(channel) if on && repeated => {
                self.delete(&channel, outbox);
                return self.create(user, h323, outbox);
            }
            Stage::Standing(channel, id) if !on => {
                call.number = self.numbers.next();
                self.end(&user, call.number, &channel, &id, outbox);
                call.stage = Stage::Ending(channel);
            }
            Stage::Adding(channel) if !on => {
                (call.number, call.stage) = self.delete_for(&user, channel, outbox);
            }
            Stage::Ending(channel) | Stage::Deleting(channel) if repeated => {
                (call.number, call.stage) = self.delete_for(&user, channel, outbox);
            }
            stage => call.stage = stage,
        }
        self.users.insert(user, call);
    }

    pub(super) fn receive(&mut self, message: &Message, outbox: &mut Outbox) -> Option<Vec<PbxEvent>> {
        let src = message.src()?;
        let (user, number) = src.strip_prefix(SRC)?.rsplit_once(':')?;
        let (user, number) = (PbxGuid::new(user), number.parse::<u64>().ok()?);
        let current = self.users.get(&user).is_some_and(|call| call.number == number);
        if !current {
            // a channel that comes late is nobody's
            if let ("CreateApiResult", Some(channel)) = (message.kind(), message.object().name("target")) {
                self.delete(&channel, outbox);
            }
            return Some(Vec::new());
        }
        let call = self.users.remove(&user)?;
        Some(match (message.kind(), call.stage) {
            ("CreateApiResult", Stage::Creating) => {
                self.created(user, call.h323, call.wanted, message, outbox)
            }
            ("AddAlienCallResult", Stage::Adding(channel)) => {
                self.added(user, call.h323, call.wanted, channel, message, outbox)
            }
            ("DelAlienCallResult", Stage::Ending(channel)) => {
                self.delete(&channel, outbox);
                self.ended(user, call.h323, call.wanted, outbox)
            }
            ("DeleteApiResult", Stage::Deleting(_)) => self.ended(user, call.h323, call.wanted, outbox),
            (_, stage) => {
                self.users.insert(user, AlienCall { stage, ..call });
                return None;
            }
        })
    }

    fn created(
        &mut self,
        user: PbxGuid,
        h323: String,
        wanted: bool,
        message: &Message,
        outbox: &mut Outbox,
    ) -> Vec<PbxEvent> {
        let channel = message.object().name("target");
        let (None, Some(channel)) = (message.object().refusal(), channel) else {
            return refused(user, wanted, message);
        };
        if !wanted {
            self.delete(&channel, outbox);
            return vec![PbxEvent::AlienCallSet { user, on: false }];
        }
        let number = self.numbers.next();
        outbox.push(&Request::AddAlienCall {
            api: &channel,
            src: &src(&user, number),
        });
        let stage = Stage::Adding(channel);
        self.remember(user, h323, wanted, number, stage);
        Vec::new()
    }

    fn added(
        &mut self,
        user: PbxGuid,
        h323: String,
        wanted: bool,
        channel: String,
        message: &Message,
        outbox: &mut Outbox,
    ) -> Vec<PbxEvent> {
        let id = message.object().member("id").cloned();
        let (None, Some(id)) = (message.object().refusal(), id) else {
            self.delete(&channel, outbox);
            return refused(user, wanted, message);
        };
        let number = self.numbers.next();
        if wanted {
            let stage = Stage::Standing(channel, id);
            self.remember(user.clone(), h323, wanted, number, stage);
            return vec![PbxEvent::AlienCallSet { user, on: true }];
        }
        self.end(&user, number, &channel, &id, outbox);
        self.remember(user, h323, wanted, number, Stage::Ending(channel));
        Vec::new()
    }

    /// A call is over; when one is wanted again, it begins anew.
    fn ended(&mut self, user: PbxGuid, h323: String, wanted: bool, outbox: &mut Outbox) -> Vec<PbxEvent> {
        if wanted {
            self.create(user, h323, outbox);
            return Vec::new();
        }
        vec![PbxEvent::AlienCallSet { user, on: false }]
    }

    fn create(&mut self, user: PbxGuid, h323: String, outbox: &mut Outbox) {
        let number = self.numbers.next();
        outbox.push(&Request::CreateApi {
            api: PbxApi::PbxImpersonation,
            src: &src(&user, number),
            sip: &h323,
            target: TARGET,
        });
        self.remember(user, h323, true, number, Stage::Creating);
    }

    fn remember(&mut self, user: PbxGuid, h323: String, wanted: bool, number: u64, stage: Stage) {
        let call = AlienCall {
            h323,
            wanted,
            number,
            stage,
        };
        self.users.insert(user, call);
    }

    fn end(&self, user: &PbxGuid, number: u64, channel: &str, id: &Value, outbox: &mut Outbox) {
        outbox.push(&Request::DelAlienCall {
            api: channel,
            src: &src(user, number),
            id,
        });
    }

    /// Deletes a user's channel, and with it whatever is on it.
    fn delete_for(&self, user: &PbxGuid, channel: String, outbox: &mut Outbox) -> (u64, Stage) {
        let number = self.numbers.next();
        outbox.push(&Request::DeleteApi {
            api: PbxApi::PbxImpersonation,
            src: &src(user, number),
            target: &channel,
        });
        (number, Stage::Deleting(channel))
    }

    /// Deletes a channel of which nobody needs to hear any more.
    fn delete(&self, channel: &str, outbox: &mut Outbox) {
        let number = self.numbers.next();
        outbox.push(&Request::DeleteApi {
            api: PbxApi::PbxImpersonation,
            src: &format!("{SRC}:{number}"),
            target: channel,
        });
    }
}

fn src(user: &PbxGuid, number: u64) -> String {
    format!("{SRC}{user}:{number}")
}

/// What a refusal means: of a call that is not wanted any more, nothing.
fn refused(user: PbxGuid, wanted: bool, message: &Message) -> Vec<PbxEvent> {
    if !wanted {
        return vec![PbxEvent::AlienCallSet { user, on: false }];
    }
    let refusal = message.object().refusal();
    vec![PbxEvent::AlienCallRefused {
        user,
        message: refusal.unwrap_or_else(|| "answered without a call".to_owned()),
    }]
}
