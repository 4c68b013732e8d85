//! Line states: who has how many calls at this PBX (pbx.md 4).
//!
//! `UserInfo.channel` is the PBX's own count and prevails whenever it is told. Calls that are announced one by one
//! fill the time until the next count: a call raises the number at once, and its end lowers what was known of one by
//! one. A call from before our time is in the count only, so its end is known by the next count. A count of zero ends
//! whatever is still remembered of the user's calls.

use std::collections::{BTreeSet, HashMap, HashSet};

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
    /// Whose a call is: its updates name it alone. Both ends may live at this PBX.
    calls: HashMap<String, BTreeSet<PbxGuid>>,
}

/// A user who has, or is offered, a call.
#[derive(Default)]
struct Line {
    /// The number of calls as far as is known.
    calls: u32,
    /// The calls that are known one by one, and count.
    active: HashSet<String>,
    told: u32,
}

impl Line {
    /// Takes in the PBX's own count.
    fn count(&mut self, channel: u32) {
        self.calls = channel;
        if channel == 0 {
            self.active.clear();
        }
    }

    /// A call counts from now on, or does so already.
    fn begin(&mut self, call: &str) {
        self.active.insert(call.to_owned());
        self.calls = self.calls.max(self.known());
    }

    /// A call counts no more. Only where every call is known one by one does that say how many are left.
    fn end(&mut self, call: &str) {
        let all_known = self.known() >= self.calls;
        if self.active.remove(call) && all_known {
            self.calls = self.calls.min(self.known());
        }
    }

    fn known(&self) -> u32 {
        u32::try_from(self.active.len()).unwrap_or(u32::MAX)
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
            "InitializeResult" => Some(self.initialized(message, outbox)),
            "UserInfo" => self.user_told(message),
            "CallDel" => Some(self.call_ended(&call_id(message)?)),
            _ => self.call_told(message),
        }
    }

    /// The first round is whole, unless `more` tells to wait for results or to ask for them (pbx.md 1.6).
    fn initialized(&mut self, message: &Message, outbox: &mut Outbox) -> Vec<PbxEvent> {
        use serde_json::Value;
        if let Some(message) = message.object().refusal() {
            self.src.clear();
            return vec![PbxEvent::LinesRefused { message }];
        }
        match message.object().member("more") {
            Some(Value::Bool(true)) => Vec::new(),
            Some(more @ (Value::String(_) | Value::Number(_))) => {
                self.initialize(Some(more), outbox);
                Vec::new()
            }
            _ => vec![PbxEvent::LinesComplete],
        }
    }

    fn user_told(&mut self, message: &Message) -> Option<Vec<PbxEvent>> {
        let user = PbxGuid::new(message.object().name("guid")?);
        let update = message.object().text("update");
        let channel = match (update.as_deref(), message.object().member("channel")) {
            (Some("del"), _) => Some(0),
            // where a firmware leaves out what is zero, the user is listed all the same, and without a call so far
            (None | Some("add"), None) => None,
            _ => Some(u32::try_from(message.object().number("channel")?).unwrap_or(u32::MAX)),
        };
        if let Some(channel) = channel {
            self.line(&user)?.count(channel);
        }
        let listed = match update.as_deref() {
            None | Some("add") => Some(true),
            Some("del") => Some(false),
            Some(_) => None,
        };
        let listed = listed.map(|listed| PbxEvent::LineListed {
            user: user.clone(),
            listed,
        });
        Some(listed.into_iter().chain(self.tell(user)).collect())
    }

    /// A new call or a change of one; a call that is told without its state is judged by the signal.
    fn call_told(&mut self, message: &Message) -> Option<Vec<PbxEvent>> {
        let call = call_id(message)?;
        let known = self.calls.get(&call);
        let users: Vec<PbxGuid> = match message.object().name("guid") {
            Some(guid) => vec![PbxGuid::new(guid)],
            None => known?.iter().cloned().collect(),
        };
        let signal = message.object().text("msg").unwrap_or_default();
        if signal == "del" || message.object().flag("del") {
            return Some(self.call_ended(&call));
        }
        if known.is_none() && self.calls.len() >= MOST_CALLS {
            return None;
        }
        let counts = match message.object().number("state") {
            Some(state) => Some(counts(state)),
            None => counts_after(&signal),
        };
        let mut events = Vec::new();
        for user in users {
            let line = self.line(&user)?;
            match counts {
                Some(true) => line.begin(&call),
                Some(false) => line.end(&call),
                None => {}
            }
            self.calls.entry(call.clone()).or_default().insert(user.clone());
            events.extend(self.tell(user));
        }
        Some(events)
    }

    fn call_ended(&mut self, call: &str) -> Vec<PbxEvent> {
        // the end of a call from before our time is told by the count alone
        let users = self.calls.remove(call).unwrap_or_default();
        for user in &users {
            if let Some(line) = self.users.get_mut(user) {
                line.end(call);
            }
        }
        users.into_iter().flat_map(|user| self.tell(user)).collect()
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
        let calls = line.calls;
        let changed = calls != line.told;
        line.told = calls;
        if calls == 0 && line.active.is_empty() {
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
