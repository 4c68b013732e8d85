//! The handshake by which a notification URL proves that somebody listens (reference 3.3).

use std::time::Duration;

use awc::Client;
use serde_json::json;
use url::{Url, form_urlencoded};
use uuid::Uuid;

use super::{
    answer::GraphError,
    cloud::Cloud,
    entry::{Entry, Kind},
};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Why an endpoint did not prove itself.
enum Failure {
    TimedOut,
    Unreachable,
    Status(u16),
    WrongAnswer,
}

/// Demands that a URL is one that notifications may be sent to: https, or plain http on loopback.
pub(super) fn accept_url(text: &str, property: &str) -> Result<(), GraphError> {
    let url = Url::parse(text).ok();
    let good = url.is_some_and(|url| match url.scheme() {
        "https" => url.has_host(),
        "http" => matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")),
        _ => false,
    });
    if good {
        return Ok(());
    }
    let message = format!("The '{property}' property must be a valid https URL.");
    Err(GraphError::new(400, "InvalidRequest", message))
}

/// Asks an endpoint to repeat a token within the time that the cloud allows.
pub(super) async fn validate(cloud: &Cloud, client: &Client, url: &str, who: &str) -> Result<(), GraphError> {
    let limit = cloud.state().knobs.validation_timeout;
    let token = format!(
        "Validation: Testing client application reachability for subscription Request-Id: {}",
        Uuid::new_v4()
    );
    let result = tokio::time::timeout(limit, ask(client, url, &token, limit))
        .await
        .unwrap_or(Err(Failure::TimedOut));
    let status = match &result {
        Ok(()) | Err(Failure::WrongAnswer) => Some(200),
        Err(Failure::Status(status)) => Some(*status),
        Err(Failure::TimedOut | Failure::Unreachable) => None,
    };
    cloud.record(Entry {
        at: cloud.now(),
        kind: Kind::Validation,
        who: who.to_owned(),
        token: 0,
        what: format!("POST {url}"),
        status,
        users: Vec::new(),
        detail: json!({"proven": result.is_ok()}),
    });
    let message = match result {
        Ok(()) => return Ok(()),
        Err(Failure::TimedOut) => "Subscription validation request timed out.".to_owned(),
        Err(Failure::Unreachable | Failure::WrongAnswer) => {
            "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.".to_owned()
        }
        Err(Failure::Status(status)) => {
            let name = actix_web::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            let name = name.unwrap_or("Unknown").replace(' ', "");
            format!("Subscription validation request failed. HTTP status code is '{name}'.")
        }
    };
    Err(GraphError::new(400, "InvalidRequest", message))
}

/// The time limit stands around the whole call; the client's own comes later, so that it never decides.
async fn ask(client: &Client, url: &str, token: &str, limit: Duration) -> Result<(), Failure> {
    let mark = if url.contains('?') { '&' } else { '?' };
    let encoded: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    // The service writes its escapes in lower case.
    let address = format!("{url}{mark}validationToken={}", encoded.replace("%3A", "%3a"));
    let request = client
        .post(address)
        .timeout(limit * 2)
        .insert_header(("Content-Type", "text/plain; charset=utf-8"));
    let mut response = request.send().await.map_err(|_| Failure::Unreachable)?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(Failure::Status(status));
    }
    let plain = response
        .headers()
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/plain"));
    let body = response
        .body()
        .limit(LONGEST_ANSWER)
        .await
        .map_err(|_| Failure::Unreachable)?;
    if plain && body == token.as_bytes() {
        Ok(())
    } else {
        Err(Failure::WrongAnswer)
    }
}
