//! The place of a value in the configuration, e.g. `microsoft.communication_users.0.password`.

use std::fmt;

/// The way from the top of the configuration to one value, a name or an index per level.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Path(Vec<String>);

impl Path {
    /// Reads a dotted path whose names contain no dot themselves.
    pub(super) fn dotted(path: &str) -> Self {
        Self(path.split('.').map(str::to_owned).collect())
    }

    /// One level deeper.
    pub(super) fn join(&self, segment: impl Into<String>) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment.into());
        Self(segments)
    }

    /// One level up; `None` at the top.
    pub(super) fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The last name; empty at the top.
    pub(super) fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The names from the top.
    pub(super) fn segments(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (level, segment) in self.0.iter().enumerate() {
            let dot = if level == 0 { "" } else { "." };
            let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !segment.is_empty() && segment.chars().all(bare) {
                write!(f, "{dot}{segment}")?;
            } else {
                write!(f, "{dot}{segment:?}")?;
            }
        }
        Ok(())
    }
}
