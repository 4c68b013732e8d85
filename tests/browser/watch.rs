//! What the page complains of, and whom it asks.

use std::cell::RefCell;

use serde_json::Value;
use thirtyfour::BrowserLogEntry;

use crate::browser::Browser;

/// The console of a page that nobody has signed in to: the question for a session is answered with 401.
const NO_SESSION: &str =
    "/api/v1/session - Failed to load resource: the server responded with a status of 401";

/// What is no complaint.
#[derive(Default)]
pub(crate) struct Watch {
    expected: RefCell<Vec<String>>,
}

impl Browser {
    /// Takes complaints that contain this for expected from now on.
    pub fn expect_complaints_of(&self, text: &str) {
        self.watch.expected.borrow_mut().push(text.to_owned());
    }

    /// What the console has said that is worth a warning, and requests that were not made to this machine.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let said = self.log("browser");
        let said = said
            .into_iter()
            .filter(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING"))
            .map(|entry| entry.message);
        let asked = self.log("performance");
        let asked = asked.iter().filter_map(|entry| requested(&entry.message));
        let strangers = asked.filter(|url| !is_own(url));
        let all = said.chain(strangers.map(|url| format!("asked {url}")));
        let expected = self.watch.expected.borrow();
        all.filter(|complaint| {
            !complaint.contains(NO_SESSION) && !expected.iter().any(|part| complaint.contains(part))
        })
        .collect()
    }

    fn log(&self, kind: &str) -> Vec<BrowserLogEntry> {
        self.run(self.session().get_log(kind)).unwrap_or_default()
    }
}

/// The address of a request that the browser has announced.
fn requested(message: &str) -> Option<String> {
    let told: Value = serde_json::from_str(message).ok()?;
    let event = &told["message"];
    if event["method"] != "Network.requestWillBeSent" {
        return None;
    }
    Some(event["params"]["request"]["url"].as_str()?.to_owned())
}

fn is_own(url: &str) -> bool {
    ["http://127.0.0.1:", "data:", "about:", "chrome://"]
        .iter()
        .any(|start| url.starts_with(start))
}
