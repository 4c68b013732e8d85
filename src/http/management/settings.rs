//! The settings over the API: read with their origin, changed at run time, and the audit of all changes.

use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use m365_presence::ports::NumberedRecord;
use serde_json::Value;

use super::Management;
use super::paging::Paging;
use super::refusals::{
    Forbidden, Invalid, NotApplied, NotChangeable, NotStored, NotUnderstood, Stale, Unauthorized,
};
use crate::http::access::{Administrator, Reader};
use crate::http::problem::Problem;
use crate::reconfiguration::{Changed, Item, NoPatch, Patch, Refused};
use crate::view::listing::Listing;

/// The settings in force, with their origin.
#[utoipa::path(
    get,
    path = "/api/v1/settings",
    tag = "settings",
    params(Paging),
    responses(
        (status = 200, description = "The settings", body = Listing<Item>, headers(
            ("ETag" = String, description = "Identifies the settings in force, for `If-Match`"),
        )),
        NotUnderstood,
        Unauthorized,
    )
)]
pub(super) async fn settings(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let picture = management.settings.picture();
    let mut response = paging.page(&picture.items)?;
    if let Ok(etag) = picture.etag.parse() {
        response.headers_mut().insert(ETAG, etag);
    }
    Ok(response)
}

/// Changes settings, and restarts whom that concerns.
///
/// The body is a JSON merge patch: sections are objects, null takes a stored value back, and a whole path may stand as
/// a name too. The change is judged as a whole, with every rule that a start applies; it is stored with its record in
/// the audit before it is in force.
#[utoipa::path(
    patch,
    path = "/api/v1/settings",
    tag = "settings",
    operation_id = "change_settings",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the settings that the change was decided upon")),
    request_body(content = HashMap<String, Value>, content_type = "application/json", examples(
        ("sections" = (summary = "Sections as objects", value = json!({"matching": {"microsoft": "mail", "strip_domain": true}}))),
        ("path" = (summary = "A whole path as a name", value = json!({"log.level": "debug"}))),
        ("back" = (summary = "Takes a stored value back", value = json!({"log.level": null}))),
    )),
    responses(
        (status = 200, description = "Changed", body = Changed, headers(
            ("ETag" = String, description = "Identifies the settings in force now"),
        )),
        NotUnderstood,
        Unauthorized,
        Forbidden,
        NotChangeable,
        Stale,
        Invalid,
        NotApplied,
        NotStored,
    ),
    security(("bearer" = []), ("session" = [], "csrf" = []))
)]
pub(super) async fn change(
    administrator: Administrator,
    management: web::Data<Management>,
    request: HttpRequest,
    body: web::Json<Value>,
) -> Result<HttpResponse, Problem> {
    let patch = Patch::read(&body).map_err(|no_patch: NoPatch| Problem::bad_request(no_patch.to_string()))?;
    let etag = request.headers().get(IF_MATCH);
    let etag = etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned);
    let changed = management
        .settings
        .change(patch, etag, administrator.who)
        .await
        .map_err(refused)?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, changed.etag.clone()))
        .json(changed))
}

/// Who has changed or ordered what, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "settings",
    params(Paging),
    responses(
        (status = 200, description = "A page of the audit", body = Listing<NumberedRecord>),
        NotUnderstood,
        Unauthorized,
        NotStored,
    )
)]
pub(super) async fn audit(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let limit = paging.limit()?;
    let before = paging.after(|text| text.parse().ok())?;
    let found = management
        .settings
        .audit(before, limit.saturating_add(1))
        .await
        .map_err(refused)?;
    let page = Listing::cut(found, limit, |record| record.id.to_string());
    Ok(HttpResponse::Ok().json(page))
}

fn refused(refusal: Refused) -> Problem {
    let detail = refusal.to_string();
    let decisive = match &refusal {
        Refused::Several(all) => all.first().unwrap_or(&refusal),
        single => single,
    };
    match decisive {
        Refused::Stale => Problem::stale(detail),
        Refused::SetByEnvironment { .. } => Problem::set_by_environment(detail),
        Refused::NotStorable { .. } => Problem::not_storable(detail),
        Refused::Masked { .. } | Refused::Invalid(_) | Refused::Several(_) => {
            Problem::invalid_settings(detail)
        }
        Refused::NotStored(_) => Problem::not_stored(detail),
        Refused::NotApplied(_) => Problem::not_applied(detail),
        Refused::Ending => Problem::ending(detail),
    }
}
