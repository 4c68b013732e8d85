//! The log: one line per record on standard error, as text or as JSON, and the last records in memory.
//!
//! The configured level holds for our own crates. Foreign ones are never more talkative than `warn`, however far the
//! level is opened: at lower levels some of them print what they send, and secrets must not depend on their care. What
//! the HTTP server says of malformed requests is left out: whoever reaches the public listener could fill the log.
//! `CONNECTOR_LOG` sets single targets on purpose, in the usual notation: `m365_graph=debug,rustls=warn`.
//!
//! Levels change at run time through [`Log::set_levels`].

mod line;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use env_filter::Filter;
use log::{LevelFilter, Metadata, Record};

use crate::config::{Format, Logging};

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

/// The log of this process.
pub struct Log {
    format: Format,
    filter: RwLock<Filter>,
    recent: Mutex<VecDeque<Line>>,
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

    fn new(logging: &Logging, levels: Option<&str>) -> Result<Self, LogError> {
        Ok(Self {
            format: logging.format,
            filter: RwLock::new(filter(logging.level.filter(), levels)?),
            recent: Mutex::new(VecDeque::with_capacity(RECENT)),
        })
    }

    /// Changes the levels: of our own crates, and of single targets.
    ///
    /// # Errors
    /// [`LogError::BadLevels`]; everything stays as it was.
    pub fn set_levels(&self, level: LevelFilter, levels: Option<&str>) -> Result<(), LogError> {
        let filter = filter(level, levels)?;
        *self.filter.write().unwrap_or_else(PoisonError::into_inner) = filter;
        self.admit();
        Ok(())
    }

    /// Lists the last records, oldest first; at most 1,000.
    pub fn recent(&self) -> Vec<Line> {
        self.recent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    /// Lets through whatever the most talkative target may say.
    fn admit(&self) {
        log::set_max_level(
            self.filter
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .filter(),
        );
    }

    fn keep(&self, line: Line) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(line);
    }
}

impl log::Log for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
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

/// Puts the levels of our crates, of foreign ones and of single targets together; the most specific one decides.
fn filter(level: LevelFilter, levels: Option<&str>) -> Result<Filter, LogError> {
    let mut builder = env_filter::Builder::new();
    builder
        .filter_level(level.min(FOREIGN_LEVEL))
        .filter_module(OWN_TARGETS, level)
        .filter_module(SUPERVISOR, level)
        .filter_module(HTTP_DISPATCHER, LevelFilter::Off);
    if let Some(levels) = levels.filter(|levels| !levels.trim().is_empty()) {
        builder
            .try_parse(levels)
            .map_err(|error| LogError::BadLevels(error.to_string()))?;
    }
    Ok(builder.build())
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
    fn levels_change_at_run_time_and_a_mistake_changes_nothing() {
        let log = log(config::Level::Info, None);
        log.set_levels(LevelFilter::Debug, None).unwrap();
        assert!(says(&log, "m365_pbx", Level::Debug));
        assert!(
            log.set_levels(LevelFilter::Info, Some("m365_graph=loud"))
                .is_err()
        );
        assert!(says(&log, "m365_pbx", Level::Debug));
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
        assert_eq!(recent[0].message, "message 2");
    }
}
