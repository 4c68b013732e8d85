//! What the API tells.

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::Management;
use super::paging::Paging;
use super::search::Search;
use crate::diagnosis::running::diagnose;
use crate::http::access::Reader;
use crate::http::problem::Problem;
use crate::support_bundle::bundle;
use crate::view::metrics::Exposition;
use crate::view::sessions;
use crate::view::status::subscriptions_in_full;
use crate::view::users::parse_cursor;

pub(super) async fn status(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    HttpResponse::Ok().json(management.status().await)
}

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

pub(super) async fn diagnosis(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    paging.page(&diagnose(&management).await)
}

/// For whoever is asked for help, hence as a file.
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

pub(super) async fn overview(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    HttpResponse::Ok().json(management.posts.look().await)
}

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

pub(super) async fn actors(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    paging.page(&management.tree.snapshot())
}

pub(super) async fn subscriptions(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let items = subscriptions_in_full(&management.posts.look().await);
    paging.page(&items.ok_or_else(|| Problem::unavailable("presence-subscription"))?)
}

pub(super) async fn sessions(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let overview = management.posts.look().await;
    paging.page(&sessions::in_full(
        &overview,
        management.posts.sessions.master_name(),
    ))
}
