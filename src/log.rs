//! The log: one line per record on standard error, as text or as JSON, and the last records in memory.
//!
//! The configured level holds for our own crates. Foreign ones are never more talkative than `warn`, however far the
//! level is opened: at lower levels some of them print what they send, and secrets must not depend on their care. What
//! the HTTP server says of malformed requests is left out: whoever reaches the public listener could fill the log.
//! `CONNECTOR_LOG` sets single targets on purpose, in the usual notation: `m365_graph=debug,rustls=warn`.
//!
//! Levels change at run time through [`Log::change`], per [`TraceFlag`] or for single users, also for a while. A record
//! belongs to a user when its field `user` names him.

mod flag;
mod levels;
mod line;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use env_filter::Filter;
use log::kv::Key;
use log::{LevelFilter, Metadata, Record};
use tokio::sync::broadcast;

use crate::config::{Format, Logging};

pub use flag::TraceFlag;
pub use levels::{Change, Levels, Raised};
pub use line::Line;

/// What the targets of our own crates begin with.
const OWN_TARGETS: &str = "m365_";

/// The fixed target of the supervision tree's records.
const SUPERVISOR: &str = "supervisor";

/// How talkative foreign crates may be.
const FOREIGN_LEVEL: LevelFilter = LevelFilter::Warn;

/// Reports every malformed request as an error of the server.
const HTTP_DISPATCHER: &str = "actix_http::h1::dispatcher";

/// How many records are kept in memory.
const RECENT: usize = 1000;

/// A listener that is this many records behind loses the oldest of them.
const LISTENERS: usize = 256;

/// Why the log cannot be started or changed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The levels are not understood.
    #[error("log levels are not understood: {0}; write them like m365_graph=debug,rustls=warn")]
    BadLevels(String),
    /// This process logs already.
    #[error("this process has another log already")]
    Started,
}

/// A record with its number.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = LogRecord)]
pub struct Numbered {
    /// Counts the records of this process.
    pub id: u64,
    /// What it says.
    #[serde(flatten)]
    pub line: Line,
}

/// The log of this process.
pub struct Log {
    format: Format,
    levels: RwLock<Levels>,
    filter: RwLock<Filter>,
    recent: Mutex<Recent>,
    listeners: broadcast::Sender<Arc<Numbered>>,
}

#[derive(Default)]
struct Recent {
    lines: VecDeque<Arc<Numbered>>,
    next: u64,
}

impl Log {
    /// Starts logging. `levels` are those of single targets, as in `CONNECTOR_LOG`.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn start(logging: &Logging, levels: Option<&str>) -> Result<Arc<Self>, LogError> {
        let log = Arc::new(Self::new(logging, levels)?);
        log::set_boxed_logger(Box::new(Arc::clone(&log))).map_err(|_| LogError::Started)?;
        log.admit();
        Ok(log)
    }

    fn new(logging: &Logging, targets: Option<&str>) -> Result<Self, LogError> {
        let levels = Levels::new(logging.level.filter(), targets);
        Ok(Self {
            format: logging.format,
            filter: RwLock::new(levels.filter()?),
            levels: RwLock::new(levels),
            recent: Mutex::default(),
            listeners: broadcast::Sender::new(LISTENERS),
        })
    }

    /// The levels in force.
    pub fn levels(&self) -> Levels {
        self.levels.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes levels at run time.
    pub fn change(&self, change: Change) {
        self.alter(|levels| {
            levels.change(change);
            true
        });
    }

    /// Replaces the configured level.
    pub fn configure(&self, level: LevelFilter) {
        self.alter(|levels| {
            levels.configure(level);
            true
        });
    }

    /// Lets go of changes whose time is over.
    pub fn expire(&self, now: DateTime<Utc>) {
        if self.alter(|levels| levels.expire(now)) {
            log::info!("log levels are back at the configured ones: their time is over");
        }
    }

    fn alter(&self, alter: impl FnOnce(&mut Levels) -> bool) -> bool {
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        if !alter(&mut levels) {
            return false;
        }
        // the targets were understood at the start, so the filter can be built
        if let Ok(filter) = levels.filter() {
            *self.filter.write().unwrap_or_else(PoisonError::into_inner) = filter;
        }
        drop(levels);
        self.admit();
        true
    }

    /// Lists the last records, oldest first; at most 1,000.
    pub fn recent(&self) -> Vec<Arc<Numbered>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.lines.iter().cloned().collect()
    }

    /// Hears every record from now on.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Numbered>> {
        self.listeners.subscribe()
    }

    /// Lets through whatever the most talkative target may say.
    fn admit(&self) {
        let filter = self
            .filter
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .filter();
        log::set_max_level(if self.traces_users() {
            LevelFilter::Trace
        } else {
            filter
        });
    }

    fn traces_users(&self) -> bool {
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        !levels.users().is_empty()
    }

    fn is_let_through(&self, metadata: &Metadata<'_>) -> bool {
        self.filter
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .enabled(metadata)
    }

    /// Whether the record is about a user who is traced.
    fn is_about_a_traced_user(&self, record: &Record<'_>) -> bool {
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        let user = || record.key_values().get(Key::from("user"));
        !levels.users().is_empty()
            && is_our_own(record.target())
            && user().is_some_and(|user| levels.users().contains_key(&user.to_string().to_lowercase()))
    }

    fn keep(&self, line: Line) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let numbered = Arc::new(Numbered {
            id: recent.next,
            line,
        });
        recent.next += 1;
        if recent.lines.len() == RECENT {
            recent.lines.pop_front();
        }
        recent.lines.push_back(Arc::clone(&numbered));
        drop(recent);
        // nobody may be listening
        let _unheard = self.listeners.send(numbered);
    }
}

fn is_our_own(target: &str) -> bool {
    target.starts_with(OWN_TARGETS) || target == SUPERVISOR
}

impl log::Log for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // who a record is about is known only with the record
        self.is_let_through(metadata) || (is_our_own(metadata.target()) && self.traces_users())
    }

    fn log(&self, record: &Record<'_>) {
        if !self.is_let_through(record.metadata()) && !self.is_about_a_traced_user(record) {
            return;
        }
        let line = Line::of(record);
        let text = match self.format {
            Format::Text => line.to_string(),
            Format::Json => line.to_json(),
        };
        // where standard error is closed, nobody is left to be told
        let _ = writeln!(io::stderr().lock(), "{text}");
        self.keep(line);
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use log::{Level, Log as _};

    use super::*;
    use crate::config;

    fn log(level: config::Level, levels: Option<&str>) -> Log {
        Log::new(
            &Logging {
                format: Format::Text,
                level,
            },
            levels,
        )
        .unwrap()
    }

    fn says(log: &Log, target: &str, level: Level) -> bool {
        log.enabled(&Metadata::builder().target(target).level(level).build())
    }

    #[test]
    fn foreign_crates_only_warn() {
        let log = log(config::Level::Trace, None);
        assert!(says(&log, "m365_graph::http", Level::Trace));
        assert!(says(&log, "actix_server", Level::Warn));
        assert!(!says(&log, "actix_server", Level::Info));
    }

    #[test]
    fn the_supervision_tree_tells_its_story() {
        let log = log(config::Level::Info, None);
        assert!(says(&log, "supervisor", Level::Info));
    }

    #[test]
    fn strangers_cannot_fill_the_log_with_malformed_requests() {
        let log = log(config::Level::Trace, None);
        assert!(!says(&log, "actix_http::h1::dispatcher", Level::Error));
    }

    #[test]
    fn a_quiet_level_holds_for_everybody() {
        let log = log(config::Level::Error, None);
        assert!(!says(&log, "m365_graph", Level::Warn));
        assert!(!says(&log, "actix_server", Level::Info));
    }

    #[test]
    fn single_targets_are_opened_on_purpose() {
        let log = log(config::Level::Info, Some("m365_graph=debug,rustls=trace"));
        assert!(says(&log, "m365_graph::http", Level::Debug));
        assert!(!says(&log, "m365_pbx", Level::Debug));
        assert!(says(&log, "rustls::conn", Level::Trace));
    }

    #[test]
    fn single_targets_that_are_not_understood_are_refused() {
        let logging = Logging {
            format: Format::Text,
            level: config::Level::Info,
        };
        assert!(Log::new(&logging, Some("m365_graph=loud")).is_err());
    }

    fn raise(log: &Log, flag: TraceFlag, level: LevelFilter) {
        log.change(Change {
            flags: [(flag, Some(level))].into(),
            ..Change::default()
        });
    }

    #[test]
    fn a_flag_opens_its_targets_only() {
        let log = log(config::Level::Info, None);
        raise(&log, TraceFlag::HttpClient, LevelFilter::Debug);
        assert!(says(&log, "m365_graph::http", Level::Debug));
        assert!(!says(&log, "m365_graph::tls", Level::Debug));
        assert!(!says(&log, "m365_actors", Level::Debug));
        raise(&log, TraceFlag::App, LevelFilter::Error);
        assert!(!says(&log, "m365_actors::user_sync", Level::Warn));
        assert!(says(&log, "m365_pbx", Level::Info));
    }

    #[test]
    fn foreign_crates_never_trace() {
        let log = log(config::Level::Info, None);
        raise(&log, TraceFlag::Tls, LevelFilter::Trace);
        assert!(says(&log, "rustls::client", Level::Debug));
        assert!(!says(&log, "rustls::client", Level::Trace));
    }

    #[test]
    fn one_user_is_traced_and_the_others_are_not() {
        let log = log(config::Level::Info, None);
        log.change(Change {
            users: Some(vec!["Alice".to_owned()]),
            ..Change::default()
        });
        let about = |user: &str| {
            let fields = [("user", log::kv::Value::from(user))];
            let mut builder = Record::builder();
            builder
                .target("m365_actors")
                .level(Level::Trace)
                .key_values(&fields);
            log::Log::log(&log, &builder.build());
            log.recent().len()
        };
        assert_eq!(about("bob"), 0);
        assert_eq!(about("alice"), 1);
    }

    #[test]
    fn the_last_records_are_kept() {
        let log = log(config::Level::Info, None);
        for number in 0..RECENT + 2 {
            let message = format!("message {number}");
            log.keep(Line::of(
                &Record::builder().args(format_args!("{message}")).build(),
            ));
        }
        let recent = log.recent();
        assert_eq!(recent.len(), RECENT);
        assert_eq!(recent[0].line.message, "message 2");
        assert_eq!(recent[0].id, 2);
    }
}
