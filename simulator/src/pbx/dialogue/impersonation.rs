//! PbxImpersonation: acting as a user, and the alien calls that an App puts on a user this way (reference 3.4).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        calls::{Call, CallId, Step},
        message::Request,
        outbox::Outbox,
    },
    Change, Ground, numbered_error,
};

/// The API channels that one connection has created, by their names such as `PbxApi.0`.
#[derive(Debug, Default)]
pub(super) struct Channels {
    open: BTreeMap<String, Channel>,
    next: u64,
}

#[derive(Debug)]
struct Channel {
    guid: String,
    alien_calls: BTreeSet<CallId>,
}

impl Channels {
    /// Returns the user as whom a channel acts.
    pub(super) fn user(&self, channel: &str) -> Option<String> {
        self.open.get(channel).map(|channel| channel.guid.clone())
    }

    pub(super) fn serve(&mut self, request: &Request, ground: &mut Ground<'_>, outbox: &mut Outbox) {
        match request.mt.as_str() {
            "CreateApi" => self.create(request, ground, outbox),
            "DeleteApi" => {
                let channel = self.open.remove(request.text("target"));
                let found = channel.is_some();
                outbox.send(
                    request
                        .result()
                        .with("target", request.text("target"))
                        .with("ok", found),
                );
                if let Some(channel) = channel {
                    channel.end(ground);
                }
            }
            _ => {}
        }
    }

    fn create(&mut self, request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
        let target = request.text("target");
        let guid = ground.directory.by_name(request.text("sip"));
        let Some(guid) = guid.filter(|_| ["PbxApi", "PbxSignal", "EpSignal"].contains(&target)) else {
            outbox.send(request.result().with("error", "unknown user or target"));
            return;
        };
        let name = format!("{target}.{}", self.next);
        self.next = self.next.saturating_add(1);
        self.open.insert(
            name.clone(),
            Channel {
                guid,
                alien_calls: BTreeSet::new(),
            },
        );
        outbox.send(request.result().with("target", name));
    }

    /// Answers AddAlienCall and DelAlienCall. Calls are local: the user must live on this PBX.
    pub(super) fn serve_call(
        &mut self,
        request: &Request,
        guid: &str,
        ground: &mut Ground<'_>,
        outbox: &mut Outbox,
    ) {
        let Some(channel) = self.open.get_mut(&request.api) else {
            return;
        };
        if request.mt == "AddAlienCall" {
            let home = &ground.options.name;
            let resident = ground
                .directory
                .get_mut(guid)
                .filter(|resident| &resident.user.loc == home);
            let Some(resident) = resident else {
                outbox.send(numbered_error(request.result(), "user lives on another PBX"));
                return;
            };
            let id = CallId(*ground.next_call);
            *ground.next_call = id.0.saturating_add(1);
            let call = Call::alien(id);
            let occupied = resident.is_occupied();
            resident.calls.push(call.clone());
            channel.alien_calls.insert(id);
            outbox.send(request.result().with("id", id.0));
            ground.tell_call(guid, call, Step::Started, !occupied);
        } else if request.mt == "DelAlienCall" {
            let id = request
                .member("id")
                .and_then(serde_json::Value::as_u64)
                .map(CallId);
            let Some(id) = id.filter(|id| channel.alien_calls.remove(id)) else {
                outbox.send(numbered_error(request.result(), "unknown call"));
                return;
            };
            outbox.send(request.result());
            ground.end_call(guid, id);
        }
    }

    /// Ends every alien call: they vanish with the connection.
    pub(super) fn end(&mut self, ground: &mut Ground<'_>) {
        for channel in std::mem::take(&mut self.open).into_values() {
            channel.end(ground);
        }
    }
}

impl Channel {
    fn end(self, ground: &mut Ground<'_>) {
        for id in self.alien_calls {
            ground.end_call(&self.guid, id);
        }
    }
}

impl Ground<'_> {
    fn end_call(&mut self, guid: &str, id: CallId) {
        let Some(resident) = self.directory.get_mut(guid) else {
            return;
        };
        if let Some(place) = resident.calls.iter().position(|call| call.id == id) {
            let call = resident.calls.remove(place);
            let freed = !resident.is_occupied();
            self.tell_call(guid, call, Step::Ended, freed);
        }
    }

    fn tell_call(&mut self, guid: &str, call: Call, step: Step, presence_changed: bool) {
        self.changes.push(Change::Call {
            guid: guid.to_owned(),
            call: Box::new(call),
            step,
        });
        if presence_changed {
            self.changes.push(Change::Presence {
                guid: guid.to_owned(),
            });
        }
    }
}
