//! The page's sign-in: a token becomes a session, whose cookie no script reads and no foreign page sends.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};
use m365_presence::secret::Secret;
use serde::Deserialize;
use serde_json::json;

use crate::http::access::{COOKIE, Keys, session_of};
use crate::http::attempts::Attempts;
use crate::http::problem::Problem;
use crate::http::sessions::{IDLE, Sessions};
use crate::live::Live;

/// The body of a sign-in.
#[derive(Deserialize)]
pub(super) struct SignIn {
    token: String,
}

/// Opens a session.
pub(super) async fn open(
    request: HttpRequest,
    keys: web::Data<Live<Keys>>,
    sessions: web::Data<Sessions>,
    attempts: web::Data<Attempts>,
    sign_in: web::Json<SignIn>,
) -> Result<HttpResponse, Problem> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    if let Some(wait) = peer.and_then(|peer| attempts.barred(peer)) {
        return Err(Problem::too_many_attempts(wait));
    }
    let presented = Secret::new(sign_in.into_inner().token);
    let Some(role) = keys.get().role_of(presented.expose().trim()) else {
        peer.inspect(|peer| attempts.failed(*peer));
        log::warn!("a sign-in at the page is refused: the token is wrong");
        return Err(Problem::wrong_token());
    };
    let opened = sessions.open(role).ok_or_else(Problem::no_randomness)?;
    log::info!(role:serde = role; "somebody has signed in at the page");
    let cookie = Cookie::build(COOKIE, opened.cookie.expose().to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(request.connection_info().scheme() == "https")
        .max_age(CookieDuration::try_from(IDLE).unwrap_or(CookieDuration::HOUR))
        .finish();
    Ok(HttpResponse::Ok()
        .cookie(cookie)
        .json(json!({"role": role, "csrf": opened.csrf.expose()})))
}

/// Tells who has signed in, and the token that changes need.
pub(super) async fn tell(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (_, session) = session_of(&request).ok_or_else(Problem::unauthorized)?;
    Ok(HttpResponse::Ok().json(json!({"role": session.role, "csrf": session.csrf.expose()})))
}

/// Ends the session; without one, there is nothing to end.
pub(super) async fn end(request: HttpRequest, sessions: web::Data<Sessions>) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    if let Some((cookie, _)) = session_of(&request) {
        sessions.end(cookie.value());
        let mut gone = Cookie::build(COOKIE, "").path("/").finish();
        gone.make_removal();
        response.cookie(gone);
    }
    response.finish()
}
