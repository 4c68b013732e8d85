//! What a person would alert on, in Prometheus' conventions: base units, counters that only grow, ends as timestamps.
//!
//! Everything is read off one look at the actors when somebody scrapes; nothing is counted twice, and an actor that is
//! being restarted is missing for one scrape. Counts of an actor begin anew with its run, which Prometheus takes for
//! what it is: a counter's reset.

mod exposition;
mod house;
mod microsoft;

use chrono::{DateTime, Utc};
use m365_actors::supervision::NodeSnapshot;

use super::lights::Lights;
use super::overview::Overview;
use super::status::Counts;
use crate::memory;
use crate::release::{COMMIT, VERSION};
pub use exposition::Exposition;
use exposition::Sheet;

/// Everything that one scrape tells.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// What every actor says of itself.
    pub overview: Overview,
    /// The lights.
    pub lights: Lights,
    /// The supervision tree.
    pub tree: Vec<NodeSnapshot>,
    /// When the process was started.
    pub started_at: DateTime<Utc>,
    /// Graph's clock minus this machine's, in seconds, once it is known.
    pub clock_offset: Option<f64>,
    /// PBX logins that were turned away, by reason.
    pub refused_logins: Vec<(&'static str, u64)>,
    /// People who have the app open in the PBX's client.
    pub client_sessions: usize,
    /// Resident memory in bytes, where the system tells.
    pub resident_memory: Option<u64>,
}

impl Scrape {
    /// What is scraped while no actor runs.
    pub fn of_nobody(lights: Lights, overview: Overview, started_at: DateTime<Utc>) -> Self {
        Self {
            overview,
            lights,
            tree: Vec::new(),
            started_at,
            clock_offset: None,
            refused_logins: Vec::new(),
            client_sessions: 0,
            resident_memory: memory::resident(),
        }
    }

    /// Writes it down.
    pub fn expose(self, format: Exposition) -> String {
        exposition::write(self, format)
    }

    fn fill(&self, sheet: &mut Sheet<'_>) -> std::fmt::Result {
        self.process(sheet)?;
        self.lights(sheet)?;
        self.users(sheet)?;
        self.sign_ins(sheet)?;
        self.subscriptions(sheet)?;
        self.notifications(sheet)?;
        self.reads(sheet)?;
        self.board(sheet)?;
        self.pbxs(sheet)?;
        self.database(sheet)?;
        self.actors(sheet)
    }

    fn process(&self, sheet: &mut Sheet<'_>) -> std::fmt::Result {
        sheet.gauges(
            "build_info",
            "Version of the program, and the commit that it was built from; always 1.",
            [([("version", VERSION), ("commit", COMMIT)], 1.0)],
        )?;
        sheet.gauge(
            "start_time_seconds",
            "When the process was started, as a Unix time.",
            timestamp(self.started_at),
        )?;
        if let Some(bytes) = self.resident_memory {
            sheet.gauge(
                "resident_memory_bytes",
                "Memory that the process holds.",
                float(bytes),
            )?;
        }
        if let Some(offset) = self.clock_offset {
            sheet.gauge(
                "clock_offset_seconds",
                "Clock of Microsoft Graph minus this machine's.",
                offset,
            )?;
        }
        Ok(())
    }

    fn lights(&self, sheet: &mut Sheet<'_>) -> std::fmt::Result {
        let each = self.lights.each();
        sheet.gauges(
            "light",
            "1 for the code that each light shows; green codes are ok and polling.",
            each.map(|(name, light)| ([("light", name), ("code", light.code)], 1.0)),
        )?;
        sheet.gauges(
            "light_green",
            "Whether a light is green.",
            each.map(|(name, light)| ([("light", name)], truth(light.state == "green"))),
        )?;
        sheet.gauges(
            "light_since_seconds",
            "Since when a light shows its code, as a Unix time.",
            each.map(|(name, light)| ([("light", name)], timestamp(light.since))),
        )
    }

    fn users(&self, sheet: &mut Sheet<'_>) -> std::fmt::Result {
        let counts = Counts::of(&self.overview);
        sheet.gauges(
            "users",
            "Users by how far they come: teams and pbx are those of either side, each further stage is a part of the one before.",
            [
                ("teams", counts.teams),
                ("pbx", counts.pbx),
                ("matched", counts.matched),
                ("licensed", counts.licensed),
                ("synchronised", counts.synchronised),
            ]
            .map(|(stage, users)| ([("stage", stage)], size(users))),
        )?;
        if let Some(fetched_at) = self
            .overview
            .user_sync
            .as_ref()
            .and_then(|users| users.fetched_at)
        {
            sheet.gauge(
                "directory_fetched_timestamp_seconds",
                "When the users of Teams were fetched last.",
                timestamp(fetched_at),
            )?;
        }
        if let Some(license) = &self.overview.license_check {
            sheet.counter(
                "license_rounds",
                "Rounds of license checks at the PBX.",
                license.rounds,
            )?;
        }
        Ok(())
    }
}

fn truth(fact: bool) -> f64 {
    if fact { 1.0 } else { 0.0 }
}

fn timestamp(at: DateTime<Utc>) -> f64 {
    float_signed(at.timestamp_millis()) / 1000.0
}

fn size(count: usize) -> f64 {
    float(u64::try_from(count).unwrap_or(u64::MAX))
}

/// Counts are far below the 2^53 up to which this is exact.
#[expect(
    clippy::as_conversions,
    reason = "there is no lossless conversion, and none is needed"
)]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::as_conversions,
    reason = "there is no lossless conversion, and none is needed"
)]
fn float_signed(count: i64) -> f64 {
    count as f64
}
