//! PbxApi: presence subscriptions and setting presence (reference 3).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::{
    super::{
        directory::{Directory, Resident},
        entries::Entry,
        message::{Message, Request},
        options::{PbxOptions, Setting},
        outbox::Outbox,
    },
    Change, Ground, numbered_error,
};

const API: &str = "PbxApi";

/// The presence subscriptions of one connection: a source each, for the name of a user.
///
/// A subscription outlives the user: it reports `up:false` and comes back when a user of that name does.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    names: BTreeMap<String, String>,
    sources: HashMap<String, BTreeSet<String>>,
    unallowed: Unallowed,
}

/// Who wants to know which subscriptions nothing allows, and of which that was told (reference 6).
#[derive(Debug, Default)]
struct Unallowed {
    src: Option<String>,
    told: BTreeSet<String>,
}

impl Subscriptions {
    pub(super) fn serve(
        &mut self,
        request: &Request,
        channel: Option<&str>,
        ground: &mut Ground<'_>,
        outbox: &mut Outbox,
    ) {
        match request.mt.as_str() {
            "SubscribePresence" => self.subscribe(request, ground, outbox),
            "UnsubscribePresence" => self.unsubscribe(request, outbox),
            "SetPresence" => set(request, named(request, ground.directory), ground, outbox),
            "SetOwnPresence" => set(request, channel.map(str::to_owned), ground, outbox),
            _ => {}
        }
    }

    fn subscribe(&mut self, request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
        let directory = &ground.directory;
        let guid = directory
            .by_name(request.text("sip"))
            .or_else(|| directory.by_number(request.text("num")));
        let Some(resident) = guid.and_then(|guid| directory.get(&guid)) else {
            outbox.send(numbered_error(request.result(), "unknown user"));
            return;
        };
        let (src, name) = (request.key(), resident.user.h323.to_lowercase());
        self.forget(&src);
        self.sources.entry(name.clone()).or_default().insert(src.clone());
        self.names.insert(src.clone(), name);
        outbox.send(request.result());
        introduce(&src, resident, ground.options, outbox);
        self.tell_unallowed(directory, ground.options, outbox);
    }

    /// Lists the users whose presence is subscribed here and who let nobody see it, now and whenever that changes.
    pub(super) fn monitor_unallowed(&mut self, request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
        outbox.send(request.result());
        self.unallowed = Unallowed {
            src: Some(request.key()),
            told: BTreeSet::new(),
        };
        self.tell_unallowed(ground.directory, ground.options, outbox);
    }

    fn tell_unallowed(&mut self, directory: &Directory, options: &PbxOptions, outbox: &mut Outbox) {
        let Some(src) = self.unallowed.src.clone() else {
            return;
        };
        let pending: BTreeSet<String> = self
            .names
            .values()
            .filter(|name| {
                let resident = directory.by_name(name).and_then(|guid| directory.get(&guid));
                resident.is_some_and(|resident| resident.user.visibility.is_none())
            })
            .cloned()
            .collect();
        let mut tell = |mt: &str, user: &String| {
            let subscriber = json!([{"name": options.app_object}]);
            outbox.send(
                Message::indication(mt, &src, "PbxAdminApi")
                    .with("user", user.clone())
                    .with("srcs", subscriber),
            );
        };
        pending
            .difference(&self.unallowed.told)
            .for_each(|user| tell("MonitorUnallowedAdd", user));
        self.unallowed
            .told
            .difference(&pending)
            .for_each(|user| tell("MonitorUnallowedDel", user));
        self.unallowed.told = pending;
    }

    fn unsubscribe(&mut self, request: &Request, outbox: &mut Outbox) {
        self.forget(&request.key());
        outbox.send(request.result());
    }

    fn forget(&mut self, src: &str) {
        if let Some(name) = self.names.remove(src)
            && let Some(sources) = self.sources.get_mut(&name)
        {
            sources.remove(src);
        }
    }

    pub(super) fn tell(
        &mut self,
        change: &Change,
        directory: &Directory,
        options: &PbxOptions,
        outbox: &mut Outbox,
    ) {
        self.tell_followers(change, directory, options, outbox);
        if matches!(
            change,
            Change::Updated { .. } | Change::Added { .. } | Change::Removed { .. }
        ) {
            self.tell_unallowed(directory, options, outbox);
        }
    }

    fn tell_followers(
        &self,
        change: &Change,
        directory: &Directory,
        options: &PbxOptions,
        outbox: &mut Outbox,
    ) {
        if let Change::Removed { user } = change {
            self.lose(&user.h323, outbox);
            return;
        }
        let (Change::Added { guid }
        | Change::Updated { guid, .. }
        | Change::Presence { guid }
        | Change::Monitor { guid }
        | Change::Call { guid, .. }) = change
        else {
            return;
        };
        let Some(resident) = directory.get(guid) else {
            return;
        };
        if let Change::Updated { before, .. } = change {
            if before.h323 == resident.user.h323 && before.visibility == resident.user.visibility {
                return;
            }
            if before.h323 != resident.user.h323 {
                self.lose(&before.h323, outbox);
            }
        }
        for src in self.of(&resident.user.h323) {
            match change {
                Change::Presence { .. } => update(src, resident, options, outbox),
                Change::Call { .. } | Change::Removed { .. } => {}
                Change::Added { .. } | Change::Updated { .. } | Change::Monitor { .. } => {
                    introduce(src, resident, options, outbox);
                }
            }
        }
    }

    fn lose(&self, h323: &str, outbox: &mut Outbox) {
        for src in self.of(h323) {
            outbox.send(
                Message::indication("PresenceState", src, API)
                    .with("up", false)
                    .with("sip", h323),
            );
        }
    }

    fn of(&self, h323: &str) -> impl Iterator<Item = &String> {
        self.sources.get(&h323.to_lowercase()).into_iter().flatten()
    }
}

/// Says who is monitored, and what is known, unless the monitor is lost or nothing may be seen.
fn introduce(src: &str, resident: &Resident, options: &PbxOptions, outbox: &mut Outbox) {
    let user = &resident.user;
    if user.visibility.is_none() {
        return;
    }
    let state = Message::indication("PresenceState", src, API)
        .with("up", resident.monitored)
        .with("sip", user.h323.clone())
        .with_some("num", (!user.e164.is_empty()).then(|| user.e164.clone()))
        .with("dn", user.dn.clone())
        .with_some("email", user.mail(&options.domain));
    outbox.send(state);
    update(src, resident, options, outbox);
}

fn update(src: &str, resident: &Resident, options: &PbxOptions, outbox: &mut Outbox) {
    if !resident.monitored || resident.user.visibility.is_none() {
        return;
    }
    let presence: Vec<Value> = shown(resident, options).iter().map(Entry::to_json).collect();
    outbox.send(Message::indication("PresenceUpdate", src, API).with("presence", presence));
}

/// Returns what a PBX shows of a user to its App object.
pub(crate) fn shown(resident: &Resident, options: &PbxOptions) -> Vec<Entry> {
    let phone = options.on_the_phone.as_ref().filter(|_| resident.is_occupied());
    resident.entries.shown(resident.user.visibility, phone)
}

fn named(request: &Request, directory: &Directory) -> Option<String> {
    let guid = request.text("guid");
    if directory.get(guid).is_some() {
        Some(guid.to_owned())
    } else {
        directory.by_name(request.text("sip"))
    }
}

fn set(request: &Request, guid: Option<String>, ground: &mut Ground<'_>, outbox: &mut Outbox) {
    if let Some((error, text)) = &ground.faults.presence_error {
        outbox.send(
            request
                .result()
                .with("error", *error)
                .with("errorText", text.clone()),
        );
        return;
    }
    let Some(resident) = guid.as_deref().and_then(|guid| ground.directory.get_mut(guid)) else {
        outbox.send(numbered_error(request.result(), "unknown user"));
        return;
    };
    let contact = match request.text("contact") {
        "" => "tel:",
        contact => contact,
    };
    let activity = request.text("activity");
    if activity == "on-the-phone" {
        match ground.options.on_the_phone_setting {
            Setting::Stored => {}
            Setting::Ignored => {
                outbox.send(request.result());
                return;
            }
            Setting::Rejected => {
                outbox.send(numbered_error(request.result(), "activity cannot be set"));
                return;
            }
        }
    }
    let open = contact != "tel:" || resident.user.registered;
    let entry = Entry {
        open,
        ..Entry::new(contact, activity, request.text("note"))
    };
    resident.entries.set(entry, ground.options.clearing);
    let guid = resident.user.guid.clone();
    outbox.send(request.result());
    ground.changes.push(Change::Presence { guid });
}
