//! How talkative which part is, as it is told.

use chrono::{DateTime, Utc};
use log::LevelFilter;
use serde::Serialize;
use utoipa::ToSchema;

use crate::log::{Levels, TraceFlag};

/// A level, as it is written.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LevelName {
    /// Nothing.
    Off,
    /// What somebody must look after.
    Error,
    /// What may become that.
    Warn,
    /// What happens.
    Info,
    /// How it happens.
    Debug,
    /// Every step.
    Trace,
}

impl From<LevelFilter> for LevelName {
    fn from(level: LevelFilter) -> Self {
        match level {
            LevelFilter::Off => Self::Off,
            LevelFilter::Error => Self::Error,
            LevelFilter::Warn => Self::Warn,
            LevelFilter::Info => Self::Info,
            LevelFilter::Debug => Self::Debug,
            LevelFilter::Trace => Self::Trace,
        }
    }
}

/// The level of a trace flag.
#[derive(Serialize, ToSchema)]
pub struct FlagInForce {
    flag: TraceFlag,
    level: LevelName,
    /// When it falls back to the configured one; null when it does not by itself.
    until: Option<DateTime<Utc>>,
}

/// A user of whom everything is told.
#[derive(Serialize, ToSchema)]
pub struct TracedUser {
    /// Name at the PBX, in lower case.
    user: String,
    /// When that ends; null when it does not by itself.
    until: Option<DateTime<Utc>>,
}

/// How talkative which part is.
#[derive(Serialize, ToSchema)]
pub struct LevelsInForce {
    /// The configured level.
    level: LevelName,
    /// Every trace flag.
    flags: Vec<FlagInForce>,
    /// The users who are traced.
    users: Vec<TracedUser>,
}

impl LevelsInForce {
    /// Reads them off the log.
    pub fn of(levels: &Levels) -> Self {
        let flag = |flag: TraceFlag| {
            let raised = levels.flags().get(&flag);
            let level = raised.map_or(levels.configured(), |raised| raised.level);
            FlagInForce {
                flag,
                level: level.into(),
                until: raised.and_then(|raised| raised.until),
            }
        };
        let traced = levels.users().iter().map(|(user, until)| TracedUser {
            user: user.clone(),
            until: *until,
        });
        Self {
            level: levels.configured().into(),
            flags: TraceFlag::ALL.map(flag).into(),
            users: traced.collect(),
        }
    }
}
