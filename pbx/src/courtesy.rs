//! Answers that are owed to everybody at any time: `KeepAlive`, `CheckBuild` and `AppInfo`.

use crate::message::Message;
use crate::outbox::Outbox;
use crate::outgoing::{Answer, AppInfo, Empty, ServiceInfo};
use crate::user_session::administrators_app;

/// What a peer may ask about this app and its build.
#[derive(Clone)]
pub(crate) struct Courtesy {
    app: String,
    build: String,
}

impl Courtesy {
    pub(crate) fn new(app: &str, build: &str) -> Self {
        Self {
            app: app.to_owned(),
            build: build.to_owned(),
        }
    }

    /// Answers what is legal before a login as well (pbx.md 1.7); tells whether the message was of that kind.
    pub(crate) fn answer_stranger(&self, message: &Message, outbox: &mut Outbox) -> bool {
        let src = message.src();
        match message.kind() {
            "KeepAlive" => outbox.push(&Answer::KeepAliveResult { src }),
            "KeepAliveResult" => {}
            "CheckBuild" => {
                let url = message
                    .object()
                    .text("url")
                    .and_then(|url| with_build(&url, &self.build));
                outbox.push(&Answer::CheckBuildResult { src, url });
            }
            _ => return false,
        }
        true
    }

    /// Answers a peer that is logged in; tells whether the message was of that kind.
    pub(crate) fn answer(&self, message: &Message, outbox: &mut Outbox) -> bool {
        if message.kind() != "AppInfo" {
            return self.answer_stranger(message, outbox);
        }
        let app = message.object().name("app").unwrap_or_else(|| self.app.clone());
        outbox.push(&Answer::AppInfoResult {
            src: message.src(),
            // The app and its administrators' twin have a page and an icon to show; an API object beside them has none.
            info: AppInfo {
                hidden: app != self.app && app != administrators_app(&self.app),
                apis: Empty {},
            },
            app: &app,
            service_info: ServiceInfo::default(),
        });
        true
    }
}

/// Returns the URL with the build as its last path component before the file, or nothing when it is there already
/// or the URL has no path. A component counts as a build when it has hexadecimal digits only (pbx.md 1.7).
fn with_build(url: &str, build: &str) -> Option<String> {
    let path_end = url.find(['?', '#']).unwrap_or(url.len());
    let (address, rest) = url.split_at_checked(path_end)?;
    let authority = address
        .find("://")
        .map_or(0, |scheme_end| scheme_end + "://".len());
    let path_start = authority + address.get(authority..)?.find('/')?;
    let (host, path) = address.split_at_checked(path_start)?;
    let (folder, file) = path.rsplit_once('/')?;
    let (parent, last) = folder.rsplit_once('/').unwrap_or(("", folder));
    let is_build = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_build {
        true if last.eq_ignore_ascii_case(build) => None,
        true => Some(format!("{host}{parent}/{build}/{file}{rest}")),
        false => Some(format!("{host}{folder}/{build}/{file}{rest}")),
    }
}
