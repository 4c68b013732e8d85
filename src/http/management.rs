//! The management listener: probes, API and page, for administrators only.
//!
//! | route | what |
//! |---|---|
//! | `GET /livez` | 200 while the actors' thread turns |
//! | `GET /readyz`, `GET /healthz` | 200 when this instance does its whole job, else 503 with what is missing |
//! | `GET /activez` | 200 when this is the active instance, else 503 |
//! | `GET /metrics` | what Prometheus scrapes |
//! | `GET /` | the page |
//! | `GET /api/v1/status` | lights and counts |
//! | `GET /api/v1/users`, `GET /api/v1/users/{h323}` | everybody of either side |
//! | `GET /api/v1/users/{h323}/timeline`, `POST /api/v1/users/{h323}/resync` | what happened to a user; look anew |
//! | `GET /api/v1/actors`, `POST /api/v1/actors/{name}/restart` | the supervision tree |
//! | `GET /api/v1/subscriptions`, `POST /api/v1/subscriptions/renew` | the Graph subscriptions |
//! | `GET /api/v1/sessions` | the PBX connections |
//! | `GET`, `PATCH /api/v1/settings` | the settings in force with their origin; changes at run time |
//! | `GET /api/v1/audit` | who has changed or ordered what |
//! | `GET /api/v1/matching/preview` | what another matching rule would gain and lose |
//! | `GET /api/v1/diagnosis` | every check with cause and remedy |
//! | `GET /api/v1/support-bundle` | all of that and the log, without secrets and names |
//! | `GET /api/v1/events` | server-sent events |
//! | `GET /api/v1/log` | the last records of the log |
//! | `GET`, `PUT /api/v1/log/levels` | how talkative which part is |
//! | `POST`, `GET`, `DELETE /api/v1/session` | the page's sign-in |
//! | `GET /api/v1/overview` | what every actor says of itself |
//! | `POST /api/v1/faults/{name}/panic` | in the demo only: makes an actor panic |
//! | `GET /api/openapi.json`, `GET /api/docs` | all of this described, for programs and for people |
//!
//! What is read by GET is read by HEAD too; every other method is answered 405.

mod answers;
mod description;
mod events;
mod log;
mod matching;
mod orders;
mod paging;
mod parameters;
mod probes;
mod refusals;
mod routes;
mod search;
mod served;
mod session;
mod settings;
pub mod standby;

use std::sync::Arc;

pub use description::document;
pub use routes::routes;

use chrono::{DateTime, TimeDelta, Utc};
use m365_actors::supervision::TreeHandle;
use m365_graph::{GraphClock, Reach};
use m365_presence::clock::Clock;

use super::access::Keys;
use super::sessions::Sessions as PageSessions;
use crate::diagnosis::running::Subject;
use crate::heartbeat::Heartbeat;
use crate::live::Live;
use crate::log::Log;
use crate::memory;
use crate::myapps::Visitors;
use crate::pbx_connection::doorkeeper::Doorkeeper;
use crate::reconfiguration::Counter;
use crate::view::licenses::Licenses;
use crate::view::lights::{LightBook, Lights, Surroundings};
use crate::view::metrics::Scrape;
use crate::view::newsroom::NewsDesk;
use crate::view::overview::{Overview, Posts};
use crate::view::sessions;
use crate::view::status::{Counts, Reading, Status};
use crate::view::subscriptions;
use crate::view::users::Terms;
use crate::view::warnings::{Outside, WarningBook};

/// What the routes need.
#[derive(Clone)]
pub struct Management {
    /// The actors.
    pub posts: Posts,
    /// The supervision tree.
    pub tree: TreeHandle,
    /// Remembers since when the lights show what they show.
    pub lights: LightBook,
    /// Remembers which warnings are logged already.
    pub warnings: WarningBook,
    /// Remembers refused PBX logins.
    pub doorkeeper: Doorkeeper,
    /// Who has the app open in the PBX's client.
    pub visitors: Visitors,
    /// Graph's time.
    pub clock: GraphClock,
    /// Which hosts of Microsoft's are out of reach.
    pub reach: Reach,
    /// When the process was started.
    pub started_at: DateTime<Utc>,
    /// How the settings bear on users.
    pub terms: Live<Terms>,
    /// The tokens that open the API.
    pub keys: Live<Keys>,
    /// The sessions of the page.
    pub page_sessions: PageSessions,
    /// Whether the actors' thread turns.
    pub heart: Heartbeat,
    /// The log of this process.
    pub log: Arc<Log>,
    /// Where settings are read and changed.
    pub settings: Counter,
    /// Where news are heard.
    pub news: NewsDesk,
    /// What the diagnosis is about.
    pub subject: Live<Subject>,
    /// Whether actors may be made to panic: in the demo only.
    pub faults: bool,
}

impl Management {
    /// Looks at everything once.
    pub async fn status(&self) -> Status {
        self.status_of(&self.posts.look().await)
    }

    /// What a look comes to.
    pub fn status_of(&self, overview: &Overview) -> Status {
        let outside = Outside::look(&self.reach, &self.clock);
        Status {
            version: crate::release::VERSION,
            started_at: self.started_at,
            lights: self.lights_of(overview),
            reading: Reading::of(overview),
            warnings: self.warnings.read(overview, &outside, self.clock.now()),
            database: overview.database.clone(),
            users: Counts::of(overview),
            licenses: Licenses::of(&self.terms.get().license, overview),
            sessions: sessions::in_short(overview, self.posts.sessions.master_name()),
            subscriptions: subscriptions::in_short(overview),
            refused_logins: self.doorkeeper.refusals(),
            client_sessions: self.visitors.count(),
            clock_offset_seconds: outside.clock_offset.map_or(0.0, TimeDelta::as_seconds_f64),
        }
    }

    /// Looks at everything once, for whoever scrapes.
    pub async fn scrape(&self) -> Scrape {
        // before the look: its own questions would be counted as waiting messages
        let tree = self.tree.snapshot();
        let overview = self.posts.look().await;
        Scrape {
            lights: self.lights_of(&overview),
            tree,
            started_at: self.started_at,
            clock_offset: self.clock.machine_offset().map(TimeDelta::as_seconds_f64),
            refused_logins: self.doorkeeper.refusals().into_iter().collect(),
            client_sessions: self.visitors.count(),
            resident_memory: memory::resident(),
            overview,
        }
    }

    fn lights_of(&self, overview: &Overview) -> Lights {
        let surroundings = Surroundings {
            master: self.posts.sessions.master_name().clone(),
            started_at: self.started_at,
            refused: self.doorkeeper.last_refusal(),
        };
        self.lights.read(overview, &surroundings, Utc::now())
    }
}
