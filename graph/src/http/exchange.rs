//! One request and what came back, apart from all that surrounds it: headers, the whole body, the measurement of
//! Graph's clock.

use std::rc::Rc;
use std::time::{Duration, Instant};

use awc::error::{ConnectError, SendRequestError};
use awc::http::Uri;
use awc::http::header::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use m365_presence::clock::Clock;
use m365_presence::tenure::Permit;
use m365_presence::traffic::Failure;

use super::permitted::{Permitted, Unpermitted};
use super::{Content, Family, Request};

/// How much of a body is searched for words.
const SEARCHED: usize = 8 * 1024;

/// A page of 999 users with their plans is larger than awc's own limit of 2 MiB.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// A slower answer says too little about the time at which Graph wrote its date.
const SLOWEST_MEASUREMENT: Duration = Duration::from_secs(4);

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What the answer says about the time until the next request.
    pub(crate) retry_after: Option<Duration>,
    /// For how long Microsoft asks to be left alone, if it does.
    pub(crate) patience: Option<Duration>,
    /// When the host is asked again, if it is out of reach.
    pub(crate) unreachable_for: Option<Duration>,
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

/// What became of a request.
pub(super) enum Exchanged {
    Answered(Answer),
    /// It did not leave.
    KeptBack(Unpermitted),
    /// With the cause as a part of a sentence.
    Failed(Failure<Family>, String),
}

/// Sends a request, one that writes only as long as it is permitted, and takes in the whole answer.
pub(super) async fn exchange(
    client: &awc::Client,
    clock: &dyn Clock,
    permit: Option<&Rc<dyn Permit>>,
    request: Request<'_>,
    uri: Uri,
) -> Exchanged {
    let family = request.family;
    let correlation = uuid::Uuid::new_v4().to_string();
    let mut outgoing = client
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
    let left_at = Instant::now();
    let sending = match request.content {
        Content::Empty => outgoing.send(),
        Content::Json(value) => match permit {
            Some(permit) => outgoing
                .content_type("application/json")
                .send_body(Permitted::new(value.to_string().into(), Rc::clone(permit))),
            None => outgoing.send_json(value),
        },
        Content::Form(form) => outgoing
            .content_type("application/x-www-form-urlencoded")
            .send_body(form.expose().to_owned()),
    };
    let mut incoming = match sending.await {
        Ok(incoming) => incoming,
        Err(error) => {
            if let SendRequestError::Body(cause) = &error
                && let Some(unpermitted) = cause.downcast_ref::<Unpermitted>()
            {
                return Exchanged::KeptBack(*unpermitted);
            }
            let (failure, cause) = describe(family, &error);
            return Exchanged::Failed(failure, cause);
        }
    };
    measure(clock, incoming.headers(), left_at.elapsed());
    let status = incoming.status().as_u16();
    let retry_after = text(incoming.headers(), "retry-after")
        .and_then(|value| retry_after(value, date(incoming.headers()).unwrap_or(clock.now())));
    let request_id = ["request-id", "x-ms-request-id"]
        .into_iter()
        .find_map(|name| text(incoming.headers(), name))
        .unwrap_or_default()
        .to_owned();
    let claims = incoming
        .headers()
        .get_all("www-authenticate")
        .filter_map(|challenge| challenge.to_str().ok())
        .find_map(challenged_claims);
    log::debug!(
        method = request.method.as_str(), status, family:? = family,
        request_id = request_id.as_str(), client_request_id = correlation.as_str();
        "microsoft answered"
    );
    let body = match incoming.body().limit(LARGEST_BODY).await {
        Ok(body) => body.slice_ref(without_mark(&body)),
        Err(error) => {
            return Exchanged::Failed(
                Failure::NoAnswer(family),
                format!("the answer broke off ({error})"),
            );
        }
    };
    if (200..=299).contains(&status) && is_web_page(incoming.headers(), &body) {
        let cause = "a web page came back, as from a proxy that wants to be seen";
        return Exchanged::Failed(Failure::NoAnswer(family), cause.to_owned());
    }
    Exchanged::Answered(Answer {
        status,
        retry_after,
        patience: None,
        unreachable_for: None,
        request_id,
        claims,
        // by the clock that this very answer may have set right
        sent_at: clock.now() - TimeDelta::from_std(left_at.elapsed()).unwrap_or_default(),
        body,
    })
}

fn measure(clock: &dyn Clock, headers: &HeaderMap, taken: Duration) {
    // a cache tells the time at which it was filled
    let cached = text(headers, "age").is_some_and(|age| age.trim() != "0");
    let Some(date) = date(headers).filter(|_| !cached) else {
        return;
    };
    if taken <= SLOWEST_MEASUREMENT || clock.offset().is_none() {
        let middle = TimeDelta::from_std(taken / 2).unwrap_or_default();
        clock.measured(date, clock.local() - middle);
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

/// Reads an HTTP date in today's spelling, and in the two of old that a recipient has to know (RFC 9110, 5.6.7).
fn http_date(value: &str) -> Option<DateTime<Utc>> {
    let of_old = |spelling| NaiveDateTime::parse_from_str(value, spelling).ok();
    DateTime::parse_from_rfc2822(value)
        .map(|date| date.to_utc())
        .ok()
        .or_else(|| {
            of_old("%A, %d-%b-%y %H:%M:%S GMT")
                .or_else(|| of_old("%a %b %e %H:%M:%S %Y"))
                .map(|date| date.and_utc())
        })
}

/// Microsoft never answers a granted request with a page; whoever did has not carried it out. An empty body that is said
/// to be one counts as what it is: nothing.
fn is_web_page(headers: &HeaderMap, body: &[u8]) -> bool {
    let is_html = |kind: &str| kind.trim_start().to_ascii_lowercase().starts_with("text/html");
    text(headers, "content-type").is_some_and(is_html) && body.trim_ascii_start().starts_with(b"<")
}

/// A body without the byte order mark that some writers of UTF-8 begin with.
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn describe(family: Family, error: &SendRequestError) -> (Failure<Family>, String) {
    match error {
        // awc's word for a connection that was there and ended before an answer
        SendRequestError::Connect(ConnectError::Disconnected) => (
            Failure::NoAnswer(family),
            "the connection was closed without an answer".to_owned(),
        ),
        SendRequestError::Connect(cause) => (Failure::NoConnection, format!("no connection ({cause})")),
        SendRequestError::Send(cause) => (
            Failure::NoAnswer(family),
            format!("the connection broke ({cause})"),
        ),
        SendRequestError::Response(_) => (Failure::NoAnswer(family), "what came back is not HTTP".to_owned()),
        other => (Failure::NoAnswer(family), other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use awc::http::header::{CONTENT_TYPE, HeaderValue};

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
            ("Tuesday, 24-Nov-26 12:00:30 GMT", Some(30)),
            ("Tue Nov 24 12:00:30 2026", Some(30)),
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
    fn only_a_page_is_a_page_whatever_it_is_said_to_be() {
        let said = |kind: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            headers
        };
        for page in [" \r\n<!DOCTYPE html>", "<html>"] {
            assert!(is_web_page(&said("text/html; charset=utf-8"), page.as_bytes()));
            assert!(is_web_page(&said("Text/HTML"), page.as_bytes()));
            assert!(!is_web_page(&said("application/json"), page.as_bytes()));
        }
        for none in ["", " ", "{}", "[]", "OK"] {
            assert!(!is_web_page(&said("text/html"), none.as_bytes()), "{none}");
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
}
