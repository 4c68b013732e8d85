//! Who may use the management API: bearer tokens, compared in constant time.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use m365_presence::secret::Secret;
use subtle::ConstantTimeEq;

use super::problem::Problem;

/// The tokens that open the management API.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Opens everything.
    pub administrator: Secret,
    /// Reads everything.
    pub viewer: Option<Secret>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Administrator,
    Viewer,
}

impl Keys {
    /// Both tokens are always compared, so that the time tells nothing.
    fn role_of(&self, presented: &str) -> Option<Role> {
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

fn role(request: &HttpRequest) -> Result<Role, Problem> {
    let keys = request
        .app_data::<web::Data<Keys>>()
        .ok_or_else(Problem::unauthorized)?;
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok());
    let (scheme, token) = header
        .and_then(|header| header.split_once(' '))
        .ok_or_else(Problem::unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::unauthorized());
    }
    keys.role_of(token.trim()).ok_or_else(Problem::unauthorized)
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
#[derive(Clone, Copy, Debug)]
pub struct Administrator;

impl FromRequest for Administrator {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(role(request).and_then(|role| match role {
            Role::Administrator => Ok(Self),
            Role::Viewer => Err(Problem::forbidden()),
        }))
    }
}
