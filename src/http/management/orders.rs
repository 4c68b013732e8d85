//! What the API orders: 202 says that it was ordered, the tree and the log tell what came of it.

use actix_web::{HttpResponse, web};
use m365_actors::presence_subscription::RenewAll;
use serde_json::json;

use super::Management;
use super::answers::unknown_user;
use crate::http::access::Administrator;
use crate::http::problem::Problem;
use crate::view::users::Resynced;

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
    Ok(HttpResponse::Accepted().json(json!({"actor": *name, "ordered": "restart"})))
}

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
    Ok(HttpResponse::Accepted().json(json!({"ordered": "renew"})))
}

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
            Ok(HttpResponse::Accepted().json(json!({"h323": *h323, "ordered": "resync"})))
        }
    }
}

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
    Ok(HttpResponse::Accepted().json(json!({"actor": *name, "ordered": "panic"})))
}

fn unknown_actor(name: &str) -> Problem {
    Problem::not_found(format!(
        "no actor is called '{name}'; see /api/v1/actors for the names"
    ))
}
