//! License checks (pbx.md 5): pipelined, at most 50 unanswered.

use m365_presence::identity::PbxGuid;
use m365_presence::pbx::PbxApi;
use m365_presence::ports::PbxEvent;

use super::window::Window;
use crate::message::Message;
use crate::outbox::Outbox;
use crate::outgoing::{LicensedUser, Request};

/// The limit that the reference sets.
const IN_FLIGHT: usize = 50;

/// What precedes the user's guid in a check's `src`.
const SRC: &str = "license:";

pub(super) struct Licenses {
    window: Window<Check>,
}

struct Check {
    h323: String,
    license: String,
}

impl Default for Licenses {
    fn default() -> Self {
        Self {
            window: Window::new(IN_FLIGHT),
        }
    }
}

impl Licenses {
    pub(super) fn check(&mut self, user: PbxGuid, h323: String, license: String, outbox: &mut Outbox) {
        self.window.ask(user, Check { h323, license });
        self.send(outbox);
    }

    /// Takes in an answer. Held is only what the PBX affirms: a user whom it does not know has no license either.
    pub(super) fn receive(&mut self, message: &Message, outbox: &mut Outbox) -> Option<Vec<PbxEvent>> {
        let user = PbxGuid::new(message.src()?.strip_prefix(SRC)?);
        if !self.window.settle(&user) {
            return None;
        }
        self.send(outbox);
        Some(vec![PbxEvent::License {
            user,
            held: message.object().flag("ok"),
        }])
    }

    fn send(&mut self, outbox: &mut Outbox) {
        while let Some((user, check)) = self.window.next() {
            outbox.push(&Request::CheckAppLic {
                api: PbxApi::PbxAdminApi,
                src: &format!("{SRC}{user}"),
                user: match check.h323.as_str() {
                    "" => LicensedUser::Guid(&user),
                    h323 => LicensedUser::H323(h323),
                },
                lic: &check.license,
            });
        }
    }
}
