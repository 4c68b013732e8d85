//! Everything that can be checked about an installation: what was checked, what was found, the cause and the remedy.
//!
//! The checks are functions of what is known, one room per subject. [`running`] asks them of the running instance, and
//! [`doctor`] of the machine that it is started on; what only the running instance knows, the doctor asks that for.

mod database;
pub mod doctor;
mod exchange;
mod microsoft;
mod pbx;
mod public_url;
pub mod running;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a check has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// In order.
    Pass,
    /// In order now, but not for long, or not as it should be.
    Warn,
    /// Not in order.
    Fail,
    /// It could not be checked from here.
    Skipped,
}

/// One check with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// What was checked, e.g. `certificate of the public address`.
    pub check: String,
    /// How it has ended.
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// Why that is so; only where it is not in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What an administrator does about it; only where it is not in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    fn new(check: impl Into<String>, outcome: Outcome, found: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            outcome,
            found: found.into(),
            cause: None,
            remedy: None,
        }
    }

    fn pass(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(check, Outcome::Pass, found)
    }

    fn skipped(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(check, Outcome::Skipped, found)
    }

    fn warn(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(check, Outcome::Warn, found)
    }

    fn fail(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(check, Outcome::Fail, found)
    }

    fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    fn remedied_by(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}
