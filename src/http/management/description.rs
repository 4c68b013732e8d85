//! The description of the API: an OpenAPI document that is made of the handlers and of the types that they answer with.

use actix_web::HttpResponse;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::refusals::{ChangesNothing, NotActive, Unauthorized};
use super::{answers, events, log, matching, orders, probes, session, settings};
use crate::http::access::{COOKIE, CSRF_HEADER, Reader};
use crate::http::page;
use crate::http::problem::Problem;

/// What holds for the whole API.
const ABOUT: &str = "Keeps Microsoft Teams presence and innovaphone PBX presence in step, both ways. \
This is what an administrator and a program may ask and order at the management listener.

**Access.** Every route but the probes and the page needs `Authorization: Bearer TOKEN`. `management.token` opens \
everything, `management.viewer_token` what is read.

**Refusals** are `application/problem+json`: `code` is a stable spelling of the kind, `detail` tells cause and remedy. \
A method that a route does not take is answered 405 with `Allow`; what is read by GET is read by HEAD too.

**Standbys.** Of several instances on one database one is active. The others tell the status with the code `standby` and \
empty lists, and refuse what only the active one knows or may change with the same code.

**Lists** answer `{\"items\": […], \"next_cursor\": …}`; `cursor` goes on where a page has ended.

**Orders** answer 202: ordered, not yet done. `/api/v1/actors` and the log tell what came of it.";

#[derive(OpenApi)]
#[openapi(
    info(title = "m365-connector", description = ABOUT),
    paths(
        answers::status,
        answers::diagnosis,
        answers::support_bundle,
        answers::metrics,
        events::events,
        answers::users,
        answers::user,
        answers::timeline,
        orders::resync,
        answers::subscriptions,
        orders::renew,
        answers::sessions,
        answers::actors,
        orders::restart,
        orders::inject_panic,
        answers::overview,
        settings::settings,
        settings::change,
        settings::audit,
        matching::preview,
        log::recent,
        log::levels,
        log::set_levels,
        probes::livez,
        probes::readyz,
        probes::readyz_alias,
        probes::activez,
        session::open,
        session::tell,
        session::end,
        page::show,
        page::asset,
        page::docs,
        tell,
    ),
    components(schemas(Problem)),
    modifiers(&Doors, &Standbys),
    security(("bearer" = []), ("session" = [])),
    tags(
        (name = "status", description = "How it stands"),
        (name = "users", description = "Everybody of either side"),
        (name = "connections", description = "To Microsoft and to the PBXs"),
        (name = "actors", description = "The supervision tree"),
        (name = "settings", description = "What is configured, by whom, and what a change would do"),
        (name = "log", description = "What is told, and how much"),
        (name = "probes", description = "For whoever keeps the process running; without a token"),
        (name = "page", description = "The page of the administrator, and its sign-in"),
    )
)]
struct Description;

/// The ways in.
struct Doors;

impl Modify for Doors {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = |name, about| ApiKeyValue::with_description(name, about);
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "`management.token`, or `management.viewer_token` to read only",
            ));
        let session = key(COOKIE, "The page's session, see `POST /api/v1/session`");
        let csrf = key(
            CSRF_HEADER,
            "What that answered as `csrf`, with every change in a session",
        );
        let doors = [
            ("bearer", SecurityScheme::Http(bearer.build())),
            ("session", SecurityScheme::ApiKey(ApiKey::Cookie(session))),
            ("csrf", SecurityScheme::ApiKey(ApiKey::Header(csrf))),
        ];
        let components = document.components.get_or_insert_default();
        components
            .security_schemes
            .extend(doors.map(|(name, door)| (name.to_owned(), door.into())));
    }
}

/// What an instance answers that stands by.
struct Standbys;

/// What a standby answers like any other instance, or with an empty list.
const ANSWERED_BY_STANDBYS: [&str; 7] = [
    "/api/v1/status",
    "/api/v1/events",
    "/api/v1/session",
    "/api/v1/users",
    "/api/v1/actors",
    "/api/v1/subscriptions",
    "/api/v1/sessions",
];

impl Modify for Standbys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let paths = document.paths.paths.iter_mut();
        let api = paths.filter(|(path, _)| path.starts_with("/api/v1/"));
        for (path, item) in api {
            let reads = item
                .get
                .iter_mut()
                .filter(|_| !ANSWERED_BY_STANDBYS.contains(&path.as_str()));
            reads.for_each(refuse::<NotActive>);
            if path != "/api/v1/session" {
                let changes = [&mut item.post, &mut item.put, &mut item.patch];
                let changes = changes.into_iter().flatten();
                changes.for_each(refuse::<ChangesNothing>);
            }
        }
    }
}

/// Adds a refusal to an operation, or its causes to what it is refused for with the same status.
fn refuse<Refusal: IntoResponses>(operation: &mut Operation) {
    for (status, refusal) in Refusal::responses() {
        match (operation.responses.responses.get_mut(&status), refusal) {
            (Some(RefOr::T(known)), RefOr::T(refusal)) => {
                known.description = format!("{}. {}", known.description, refusal.description);
            }
            (_, refusal) => {
                operation.responses.responses.insert(status, refusal);
            }
        }
    }
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "page",
    operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = HashMap<String, Value>), Unauthorized)
)]
pub(super) async fn tell(_reader: Reader) -> HttpResponse {
    HttpResponse::Ok().json(document())
}
