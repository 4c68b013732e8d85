//! A request and an answer, apart from the HTTP library, so that the items of a batch go the same way as requests of
//! their own.

use actix_web::{
    http::{Method, header::HeaderMap},
    web::Bytes,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clock::error_time;

/// One request.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) request_id: Uuid,
}

impl Call {
    /// Returns a header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the body as JSON, which it is only when its content type says so.
    pub(super) fn json(&self) -> Option<Value> {
        let kind = self.header("content-type")?;
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }
}

/// What an answer contains.
#[derive(Debug)]
pub(super) enum Body {
    Empty,
    Json(Value),
    Text(&'static str, String),
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Whole,
    /// The connection closes before the answer.
    Closed,
    /// The connection closes within the body.
    Truncated,
}

/// One answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
    pub(super) ending: Ending,
    /// How far its `Date` is ahead of the cloud's clock.
    pub(super) date_shift: TimeDelta,
}

impl Answer {
    /// Answers with a status and nothing else.
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Empty,
            ending: Ending::Whole,
            date_shift: TimeDelta::zero(),
        }
    }

    /// Answers with JSON.
    pub(super) fn json(status: u16, value: Value) -> Self {
        Self {
            body: Body::Json(value),
            ..Self::empty(status)
        }
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns the status, unless the connection closes before it is sent.
    pub(super) fn sent_status(&self) -> Option<u16> {
        (self.ending != Ending::Closed).then_some(self.status)
    }

    /// Answers 200 with JSON.
    pub(super) fn ok(value: Value) -> Self {
        Self::json(200, value)
    }
}

/// A refusal by Graph, before it knows the request's ids.
#[derive(Debug)]
pub(super) struct GraphError {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl GraphError {
    /// Refuses with status, code and message (reference 6.2).
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// Refuses as the presence service does, wrapped in Graph's words (reference 3.2).
    pub(super) fn extension(status: u16, operation: &str, reason: &str, detail: &str) -> Self {
        let message = format!("Operation: {operation}; Exception: [Status Code: {reason}; Reason: {detail}]");
        Self::new(status, "ExtensionError", message)
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Writes the refusal as the answer to a call.
    pub(super) fn answer(self, call: &Call, now: DateTime<Utc>) -> Answer {
        let mut inner = json!({
            "date": error_time(now),
            "request-id": call.request_id,
            "client-request-id": call.header("client-request-id").map_or_else(|| call.request_id.to_string(), str::to_owned),
        });
        if self.status == 429
            && let Some(inner) = inner.as_object_mut()
        {
            inner.insert("code".to_owned(), "429".into());
            inner.insert("message".to_owned(), "Please retry after".into());
            inner.insert("status".to_owned(), "429".into());
        }
        let body = json!({"error": {"code": self.code, "message": self.message, "innerError": inner}});
        Answer {
            headers: self.headers,
            ..Answer::json(self.status, body)
        }
    }
}
