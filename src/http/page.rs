//! The page at `/` and its assets, which are part of the program.
//!
//! The page itself holds nothing worth protecting: it asks for the token, which becomes a session, and reads the API with
//! that. Nothing is loaded from another host, and the policy forbids it.

use actix_web::{HttpResponse, web};

use super::problem::Problem;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Names an asset and takes it into the program.
macro_rules! assets {
    ($($name:literal: $kind:expr,)*) => {
        &[$(($name, $kind, include_str!(concat!("page/", $name)))),*]
    };
}

/// Every asset: its name below `/page/`, its content type, and its text.
const ASSETS: &[(&str, &str, &str)] = assets! {
    "index.html": HTML,
    "style.css": STYLE,
    "icon.svg": "image/svg+xml",
    "actors.js": SCRIPT,
    "api.js": SCRIPT,
    "app.js": SCRIPT,
    "diagnosis.js": SCRIPT,
    "docs.css": STYLE,
    "docs.html": HTML,
    "docs.js": SCRIPT,
    "docs_schema.js": SCRIPT,
    "docs_text.js": SCRIPT,
    "docs_try.js": SCRIPT,
    "dom.js": SCRIPT,
    "log.js": SCRIPT,
    "overview.js": SCRIPT,
    "pause.js": SCRIPT,
    "pbxs.js": SCRIPT,
    "settings.js": SCRIPT,
    "sign_in.js": SCRIPT,
    "subscriptions.js": SCRIPT,
    "user.js": SCRIPT,
    "users.js": SCRIPT,
};

fn serve(name: &str) -> HttpResponse {
    let Some((_, kind, text)) = ASSETS.iter().find(|(known, _, _)| *known == name) else {
        return Problem::not_found(format!("the page has no asset {name}")).respond();
    };
    HttpResponse::Ok()
        .content_type(*kind)
        .insert_header(("Content-Security-Policy", POLICY))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Cache-Control", "no-cache"))
        .body(*text)
}

/// The page.
#[utoipa::path(
    get,
    path = "/",
    tag = "page",
    operation_id = "page",
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
    security(())
)]
pub(super) async fn show() -> HttpResponse {
    serve("index.html")
}

/// The documentation of this API, for people.
#[utoipa::path(
    get,
    path = "/api/docs",
    tag = "page",
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
    security(())
)]
pub(super) async fn docs() -> HttpResponse {
    serve("docs.html")
}

/// A part of the page.
#[utoipa::path(
    get,
    path = "/page/{name}",
    tag = "page",
    operation_id = "page_part",
    params(("name" = String, Path, description = "The part's name", example = "style.css")),
    responses(
        (status = 200, description = "The part", content(
            (String = "text/html"),
            (String = "text/css"),
            (String = "text/javascript"),
            (String = "image/svg+xml"),
        )),
        (status = 404, description = "There is no such part (`not_found`)", body = Problem, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(super) async fn asset(name: web::Path<String>) -> HttpResponse {
    serve(&name)
}
