//! What the API orders: 202 says that it was ordered, the tree and the log tell what came of it.

use actix_web::{HttpResponse, web};
use m365_actors::presence_subscription::RenewAll;
use serde::Serialize;
use utoipa::ToSchema;

use super::Management;
use super::answers::unknown_user;
use super::refusals::{Forbidden, NotFound, NotSynchronised, Unauthorized, Unavailable};
use crate::http::access::Administrator;
use crate::http::problem::Problem;
use crate::view::users::Resynced;

/// What was ordered.
#[derive(Serialize, ToSchema)]
pub(super) struct Ordered {
    /// The order.
    #[schema(pattern = "^(restart|renew|resync|panic)$", example = "restart")]
    ordered: &'static str,
    /// The actor that it concerns, if it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// The user whom it concerns, if it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    h323: Option<String>,
}

impl Ordered {
    fn accepted(ordered: &'static str) -> Self {
        Self {
            ordered,
            actor: None,
            h323: None,
        }
    }

    fn of_actor(self, name: String) -> Self {
        Self {
            actor: Some(name),
            ..self
        }
    }

    fn of_user(self, h323: String) -> Self {
        Self {
            h323: Some(h323),
            ..self
        }
    }

    fn respond(self) -> HttpResponse {
        HttpResponse::Accepted().json(self)
    }
}

/// Restarts one actor.
#[utoipa::path(
    post,
    path = "/api/v1/actors/{name}/restart",
    tag = "actors",
    operation_id = "restart_actor",
    params(("name" = String, Path, description = "The actor's name, as `/api/v1/actors` tells it", example = "presence-sync")),
    responses((status = 202, description = "Ordered", body = Ordered), Unauthorized, Forbidden, NotFound),
    security(("bearer" = []), ("session" = [], "csrf" = []))
)]
pub(super) async fn restart(
    administrator: Administrator,
    management: web::Data<Management>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    management.tree.restart(&name).map_err(|_| unknown_actor(&name))?;
    log::info!(actor = name.as_str(); "an administrator restarts {name}");
    management
        .settings
        .record(administrator.who, format!("restart of actor {name}"))
        .await;
    Ok(Ordered::accepted("restart").of_actor(name.into_inner()).respond())
}

/// Renews all subscriptions now.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/renew",
    tag = "connections",
    operation_id = "renew_subscriptions",
    responses((status = 202, description = "Ordered", body = Ordered), Unauthorized, Forbidden, Unavailable),
    security(("bearer" = []), ("session" = [], "csrf" = []))
)]
pub(super) async fn renew(
    administrator: Administrator,
    management: web::Data<Management>,
) -> Result<HttpResponse, Problem> {
    let ordered = management.posts.presence_subscription.tell(RenewAll);
    ordered.map_err(|_| Problem::unavailable("presence-subscription"))?;
    log::info!("an administrator renews the subscriptions");
    management
        .settings
        .record(administrator.who, "renewal of the subscriptions")
        .await;
    Ok(Ordered::accepted("renew").respond())
}

/// Reads both sides of a user anew, and writes what differs.
#[utoipa::path(
    post,
    path = "/api/v1/users/{h323}/resync",
    tag = "users",
    operation_id = "resync_user",
    params(("h323" = String, Path, description = "The user's name at the PBX, in any case", example = "anna")),
    responses(
        (status = 202, description = "Ordered", body = Ordered),
        Unauthorized,
        Forbidden,
        NotFound,
        NotSynchronised,
        Unavailable,
    ),
    security(("bearer" = []), ("session" = [], "csrf" = []))
)]
pub(super) async fn resync(
    administrator: Administrator,
    management: web::Data<Management>,
    h323: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let resynced = management.posts.resync(&h323, &management.terms.get()).await;
    match resynced.ok_or_else(|| Problem::unavailable("presence-sync"))? {
        Resynced::Unknown => Err(unknown_user(&h323)),
        Resynced::Refused { reason, explanation } => Err(Problem::not_synchronised(reason, &explanation)),
        Resynced::Ordered => {
            log::debug!(user = h323.as_str(); "an administrator looks anew at {h323}");
            management
                .settings
                .record(administrator.who, format!("resync of user {h323}"))
                .await;
            Ok(Ordered::accepted("resync").of_user(h323.into_inner()).respond())
        }
    }
}

/// Makes an actor panic; in the demo only.
///
/// It shows what its supervisor does then. Elsewhere the answer is 404.
#[utoipa::path(
    post,
    path = "/api/v1/faults/{name}/panic",
    tag = "actors",
    operation_id = "panic_actor",
    params(("name" = String, Path, description = "The actor's name, as `/api/v1/actors` tells it", example = "presence-sync")),
    responses((status = 202, description = "Ordered", body = Ordered), Unauthorized, Forbidden, NotFound),
    security(("bearer" = []), ("session" = [], "csrf" = []))
)]
pub(super) async fn inject_panic(
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
    Ok(Ordered::accepted("panic").of_actor(name.into_inner()).respond())
}

fn unknown_actor(name: &str) -> Problem {
    Problem::not_found(format!(
        "no actor is called '{name}'; see /api/v1/actors for the names"
    ))
}
