//! Whether the database takes what it is given.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// How it is with the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Condition {
    /// It has everything.
    #[default]
    Ok,
    /// It does not take what it is given.
    Away {
        /// Since when, on this machine's clock.
        since: DateTime<Utc>,
        /// Cause and remedy.
        detail: String,
        /// Number of rows that are kept in memory meanwhile.
        unsaved: usize,
    },
}

/// The condition as others see it, from any thread; clones share it.
#[derive(Clone, Debug, Default)]
pub struct StoreHealth(Arc<Mutex<Condition>>);

impl StoreHealth {
    /// How it is now.
    pub fn now(&self) -> Condition {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the database does not take what it is given.
    pub fn is_away(&self) -> bool {
        matches!(self.now(), Condition::Away { .. })
    }

    /// Notes a failure, and tells whether it is the first.
    pub(super) fn fail(&self, detail: &str, unsaved: usize, now: DateTime<Utc>) -> bool {
        let mut condition = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match &*condition {
            Condition::Ok => None,
            Condition::Away { since, .. } => Some(*since),
        };
        *condition = Condition::Away {
            since: since.unwrap_or(now),
            detail: detail.to_owned(),
            unsaved,
        };
        since.is_none()
    }

    /// Notes how many rows are kept, while the database is away.
    pub(super) fn owe(&self, rows: usize) {
        let mut condition = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Condition::Away { unsaved, .. } = &mut *condition {
            *unsaved = rows;
        }
    }

    /// Notes that the database has everything, and tells since when it had not.
    pub(super) fn recover(&self) -> Option<DateTime<Utc>> {
        let mut condition = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut *condition) {
            Condition::Ok => None,
            Condition::Away { since, .. } => Some(since),
        }
    }
}
