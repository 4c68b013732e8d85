//! Waiting for what must come, and telling what did not.

use std::time::{Duration, Instant};

use m365_simulator::microsoft::Pair;
use serde_json::Value;

use super::{OURS, World};

/// Everything that these tests wait for comes within a few seconds; a busy machine may take longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(45);

/// For what takes the connector itself most of a minute, such as giving up a silent connection.
pub const LONG_PATIENCE: Duration = Duration::from_secs(120);

/// How often a condition is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(25);

/// How many lines of the log a failing test prints.
pub(super) const LOG_LINES: usize = 120;

impl World {
    /// Waits until a condition holds; panics by its name when it does not.
    pub fn wait_until(&self, what: &str, condition: impl Fn() -> bool) {
        self.wait_for(PATIENCE, what, condition);
    }

    /// Waits for a given time until a condition holds.
    pub fn wait_for(&self, patience: Duration, what: &str, condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < patience, "waited in vain for {what}");
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until everybody is synchronised and all lights are green.
    pub fn until_synchronised(&self, users: u64) {
        self.wait_until(
            &format!("three green lights and {users} synchronised users"),
            || {
                let status = self.status();
                let lights = status["lights"].as_object().cloned().unwrap_or_default();
                let green = lights.values().all(|light| light["state"] == "green");
                green && status["users"]["synchronised"] == users
            },
        );
    }

    /// Waits until a user's item is as wanted.
    pub fn until_user(&self, h323: &str, what: &str, wanted: impl Fn(&Value) -> bool) {
        self.wait_until(&format!("{h323}: {what}"), || wanted(&self.user(h323)));
    }

    /// Waits until a light shows a code.
    pub fn until_light(&self, light: &str, code: &str) {
        self.wait_until(&format!("the light {light} with {code}"), || {
            self.status()["lights"][light]["code"] == code
        });
    }

    /// Waits until our entry at the PBX carries an activity; an empty one means that there is no entry.
    pub fn until_shown_at_pbx(&self, h323: &str, activity: &str) {
        self.wait_until(&format!("{h323} shown as '{activity}' at the pbx"), || {
            self.shown_at_pbx(h323) == activity
        });
    }

    /// What our entry at the PBX carries; empty when there is none.
    pub fn shown_at_pbx(&self, h323: &str) -> String {
        let entry = self.master().entry(h323, OURS);
        entry.map(|entry| entry.activity).unwrap_or_default()
    }

    /// Waits until everybody in Teams sees a user so.
    pub fn until_seen_in_teams(&self, h323: &str, availability: &str, activity: &str) {
        self.wait_until(
            &format!("{h323} seen as {availability}/{activity} in teams"),
            || self.seen_in_teams(h323) == Pair::new(availability, activity),
        );
    }

    /// What everybody in Teams sees of a user.
    pub fn seen_in_teams(&self, h323: &str) -> Pair {
        self.cloud().presence(self.teams_id(h323)).unwrap()
    }

    /// Waits until exactly these writes were accepted for a user in Teams since a mark.
    pub fn until_teams_writes(&self, h323: &str, mark: u64, expected: &[String]) {
        self.wait_until(&format!("{h323}: the writes {expected:?}"), || {
            self.teams_writes(h323, mark) == expected
        });
    }

    /// Lets time pass in which nothing should happen.
    pub fn stay_quiet(&self, time: Duration) {
        std::thread::sleep(time);
    }

    pub(super) fn show_what_happened(&self) {
        if let Some(status) = self.ask("GET", "/api/v1/status") {
            eprintln!("the last status:\n{:#}", status.json());
        }
        let log = self.log();
        // what the test itself asked for says nothing about what went wrong
        let lines: Vec<_> = log
            .lines()
            .filter(|line| !line.contains("::access_log: "))
            .collect();
        let tail = lines.len().saturating_sub(LOG_LINES);
        eprintln!("the end of the log:\n{}", lines[tail..].join("\n"));
    }
}
