//! Who may use the management API: a bearer token, or the session of the page.
//!
//! Tokens are compared in constant time. A session's cookie is sent by the browser with whatever page asks it to, so a
//! change needs the session's own token in a header beside it, which no foreign page can know.

use std::future::{Ready, ready};

use actix_web::cookie::Cookie;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use m365_presence::secret::Secret;
use serde::Serialize;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use super::problem::Problem;
use super::sessions::{Session, Sessions};
use crate::config::Settings;
use crate::live::Live;

/// Name of the session's cookie.
pub const COOKIE: &str = "m365_connector_session";

/// The header that repeats the session's token.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// The tokens that open the management API.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Opens everything.
    pub administrator: Secret,
    /// Reads everything.
    pub viewer: Option<Secret>,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Administrator,
    /// Read everything.
    Viewer,
}

impl Keys {
    /// The tokens that the settings name.
    pub fn of(settings: &Settings) -> Self {
        Self {
            administrator: settings.management.token.clone(),
            viewer: settings.management.viewer_token.clone(),
        }
    }

    /// Whether the same tokens open the same.
    pub fn open_the_same_as(&self, other: &Self) -> bool {
        let text = |key: &Option<Secret>| key.as_ref().map(|key| key.expose().to_owned());
        self.administrator.expose() == other.administrator.expose()
            && text(&self.viewer) == text(&other.viewer)
    }

    /// Both tokens are always compared, so that the time tells nothing.
    pub fn role_of(&self, presented: &str) -> Option<Role> {
        let equals = |key: &Secret| key.expose().as_bytes().ct_eq(presented.as_bytes());
        let administrator = bool::from(equals(&self.administrator));
        let viewer = self.viewer.as_ref().is_some_and(|key| bool::from(equals(key)));
        match (administrator, viewer) {
            (true, _) => Some(Role::Administrator),
            (false, true) => Some(Role::Viewer),
            (false, false) => None,
        }
    }
}

/// Finds the session that a request's cookie belongs to.
pub fn session_of(request: &HttpRequest) -> Option<(Cookie<'static>, Session)> {
    let sessions = request.app_data::<web::Data<Sessions>>()?;
    let cookie = request.cookie(COOKIE)?;
    let session = sessions.of(cookie.value())?;
    Some((cookie, session))
}

fn role(request: &HttpRequest) -> Result<Role, Problem> {
    let header = request.headers().get(AUTHORIZATION);
    let Some(header) = header else {
        let (_, session) = session_of(request).ok_or_else(Problem::unauthorized)?;
        return forgery_checked(request, &session);
    };
    let keys = request
        .app_data::<web::Data<Live<Keys>>>()
        .ok_or_else(Problem::unauthorized)?;
    let (scheme, token) = header
        .to_str()
        .ok()
        .and_then(|header| header.split_once(' '))
        .ok_or_else(Problem::unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::unauthorized());
    }
    keys.get().role_of(token.trim()).ok_or_else(Problem::unauthorized)
}

/// A request that changes something must repeat the session's token.
fn forgery_checked(request: &HttpRequest, session: &Session) -> Result<Role, Problem> {
    let repeated = request
        .headers()
        .get(CSRF_HEADER)
        .and_then(|header| header.to_str().ok());
    if request.method().is_safe() || repeated.is_some_and(|repeated| session.is_repeated_by(repeated)) {
        return Ok(session.role);
    }
    Err(Problem::forged())
}

/// Proof that the request may read.
#[derive(Clone, Copy, Debug)]
pub struct Reader;

impl FromRequest for Reader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(role(request).map(|_| Self))
    }
}

/// Proof that the request may change something.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// Who it is, for the audit: the role, and the address that asks.
    pub who: String,
}

impl FromRequest for Administrator {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(role(request).and_then(|role| match role {
            Role::Administrator => Ok(Self {
                who: match request.peer_addr() {
                    Some(peer) => format!("administrator from {}", peer.ip()),
                    None => "administrator".to_owned(),
                },
            }),
            Role::Viewer => Err(Problem::forbidden()),
        }))
    }
}
