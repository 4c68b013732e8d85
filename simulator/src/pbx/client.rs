//! The PBX's client (myApps), as far as an App needs it: a page that frames the App's page and hands it signed logins.
//!
//! | path below `/PBX0/APPCLIENT/` | what |
//! |---|---|
//! | `appclient.htm`, `.css`, `.js` | the client; `?user=`, `app=`, `lang=`, `scheme=` choose, `bare` leaves only the App |
//! | `people` | who may be played, and which Apps may be opened |
//! | `login?user=&app=&challenge=` | what the client posts to the App's page as `Login` |
//!
//! Everybody may play everybody: it is a stage, not a PBX's authentication.

use actix_web::{
    HttpResponse,
    web::{Data, Query, ServiceConfig, get},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    login::{person_login, session_key},
    site::Site,
};

const FILES: [(&str, &str, &str); 3] = [
    (
        "/PBX0/APPCLIENT/appclient.htm",
        "text/html; charset=utf-8",
        include_str!("client/appclient.htm"),
    ),
    (
        "/PBX0/APPCLIENT/appclient.css",
        "text/css; charset=utf-8",
        include_str!("client/appclient.css"),
    ),
    (
        "/PBX0/APPCLIENT/appclient.js",
        "text/javascript; charset=utf-8",
        include_str!("client/appclient.js"),
    ),
];

/// People who are offered at most.
const OFFERED: usize = 500;

/// Registers the client's paths.
pub(super) fn routes(config: &mut ServiceConfig) {
    for (path, kind, text) in FILES {
        let file = move || async move { HttpResponse::Ok().content_type(kind).body(text) };
        config.route(path, get().to(file));
    }
    config
        .route("/PBX0/APPCLIENT/people", get().to(people))
        .route("/PBX0/APPCLIENT/login", get().to(login));
}

async fn people(site: Data<Site>) -> HttpResponse {
    let told = site.estate.with(|domain| {
        let options = domain.exchange(site.exchange)?.options.clone();
        let app = options.app().to_owned();
        let apps = [app.clone(), format!("{app}admin")];
        let apps = apps.map(|app| json!({"name": app, "url": options.url_of(&app)}));
        let residents = domain.directory.residents().take(OFFERED);
        let users: Vec<Value> = residents
            .map(|resident| json!({"h323": resident.user.h323, "cn": resident.user.cn}))
            .collect();
        Some(json!({"users": users, "apps": apps, "object": options.app_object, "title": options.object_dn}))
    });
    told.map_or_else(
        || HttpResponse::NotFound().finish(),
        |told| HttpResponse::Ok().json(told),
    )
}

/// Who asks for a login, for which App, over which challenge.
#[derive(Deserialize)]
struct Asked {
    user: String,
    app: String,
    challenge: String,
}

async fn login(asked: Query<Asked>, site: Data<Site>) -> HttpResponse {
    let Asked { user, app, challenge } = asked.into_inner();
    let signed = site.estate.with(|domain| {
        let options = domain.exchange(site.exchange)?.options.clone();
        let resident = domain.resident(&user)?;
        let unlicensed = !resident.is_licensed(&format!("App({app})"));
        let mut login = person_login(&options, &resident.user, &app, unlicensed, &challenge).ok()?;
        login.mt = "Login";
        login.key = Some(session_key(&challenge, &options.password));
        Some(login)
    });
    signed.map_or_else(
        || HttpResponse::NotFound().finish(),
        |login| HttpResponse::Ok().json(login),
    )
}
