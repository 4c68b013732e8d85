//! Liveness and readiness, without a token.

use actix_web::{HttpResponse, web};
use m365_presence::light::WarningCode;
use m365_store::Condition;
use serde_json::json;

use super::Management;
use crate::heartbeat::Heartbeat;
use crate::view::status::missing;

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

pub(super) async fn readyz(management: web::Data<Management>) -> HttpResponse {
    let overview = management.posts.look().await;
    let lights = management.lights_of(&overview);
    let mut missing = missing(&lights, &overview);
    if !management.doorkeeper.is_active() {
        // another instance may be active by now, or will be
        missing.insert(0, "standby");
    }
    // presence goes on without it: turning this instance away would cost more than waiting
    let degraded: &[WarningCode] = match overview.database {
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
        .json(json!({"ready": missing.is_empty(), "missing": missing, "degraded": degraded}))
}
