//! The licenses in numbers: who holds one, how many the master PBX has, and how many users may be subscribed.

use chrono::{DateTime, Utc};
use m365_presence::ports::SubscriptionKind;
use m365_presence::sharding::CAPACITY;
use serde::Serialize;
use utoipa::ToSchema;

use super::overview::Overview;

/// The licenses in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Licenses {
    /// The license's name.
    pub license: String,
    /// Matched users who hold it.
    pub held: usize,
    /// Installed at the master PBX, by its own count; null in test mode and while it has not told.
    pub installed: Option<u64>,
    /// Assigned to users there, matched or not.
    pub assigned: Option<u64>,
    /// Service licenses at the App object of the master PBX, where it tells.
    pub service: Option<u64>,
    /// Whether the master PBX is in license test mode: everybody counts as licensed.
    pub test_mode: bool,
    /// Users whom the communication users can carry.
    pub places: usize,
    /// When everybody was last asked for and answered.
    pub checked_at: Option<DateTime<Utc>>,
    /// What the PBX said last in place of an answer.
    pub fault: Option<String>,
}

impl Licenses {
    /// Reads the numbers off the overview.
    pub fn of(license: &str, overview: &Overview) -> Self {
        let check = overview.license_check.as_ref();
        let master = overview
            .sessions
            .iter()
            .find(|session| session.role == "master" && session.state == "up");
        let stock = master.and_then(|master| master.licenses);
        let shards = overview
            .presence_subscription
            .iter()
            .flat_map(|status| &status.subscriptions)
            .filter(|shard| shard.kind != SubscriptionKind::Users);
        Self {
            license: license.to_owned(),
            held: check.map_or(0, |check| check.licensed),
            installed: stock.map(|stock| stock.installed),
            assigned: stock.map(|stock| stock.used),
            service: master.and_then(|master| master.service_licenses),
            test_mode: master.is_some_and(|master| master.test_mode),
            places: shards.count().saturating_mul(CAPACITY),
            checked_at: check.and_then(|check| check.checked_at),
            fault: check.and_then(|check| check.fault.clone()),
        }
    }
}
