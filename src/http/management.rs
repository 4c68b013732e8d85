//! The management listener: probes, API and page, for administrators only.
//!
//! | route | what |
//! |---|---|
//! | `GET /livez` | 200 while the process lives |
//! | `GET /readyz`, `GET /healthz` | 200 when this instance does its whole job, else 503 with what is missing |
//! | `GET /` | the page |
//! | `GET /api/v1/status` | lights and counts |
//! | `GET /api/v1/users`, `GET /api/v1/users/{h323}` | everybody of either side |
//! | `GET /api/v1/actors`, `POST /api/v1/actors/{name}/restart` | the supervision tree |
//! | `GET /api/v1/subscriptions`, `POST /api/v1/subscriptions/renew` | the Graph subscriptions |
//! | `GET /api/v1/sessions` | the PBX connections |
//! | `GET /api/v1/overview` | what every actor says of itself |
//! | `POST /api/v1/faults/{name}/panic` | in the demo only: makes an actor panic |

use actix_web::error::{PathError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use m365_actors::presence_subscription::{RenewAll, SubscriptionStatus};
use m365_actors::supervision::TreeHandle;
use m365_graph::GraphClock;
use m365_presence::clock::Clock;
use m365_presence::light::SubscriptionCode;
use m365_presence::ports::SubscriptionKind;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::{Administrator, Reader};
use super::doorkeeper::Doorkeeper;
use super::page;
use super::problem::Problem;
use crate::view::lights::{Light, LightBook, Lights, Surroundings};
use crate::view::overview::{Overview, Posts};
use crate::view::users::{Terms, parse_cursor};

/// Items of a page unless asked otherwise, and at most.
const DEFAULT_LIMIT: usize = 100;
const LARGEST_LIMIT: usize = 1_000;

/// What the routes need.
#[derive(Clone)]
pub struct Management {
    /// The actors.
    pub posts: Posts,
    /// The supervision tree.
    pub tree: TreeHandle,
    /// Remembers since when the lights show what they show.
    pub lights: LightBook,
    /// Remembers refused PBX logins.
    pub doorkeeper: Doorkeeper,
    /// Graph's time.
    pub clock: GraphClock,
    /// When the process was started.
    pub started_at: DateTime<Utc>,
    /// How the settings bear on users.
    pub terms: Terms,
    /// Whether actors may be made to panic: in the demo only.
    pub faults: bool,
}

/// The users in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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

/// The body of `GET /api/v1/status`.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Version of the program.
    pub version: &'static str,
    /// When the process was started.
    pub started_at: DateTime<Utc>,
    /// The three lights.
    pub lights: Lights,
    /// The users in numbers.
    pub users: Counts,
    /// The PBX connections.
    pub sessions: Vec<serde_json::Value>,
    /// The Graph subscriptions that live.
    pub subscriptions: Vec<serde_json::Value>,
    /// Graph's clock minus this machine's, in seconds; 0 while unknown.
    pub clock_offset_seconds: f64,
}

impl Management {
    /// Looks at everything once.
    pub async fn status(&self) -> Status {
        self.status_of(&self.posts.look().await)
    }

    fn status_of(&self, overview: &Overview) -> Status {
        let surroundings = Surroundings {
            master: self.posts.sessions.master_name().clone(),
            started_at: self.started_at,
            refused: self.doorkeeper.last_refusal(),
            swept: self.terms.swept,
        };
        let counts = overview
            .user_sync
            .as_ref()
            .map(|users| users.counts)
            .unwrap_or_default();
        let sessions = overview.sessions.iter();
        let subscriptions = overview
            .presence_subscription
            .iter()
            .flat_map(|status| &status.subscriptions);
        Status {
            version: env!("CARGO_PKG_VERSION"),
            started_at: self.started_at,
            lights: self.lights.read(overview, &surroundings, Utc::now()),
            users: Counts {
                teams: counts.teams,
                pbx: counts.pbx,
                matched: counts.matched,
                licensed: overview.license_check.as_ref().map_or(0, |license| license.licensed),
                synchronised: overview.presence_sync.as_ref().map_or(0, |sync| sync.synchronised),
            },
            sessions: sessions
                .map(|session| json!({"pbx": session.pbx, "role": session.role, "state": session.state, "since": session.since}))
                .collect(),
            subscriptions: subscriptions.filter(|subscription| subscription.id.is_some()).map(brief).collect(),
            clock_offset_seconds: seconds(self.clock.offset()),
        }
    }

    /// What keeps this instance from doing its whole job, in the lights' codes. A shard without a subscription whose
    /// users are read in bulk meanwhile is no lack.
    async fn missing(&self) -> Vec<&'static str> {
        let overview = self.posts.look().await;
        let lights = self.status_of(&overview).lights;
        let read_in_bulk = overview
            .presence_sweep
            .is_some_and(|sweep| sweep.whole && sweep.last_failure.is_none());
        let covered = |code: &str| {
            let bridged = if self.terms.swept {
                BRIDGED_BY_SWEEPS
            } else {
                BRIDGED_WITHOUT_SWEEPS
            };
            read_in_bulk && bridged.iter().any(|bridged| bridged.as_str() == code)
        };
        let lacking = |(name, light): &&(&str, &Light)| {
            light.state != "green" && !(*name == "presence_subscription" && covered(light.code))
        };
        lights
            .each()
            .iter()
            .filter(lacking)
            .map(|(_, light)| light.code)
            .collect()
    }
}

/// Troubles of a subscription that the periodic sweep bridges.
const BRIDGED_BY_SWEEPS: &[SubscriptionCode] = &[
    SubscriptionCode::WaitingForExpiry,
    SubscriptionCode::NotificationUrlUnreachable,
    SubscriptionCode::NotificationUrlRejected,
    SubscriptionCode::NoTeamsLicense,
    SubscriptionCode::TooManyUsers,
    SubscriptionCode::Forbidden,
    SubscriptionCode::Deaf,
    SubscriptionCode::NotSignedIn,
];

/// The trouble that is bridged even without a periodic sweep.
const BRIDGED_WITHOUT_SWEEPS: &[SubscriptionCode] = &[SubscriptionCode::WaitingForExpiry];

fn seconds(offset: Option<TimeDelta>) -> f64 {
    offset.map_or(0.0, |offset| offset.as_seconds_f64())
}

fn brief(subscription: &SubscriptionStatus) -> serde_json::Value {
    let (kind, account) = match &subscription.kind {
        SubscriptionKind::Users => ("users", None),
        SubscriptionKind::Presence(account) => ("presence", Some(account)),
    };
    json!({
        "kind": kind,
        "account": account,
        "id": subscription.id,
        "users": subscription.users,
        "expires_at": subscription.expires_at,
    })
}

#[derive(Deserialize)]
struct Paging {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Registers the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    let private = DefaultHeaders::new()
        .add((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .add(("X-Content-Type-Options", "nosniff"));
    config
        .app_data(web::QueryConfig::default().error_handler(wrong_query))
        .app_data(web::PathConfig::default().error_handler(wrong_path))
        .route("/livez", web::get().to(livez))
        .route("/readyz", web::get().to(readyz))
        .route("/healthz", web::get().to(readyz))
        .route("/", web::get().to(page::show))
        .route("/page.js", web::get().to(page::script))
        .route("/page.css", web::get().to(page::style))
        .service(
            web::scope("/api/v1")
                .wrap(private)
                .service(
                    web::resource("/status")
                        .route(web::get().to(status))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/overview")
                        .route(web::get().to(overview))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/users")
                        .route(web::get().to(users))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/users/{h323}")
                        .route(web::get().to(user))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/actors")
                        .route(web::get().to(actors))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/actors/{name}/restart")
                        .route(web::post().to(restart))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/faults/{name}/panic")
                        .route(web::post().to(inject_panic))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/subscriptions")
                        .route(web::get().to(subscriptions))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/subscriptions/renew")
                        .route(web::post().to(renew))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/sessions")
                        .route(web::get().to(sessions))
                        .default_service(web::to(wrong_method)),
                )
                .default_service(web::to(no_route)),
        )
        .default_service(web::to(no_route));
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

async fn readyz(management: web::Data<Management>) -> HttpResponse {
    let missing = management.missing().await;
    let body = json!({"ready": missing.is_empty(), "missing": missing});
    if missing.is_empty() {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

async fn status(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    HttpResponse::Ok().json(management.status().await)
}

async fn overview(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    HttpResponse::Ok().json(management.posts.look().await)
}

async fn users(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let limit = match paging.limit {
        Some(0) => return Err(Problem::bad_request("limit must be 1 to 1000; 0 was given")),
        Some(limit) => limit.min(LARGEST_LIMIT),
        None => DEFAULT_LIMIT,
    };
    let unknown_cursor =
        || Problem::bad_request("cursor is not one that this list gave; leave it out to begin anew");
    let after = paging
        .cursor
        .as_deref()
        .map(|text| parse_cursor(text).ok_or_else(unknown_cursor))
        .transpose()?;
    let page = management
        .posts
        .users(after.as_ref(), limit, &management.terms)
        .await;
    page.map(|page| HttpResponse::Ok().json(page))
        .ok_or_else(|| Problem::unavailable("user-sync"))
}

async fn user(
    _reader: Reader,
    management: web::Data<Management>,
    h323: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let found = management.posts.user(&h323, &management.terms).await;
    let found = found.ok_or_else(|| Problem::unavailable("user-sync"))?;
    found.map(|user| HttpResponse::Ok().json(user)).ok_or_else(|| {
        Problem::not_found(format!(
            "no user of the PBX is called '{h323}'; the name is the one of the user object, see /api/v1/users"
        ))
    })
}

async fn actors(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    list(management.tree.snapshot())
}

async fn restart(
    _administrator: Administrator,
    management: web::Data<Management>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    management.tree.restart(&name).map_err(|_| unknown_actor(&name))?;
    log::info!(actor = name.as_str(); "an administrator restarts {name}");
    Ok(HttpResponse::Accepted().json(json!({"actor": *name, "ordered": "restart"})))
}

async fn inject_panic(
    _administrator: Administrator,
    management: web::Data<Management>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    if !management.faults {
        return Err(Problem::not_found("faults can be injected in the demo only"));
    }
    management
        .tree
        .inject_panic(&name)
        .map_err(|_| unknown_actor(&name))?;
    Ok(HttpResponse::Accepted().json(json!({"actor": *name, "ordered": "panic"})))
}

fn unknown_actor(name: &str) -> Problem {
    Problem::not_found(format!(
        "no actor is called '{name}'; see /api/v1/actors for the names"
    ))
}

async fn subscriptions(_reader: Reader, management: web::Data<Management>) -> Result<HttpResponse, Problem> {
    let overview = management.posts.look().await;
    let status = overview
        .presence_subscription
        .ok_or_else(|| Problem::unavailable("presence-subscription"))?;
    let items = status.subscriptions.iter().map(|subscription| {
        let mut item = brief(subscription);
        if let Some(item) = item.as_object_mut() {
            item.insert("phase".into(), json!(subscription.phase));
            item.insert("code".into(), json!(subscription.code.as_str()));
            item.insert("since".into(), json!(subscription.since));
            item.insert("detail".into(), json!(subscription.detail));
            item.insert("created".into(), json!(subscription.created));
            item.insert("renewed".into(), json!(subscription.renewed));
            item.insert("capacity".into(), json!(m365_presence::sharding::CAPACITY));
        }
        item
    });
    Ok(list(items.collect::<Vec<_>>()))
}

async fn renew(
    _administrator: Administrator,
    management: web::Data<Management>,
) -> Result<HttpResponse, Problem> {
    let ordered = management.posts.presence_subscription.tell(RenewAll);
    ordered.map_err(|_| Problem::unavailable("presence-subscription"))?;
    Ok(HttpResponse::Accepted().json(json!({"ordered": "renew"})))
}

async fn sessions(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    list(management.posts.look().await.sessions)
}

/// The shape of every list that is never long.
fn list(items: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(json!({"items": items, "next_cursor": null}))
}

async fn no_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found(format!(
        "there is no route {}",
        request.path()
    )))
}

async fn wrong_method(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let detail = format!("{} does not take {}", request.path(), request.method());
    Err(Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "Method not allowed",
        detail,
    ))
}

fn wrong_query(error: QueryPayloadError, _request: &HttpRequest) -> actix_web::Error {
    Problem::bad_request(format!(
        "{error}; limit is a number from 1 to 1000 and cursor the next_cursor of a list"
    ))
    .into()
}

fn wrong_path(error: PathError, _request: &HttpRequest) -> actix_web::Error {
    Problem::bad_request(error.to_string()).into()
}
