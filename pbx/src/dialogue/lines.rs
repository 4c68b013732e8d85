//! Line states: who has how many calls at this PBX (pbx.md 4).
//!
//! `UserInfo.channel` is the PBX's own count and prevails whenever it is told. Calls that are announced one by one
//! fill the time until the next count: a call raises the number at once, and its end lowers what it had raised.

use std::collections::{HashMap, HashSet};

use m365_presence::identity::PbxGuid;
use m365_presence::pbx::PbxApi;
use m365_presence::ports::PbxEvent;

use super::Numbers;
use crate::message::Message;
use crate::outbox::Outbox;
use crate::outgoing::Request;

/// How many users a PBX should report at a time (pbx.md 4: 50 per tick).
const USERS_PER_TICK: u32 = 50;

/// How many calls, and users with calls, are remembered: more than any PBX carries.
const MOST_CALLS: usize = 20_000;

/// The part of a call's state that tells how far it is.
const PHASE: u64 = 0xF;

/// The phases of a call that is being built up.
const SETTING_UP: std::ops::RangeInclusive<u64> = 1..=4;

/// The phase of a call that is connected, held or not.
const CONNECTED: u64 = 5;

/// Seen from the PBX: set when it calls the terminal, so the call comes in for the user.
const INCOMING: u64 = 0x80;

pub(super) struct Lines {
    numbers: Numbers,
    /// The `src` of the newest order; empty before the first.
    src: String,
    users: HashMap<PbxGuid, Line>,
    calls: HashMap<String, PbxGuid>,
}

/// A user who has, or is offered, a call.
#[derive(Default)]
struct Line {
    channel: u32,
    /// The calls that count.
    active: HashSet<String>,
    told: u32,
}

impl Line {
    fn calls(&self) -> u32 {
        let active = u32::try_from(self.active.len()).unwrap_or(u32::MAX);
        self.channel.max(active)
    }
}

impl Lines {
    pub(super) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            src: String::new(),
            users: HashMap::new(),
            calls: HashMap::new(),
        }
    }

    /// Asks for all line states and for their changes; whatever was known is forgotten.
    pub(super) fn follow(&mut self, outbox: &mut Outbox) {
        self.src = format!("rcc:{}", self.numbers.next());
        self.users.clear();
        self.calls.clear();
        self.initialize(None, outbox);
    }

    fn initialize(&self, more: Option<&serde_json::Value>, outbox: &mut Outbox) {
        outbox.push(&Request::Initialize {
            api: PbxApi::Rcc,
            src: &self.src,
            calls: true,
            limit: USERS_PER_TICK,
            more,
        });
    }

    pub(super) fn receive(&mut self, message: &Message, outbox: &mut Outbox) -> Option<Vec<PbxEvent>> {
        if self.src.is_empty() || !message.belongs_to(&self.src) {
            return None;
        }
        match message.kind() {
            "InitializeResult" => self.initialized(message, outbox),
            "UserInfo" => self.user_told(message),
            "CallDel" => self.call_ended(&call_id(message)?),
            _ => self.call_told(message),
        }
    }

    /// The first round is whole, unless `more` tells to wait for results or to ask for them (pbx.md 1.6).
    fn initialized(&self, message: &Message, outbox: &mut Outbox) -> Option<Vec<PbxEvent>> {
        use serde_json::Value;
        if message.object().refusal().is_some() {
            return None;
        }
        match message.object().member("more") {
            Some(Value::Bool(true)) => Some(Vec::new()),
            Some(more @ (Value::String(_) | Value::Number(_))) => {
                self.initialize(Some(more), outbox);
                Some(Vec::new())
            }
            _ => Some(vec![PbxEvent::LinesComplete]),
        }
    }

    fn user_told(&mut self, message: &Message) -> Option<Vec<PbxEvent>> {
        let user = PbxGuid::new(message.object().name("guid")?);
        let channel = match message.object().text("update").as_deref() {
            Some("del") => 0,
            _ => u32::try_from(message.object().number("channel")?).unwrap_or(u32::MAX),
        };
        let line = self.line(&user)?;
        line.channel = channel;
        if line.calls() > channel {
            line.active.clear();
        }
        Some(self.tell(user))
    }

    /// A new call or a change of one; a call that is told without its state is judged by the signal.
    fn call_told(&mut self, message: &Message) -> Option<Vec<PbxEvent>> {
        let call = call_id(message)?;
        let user = match message.object().name("guid") {
            Some(guid) => PbxGuid::new(guid),
            None => self.calls.get(&call)?.clone(),
        };
        let signal = message.object().text("msg").unwrap_or_default();
        if signal == "del" || message.object().flag("del") {
            return self.call_ended(&call);
        }
        if self.calls.len() >= MOST_CALLS && !self.calls.contains_key(&call) {
            return None;
        }
        let counts = match message.object().number("state") {
            Some(state) => Some(counts(state)),
            None => counts_after(&signal),
        };
        let line = self.line(&user)?;
        match counts {
            Some(true) => {
                line.active.insert(call.clone());
            }
            Some(false) => {
                line.active.remove(&call);
            }
            None => {}
        }
        self.calls.insert(call, user.clone());
        Some(self.tell(user))
    }

    fn call_ended(&mut self, call: &str) -> Option<Vec<PbxEvent>> {
        // The end of a call from before our time is told by the channel alone.
        let Some(user) = self.calls.remove(call) else {
            return Some(Vec::new());
        };
        if let Some(line) = self.users.get_mut(&user) {
            line.active.remove(call);
        }
        Some(self.tell(user))
    }

    /// The user's line; none when too many are remembered already.
    fn line(&mut self, user: &PbxGuid) -> Option<&mut Line> {
        if self.users.len() >= MOST_CALLS && !self.users.contains_key(user) {
            return None;
        }
        Some(self.users.entry(user.clone()).or_default())
    }

    /// Tells the user's calls if their number changed, and forgets a user without any.
    fn tell(&mut self, user: PbxGuid) -> Vec<PbxEvent> {
        let Some(line) = self.users.get_mut(&user) else {
            return Vec::new();
        };
        let calls = line.calls();
        let changed = calls != line.told;
        line.told = calls;
        if calls == 0 {
            self.users.remove(&user);
        }
        if changed {
            vec![PbxEvent::Calls { user, calls }]
        } else {
            Vec::new()
        }
    }
}

fn call_id(message: &Message) -> Option<String> {
    message.object().name("call")
}

/// A call counts when it is connected or the user's own is being set up; one that rings at the user's does not.
fn counts(state: u64) -> bool {
    let phase = state & PHASE;
    let incoming = state & INCOMING != 0;
    phase == CONNECTED || (SETTING_UP.contains(&phase) && !incoming)
}

/// What a signal says about a call whose state is not told; `x-` was sent by the PBX, `r-` received (pbx.md 4).
fn counts_after(signal: &str) -> Option<bool> {
    match signal.split_once('-')?.1 {
        "conn" => Some(true),
        "disc" | "rel" => Some(false),
        _ => None,
    }
}
