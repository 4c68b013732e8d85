//! The one way out: every request to Microsoft passes here.
//!
//! Here are the deadline, the correlation id, the patience that all callers share and the measurement of Graph's
//! clock. What an answer *means* is decided by the caller; that there is none is [`Unanswered`]. Neither bodies nor
//! tokens are ever logged, and redirects are never followed, because a token must not travel to another host.

use std::rc::Rc;
use std::time::Duration;

use awc::error::SendRequestError;
use awc::http::header::HeaderMap;
use awc::http::{Method, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::clock::Clock;
use m365_presence::secret::Secret;
use rustls::ClientConfig;

use crate::patience::{Family, Patience};

/// How much of a body is searched for words.
const SEARCHED: usize = 8 * 1024;

/// A page of 999 users with their plans is larger than awc's own limit of 2 MiB.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// Longest time for name resolution and connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Shorter than what servers usually allow, so that a pooled connection is rarely closed under a request.
const POOLED: Duration = Duration::from_secs(4);

/// A slower answer says too little about the time at which Graph wrote its date.
const SLOWEST_MEASUREMENT: TimeDelta = TimeDelta::seconds(4);

/// What a request carries.
pub(crate) enum Content {
    /// Nothing.
    Empty,
    /// JSON.
    Json(serde_json::Value),
    /// A form, which may hold passwords.
    Form(Secret),
}

/// A request.
pub(crate) struct Request<'a> {
    pub(crate) family: Family,
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) bearer: Option<&'a Secret>,
    pub(crate) headers: &'a [(&'static str, &'static str)],
    pub(crate) content: &'a Content,
    pub(crate) deadline: Duration,
}

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// For how long Graph asks to be left alone, if it does.
    pub(crate) patience: Option<Duration>,
    pub(crate) request_id: String,
    /// What a fresh token has to prove, as JSON, where Graph challenges this one (graph.md 6.1).
    pub(crate) claims: Option<String>,
    /// When the request left, on Graph's clock.
    pub(crate) sent_at: DateTime<Utc>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The body as JSON, or `None` for HTML, an empty body or a truncated one.
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The beginning of the body as text, to be searched and never to be shown.
    pub(crate) fn beginning(&self) -> String {
        String::from_utf8_lossy(self.body.get(..SEARCHED).unwrap_or(&self.body)).into_owned()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The request did not leave, because its family must be left alone for this long.
    #[error("patience of {0:?} is asked for")]
    Patience(Duration),
    /// No usable answer came.
    #[error("{0}")]
    Lost(String),
}

/// Sends requests to Microsoft; one per arbiter, because awc's client is not `Send`.
pub struct HttpClient {
    client: awc::Client,
    patience: Patience,
    clock: Rc<dyn Clock>,
}

impl HttpClient {
    /// Makes a client with the given TLS and the clock that it measures.
    pub fn new(tls: std::sync::Arc<ClientConfig>, clock: Rc<dyn Clock>) -> Self {
        let connector = awc::Connector::new()
            .rustls_0_23(tls)
            .timeout(CONNECT)
            .handshake_timeout(CONNECT)
            .conn_keep_alive(POOLED);
        let client = awc::Client::builder()
            .connector(connector)
            .disable_redirects()
            .disable_timeout()
            .add_default_header((
                "user-agent",
                concat!("m365-connector/", env!("CARGO_PKG_VERSION")),
            ))
            .finish();
        Self {
            client,
            patience: Patience::default(),
            clock,
        }
    }

    /// The clock that answers correct.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Notes that a family asks for patience inside of an answer, as the items of a batch do.
    pub(crate) fn heed(
        &self,
        family: Family,
        status: u16,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        self.patience.observe(family, status, retry_after)
    }

    /// Sends a request unless its family must be left alone, and returns the whole answer.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Answer, Unanswered> {
        if let Some(remaining) = self.patience.remaining(request.family) {
            return Err(Unanswered::Patience(remaining));
        }
        let uri: Uri = request
            .url
            .parse()
            .map_err(|error| Unanswered::Lost(format!("an address that cannot be asked: {error}")))?;
        let host = uri
            .authority()
            .map(|authority| authority.as_str().to_owned())
            .unwrap_or_default();
        let deadline = request.deadline;
        let exchange = self.exchange(request, uri);
        match tokio::time::timeout(deadline, exchange).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(cause)) => Err(Unanswered::Lost(format!("no answer from {host}: {cause}"))),
            Err(_) => Err(Unanswered::Lost(format!(
                "no answer from {host} within {deadline:?}"
            ))),
        }
    }

    async fn exchange(&self, request: Request<'_>, uri: Uri) -> Result<Answer, String> {
        let correlation = uuid::Uuid::new_v4().to_string();
        let mut outgoing = self
            .client
            .request(request.method.clone(), uri)
            .insert_header(("accept", "application/json"))
            .insert_header(("client-request-id", correlation.as_str()))
            .insert_header(("return-client-request-id", "true"));
        for header in request.headers {
            outgoing = outgoing.insert_header(*header);
        }
        if let Some(token) = request.bearer {
            outgoing = outgoing.bearer_auth(token.expose());
        }
        let sent_at = self.clock.now();
        let sent_locally = self.clock.local();
        let sending = match request.content {
            Content::Empty => outgoing.send(),
            Content::Json(value) => outgoing.send_json(value),
            Content::Form(form) => outgoing
                .content_type("application/x-www-form-urlencoded")
                .send_body(form.expose().to_owned()),
        };
        let mut incoming = sending.await.map_err(|error| describe(&error))?;
        self.measure(incoming.headers(), sent_locally);
        let status = incoming.status().as_u16();
        let retry_after = text(incoming.headers(), "retry-after")
            .and_then(|value| retry_after(value, date(incoming.headers()).unwrap_or(self.clock.now())));
        let patience = self.patience.observe(request.family, status, retry_after);
        let request_id = ["request-id", "x-ms-request-id"]
            .into_iter()
            .find_map(|name| text(incoming.headers(), name))
            .unwrap_or_default()
            .to_owned();
        let claims = text(incoming.headers(), "www-authenticate").and_then(challenged_claims);
        log::debug!(
            method = request.method.as_str(), status, family:? = request.family,
            request_id = request_id.as_str(), client_request_id = correlation.as_str();
            "microsoft answered"
        );
        if (200..=299).contains(&status) && is_web_page(incoming.headers()) {
            return Err("a web page came back, as from a proxy that wants to be seen".to_owned());
        }
        let body = incoming
            .body()
            .limit(LARGEST_BODY)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Answer {
            status,
            patience,
            request_id,
            claims,
            sent_at,
            body,
        })
    }

    fn measure(&self, headers: &HeaderMap, sent: DateTime<Utc>) {
        let Some(date) = date(headers) else { return };
        let taken = self.clock.local() - sent;
        if taken <= SLOWEST_MEASUREMENT || self.clock.offset().is_none() {
            self.clock.measured(date, sent + taken / 2);
        }
    }
}

/// Reads `Retry-After`: seconds, or an HTTP date as seen from the answer's own date.
pub(crate) fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = http_date(value)?;
    Some((until - now).to_std().unwrap_or_default())
}

/// Reads the claims of a challenge, which stand there in base64.
fn challenged_claims(challenge: &str) -> Option<String> {
    let (_, rest) = challenge.split_once("claims=\"")?;
    let (encoded, _) = rest.split_once('"')?;
    let claims = STANDARD
        .decode(encoded)
        .or_else(|_| URL_SAFE.decode(encoded))
        .ok()?;
    String::from_utf8(claims).ok()
}

fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    http_date(text(headers, "date")?)
}

fn http_date(value: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(value).ok().map(|date| date.to_utc())
}

/// Microsoft never answers a granted request so; whoever did has not carried it out.
fn is_web_page(headers: &HeaderMap) -> bool {
    text(headers, "content-type").is_some_and(|kind| kind.trim_start().starts_with("text/html"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn describe(error: &SendRequestError) -> String {
    match error {
        SendRequestError::Send(cause) => format!("the connection broke ({cause})"),
        SendRequestError::Response(_) => "what came back is not HTTP".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        for (value, expected) in [
            ("10", Some(10)),
            (" 0 ", Some(0)),
            ("Tue, 24 Nov 2026 12:00:30 GMT", Some(30)),
            ("Tue, 24 Nov 2026 11:00:00 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
            ("NaN", None),
            ("1e300", None),
            ("", None),
        ] {
            assert_eq!(
                retry_after(value, noon()),
                expected.map(Duration::from_secs),
                "{value}"
            );
        }
    }

    #[test]
    fn the_claims_of_a_challenge_are_decoded() {
        let challenge =
            |claims: &str| format!("Bearer realm=\"\", error=\"insufficient_claims\", claims={claims}");
        let claims = r#"{"access_token":{"nbf":{"essential":true}}}"#;
        let encoded = STANDARD.encode(claims);
        assert_eq!(
            challenged_claims(&challenge(&format!("\"{encoded}\", x=\"y\""))).as_deref(),
            Some(claims)
        );
        for none in ["\"", "\"%\"", "unquoted", ""] {
            assert_eq!(challenged_claims(&challenge(none)), None);
        }
        assert_eq!(challenged_claims("Bearer realm=\"\""), None);
    }

    #[actix_rt::test]
    async fn an_answer_that_does_not_come_in_time_is_lost() {
        let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", deaf.local_addr().unwrap());
        let clock = Rc::new(crate::clock::GraphClock::new());
        let client = HttpClient::new(crate::tls::client_config().unwrap(), clock);
        let request = Request {
            family: Family::Directory,
            method: Method::GET,
            url: &url,
            bearer: None,
            headers: &[],
            content: &Content::Empty,
            deadline: Duration::from_millis(100),
        };
        let outcome = tokio::time::timeout(Duration::from_secs(60), client.send(request)).await;
        assert!(matches!(outcome.expect("an end"), Err(Unanswered::Lost(_))));
    }
}
