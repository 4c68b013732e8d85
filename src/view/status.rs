//! The body of `GET /api/v1/status`, and what readiness lacks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use m365_actors::presence_subscription::SubscriptionStatus;
use m365_presence::light::SubscriptionCode;
use m365_store::Condition;
use serde::Serialize;
use utoipa::ToSchema;

use super::licenses::Licenses;
use super::lights::{Light, Lights};
use super::overview::Overview;
use super::sessions::Session;
use super::subscriptions::Subscription;
use super::warnings::Warning;

/// Troubles of a shard that are bridged by polling its users.
const BRIDGED: &[SubscriptionCode] = &[
    SubscriptionCode::WaitingForExpiry,
    SubscriptionCode::NotificationUrlUnreachable,
    SubscriptionCode::NotificationUrlRejected,
    SubscriptionCode::NoTeamsLicense,
    SubscriptionCode::TooManyUsers,
    SubscriptionCode::Forbidden,
    SubscriptionCode::Deaf,
    SubscriptionCode::NotSignedIn,
    SubscriptionCode::Unreachable,
];

/// The users in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Eligible Teams users.
    pub teams: usize,
    /// PBX users.
    pub pbx: usize,
    /// Unambiguous pairs.
    pub matched: usize,
    /// Matched pairs with a license.
    pub licensed: usize,
    /// Licensed pairs whose two sides are known.
    pub synchronised: usize,
}

impl Counts {
    /// Reads the numbers off the overview; an actor that is being restarted counts nobody.
    pub fn of(overview: &Overview) -> Self {
        let users = overview.user_sync.as_ref();
        let counts = users.map(|users| users.counts).unwrap_or_default();
        Self {
            teams: counts.teams,
            pbx: counts.pbx,
            matched: counts.matched,
            licensed: overview
                .license_check
                .as_ref()
                .map_or(0, |license| license.licensed),
            synchronised: overview
                .presence_sync
                .as_ref()
                .map_or(0, |sync| sync.synchronised),
        }
    }
}

/// The body of `GET /api/v1/status`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Status {
    /// Version of the program.
    pub version: &'static str,
    /// When the process was started.
    pub started_at: DateTime<Utc>,
    /// The three lights.
    pub lights: Lights,
    /// The users in numbers.
    pub users: Counts,
    /// The licenses in numbers.
    pub licenses: Licenses,
    /// The PBX connections.
    pub sessions: Vec<Session>,
    /// The Graph subscriptions that live.
    pub subscriptions: Vec<Subscription>,
    /// How presence is read in bulk.
    pub reading: Reading,
    /// Whether the database takes what it is given.
    pub database: Condition,
    /// What is no trouble yet, but will be.
    pub warnings: Vec<Warning>,
    /// PBX connections that were turned away since the start, by reason.
    pub refused_logins: BTreeMap<&'static str, u64>,
    /// People who have the app open in the PBX's client; they are no PBX connections.
    pub client_sessions: usize,
    /// Graph's clock minus this machine's, in seconds; 0 while unknown.
    pub clock_offset_seconds: f64,
}

/// How presence is read in bulk, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Reading {
    /// Users whom a living subscription watches: they are compared once a sweep.
    pub covered: usize,
    /// Other users, who are on a call or have changed just now: they are read every few seconds.
    pub hot: usize,
    /// All others, who are polled.
    pub idle: usize,
    /// Licensed users who find no place in a subscription.
    pub overflow: usize,
    /// Changes of covered users that no notification told and a read found.
    pub missed: u64,
    /// When everybody had been read once more.
    pub last_full_sweep: Option<DateTime<Utc>>,
    /// How long that took.
    pub full_sweep_seconds: Option<f64>,
}

impl Reading {
    /// Reads the numbers off the overview; an actor that is being restarted counts nothing.
    pub fn of(overview: &Overview) -> Self {
        let reads = overview.presence_sweep.clone().unwrap_or_default();
        let subscribed = overview.presence_subscription.as_ref();
        let missed = |subscriptions: &[SubscriptionStatus]| subscriptions.iter().map(|one| one.missed).sum();
        Self {
            covered: reads.watched.saturating_sub(reads.uncovered),
            hot: reads.hot,
            idle: reads.idle,
            overflow: subscribed.map_or(0, |status| status.overflow),
            missed: subscribed.map_or(0, |status| missed(&status.subscriptions)),
            last_full_sweep: reads.swept_at,
            full_sweep_seconds: reads.sweep_seconds,
        }
    }
}

/// What keeps this instance from doing its whole job, in the lights' codes. A shard without a subscription whose users
/// are polled meanwhile is no lack, but users who are neither watched nor polled are one.
pub fn missing(lights: &Lights, overview: &Overview) -> Vec<&'static str> {
    let reads = overview.presence_sweep.as_ref();
    let everybody_served = overview
        .presence_subscription
        .as_ref()
        .is_some_and(|status| status.unserved == 0);
    let read_in_bulk =
        everybody_served && reads.is_some_and(|sweep| sweep.whole && sweep.last_failure.is_none());
    let covered = |code: &str| read_in_bulk && BRIDGED.iter().any(|bridged| bridged.as_str() == code);
    let lacking = |(name, light): &&(&str, &Light)| {
        light.state != "green" && !(*name == "presence_subscription" && covered(light.code))
    };
    let lights = lights.each();
    lights
        .iter()
        .filter(lacking)
        .map(|(_, light)| light.code)
        .collect()
}
