//! The status message of a user (reference 5.1 and 5.2): what somebody wrote, and until when it stands.

use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

/// Names of the zone in which nothing is to be converted; the cloud of the simulator knows no other.
const UTC_NAMES: [&str; 3] = ["UTC", "Etc/UTC", "Etc/GMT"];

/// A message that stands, or stood.
#[derive(Clone, Debug)]
pub(super) struct StatusMessage {
    content: String,
    content_type: &'static str,
    until: Option<Instant>,
}

impl StatusMessage {
    /// What somebody writes in a Teams client, which marks it up.
    pub(super) fn written(message: &str) -> Option<Self> {
        (!message.is_empty()).then(|| Self {
            content: format!("<p>{message}</p><pinnednote></pinnednote>"),
            content_type: "html",
            until: None,
        })
    }

    /// Reads the body of `setStatusMessage`; an empty content takes the message away. `scaled` is how long a wait takes
    /// in reality.
    ///
    /// # Errors
    /// Says what Graph would refuse.
    pub(super) fn set(
        body: &Value,
        now: DateTime<Utc>,
        scaled: impl Fn(Duration) -> Duration,
    ) -> Result<Option<Self>, &'static str> {
        let status = body.get("statusMessage").ok_or("The statusMessage is missing.")?;
        let message = status.get("message").ok_or("The message is missing.")?;
        let content = message.get("content").and_then(Value::as_str).unwrap_or_default();
        let content_type = message.get("contentType").and_then(Value::as_str);
        if !content_type.is_some_and(|kind| kind.eq_ignore_ascii_case("text")) {
            return Err("The contentType must be text.");
        }
        let until = match status.get("expiryDateTime") {
            None | Some(Value::Null) => None,
            Some(expiry) => Some(expires(expiry)?),
        };
        let lasts = until.map(|until| scaled((until - now).to_std().unwrap_or_default()));
        Ok((!content.is_empty()).then(|| Self {
            content: content.to_owned(),
            content_type: "text",
            until: lasts.map(|lasts| Instant::now() + lasts),
        }))
    }

    /// Whether it has not ended.
    pub(super) fn stands(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// The content, as it is stored.
    pub(super) fn content(&self) -> &str {
        &self.content
    }

    /// How long it stands yet; nothing for a message without an end.
    pub(super) fn life(&self, now: Instant) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(now))
    }

    /// What others read: neither when it ends nor when it was written.
    pub(super) fn told(&self) -> Value {
        json!({"message": {"content": self.content, "contentType": self.content_type}})
    }
}

fn expires(expiry: &Value) -> Result<DateTime<Utc>, &'static str> {
    let text = |member: &str| expiry.get(member).and_then(Value::as_str).unwrap_or_default();
    if !UTC_NAMES.contains(&text("timeZone")) {
        return Err("The timeZone is not known.");
    }
    text("dateTime")
        .parse::<NaiveDateTime>()
        .map(|time| time.and_utc())
        .map_err(|_| "The dateTime is no time without a zone.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stands_until_its_end_and_only_text_is_taken() {
        let now: DateTime<Utc> = "2026-01-01T12:00:00Z".parse().unwrap();
        let set = |content: &str, kind: &str, time: &str, zone: &str| {
            let body = json!({"statusMessage": {
                "message": {"content": content, "contentType": kind},
                "expiryDateTime": {"dateTime": time, "timeZone": zone},
            }});
            StatusMessage::set(&body, now, |wait| wait)
        };
        let message = set("back at 3", "text", "2026-01-01T13:00:00.0000000", "UTC");
        let message = message.unwrap().unwrap();
        let life = message.life(Instant::now()).unwrap();
        assert!((3_500..=3_600).contains(&life.as_secs()), "{life:?}");
        assert!(message.stands(Instant::now()));
        assert!(!message.stands(Instant::now() + Duration::from_secs(3_601)));
        assert!(set("", "text", "2026-01-01T13:00:00", "UTC").unwrap().is_none());
        for (kind, time, zone) in [
            ("html", "2026-01-01T13:00:00", "UTC"),
            ("text", "2026-01-01T13:00:00Z", "UTC"),
            ("text", "2026-01-01T13:00:00", "Nowhere"),
        ] {
            assert!(
                set("back at 3", kind, time, zone).is_err(),
                "{kind} {time} {zone}"
            );
        }
    }
}
