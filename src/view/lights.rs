//! The three lights: state, code, cause and remedy, and what readiness lacks.

mod authentication;
mod master_pbx;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use m365_actors::presence_subscription::SubscriptionStatus;
use m365_pbx::Refusal;
use m365_presence::identity::{Account, PbxName};
use m365_presence::light::{AuthenticationCode, MasterPbxCode, SubscriptionCode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::overview::Overview;
use super::shards::Shards;
use master_pbx::master_pbx;

/// One light.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Light {
    /// `green` or `red`.
    #[schema(pattern = "^(green|red)$")]
    pub state: &'static str,
    /// Since when the code stands.
    pub since: DateTime<Utc>,
    /// Code of the closed set.
    #[schema(schema_with = every_code)]
    pub code: &'static str,
    /// Cause and remedy.
    pub detail: String,
}

/// The codes of all three lights.
fn every_code() -> Object {
    let master_pbx = MasterPbxCode::ALL.iter().map(|code| code.as_str());
    let authentication = AuthenticationCode::ALL.iter().map(|code| code.as_str());
    let subscription = SubscriptionCode::ALL.iter().map(|code| code.as_str());
    let codes: BTreeSet<&str> = master_pbx.chain(authentication).chain(subscription).collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(
            "The code of a light; see docs/LIGHTS.md for cause and remedy of each",
        ))
        .enum_values(Some(codes))
        .build()
}

/// The three lights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Lights {
    /// The connection to the master PBX.
    pub master_pbx: Light,
    /// The sign-ins.
    pub authentication: Light,
    /// The presence subscriptions.
    pub presence_subscription: Light,
}

impl Lights {
    /// Whether all three are green.
    pub fn all_green(&self) -> bool {
        self.each().iter().all(|(_, light)| light.state == "green")
    }

    /// The lights by name.
    pub fn each(&self) -> [(&'static str, &Light); 3] {
        [
            ("master_pbx", &self.master_pbx),
            ("authentication", &self.authentication),
            ("presence_subscription", &self.presence_subscription),
        ]
    }
}

/// What a light shows, before it is known since when.
struct Shown {
    green: bool,
    code: &'static str,
    detail: String,
}

/// What a light's code needs to know beside the overview.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Name of the master PBX.
    pub master: PbxName,
    /// When the process was started.
    pub started_at: DateTime<Utc>,
    /// The last refused login of a PBX.
    pub refused: Option<(Refusal, DateTime<Utc>)>,
}

/// A light's code, and since when it stands.
type Shining = (&'static str, DateTime<Utc>);

/// Remembers since when each light shows its code.
#[derive(Clone, Default)]
pub struct LightBook {
    since: Arc<Mutex<HashMap<&'static str, Shining>>>,
}

impl LightBook {
    /// Reads the lights off the overview.
    pub fn read(&self, overview: &Overview, surroundings: &Surroundings, now: DateTime<Utc>) -> Lights {
        Lights {
            master_pbx: self.note("master_pbx", master_pbx(overview, surroundings, now), now),
            authentication: self.note("authentication", authentication::authentication(overview), now),
            presence_subscription: self.note("presence_subscription", subscription(overview), now),
        }
    }

    fn note(&self, name: &'static str, shown: Shown, now: DateTime<Utc>) -> Light {
        let mut book = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let (code, since) = book.entry(name).or_insert((shown.code, now));
        if *code != shown.code {
            (*code, *since) = (shown.code, now);
            log::info!(light = name, code = shown.code; "light {name} is now {}: {}", shown.code, shown.detail);
        }
        let since = *since;
        Light {
            state: if shown.green { "green" } else { "red" },
            since,
            code: shown.code,
            detail: shown.detail,
        }
    }
}

fn sentence(cause: &str, remedy: &str) -> String {
    format!("{}. {remedy}", cause.trim_end_matches('.'))
}

/// Why nobody is licensed, with the PBX's own counts where it tells them.
fn no_licensed_user(overview: &Overview) -> String {
    let stock = overview.sessions.iter().find_map(|session| session.licenses);
    let counts = stock.map(|stock| {
        format!(
            "; the pbx has {} installed and {} assigned to users",
            stock.installed, stock.used
        )
    });
    format!("no matched user holds the license{}", counts.unwrap_or_default())
}

/// Why nobody is known yet.
fn unknown_users(overview: &Overview) -> String {
    let failure = overview
        .user_sync
        .as_ref()
        .and_then(|users| users.last_failure.as_ref());
    let known = overview.user_sync.as_ref().is_some_and(|users| users.pbx_known);
    let fault = overview
        .license_check
        .as_ref()
        .and_then(|check| check.fault.as_ref());
    match failure {
        Some(failure) => format!("the users of teams are not known: {failure}"),
        None if !known => "the master pbx has not told its users yet".to_owned(),
        None => match fault {
            Some(fault) => format!("the pbx answers license checks with an error: {fault}"),
            None => "users and licenses are not known yet".to_owned(),
        },
    }
}

fn subscription(overview: &Overview) -> Shown {
    let show = |code: SubscriptionCode, cause: &str| Shown {
        green: matches!(code, SubscriptionCode::Ok | SubscriptionCode::Polling),
        code: code.as_str(),
        detail: sentence(cause, code.remedy()),
    };
    let Some(status) = &overview.presence_subscription else {
        return show(
            SubscriptionCode::Starting,
            "the subscriptions are being restarted",
        );
    };
    let licensed = overview
        .license_check
        .as_ref()
        .is_some_and(|license| license.told);
    if !status.roster_known || !licensed {
        return show(SubscriptionCode::Starting, &unknown_users(overview));
    }
    if overview
        .license_check
        .as_ref()
        .is_some_and(|license| license.licensed == 0)
    {
        return show(SubscriptionCode::NoLicensedUsers, &no_licensed_user(overview));
    }
    if status.polling {
        let swept = overview
            .presence_sweep
            .as_ref()
            .is_some_and(|sweep| sweep.whole && sweep.last_failure.is_none());
        if !swept {
            let failure = overview
                .presence_sweep
                .as_ref()
                .and_then(|sweep| sweep.last_failure.clone());
            return match failure {
                Some(failure) => show(SubscriptionCode::Unreachable, &failure),
                None => show(
                    SubscriptionCode::Starting,
                    "presence is being read for the first time",
                ),
            };
        }
        return show(SubscriptionCode::Polling, "presence is read in bulk");
    }
    let shards = Shards::of(status);
    // an account without users carries nothing, which is no trouble while others carry everybody
    let used =
        |shard: &SubscriptionStatus| shard.users > 0 || shard.code != SubscriptionCode::NoLicensedUsers;
    let failed = |shard: &&SubscriptionStatus| used(shard) && shard.code != SubscriptionCode::Ok;
    if let Some(failed) = shards.each().into_iter().find(failed) {
        let account = failed.kind.account().map(Account::as_str).unwrap_or_default();
        let number = failed.shard.unwrap_or_default();
        return show(
            failed.code,
            &format!("shard {number} ({account}): {}", failed.detail),
        );
    }
    if status.unserved > 0 {
        return show(
            SubscriptionCode::TooManyUsers,
            &format!(
                "{} licensed users find no place ({})",
                status.unserved,
                shards.filling()
            ),
        );
    }
    let subscribed = format!("{} users are subscribed ({})", shards.taken(), shards.filling());
    if status.overflow == 0 {
        return show(SubscriptionCode::Ok, &subscribed);
    }
    let reads = overview.presence_sweep.as_ref();
    if let Some(failure) = reads.and_then(|sweep| sweep.last_failure.as_ref()) {
        return show(
            SubscriptionCode::Unreachable,
            &format!("users without a place cannot be read: {failure}"),
        );
    }
    let overflow = format!("{subscribed}, {} more are read in bulk", status.overflow);
    show(SubscriptionCode::Ok, &overflow)
}
