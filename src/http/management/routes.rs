//! Every route of the management listener.

use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, web};

use super::served::{Served, orderable, readable};
use super::{answers, description, events, log, matching, orders, probes, session, settings};
use crate::http::page;
use crate::http::problem::Problem;

/// What the paths of the API begin with.
const API: &str = "/api/v1";

/// Largest body of a request, in bytes.
const LARGEST_BODY: usize = 256 * 1024;

/// The probes, the page, and the description of the API.
fn around_the_api() -> Vec<Served> {
    vec![
        readable("/livez", probes::livez),
        readable("/readyz", probes::readyz),
        readable("/healthz", probes::readyz_alias),
        readable("/activez", probes::activez),
        readable("/metrics", answers::metrics),
        readable("/", page::show),
        readable("/page/{name}", page::asset),
        readable("/api/openapi.json", description::tell),
        readable("/api/docs", page::docs),
    ]
}

/// The API; the paths begin with [`API`].
fn api() -> Vec<Served> {
    vec![
        readable("/status", answers::status),
        readable("/overview", answers::overview),
        readable("/users", answers::users),
        readable("/users/{h323}", answers::user),
        readable("/users/{h323}/timeline", answers::timeline),
        orderable("/users/{h323}/resync", orders::resync),
        readable("/matching/preview", matching::preview),
        readable("/actors", answers::actors),
        orderable("/actors/{name}/restart", orders::restart),
        readable("/subscriptions", answers::subscriptions),
        orderable("/subscriptions/renew", orders::renew),
        readable("/sessions", answers::sessions),
        readable("/diagnosis", answers::diagnosis),
        readable("/support-bundle", answers::support_bundle),
        readable("/events", events::events),
        readable("/log", log::recent),
        readable("/log/levels", log::levels).on(Method::PUT, log::set_levels),
        readable("/settings", settings::settings).on(Method::PATCH, settings::change),
        readable("/audit", settings::audit),
        sign_in(),
        orderable("/faults/{name}/panic", orders::inject_panic),
    ]
}

/// The page's sign-in.
pub(super) fn sign_in() -> Served {
    readable("/session", session::tell)
        .on(Method::POST, session::open)
        .on(Method::DELETE, session::end)
}

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig) {
    let api = api()
        .into_iter()
        .fold(web::scope(API).wrap(private()), |scope, served| {
            scope.service(served.resource())
        })
        .default_service(web::to(no_route));
    config
        .app_data(web::QueryConfig::default().error_handler(wrong_query))
        .app_data(web::PathConfig::default().error_handler(wrong_path))
        .app_data(json_bodies());
    for served in around_the_api() {
        config.service(served.resource());
    }
    config.service(api).default_service(web::to(no_route));
}

/// Headers of answers that nobody else may keep.
pub(super) fn private() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .add(("X-Content-Type-Options", "nosniff"))
}

/// How bodies of requests are read.
pub(super) fn json_bodies() -> web::JsonConfig {
    web::JsonConfig::default()
        .limit(LARGEST_BODY)
        .error_handler(wrong_body)
}

pub(super) async fn no_route(request: HttpRequest) -> HttpResponse {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    type Operations = BTreeSet<(String, String)>;

    /// What the server takes; HEAD goes without saying.
    fn served() -> Operations {
        let api = api().into_iter().map(|served| (API, served));
        let around = around_the_api().into_iter().map(|served| ("", served));
        let each = api.chain(around).flat_map(|(root, served)| {
            let methods = served.methods.into_iter();
            let methods = methods.filter(|method| method != Method::HEAD);
            methods.map(move |method| (format!("{root}{}", served.path), method.to_string()))
        });
        each.collect()
    }

    fn described() -> Operations {
        let document = serde_json::to_value(description::document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let each = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (path.clone(), method.to_uppercase()))
        });
        each.collect()
    }

    #[test]
    fn every_route_is_described_and_every_described_route_is_served() {
        let (served, described) = (served(), described());
        let undescribed: Vec<_> = served.difference(&described).collect();
        let unserved: Vec<_> = described.difference(&served).collect();
        assert!(undescribed.is_empty(), "not described: {undescribed:?}");
        assert!(unserved.is_empty(), "not served: {unserved:?}");
    }
}
