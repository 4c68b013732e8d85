//! The management listener: probes, API and page, for administrators only.
//!
//! | route | what |
//! |---|---|
//! | `GET /livez` | 200 while the actors' thread turns |
//! | `GET /readyz`, `GET /healthz` | 200 when this instance does its whole job, else 503 with what is missing |
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
//!
//! What is read by GET is read by HEAD too; every other method is answered 405.

mod answers;
mod events;
mod log;
mod matching;
mod orders;
mod paging;
mod probes;
mod search;
mod session;
mod settings;
pub mod standby;

use std::sync::Arc;

use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::ServiceConfig;
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, web};
use chrono::{DateTime, TimeDelta, Utc};
use m365_actors::supervision::TreeHandle;
use m365_graph::{GraphClock, Reach};
use m365_presence::clock::Clock;

use super::access::Keys;
use super::page;
use super::problem::Problem;
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
use crate::view::status::{Counts, Reading, Status, subscription};
use crate::view::users::Terms;
use crate::view::warnings::{Outside, WarningBook};

/// Largest body of a request, in bytes.
const LARGEST_BODY: usize = 256 * 1024;

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
        let subscriptions = overview
            .presence_subscription
            .iter()
            .flat_map(|status| &status.subscriptions);
        Status {
            version: env!("CARGO_PKG_VERSION"),
            started_at: self.started_at,
            lights: self.lights_of(overview),
            reading: Reading::of(overview),
            warnings: self.warnings.read(overview, &outside, self.clock.now()),
            database: overview.database.clone(),
            users: Counts::of(overview),
            licenses: Licenses::of(&self.terms.get().license, overview),
            sessions: sessions::in_short(overview, self.posts.sessions.master_name()),
            subscriptions: subscriptions
                .filter(|subscription| subscription.id.is_some())
                .map(subscription)
                .collect(),
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

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig) {
    let api = web::scope("/api/v1")
        .wrap(private())
        .service(readable("/status", answers::status))
        .service(readable("/overview", answers::overview))
        .service(readable("/users", answers::users))
        .service(readable("/users/{h323}", answers::user))
        .service(readable("/users/{h323}/timeline", answers::timeline))
        .service(orderable("/users/{h323}/resync", orders::resync))
        .service(readable("/matching/preview", matching::preview))
        .service(readable("/actors", answers::actors))
        .service(readable("/subscriptions", answers::subscriptions))
        .service(readable("/sessions", answers::sessions))
        .service(readable("/diagnosis", answers::diagnosis))
        .service(readable("/support-bundle", answers::support_bundle))
        .service(readable("/events", events::events))
        .service(readable("/log", log::recent))
        .service(settings())
        .service(readable("/audit", settings::audit))
        .service(log_levels())
        .service(sign_in())
        .service(orderable("/actors/{name}/restart", orders::restart))
        .service(orderable("/subscriptions/renew", orders::renew))
        .service(orderable("/faults/{name}/panic", orders::inject_panic))
        .default_service(web::to(no_route));
    config
        .app_data(web::QueryConfig::default().error_handler(wrong_query))
        .app_data(web::PathConfig::default().error_handler(wrong_path))
        .app_data(json_bodies())
        .service(readable("/livez", probes::livez))
        .service(readable("/readyz", probes::readyz))
        .service(readable("/healthz", probes::readyz))
        .service(readable("/metrics", answers::metrics))
        .service(readable("/", page::show))
        .service(readable("/page/{name}", page::asset))
        .service(api)
        .default_service(web::to(no_route));
}

/// Headers of answers that nobody else may keep.
fn private() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .add(("X-Content-Type-Options", "nosniff"))
}

/// How bodies of requests are read.
fn json_bodies() -> web::JsonConfig {
    web::JsonConfig::default()
        .limit(LARGEST_BODY)
        .error_handler(wrong_body)
}

fn log_levels() -> Resource {
    web::resource("/log/levels")
        .route(
            web::route()
                .guard(guard::Any(guard::Get()).or(guard::Head()))
                .to(log::levels),
        )
        .route(web::put().to(log::set_levels))
        .default_service(web::to(|request: HttpRequest| async move {
            wrong_method(&request, "GET, HEAD, PUT")
        }))
}

fn settings() -> Resource {
    web::resource("/settings")
        .route(
            web::route()
                .guard(guard::Any(guard::Get()).or(guard::Head()))
                .to(settings::settings),
        )
        .route(web::patch().to(settings::change))
        .default_service(web::to(|request: HttpRequest| async move {
            wrong_method(&request, "GET, HEAD, PATCH")
        }))
}

fn sign_in() -> Resource {
    web::resource("/session")
        .route(
            web::route()
                .guard(guard::Any(guard::Get()).or(guard::Head()))
                .to(session::tell),
        )
        .route(web::post().to(session::open))
        .route(web::delete().to(session::end))
        .default_service(web::to(|request: HttpRequest| async move {
            wrong_method(&request, "GET, HEAD, POST, DELETE")
        }))
}

fn readable<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    only(
        path,
        guard::Any(guard::Get()).or(guard::Head()),
        "GET, HEAD",
        handler,
    )
}

fn orderable<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    only(path, guard::Method(Method::POST), "POST", handler)
}

fn only<F, Args>(path: &str, methods: impl Guard + 'static, allowed: &'static str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::route().guard(methods).to(handler))
        .default_service(web::to(move |request: HttpRequest| async move {
            wrong_method(&request, allowed)
        }))
}

fn wrong_method(request: &HttpRequest, allowed: &'static str) -> HttpResponse {
    let detail = format!("{} does not take {}", request.path(), request.method());
    Problem::wrong_method(detail, allowed).respond()
}

async fn no_route(request: HttpRequest) -> HttpResponse {
    Problem::not_found(format!("there is no route {}", request.path())).respond()
}

fn wrong_query(error: QueryPayloadError, _request: &HttpRequest) -> actix_web::Error {
    Problem::bad_request(error.to_string()).into()
}

fn wrong_body(error: JsonPayloadError, _request: &HttpRequest) -> actix_web::Error {
    let detail = match &error {
        JsonPayloadError::ContentType => {
            "send the body as JSON, with the header 'Content-Type: application/json'".to_owned()
        }
        error => error.to_string(),
    };
    Problem::bad_request(detail).into()
}

fn wrong_path(error: PathError, _request: &HttpRequest) -> actix_web::Error {
    Problem::bad_request(error.to_string()).into()
}
