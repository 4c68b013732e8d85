//! License checks (pbx.md 5): pipelined, at most 50 unanswered; and the PBX's own counts of its licenses.

use std::collections::HashMap;

use m365_presence::identity::PbxGuid;
use m365_presence::licensing::ListedLicense;
use m365_presence::pbx::PbxApi;
use m365_presence::ports::PbxEvent;
use serde_json::Value;

use super::Numbers;
use super::window::Window;
use crate::message::{Message, Object};
use crate::outbox::Outbox;
use crate::outgoing::{LicensedUser, Request};

/// The limit that the reference sets.
const IN_FLIGHT: usize = 50;

/// What precedes guid and number in a check's `src`.
const CHECK: &str = "license:";

/// What precedes the number in the `src` of a question for the list.
const LIST: &str = "licenses:";

pub(super) struct Licenses {
    numbers: Numbers,
    window: Window<Check>,
    /// The number of each user's newest check: the answer to an earlier one says nothing about now.
    newest: HashMap<PbxGuid, u64>,
    /// The `src` of the newest question for the list.
    list: String,
}

struct Check {
    h323: String,
    license: String,
}

impl Licenses {
    pub(super) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            window: Window::new(IN_FLIGHT),
            newest: HashMap::new(),
            list: String::new(),
        }
    }

    pub(super) fn check(&mut self, user: PbxGuid, h323: String, license: String, outbox: &mut Outbox) {
        self.window.ask(user, Check { h323, license });
        self.send(outbox);
    }

    /// Forgets every check, sent or not.
    pub(super) fn drop_checks(&mut self) {
        self.window = Window::new(IN_FLIGHT);
        self.newest.clear();
    }

    /// Asks for the list of all licenses.
    pub(super) fn list(&mut self, outbox: &mut Outbox) {
        self.list = format!("{LIST}{}", self.numbers.next());
        outbox.push(&Request::GetPbxLicenses {
            api: PbxApi::PbxAdminApi,
            src: &self.list,
        });
    }

    /// Takes in the answer to a check. Held is only what the PBX affirms; an error without that is told apart.
    pub(super) fn checked(&mut self, message: &Message, outbox: &mut Outbox) -> Option<Vec<PbxEvent>> {
        let src = message.src()?;
        let (user, number) = src.strip_prefix(CHECK)?.rsplit_once(':')?;
        let (user, number) = (PbxGuid::new(user), number.parse::<u64>().ok()?);
        let newest = *self.newest.get(&user)?;
        if number != newest {
            return (number < newest).then(Vec::new);
        }
        self.newest.remove(&user);
        if !self.window.settle(&user) {
            return None;
        }
        self.send(outbox);
        let held = message.object().flag("ok");
        Some(vec![match message.object().refusal() {
            Some(message) if !held => PbxEvent::LicenseFailed { user, message },
            Some(_) | None => PbxEvent::License { user, held },
        }])
    }

    /// Takes in the list; all numbers in it are texts, and in test mode there is none.
    pub(super) fn listed(&mut self, message: &Message) -> Option<Vec<PbxEvent>> {
        if self.list.is_empty() || !message.belongs_to(&self.list) || message.object().refusal().is_some() {
            return None;
        }
        self.list.clear();
        let lines = message.object().member("lic").and_then(Value::as_array);
        let lines = lines.into_iter().flatten().filter_map(Object::of);
        Some(vec![PbxEvent::LicensesListed(lines.filter_map(line).collect())])
    }

    fn send(&mut self, outbox: &mut Outbox) {
        while let Some((user, check)) = self.window.next() {
            let number = self.numbers.next();
            self.newest.insert(user.clone(), number);
            outbox.push(&Request::CheckAppLic {
                api: PbxApi::PbxAdminApi,
                src: &format!("{CHECK}{user}:{number}"),
                user: match check.h323.as_str() {
                    "" => LicensedUser::Guid(&user),
                    h323 => LicensedUser::H323(h323),
                },
                lic: &check.license,
            });
        }
    }
}

fn line(line: Object<'_>) -> Option<ListedLicense> {
    Some(ListedLicense {
        name: line.name("name")?,
        count: line.number("count").unwrap_or_default(),
        used: line.number("used").unwrap_or_default(),
    })
}
