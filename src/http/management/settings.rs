//! The settings over the API: read with their origin, changed at run time, and the audit of all changes.

use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::Management;
use super::paging::Paging;
use crate::http::access::{Administrator, Reader};
use crate::http::problem::Problem;
use crate::reconfiguration::{NoPatch, Patch, Refused};

/// The settings in force.
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
pub(super) async fn change(
    administrator: Administrator,
    management: web::Data<Management>,
    request: HttpRequest,
    body: web::Json<Value>,
) -> Result<HttpResponse, Problem> {
    let patch = Patch::read(&body).map_err(refused_body)?;
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
pub(super) async fn audit(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let limit = paging.limit()?;
    let before = paging.after(|text| text.parse().ok())?;
    let mut records = management
        .settings
        .audit(before, limit.saturating_add(1))
        .await
        .map_err(refused)?;
    let more = records.len() > limit;
    records.truncate(limit);
    let next_cursor = records
        .last()
        .filter(|_| more)
        .map(|record| record.id.to_string());
    Ok(HttpResponse::Ok().json(json!({"items": records, "next_cursor": next_cursor})))
}

fn refused_body(refusal: NoPatch) -> Problem {
    match refusal {
        NoPatch::Unknown { .. } => Problem::invalid_settings(refusal.to_string()),
        _ => Problem::bad_request(refusal.to_string()),
    }
}

fn refused(refusal: Refused) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refused::Stale => Problem::stale(detail),
        Refused::SetByEnvironment { .. } => Problem::set_by_environment(detail),
        Refused::NotStorable { .. } => Problem::not_storable(detail),
        Refused::Masked { .. } | Refused::Invalid(_) => Problem::invalid_settings(detail),
        Refused::NotStored(_) => Problem::not_stored(detail),
        Refused::NotApplied(_) => Problem::not_applied(detail),
        Refused::Ending => Problem::ending(detail),
    }
}
