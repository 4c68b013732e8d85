//! Errors of the management API as `application/problem+json` (RFC 9457).

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

/// An error that tells cause and remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct Problem {
    /// Identifies the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Cause and remedy.
    pub detail: String,
    /// Stable spelling of the kind.
    pub code: &'static str,
    /// The methods that a wrong one could be replaced with.
    #[serde(skip)]
    allowed: Option<Box<str>>,
    /// Seconds after which it may be tried again.
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:m365-connector:{code}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            allowed: None,
            retry_after: None,
        }
    }

    /// No or a wrong token.
    pub fn unauthorized() -> Self {
        let detail = "this route needs the header 'Authorization: Bearer TOKEN' with management.token or management.viewer_token";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Token missing or wrong",
            detail,
        )
    }

    /// A viewer asked for a change.
    pub fn forbidden() -> Self {
        let detail =
            "the viewer token reads everything and changes nothing; use management.token for this route";
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Administrator role needed",
            detail,
        )
    }

    /// A sign-in with a token that is none.
    pub fn wrong_token() -> Self {
        let detail = "this is neither management.token nor management.viewer_token of the configuration";
        Self::new(StatusCode::UNAUTHORIZED, "wrong_token", "Token wrong", detail)
    }

    /// Too many wrong tokens from one address.
    pub fn too_many_attempts(wait: Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(1);
        let detail = format!("too many wrong tokens came from this address; try again in {seconds} s");
        let problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "Too many attempts",
            detail,
        );
        Self {
            retry_after: Some(seconds),
            ..problem
        }
    }

    /// A change that a foreign page may have sent.
    pub fn forged() -> Self {
        let detail = "a change in a session of the page needs the header 'X-CSRF-Token' with the value that the sign-in answered";
        Self::new(StatusCode::FORBIDDEN, "forged", "Not sent by the page", detail)
    }

    /// The system gives no random bytes.
    pub fn no_randomness() -> Self {
        let detail = "the system gives no random bytes, so no session can be opened; use the bearer token";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no_randomness",
            "No random bytes",
            detail,
        )
    }

    /// Nothing of that name.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    /// An order for a user who is not synchronised; `reason` is one of the closed set.
    pub fn not_synchronised(reason: &str, explanation: &str) -> Self {
        let detail = format!("the user is not synchronised ({reason}): {explanation}");
        Self::new(
            StatusCode::CONFLICT,
            "not_synchronised",
            "User not synchronised",
            detail,
        )
    }

    /// A method that the route does not take; `allowed` lists those that it does.
    pub fn wrong_method(detail: impl Into<String>, allowed: &str) -> Self {
        let problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            detail,
        );
        Self {
            allowed: Some(allowed.into()),
            ..problem
        }
    }

    /// A wrong parameter.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "Parameter not understood",
            detail,
        )
    }

    /// Settings that would not be valid.
    pub fn invalid_settings(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_settings",
            "Settings not valid",
            detail,
        )
    }

    /// A setting on which the environment has the last word.
    pub fn set_by_environment(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "set_by_environment",
            "Set by the environment",
            detail,
        )
    }

    /// A setting that cannot be kept in the database.
    pub fn not_storable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "not_storable",
            "Not to be changed at run time",
            detail,
        )
    }

    /// A change that was decided upon what does not hold any more.
    pub fn stale(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "stale",
            "Settings changed meanwhile",
            detail,
        )
    }

    /// The store takes nothing.
    pub fn not_stored(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_stored",
            "Database not available",
            detail,
        )
    }

    /// What is stored cannot be applied yet.
    pub fn not_applied(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "not_applied",
            "Stored, but not applied",
            detail,
        )
    }

    /// The process is about to end.
    pub fn ending(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ending", "Ending", detail)
    }

    /// More streams of events than are served.
    pub fn too_many_streams(most: usize) -> Self {
        let detail =
            format!("{most} streams of events are open; close a page, or ask /api/v1/status instead");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_streams",
            "Too many streams",
            detail,
        )
    }

    /// The users of both sides are not known yet.
    pub fn not_known_yet() -> Self {
        let detail = "the users of both sides are not known yet; try again when the lights are green";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_known_yet",
            "Users not known yet",
            detail,
        )
    }

    /// The actor that knows is down at this moment.
    pub fn unavailable(actor: &str) -> Self {
        let detail =
            format!("actor {actor} is being restarted; try again in a few seconds and see /api/v1/actors");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Actor not available",
            detail,
        )
    }

    /// A standby was asked for what only the active instance knows.
    pub fn standby_knows_nothing(told: &str) -> Self {
        let detail = format!("this instance stands by: {told}; ask the one whose /readyz answers 200");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "standby", "Standing by", detail)
    }

    /// A standby was asked to change something.
    pub fn standby_changes_nothing(told: &str) -> Self {
        let detail = format!(
            "this instance stands by and changes nothing: {told}; order it from the one whose /readyz answers 200"
        );
        Self::new(StatusCode::CONFLICT, "standby", "Standing by", detail)
    }

    /// Makes the answer.
    pub fn respond(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(allowed) = &self.allowed {
            response.insert_header((ALLOW, &**allowed));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"m365-connector\""));
        }
        response.insert_header((CACHE_CONTROL, "no-store"));
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        response.body(serde_json::to_string(self).unwrap_or_default())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.respond()
    }
}
