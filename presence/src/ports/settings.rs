//! Settings that were changed at run time, and the record of every change that a person made.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::store::Stored;
use crate::secret::Secret;

/// A setting that was changed at run time. Any value may be a password, so all are kept like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSetting {
    /// Its dotted path, e.g. `matching.microsoft`.
    pub key: String,
    /// Its value, as JSON.
    pub value: Secret,
}

/// A change of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingChange {
    /// Inserts or replaces it.
    Put(StoredSetting),
    /// Removes it, so that the file or the default holds again.
    Remove {
        /// Its dotted path.
        key: String,
    },
}

/// What somebody has changed or ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditRecord {
    /// When, on this machine's clock.
    pub at: DateTime<Utc>,
    /// Who: the role, and from where.
    pub who: String,
    /// What: a setting's path, or an order.
    pub what: String,
    /// The value before; secrets are masked.
    pub before: Option<String>,
    /// The value after; secrets are masked.
    pub after: Option<String>,
}

/// A record with its number, by which the records are ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NumberedRecord {
    /// Grows by one with every record.
    pub id: i64,
    /// The record.
    #[serde(flatten)]
    pub record: AuditRecord,
}

/// Keeps what was changed at run time.
pub trait SettingsStore {
    /// All settings that were changed at run time, by key.
    fn settings(&self) -> Stored<'_, Vec<StoredSetting>>;
    /// Applies changes and keeps their records, all or nothing; either may be empty. The oldest records beyond the
    /// newest 10,000 are forgotten.
    fn change_settings<'a>(
        &'a self,
        changes: &'a [SettingChange],
        records: &'a [AuditRecord],
    ) -> Stored<'a, ()>;
    /// The newest records before a number, newest first.
    fn audit(&self, before: Option<i64>, limit: usize) -> Stored<'_, Vec<NumberedRecord>>;
}
