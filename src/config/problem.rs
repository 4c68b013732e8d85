//! What is wrong with a configuration, told so that the administrator can put it right without looking further.

use std::fmt;

/// Whether the connector can work with the configuration nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but probably not as intended.
    Warning,
}

/// One finding. Its texts never contain a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether it prevents a start.
    pub severity: Severity,
    /// Key, variable or file that it is about.
    pub key: String,
    /// What is wrong, as the end of a sentence that begins with the key.
    pub cause: String,
    /// The value that was found and where it comes from.
    pub found: Option<String>,
    /// Which values are allowed.
    pub allowed: Option<String>,
    /// A value that would be right.
    pub example: Option<String>,
    /// What to do, or where to find the right value.
    pub remedy: Option<String>,
}

impl Problem {
    /// Makes an error of which only key and cause are known.
    pub(super) fn error(key: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            key: key.into(),
            cause: cause.into(),
            found: None,
            allowed: None,
            example: None,
            remedy: None,
        }
    }

    /// Adds what to do.
    pub(super) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Tells whether the connector cannot start with it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {} {}", self.key, self.cause)?;
        let details = [
            ("found", &self.found),
            ("allowed", &self.allowed),
            ("example", &self.example),
            ("remedy", &self.remedy),
        ];
        for (name, detail) in details {
            if let Some(detail) = detail {
                write!(f, "\n  {name:<8} {detail}")?;
            }
        }
        Ok(())
    }
}

/// Why a value is refused, given by whoever reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) cause: String,
    pub(super) remedy: Option<String>,
    /// Which values are allowed, where it is not the catalogue that says so.
    pub(super) allowed: Option<String>,
}

impl Refusal {
    pub(super) fn with_remedy(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..Self::from(cause)
        }
    }

    pub(super) fn with_allowed(cause: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self {
            allowed: Some(allowed.into()),
            ..Self::from(cause)
        }
    }
}

impl<T: Into<String>> From<T> for Refusal {
    fn from(cause: T) -> Self {
        Self {
            cause: cause.into(),
            remedy: None,
            allowed: None,
        }
    }
}
