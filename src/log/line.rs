//! One record of the log, and its two written forms.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use log::kv::{self, Key, Value, VisitSource};
use log::{LevelFilter, Record};
use serde::Serialize;
use utoipa::ToSchema;

/// One record, as it is written and kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Line {
    /// When it was made.
    pub time: DateTime<Utc>,
    /// How important it is, in lower case.
    pub level: String,
    /// Which part says it, e.g. `graph::token`.
    pub target: String,
    /// What it says.
    pub message: String,
    /// What it is about, to query by.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, serde_json::Value>,
}

impl Line {
    pub(super) fn of(record: &Record<'_>) -> Self {
        let mut fields = Fields::default();
        // our own visitor refuses nothing
        let _ = record.key_values().visit(&mut fields);
        Self {
            time: Utc::now(),
            level: record.level().as_str().to_lowercase(),
            target: record.target().trim_start_matches("m365_").to_owned(),
            message: record.args().to_string(),
            fields: fields.0,
        }
    }

    /// How important it is.
    pub fn level_filter(&self) -> LevelFilter {
        self.level.parse().unwrap_or(LevelFilter::Error)
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// `2026-11-24T03:00:00.000Z info  graph::token  token refreshed account=…`
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.to_rfc3339_opts(SecondsFormat::Millis, true);
        write!(
            f,
            "{time} {:<5} {}: {}",
            self.level,
            self.target,
            one_line(&self.message)
        )?;
        for (name, value) in &self.fields {
            match value {
                serde_json::Value::String(text) if is_plain(text) => write!(f, " {name}={text}")?,
                value => write!(f, " {name}={value}")?,
            }
        }
        Ok(())
    }
}

/// Text from outside must not be able to begin a line of its own.
fn one_line(text: &str) -> String {
    let escaped = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(escaped).collect()
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '=')
}

#[derive(Default)]
struct Fields(BTreeMap<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let value = serde_json::to_value(&value).unwrap_or_else(|_| value.to_string().into());
        self.0.insert(key.to_string(), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str) -> Line {
        let fields = [
            ("user", kv::Value::from("alice b")),
            ("count", kv::Value::from(3)),
            ("pbx", "main".into()),
        ];
        let record = |args| {
            let mut builder = Record::builder();
            builder
                .args(args)
                .level(log::Level::Warn)
                .target("m365_graph::token")
                .key_values(&fields);
            Line::of(&builder.build())
        };
        record(format_args!("{message}"))
    }

    #[test]
    fn text_is_time_level_target_message_and_fields() {
        let text = line("token refused").to_string();
        let (time, rest) = text.split_once(' ').unwrap();
        assert!(
            time.ends_with('Z') && time.parse::<DateTime<Utc>>().is_ok(),
            "{time}"
        );
        assert_eq!(
            rest,
            r#"warn  graph::token: token refused count=3 pbx=main user="alice b""#
        );
    }

    #[test]
    fn text_stays_on_one_line() {
        assert!(line("a\nb\u{1b}[31m").to_string().contains(r"a\nb\u{1b}[31m"));
    }

    #[test]
    fn json_is_one_object_per_line() {
        let json = line("a\nb").to_json();
        assert!(!json.contains('\n'));
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["level"], "warn");
        assert_eq!(read["target"], "graph::token");
        assert_eq!(read["message"], "a\nb");
        assert_eq!(read["fields"]["count"], 3);
        assert_eq!(read["fields"]["user"], "alice b");
    }
}
