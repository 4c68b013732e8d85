//! The page inside the PBX's client (myApps), which is part of the program.
//!
//! | path below `/pbx/`, with or without a build before it | what |
//! |---|---|
//! | `{app}.htm`, `{app}admin.htm` | the page: what the client appends to the App object's URL (pbx.md 1.2) |
//! | `{app}.png`, `{app}admin.png` | the icon, by the same rule |
//! | `myapps/{asset}` | what the page consists of |
//!
//! The page holds nothing worth protecting: what it shows comes over the websocket after a login that the PBX has signed.
//! It is read within a frame of the client's. Under which names people reach their PBX nobody tells the connector, so
//! any web page may frame it; a foreign one sees an empty page, because only the PBX's client answers its question for a
//! login, and there is nothing on it to click that changes anything. Everything else is forbidden by the policy: no
//! foreign script, style, image or connection, no form, and no other base.

use actix_web::guard;
use actix_web::{HttpResponse, Resource, web};
use m365_pbx::administrators_app;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const ICON: &[u8] = include_bytes!("app_page/icon.png");

/// Names an asset and takes it into the program.
macro_rules! assets {
    ($($name:literal: $kind:expr,)*) => {
        &[$(($name, $kind, include_str!(concat!("app_page/", $name)))),*]
    };
}

/// The page, and the assets below `myapps/`: name, content type, text.
const PAGE: &str = include_str!("app_page/page.htm");
const ASSETS: &[(&str, &str, &str)] = assets! {
    "style.css": "text/css; charset=utf-8",
    "app.js": SCRIPT,
    "client.js": SCRIPT,
    "connection.js": SCRIPT,
    "texts.js": SCRIPT,
    "view.js": SCRIPT,
};

/// How elements are made; the administrators' page makes its own alike.
const DOM: &str = include_str!("page/dom.js");

/// What the routes need.
#[derive(Clone)]
pub struct AppPage {
    /// Last components of the App URLs that lead here.
    apps: [String; 2],
    policy: String,
}

impl AppPage {
    /// Serves the page of an app. `public_url` names the websocket for browsers that do not count it to the page's own
    /// origin.
    pub fn new(app: &str, public_url: Option<&str>) -> Self {
        let websocket = public_url.and_then(websocket_origin).unwrap_or_default();
        Self {
            apps: [app.to_owned(), administrators_app(app)],
            policy: format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {websocket}; \
                 base-uri 'none'; form-action 'none'; frame-ancestors http: https:"
            ),
        }
    }

    fn answer(&self, kind: &str, body: impl Into<web::Bytes>) -> HttpResponse {
        HttpResponse::Ok()
            .content_type(kind)
            .insert_header(("Content-Security-Policy", self.policy.as_str()))
            .insert_header(("X-Content-Type-Options", "nosniff"))
            .insert_header(("Referrer-Policy", "no-referrer"))
            .insert_header(("Cache-Control", "no-cache"))
            .body(body.into())
    }
}

/// The origin of the websocket beside a web address, as a policy names it.
fn websocket_origin(public_url: &str) -> Option<String> {
    let url = url::Url::parse(public_url).ok()?;
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{}{port}", url.host()?))
}

/// Registers the routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    for folder in ["/pbx", "/pbx/{build:[0-9a-fA-F]+}"] {
        config
            .service(readable(&format!("{folder}/{{app}}.htm")).to(page))
            .service(readable(&format!("{folder}/{{app}}.png")).to(icon))
            .service(readable(&format!("{folder}/myapps/{{asset}}")).to(asset));
    }
}

fn readable(path: &str) -> Resource {
    web::resource(path).guard(guard::Any(guard::Get()).or(guard::Head()))
}

#[derive(serde::Deserialize)]
struct App {
    app: String,
}

#[derive(serde::Deserialize)]
struct Asset {
    asset: String,
}

async fn page(app: web::Path<App>, served: web::Data<AppPage>) -> HttpResponse {
    if !served.apps.contains(&app.app) {
        return HttpResponse::NotFound().finish();
    }
    served.answer(HTML, PAGE)
}

async fn icon(app: web::Path<App>, served: web::Data<AppPage>) -> HttpResponse {
    if !served.apps.contains(&app.app) {
        return HttpResponse::NotFound().finish();
    }
    served.answer("image/png", ICON)
}

async fn asset(asset: web::Path<Asset>, served: web::Data<AppPage>) -> HttpResponse {
    let shared = ("dom.js", SCRIPT, DOM);
    let mut assets = ASSETS.iter().chain(std::iter::once(&shared));
    match assets.find(|(name, ..)| *name == asset.asset) {
        Some((_, kind, text)) => served.answer(kind, *text),
        None => HttpResponse::NotFound().finish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_websocket_beside_the_public_url() {
        for (url, origin) in [
            ("https://connector.example.com", "wss://connector.example.com"),
            (
                "https://connector.example.com:8443/m365",
                "wss://connector.example.com:8443",
            ),
            ("http://127.0.0.1:8080", "ws://127.0.0.1:8080"),
            ("http://[::1]:8080", "ws://[::1]:8080"),
        ] {
            assert_eq!(websocket_origin(url).as_deref(), Some(origin));
        }
    }
}
