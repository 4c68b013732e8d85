//! The page's sign-in: a token becomes a session, whose cookie no script reads and no foreign page sends.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};
use m365_presence::secret::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusals::{NoRandomness, NotUnderstood, TooManyAttempts, Unauthorized, WrongToken};
use crate::http::access::{COOKIE, Keys, Role, session_of};
use crate::http::attempts::Attempts;
use crate::http::problem::Problem;
use crate::http::sessions::{IDLE, Sessions};
use crate::live::Live;

/// The body of a sign-in.
#[derive(Deserialize, ToSchema)]
pub(super) struct SignIn {
    /// The token of `management.token` or `management.viewer_token`.
    token: String,
}

/// Who has signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedIn {
    /// What the session may do.
    role: Role,
    /// What every change in this session repeats in the header `X-CSRF-Token`.
    csrf: String,
}

/// Opens a session of the page.
///
/// The cookie is for browsers; a program sends the bearer token with every request instead.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "page",
    operation_id = "sign_in",
    request_body = SignIn,
    responses(
        (status = 200, description = "Signed in", body = SignedIn, headers(("Set-Cookie" = String, description = "The session"))),
        NotUnderstood,
        WrongToken,
        TooManyAttempts,
        NoRandomness,
    ),
    security(())
)]
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
    Ok(HttpResponse::Ok().cookie(cookie).json(SignedIn {
        role,
        csrf: opened.csrf.expose().to_owned(),
    }))
}

/// Tells who has signed in, and the token that changes need.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    tag = "page",
    operation_id = "session",
    responses((status = 200, description = "The session of the cookie", body = SignedIn), Unauthorized),
    security(("session" = []))
)]
pub(super) async fn tell(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (_, session) = session_of(&request).ok_or_else(Problem::unauthorized)?;
    Ok(HttpResponse::Ok().json(SignedIn {
        role: session.role,
        csrf: session.csrf.expose().to_owned(),
    }))
}

/// Ends the session; without one, there is nothing to end.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "page",
    operation_id = "sign_out",
    responses((status = 204, description = "There is no session any more")),
    security(())
)]
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
