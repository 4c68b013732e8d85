//! What is no trouble yet, but will be unless somebody does something.
//!
//! A light tells what is wrong now; a warning comes before. Every warning is read off the overview by a function of its
//! own in [`all`]: whoever has another thing to warn of adds a code to [`WarningCode`], its row to docs/LIGHTS.md, and a
//! function here.

mod capacity;
mod licenses;
mod notifications;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use m365_presence::light::WarningCode;
use serde::Serialize;

use super::overview::Overview;

/// Something that an administrator should know before it hurts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Code of the closed set.
    pub code: WarningCode,
    /// Cause with its numbers, and remedy.
    pub detail: String,
    /// Whom or what it concerns: a code may stand several times, once for each subject.
    #[serde(skip)]
    pub subject: String,
}

impl Warning {
    /// Makes a warning of a cause; the remedy is the code's.
    pub fn new(code: WarningCode, subject: impl Into<String>, cause: &str) -> Self {
        Self {
            code,
            detail: format!("{}. {}", cause.trim_end_matches('.'), code.remedy()),
            subject: subject.into(),
        }
    }
}

/// Everything that there is to warn of, in the order of the codes.
fn all(overview: &Overview) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(capacity::warning(overview));
    warnings.extend(notifications::warnings(overview));
    warnings.extend(licenses::warning(overview));
    warnings.sort_by_key(|warning| warning.code);
    warnings
}

/// Remembers which warnings stand, so that each is logged once.
#[derive(Clone, Default)]
pub struct WarningBook {
    standing: Arc<Mutex<BTreeSet<(WarningCode, String)>>>,
}

impl WarningBook {
    /// Reads the warnings off the overview.
    pub fn read(&self, overview: &Overview) -> Vec<Warning> {
        let warnings = all(overview);
        self.note(&warnings);
        warnings
    }

    fn note(&self, warnings: &[Warning]) {
        let key = |warning: &Warning| (warning.code, warning.subject.clone());
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in warnings
            .iter()
            .filter(|warning| !standing.contains(&key(warning)))
        {
            log::warn!(code = warning.code.as_str(); "{}", warning.detail);
        }
        *standing = warnings.iter().map(key).collect();
    }
}
