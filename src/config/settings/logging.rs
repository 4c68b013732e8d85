//! `[log]`: how much is logged, and in which form.

use log::LevelFilter;

use crate::config::choice::choice;
use crate::config::reader::Reader;

choice! {
    /// How much is logged.
    Level {
        /// What needs an administrator.
        Error = "error",
        /// And what will need one if it lasts.
        Warn = "warn",
        /// And what happens.
        Info = "info",
        /// And why, with user names.
        Debug = "debug",
        /// And every step.
        Trace = "trace",
    }
}

impl Level {
    /// The filter of the log crate.
    pub fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::Error,
            Self::Warn => LevelFilter::Warn,
            Self::Info => LevelFilter::Info,
            Self::Debug => LevelFilter::Debug,
            Self::Trace => LevelFilter::Trace,
        }
    }
}

choice! {
    /// In which form a record is written.
    Format {
        /// For people.
        Text = "text",
        /// For programs: one object per line.
        Json = "json",
    }
}

/// How much is logged, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logging {
    /// In which form.
    pub format: Format,
    /// How much.
    pub level: Level,
}

pub(super) fn read(reader: &mut Reader) -> Option<Logging> {
    let format = reader.choice("log.format");
    let level = reader.choice("log.level");
    Some(Logging {
        format: format?,
        level: level?,
    })
}
