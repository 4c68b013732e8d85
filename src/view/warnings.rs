//! What is no trouble yet, but will be unless somebody does something.
//!
//! A light tells what is wrong now; a warning comes before. Every warning is read off the overview by a function of its
//! own in `all`: whoever has another thing to warn of adds a code to [`WarningCode`], its row to docs/LIGHTS.md, and a
//! function here.

mod capacity;
mod database;
mod expiry;
mod licenses;
mod notifications;
mod outside;
mod pbxs;
mod restraint;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::light::WarningCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::overview::Overview;
pub use outside::Outside;

/// What is repeated in the log is repeated after this time.
const REPEATED: TimeDelta = TimeDelta::days(1);

/// Something that an administrator should know before it hurts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// Code of the closed set.
    pub code: WarningCode,
    /// Cause with its numbers, and remedy.
    pub detail: String,
    /// Whether there is little time left.
    pub urgent: bool,
    /// Whom or what it concerns: a code may stand several times, once for each subject.
    #[serde(skip)]
    pub subject: String,
    /// Whether the log repeats it every day.
    #[serde(skip)]
    pub daily: bool,
    /// Whether the log tells of it already.
    #[serde(skip)]
    pub logged: bool,
}

impl Warning {
    /// Makes a warning of a cause; the remedy is the code's.
    pub fn new(code: WarningCode, subject: impl Into<String>, cause: &str) -> Self {
        Self {
            code,
            detail: format!("{}. {}", cause.trim_end_matches('.'), code.remedy()),
            urgent: false,
            subject: subject.into(),
            daily: false,
            logged: false,
        }
    }
}

/// Everything that there is to warn of, in the order of the codes.
fn all(
    overview: &Overview,
    outside: &Outside,
    tls_certificate: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(outside::warnings(outside));
    warnings.extend(restraint::warning(overview));
    warnings.extend(database::warning(overview));
    warnings.extend(capacity::warning(overview));
    warnings.extend(notifications::warnings(overview));
    warnings.extend(pbxs::warnings(overview, now));
    warnings.extend(licenses::warning(overview));
    warnings.extend(expiry::warnings(overview, tls_certificate, now));
    warnings.sort_by_key(|warning| warning.code);
    warnings
}

/// A warning that stands: whether it was urgent, and when it was logged.
type Standing = BTreeMap<(WarningCode, String), (bool, DateTime<Utc>)>;

/// Remembers which warnings stand, so that each is logged once, when it becomes urgent, and daily where time runs out.
#[derive(Clone, Default)]
pub struct WarningBook {
    tls_certificate: Option<DateTime<Utc>>,
    standing: Arc<Mutex<Standing>>,
}

impl WarningBook {
    /// Makes an empty book; the public listener's certificate ends at `tls_certificate`.
    pub fn new(tls_certificate: Option<DateTime<Utc>>) -> Self {
        Self {
            tls_certificate,
            ..Self::default()
        }
    }

    /// Reads the warnings off the overview.
    pub fn read(&self, overview: &Overview, outside: &Outside, now: DateTime<Utc>) -> Vec<Warning> {
        let warnings = all(overview, outside, self.tls_certificate, now);
        for warning in self.news(&warnings, now) {
            let level = if warning.urgent {
                log::Level::Error
            } else {
                log::Level::Warn
            };
            log::log!(level, code = warning.code.as_str(); "{}", warning.detail);
        }
        warnings
    }

    /// Picks what the log has not been told, or not today where time runs out.
    fn news<'a>(&self, warnings: &'a [Warning], now: DateTime<Utc>) -> Vec<&'a Warning> {
        let mut news = Vec::new();
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut still_standing = Standing::new();
        for warning in warnings.iter().filter(|warning| !warning.logged) {
            let key = (warning.code, warning.subject.clone());
            let known = standing.get(&key).filter(|(urgent, logged_at)| {
                *urgent == warning.urgent && !(warning.daily && now >= *logged_at + REPEATED)
            });
            let logged_at = known.map_or(now, |(_, logged_at)| *logged_at);
            if known.is_none() {
                news.push(warning);
            }
            still_standing.insert(key, (warning.urgent, logged_at));
        }
        *standing = still_standing;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(urgent: bool) -> Warning {
        Warning {
            urgent,
            daily: true,
            ..Warning::new(WarningCode::ClientSecretExpiring, "app", "it ends")
        }
    }

    #[test]
    fn what_ends_is_told_daily_and_when_it_becomes_urgent() {
        let book = WarningBook::default();
        let begin: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
        let told =
            |warning: Warning, hours: i64| !book.news(&[warning], begin + TimeDelta::hours(hours)).is_empty();
        assert!(told(ending(false), 0));
        assert!(!told(ending(false), 23));
        assert!(told(ending(false), 24));
        assert!(told(ending(true), 25), "at once when it becomes urgent");
        assert!(!told(ending(true), 48));
        assert!(told(ending(true), 49));
        assert!(book.news(&[], begin).is_empty());
        assert!(told(ending(true), 50), "what comes back is news");
    }

    #[test]
    fn what_does_not_run_out_is_told_once() {
        let book = WarningBook::default();
        let begin: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
        let full = || vec![Warning::new(WarningCode::NearlyFull, "", "it is nearly full")];
        assert_eq!(book.news(&full(), begin).len(), 1);
        assert!(book.news(&full(), begin + TimeDelta::days(9)).is_empty());
    }
}
