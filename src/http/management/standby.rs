//! The management listener of a standby: the same routes, with what a standby can say.
//!
//! | route | what |
//! |---|---|
//! | `GET /livez` | 200 while its thread turns |
//! | `GET /readyz`, `GET /healthz` | 503 with `standby`, or `database_away` |
//! | `GET /activez` | 503 |
//! | `GET /metrics`, `GET /api/v1/status`, the page, its sign-in, the description of the API | as ever |
//! | `GET /api/v1/events` | the status, once: whoever watches comes back every two seconds, and finds the active instance then |
//! | `GET` of users, actors, subscriptions, sessions | empty lists: the active instance holds all of it |
//! | any other `GET` below `/api/v1` | 503 with the code `standby` |
//! | every change | 409 with the code `standby` |

use actix_web::http::header::{ACCEPT, CACHE_CONTROL};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, web};

use super::description;
use super::probes::Readiness;
use super::routes::{json_bodies, no_route, private, sign_in};
use super::served::readable;
use crate::http::access::{Administrator, Reader};
use crate::http::page;
use crate::http::problem::Problem;
use crate::standby::Standby;
use crate::view::listing::Listing;
use crate::view::metrics::Exposition;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig) {
    let mut api = web::scope("/api/v1")
        .wrap(private())
        .service(readable("/status", status).resource())
        .service(readable("/events", events).resource())
        .service(sign_in().resource());
    for list in ["/users", "/actors", "/subscriptions", "/sessions"] {
        api = api.service(
            web::resource(list)
                .route(web::get().to(nothing))
                .route(web::head().to(nothing))
                .default_service(web::to(other)),
        );
    }
    config
        .app_data(json_bodies())
        .service(readable("/livez", livez).resource())
        .service(readable("/readyz", readyz).resource())
        .service(readable("/healthz", readyz).resource())
        .service(readable("/activez", activez).resource())
        .service(readable("/metrics", metrics).resource())
        .service(readable("/", page::show).resource())
        .service(readable("/page/{name}", page::asset).resource())
        .service(readable("/api/openapi.json", description::tell).resource())
        .service(readable("/api/docs", page::docs).resource())
        .service(api.default_service(web::to(other)))
        .default_service(web::to(no_route));
}

async fn livez(standby: web::Data<Standby>) -> HttpResponse {
    super::probes::liveness(&standby.heart)
}

async fn readyz(standby: web::Data<Standby>) -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(Readiness {
            ready: false,
            missing: vec![standby.missing()],
            degraded: &[],
        })
}

async fn activez() -> HttpResponse {
    super::probes::activity(false)
}

async fn metrics(_reader: Reader, standby: web::Data<Standby>, request: HttpRequest) -> HttpResponse {
    let accept = request.headers().get(ACCEPT);
    let format = Exposition::asked_for(accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default());
    HttpResponse::Ok()
        .content_type(format.content_type())
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(standby.scrape().expose(format))
}

async fn status(_reader: Reader, standby: web::Data<Standby>) -> HttpResponse {
    HttpResponse::Ok().json(standby.status())
}

async fn events(_reader: Reader, standby: web::Data<Standby>) -> HttpResponse {
    let status = serde_json::to_string(&standby.status()).unwrap_or_default();
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .body(format!("retry: 2000\n\nevent: status\ndata: {status}\n\n"))
}

/// An empty list.
async fn nothing(_reader: Reader) -> HttpResponse {
    HttpResponse::Ok().json(Listing::<()>::default())
}

/// What only the active instance knows, or may change.
async fn other(
    request: HttpRequest,
    standby: web::Data<Standby>,
    reader: Result<Reader, Problem>,
    administrator: Result<Administrator, Problem>,
) -> Result<HttpResponse, Problem> {
    let told = standby.told();
    if request.method().is_safe() {
        reader?;
        return Err(Problem::standby_knows_nothing(&told));
    }
    administrator?;
    Err(Problem::standby_changes_nothing(&told))
}
