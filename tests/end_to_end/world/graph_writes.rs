//! What the connector wrote: presences through Graph, entries at the PBX.

use m365_simulator::microsoft::{Entry, Family};
use m365_simulator::pbx::Way;
use serde_json::Value;

use super::World;

impl World {
    /// The number of the next entry of the cloud's journal.
    pub fn cloud_mark(&self) -> u64 {
        self.cloud().journal().mark()
    }

    /// The accepted presence writes for a user since a mark, such as `setPresence Busy/InACall PT10M`.
    pub fn teams_writes(&self, h323: &str, mark: u64) -> Vec<String> {
        let user = self.teams_id(h323);
        let accepted = |entry: &Entry| {
            entry.is_request(Family::PresenceWrite) && entry.succeeded() && entry.users.contains(&user)
        };
        let entries = self.cloud().journal().select_since(mark, accepted);
        entries.iter().map(spelt).collect()
    }

    /// The requests of one family since a mark, as method and path with the status.
    pub fn requests(&self, family: Family, mark: u64) -> Vec<(String, Option<u16>)> {
        let entries = self
            .cloud()
            .journal()
            .select_since(mark, |entry| entry.is_request(family));
        entries
            .into_iter()
            .map(|entry| (entry.what, entry.status))
            .collect()
    }

    /// The number of the next frame of the journal of the master PBX.
    pub fn pbx_mark(&self) -> u64 {
        self.master().journal().mark()
    }

    /// What was written into our entry of a user at the master PBX since a mark.
    pub fn entry_writes(&self, h323: &str, mark: u64) -> Vec<String> {
        let user = self.master().user(h323).unwrap();
        let frames = self.master().journal().select_since(mark, |frame| {
            let whose = [frame.text("sip"), frame.text("guid")];
            frame.way == Way::Received
                && frame.mt() == "SetPresence"
                && (whose.contains(&h323) || whose.contains(&user.guid.as_str()))
        });
        frames
            .iter()
            .map(|frame| frame.text("activity").to_owned())
            .collect()
    }
}

/// A write as one line: the action, and of the body the pair and the lifetime.
fn spelt(entry: &Entry) -> String {
    let action = entry.what.rsplit('/').next().unwrap_or_default();
    let text = |member: &str| entry.detail[member].as_str().unwrap_or_default();
    match &entry.detail["availability"] {
        Value::String(availability) => {
            let (activity, life) = (text("activity"), text("expirationDuration"));
            format!("{action} {availability}/{activity} {life}")
        }
        _ => action.to_owned(),
    }
}
