//! RCC: line states and calls of the users who live on this PBX (reference 4).

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    super::{
        calls::{Call, Direction, Peer, Phase, Step},
        directory::{Directory, Resident},
        message::{Message, Request},
        options::PbxOptions,
        outbox::Outbox,
    },
    Change, Ground, peer,
};

const API: &str = "RCC";

/// What one connection watches: all users (`Initialize`), and single ones by handle (`UserInitialize`).
#[derive(Debug, Default)]
pub(super) struct Lines {
    all: Option<AllUsers>,
    users: BTreeMap<u64, OneUser>,
    next: u64,
}

#[derive(Debug)]
struct AllUsers {
    src: String,
    /// Call events were asked for besides the line states.
    calls: bool,
}

#[derive(Debug)]
struct OneUser {
    src: String,
    guid: String,
}

impl Lines {
    pub(super) fn serve(&mut self, request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
        match request.mt.as_str() {
            "Initialize" => self.initialize(request, ground, outbox),
            "UserInitialize" => self.initialize_user(request, ground, outbox),
            "UserEnd" => {
                let handle = request
                    .member("user")
                    .and_then(serde_json::Value::as_u64)
                    .unwrap_or_default();
                self.users.remove(&handle);
                outbox.send(request.result());
            }
            _ => {}
        }
    }

    fn initialize(&mut self, request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
        if let Some(error) = &ground.faults.lines_error {
            outbox.send(request.result().with("error", error.clone()));
            return;
        }
        let all = AllUsers {
            src: request.key(),
            calls: request.is_true("calls"),
        };
        for resident in ground.directory.residents() {
            if resident.user.loc != ground.options.name || !resident.user.accesses_app {
                continue;
            }
            outbox.send(user_info(&all.src, resident, None));
            if all.calls {
                for call in &resident.calls {
                    outbox.send(call_add(&all.src, resident, call));
                    outbox.send(call_update(&all.src, resident, call, call.last_step()));
                }
            }
        }
        outbox.send(request.result());
        self.all = Some(all);
    }

    fn initialize_user(&mut self, request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
        let guid = ground.directory.by_long_name(request.text("cn"));
        let resident = guid
            .and_then(|guid| ground.directory.get(&guid))
            .filter(|resident| resident.user.loc == ground.options.name);
        let Some(resident) = resident else {
            outbox.send(request.result().with("error", "unknown user"));
            return;
        };
        self.next = self.next.saturating_add(1);
        let handle = self.next;
        outbox.send(request.result().with("user", handle));
        let user = OneUser {
            src: request.key(),
            guid: resident.user.guid.clone(),
        };
        for call in &resident.calls {
            outbox.send(call_info(handle, &user, call, call.last_step()));
        }
        self.users.insert(handle, user);
    }

    pub(super) fn tell(
        &self,
        change: &Change,
        directory: &Directory,
        options: &PbxOptions,
        outbox: &mut Outbox,
    ) {
        if let Change::Call { guid, call, step } = change {
            for (handle, user) in self.users.iter().filter(|(_, user)| &user.guid == guid) {
                outbox.send(call_info(*handle, user, call, *step));
            }
        }
        let Some(all) = &self.all else { return };
        let here = |resident: &&Resident| resident.user.loc == options.name && resident.user.accesses_app;
        match change {
            Change::Added { guid } => {
                if let Some(resident) = directory.get(guid).filter(here) {
                    outbox.send(user_info(&all.src, resident, Some("add")));
                }
            }
            Change::Updated { guid, before } => {
                let Some(resident) = directory.get(guid) else {
                    return;
                };
                if here(&resident) {
                    outbox.send(user_info(&all.src, resident, Some("update")));
                } else if before.loc == options.name {
                    outbox.send(user_info(&all.src, resident, Some("del")));
                }
            }
            Change::Removed { user } => {
                if user.loc == options.name {
                    let info = Message::indication("UserInfo", &all.src, API)
                        .with("update", "del")
                        .with("guid", user.guid.clone())
                        .with("cn", user.cn.clone())
                        .with("h323", user.h323.clone());
                    outbox.send(info);
                }
            }
            Change::Call { guid, call, step } => {
                if let Some(resident) = directory.get(guid).filter(here) {
                    tell_call(all, resident, call, *step, outbox);
                }
            }
            Change::Presence { .. } | Change::Monitor { .. } => {}
        }
    }
}

fn tell_call(all: &AllUsers, resident: &Resident, call: &Call, step: Step, outbox: &mut Outbox) {
    if all.calls {
        let src = all.src.as_str();
        if step == Step::Started {
            outbox.send(call_add(src, resident, call));
        }
        if step == Step::Ended {
            outbox.send(Message::indication("CallDel", src, API).with("call", call.id.0));
        } else {
            outbox.send(call_update(src, resident, call, step));
        }
    }
    if !outbox.faults().uncounted_calls {
        outbox.send(user_info(&all.src, resident, Some("update")));
    }
}

fn user_info(src: &str, resident: &Resident, update: Option<&str>) -> Message {
    let user = &resident.user;
    let phones = if user.registered {
        json!([{"hw": format!("phone-{}", user.h323)}])
    } else {
        json!([])
    };
    Message::indication("UserInfo", src, API)
        .with_some("update", update)
        .with("guid", user.guid.clone())
        .with("cn", user.cn.clone())
        .with("dn", user.dn.clone())
        .with("h323", user.h323.clone())
        .with_some("e164", (!user.e164.is_empty()).then(|| user.e164.clone()))
        .with("node", "root")
        .with("pbx", user.loc.clone())
        .with_some("pseudo", (!user.pseudo.is_empty()).then(|| user.pseudo.clone()))
        .with("regs", phones)
        .with("state", u8::from(user.registered))
        .with("channel", resident.channels())
        .with("alert", resident.alerts())
}

fn call_add(src: &str, resident: &Resident, call: &Call) -> Message {
    Message::indication("CallAdd", src, API)
        .with("guid", resident.user.guid.clone())
        .with("cn", resident.user.cn.clone())
        .with("call", call.id.0)
        .with("state", call.state())
        .with("conf-id", conference(call))
        .with("call-id", call.id.0)
}

fn call_update(src: &str, resident: &Resident, call: &Call, step: Step) -> Message {
    let user = &resident.user;
    Message::indication("CallUpdate", src, API)
        .with("call", call.id.0)
        .with("msg", step.msg(call.direction))
        .with_some("state", (step == Step::Parked).then(|| call.state()))
        .with("local", json!({"h323": user.h323, "e164": user.e164}))
        .with("remote", json!({"h323": call.peer.h323, "e164": call.peer.e164}))
}

fn call_info(handle: u64, user: &OneUser, call: &Call, step: Step) -> Message {
    let ended = step == Step::Ended;
    Message::indication("CallInfo", &user.src, API)
        .with("user", handle)
        .with("call", call.id.0)
        .with("conf", conference(call))
        .with("state", if ended { 0 } else { call.state() })
        .with("peer", peer(call))
        .with("no", json!([]))
        .with("msg", step.msg(call.direction))
        .with_some("del", ended.then_some(true))
}

fn conference(call: &Call) -> String {
    format!("{:032x}", call.id.0)
}

impl Call {
    /// Returns the step that led to the present state.
    fn last_step(&self) -> Step {
        match self.phase {
            Phase::Setup => Step::Started,
            Phase::Alert => Step::Alerted,
            Phase::Connected if self.held => Step::Held,
            Phase::Connected => Step::Connected,
            Phase::Parked => Step::Parked,
        }
    }

    /// Describes the pseudo call that an App puts on a user.
    pub(super) fn alien(id: super::super::calls::CallId) -> Self {
        let (direction, phase) = (Direction::Outgoing, Phase::Connected);
        Self {
            id,
            direction,
            phase,
            held: false,
            peer: Peer::default(),
            alien: true,
        }
    }
}
