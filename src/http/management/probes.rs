//! Liveness, readiness, and whether this is the active instance, without a token.

use actix_web::{HttpResponse, web};
use m365_presence::light::WarningCode;
use m365_store::Condition;
use serde::Serialize;
use utoipa::ToSchema;

use super::Management;
use crate::heartbeat::Heartbeat;
use crate::view::status::missing;

/// Whether this instance does its whole job.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether nothing is missing.
    pub(super) ready: bool,
    /// What is missing, in the codes of the lights.
    pub(super) missing: Vec<&'static str>,
    /// What is not as it should be, but keeps nobody from working.
    pub(super) degraded: &'static [WarningCode],
}

/// Whether the process lives.
///
/// It never depends on Microsoft or a PBX.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "probes",
    responses(
        (status = 200, description = "The actors' thread turns", body = String, content_type = "text/plain"),
        (status = 503, description = "The actors' thread is stuck", body = String, content_type = "text/plain"),
    ),
    security(())
)]
pub(super) async fn livez(management: web::Data<Management>) -> HttpResponse {
    liveness(&management.heart)
}

/// The answer of a liveness probe.
pub(super) fn liveness(heart: &Heartbeat) -> HttpResponse {
    let (mut response, body) = if heart.is_alive() {
        (HttpResponse::Ok(), "ok\n")
    } else {
        (
            HttpResponse::ServiceUnavailable(),
            "the actors' thread is stuck\n",
        )
    };
    response.content_type("text/plain; charset=utf-8").body(body)
}

/// Whether this is the active instance, to which Microsoft and the PBXs are to be led.
///
/// For whoever chooses one of several. Readiness cannot do that: an instance is ready only after the PBX has reached it.
#[utoipa::path(
    get,
    path = "/activez",
    tag = "probes",
    responses(
        (status = 200, description = "It is", body = String, content_type = "text/plain"),
        (status = 503, description = "It stands by", body = String, content_type = "text/plain"),
    ),
    security(())
)]
pub(super) async fn activez(management: web::Data<Management>) -> HttpResponse {
    activity(management.doorkeeper.is_active())
}

/// The answer to whether this is the active instance.
pub(super) fn activity(is_active: bool) -> HttpResponse {
    let (mut response, body) = if is_active {
        (HttpResponse::Ok(), "active\n")
    } else {
        (HttpResponse::ServiceUnavailable(), "standby\n")
    };
    response
        .insert_header(("Cache-Control", "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(body)
}

/// Whether this instance does its whole job, and what is missing.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "probes",
    responses(
        (status = 200, description = "It does its whole job", body = Readiness),
        (status = 503, description = "Something is missing", body = Readiness),
    ),
    security(())
)]
pub(super) async fn readyz(management: web::Data<Management>) -> HttpResponse {
    let overview = management.posts.look().await;
    let lights = management.lights_of(&overview);
    let mut missing = missing(&lights, &overview);
    if !management.doorkeeper.is_active() {
        // another instance may be active by now, or will be
        missing.insert(0, "standby");
    }
    // presence goes on without it: turning this instance away would cost more than waiting
    let degraded: &'static [WarningCode] = match overview.database {
        Condition::Ok => &[],
        Condition::Away { .. } => &[WarningCode::DatabaseAway],
    };
    let mut response = if missing.is_empty() {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response
        .insert_header(("Cache-Control", "no-store"))
        .json(Readiness {
            ready: missing.is_empty(),
            missing,
            degraded,
        })
}

/// The same as `/readyz`.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "probes",
    operation_id = "healthz",
    responses(
        (status = 200, description = "It does its whole job", body = Readiness),
        (status = 503, description = "Something is missing", body = Readiness),
    ),
    security(())
)]
pub(super) async fn readyz_alias(management: web::Data<Management>) -> HttpResponse {
    readyz(management).await
}
