//! What the API tells.

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use m365_actors::supervision::NodeSnapshot;
use m365_presence::timeline::Item;

use super::Management;
use super::paging::Paging;
use super::refusals::{NotFound, NotUnderstood, Unauthorized, Unavailable};
use super::search::Search;
use crate::diagnosis::Finding;
use crate::diagnosis::running::{Known, diagnose};
use crate::http::access::Reader;
use crate::http::problem::Problem;
use crate::support_bundle::{SupportBundle, bundle};
use crate::view::listing::Listing;
use crate::view::metrics::Exposition;
use crate::view::overview::Overview;
use crate::view::sessions::{self, SessionInFull};
use crate::view::status::Status;
use crate::view::subscriptions::{self, SubscriptionInFull};
use crate::view::users::{UserItem, parse_cursor};

/// The lights and the counts.
#[utoipa::path(
    get,
    path = "/api/v1/status",
    tag = "status",
    responses((status = 200, description = "How it stands", body = Status), Unauthorized)
)]
pub(super) async fn status(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    HttpResponse::Ok().json(management.status().await)
}

/// What Prometheus scrapes.
///
/// Prometheus' plain text, or OpenMetrics for whoever accepts that.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "status",
    responses(
        (status = 200, description = "The metrics", content(
            (String = "text/plain"),
            (String = "application/openmetrics-text"),
        )),
        Unauthorized,
    )
)]
pub(super) async fn metrics(
    _reader: Reader,
    management: web::Data<Management>,
    request: HttpRequest,
) -> HttpResponse {
    let accept = request.headers().get(ACCEPT);
    let format = Exposition::asked_for(accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default());
    HttpResponse::Ok()
        .content_type(format.content_type())
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(management.scrape().await.expose(format))
}

/// Everything that can be checked from here, with cause and remedy.
///
/// The same as `m365-connector doctor`, asked of the running instance. It takes as long as the public address needs to
/// answer.
#[utoipa::path(
    get,
    path = "/api/v1/diagnosis",
    tag = "status",
    params(Paging),
    responses((status = 200, description = "The checks", body = Listing<Finding>), NotUnderstood, Unauthorized)
)]
pub(super) async fn diagnosis(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    paging.page(diagnose(&management, &Known::of(&management).await).await)
}

/// Status, diagnosis, settings and log without secrets and names.
///
/// For whoever is asked for help, hence as a file. It takes as long as the diagnosis.
#[utoipa::path(
    get,
    path = "/api/v1/support-bundle",
    tag = "log",
    responses(
        (status = 200, description = "The bundle", body = SupportBundle, headers(
            ("Content-Disposition" = String, description = "A file name with the time"),
        )),
        Unauthorized,
    )
)]
pub(super) async fn support_bundle(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    let bundle = bundle(&management).await;
    let name = format!(
        "attachment; filename=\"m365-connector-{}.json\"",
        Utc::now().format("%Y%m%dT%H%M%SZ")
    );
    HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, name))
        .json(bundle)
}

/// What every actor says of itself.
///
/// An actor that is being restarted is null. The members grow and change with the program; what a program should rely
/// on is told by the other routes.
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    tag = "actors",
    responses((status = 200, description = "One look at all actors", body = Overview), Unauthorized)
)]
pub(super) async fn overview(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    HttpResponse::Ok().json(management.posts.look().await)
}

/// Every user of either side, and why somebody is not synchronised.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "users",
    params(Paging, Search),
    responses(
        (status = 200, description = "A page of the users", body = Listing<UserItem>),
        NotUnderstood,
        Unauthorized,
        Unavailable,
    )
)]
pub(super) async fn users(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
    search: web::Query<Search>,
) -> Result<HttpResponse, Problem> {
    let (limit, after) = (paging.limit()?, paging.after(parse_cursor)?);
    let page = management
        .posts
        .users(after.as_ref(), limit, &search.sought()?, &management.terms.get())
        .await;
    page.map(|page| HttpResponse::Ok().json(page))
        .ok_or_else(|| Problem::unavailable("user-sync"))
}

/// One user of the PBX.
#[utoipa::path(
    get,
    path = "/api/v1/users/{h323}",
    tag = "users",
    params(("h323" = String, Path, description = "The user's name at the PBX, in any case", example = "anna")),
    responses(
        (status = 200, description = "The user", body = UserItem),
        Unauthorized,
        NotFound,
        Unavailable,
    )
)]
pub(super) async fn user(
    _reader: Reader,
    management: web::Data<Management>,
    h323: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let found = management.posts.user(&h323, &management.terms.get()).await;
    let found = found.ok_or_else(|| Problem::unavailable("user-sync"))?;
    found
        .map(|user| HttpResponse::Ok().json(user))
        .ok_or_else(|| unknown_user(&h323))
}

pub(super) fn unknown_user(h323: &str) -> Problem {
    Problem::not_found(format!(
        "no user of the PBX is called '{h323}'; the name is the one of the user object, see /api/v1/users"
    ))
}

/// What happened to a user, newest first.
///
/// Each transition tells what was seen, what was decided and why, what was written, and how long each hop took.
#[utoipa::path(
    get,
    path = "/api/v1/users/{h323}/timeline",
    tag = "users",
    params(Paging, ("h323" = String, Path, description = "The user's name at the PBX, in any case", example = "anna")),
    responses(
        (status = 200, description = "A page of the transitions", body = Listing<Item>),
        NotUnderstood,
        Unauthorized,
        NotFound,
        Unavailable,
    )
)]
pub(super) async fn timeline(
    _reader: Reader,
    management: web::Data<Management>,
    h323: web::Path<String>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (limit, before) = (paging.limit()?, paging.after(|text| text.parse().ok())?);
    let page = management.posts.timeline(&h323, before, limit).await;
    let page = page.ok_or_else(|| Problem::unavailable("presence-sync"))?;
    page.map(|page| HttpResponse::Ok().json(page))
        .ok_or_else(|| unknown_user(&h323))
}

/// The supervision tree.
#[utoipa::path(
    get,
    path = "/api/v1/actors",
    tag = "actors",
    params(Paging),
    responses((status = 200, description = "The actors", body = Listing<NodeSnapshot>), NotUnderstood, Unauthorized)
)]
pub(super) async fn actors(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    paging.page(management.tree.snapshot())
}

/// The Graph subscriptions.
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions",
    tag = "connections",
    params(Paging),
    responses(
        (status = 200, description = "The subscriptions", body = Listing<SubscriptionInFull>),
        NotUnderstood,
        Unauthorized,
        Unavailable,
    )
)]
pub(super) async fn subscriptions(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let items = subscriptions::in_full(&management.posts.look().await);
    paging.page(items.ok_or_else(|| Problem::unavailable("presence-subscription"))?)
}

/// The PBX connections.
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "connections",
    params(Paging),
    responses((status = 200, description = "The PBXs", body = Listing<SessionInFull>), NotUnderstood, Unauthorized)
)]
pub(super) async fn sessions(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let overview = management.posts.look().await;
    paging.page(sessions::in_full(
        &overview,
        management.posts.sessions.master_name(),
    ))
}
