//! The life of a standby: it shows that it stands by, refuses what is for the active instance, and waits.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use chrono::{DateTime, Utc};
use m365_presence::light::{AuthenticationCode, MasterPbxCode, SubscriptionCode};
use m365_store::{Condition, StandingBy};

use crate::config::Settings;
use crate::heartbeat::Heartbeat;
use crate::http::access::Keys;
use crate::http::attempts::Attempts;
use crate::http::management::standby as management;
use crate::http::public;
use crate::http::sessions::Sessions as PageSessions;
use crate::listening::{Servers, Sockets};
use crate::live::Live;
use crate::office::Office;
use crate::systemd::Systemd;
use crate::view::licenses::Licenses;
use crate::view::lights::{Light, Lights};
use crate::view::metrics::Scrape;
use crate::view::overview::Overview;
use crate::view::status::{Counts, Reading, Status};

/// A standby looks this often why it stands by.
const LOOK: Duration = Duration::from_secs(1);

/// What a standby leaves to the active instance that it becomes.
pub struct Estate {
    /// Both listeners' sockets.
    pub sockets: Sockets,
    keys: Keys,
    page_sessions: PageSessions,
}

impl Estate {
    /// Who has signed in at the page, unless other tokens open it by now.
    pub fn page_sessions(&self, keys: &Keys) -> PageSessions {
        if !self.keys.open_the_same_as(keys) {
            self.page_sessions.end_all();
        }
        self.page_sessions.clone()
    }
}

/// Serves as a standby until this instance is elected.
///
/// # Errors
/// A certificate that cannot be used.
pub async fn stand_by(
    office: &mut Office,
    sockets: Sockets,
    settings: &Settings,
    started_at: DateTime<Utc>,
    systemd: &Systemd,
) -> anyhow::Result<Estate> {
    let reason = office.standing_by().unwrap_or(StandingBy::AnotherIsActive);
    let standby = Standby::new(settings, reason, started_at);
    log::info!("standing by: {}", standby.told());
    let estate = Estate {
        sockets,
        keys: Keys::of(settings),
        page_sessions: PageSessions::default(),
    };
    let servers = standby.serve(&estate.sockets, &estate.keys, &estate.page_sessions)?;
    systemd.ready();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = office.elected() => break,
            _ = look.tick() => {}
        }
        standby.heart.beat();
        systemd.beat();
        if let Some(reason) = office.standing_by() {
            standby.note(reason);
        }
    }
    log::info!("this instance is the active one from now on");
    servers.stop().await;
    Ok(estate)
}

/// What a standby knows, and shows.
#[derive(Clone)]
pub struct Standby {
    /// Whether its thread turns.
    pub heart: Heartbeat,
    started_at: DateTime<Utc>,
    license: Arc<str>,
    reason: Live<(StandingBy, DateTime<Utc>)>,
}

impl Standby {
    /// Begins to stand by.
    pub fn new(settings: &Settings, reason: StandingBy, started_at: DateTime<Utc>) -> Self {
        Self {
            heart: Heartbeat::new(),
            started_at,
            license: settings.pbx.license.as_str().into(),
            reason: Live::new((reason, Utc::now())),
        }
    }

    /// Notes why it stands by.
    pub fn note(&self, reason: StandingBy) {
        if self.reason.get().0 != reason {
            log::info!("standing by: {}", told(&reason));
            self.reason.set((reason, Utc::now()));
        }
    }

    /// Serves on the sockets until somebody stops it.
    ///
    /// # Errors
    /// A certificate that cannot be used.
    pub fn serve(
        &self,
        sockets: &Sockets,
        keys: &Keys,
        page_sessions: &PageSessions,
    ) -> anyhow::Result<Servers> {
        let keys = web::Data::new(Live::new(keys.clone()));
        let sessions = web::Data::new(page_sessions.clone());
        let attempts = web::Data::new(Attempts::default());
        let standby = web::Data::new(self.clone());
        sockets.serve(public::standby_routes, move |config| {
            config
                .app_data(keys.clone())
                .app_data(sessions.clone())
                .app_data(attempts.clone())
                .app_data(standby.clone())
                .configure(management::routes);
        })
    }

    /// Why it stands by, as one sentence.
    pub fn told(&self) -> String {
        told(&self.reason.get().0)
    }

    /// What keeps it from doing the whole job, in codes.
    pub fn missing(&self) -> &'static str {
        match self.reason.get().0 {
            StandingBy::AnotherIsActive => "standby",
            StandingBy::DatabaseAway(_) => "database_away",
        }
    }

    /// The body of `GET /api/v1/status`.
    pub fn status(&self) -> Status {
        let overview = self.overview();
        Status {
            version: crate::release::VERSION,
            started_at: self.started_at,
            lights: self.lights(),
            users: Counts::of(&overview),
            licenses: Licenses::of(&self.license, &overview),
            sessions: Vec::new(),
            subscriptions: Vec::new(),
            reading: Reading::default(),
            database: overview.database,
            warnings: Vec::new(),
            refused_logins: std::collections::BTreeMap::new(),
            client_sessions: 0,
            clock_offset_seconds: 0.0,
        }
    }

    /// What is scraped.
    pub fn scrape(&self) -> Scrape {
        Scrape::of_nobody(self.lights(), self.overview(), self.started_at)
    }

    fn overview(&self) -> Overview {
        let (reason, since) = &*self.reason.get();
        Overview::of_nobody(match reason {
            StandingBy::AnotherIsActive => Condition::Ok,
            StandingBy::DatabaseAway(detail) => Condition::Away {
                since: *since,
                detail: detail.clone(),
                unsaved: 0,
            },
        })
    }

    fn lights(&self) -> Lights {
        let (reason, since) = &*self.reason.get();
        let light = |standby: (&'static str, &str), starting: (&'static str, &str)| {
            let (code, remedy) = match reason {
                StandingBy::AnotherIsActive => standby,
                StandingBy::DatabaseAway(_) => starting,
            };
            Light {
                state: "red",
                since: *since,
                code,
                detail: format!("{}. {remedy}", told(reason)),
            }
        };
        macro_rules! codes {
            ($codes:ident) => {
                light(
                    ($codes::Standby.as_str(), $codes::Standby.remedy()),
                    (
                        $codes::Starting.as_str(),
                        "Mend that; the connector goes on by itself.",
                    ),
                )
            };
        }
        Lights {
            master_pbx: codes!(MasterPbxCode),
            authentication: codes!(AuthenticationCode),
            presence_subscription: codes!(SubscriptionCode),
        }
    }
}

fn told(reason: &StandingBy) -> String {
    match reason {
        StandingBy::AnotherIsActive => "another instance is active".to_owned(),
        StandingBy::DatabaseAway(reason) => reason.clone(),
    }
}
