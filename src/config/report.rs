//! The configuration as an administrator reads it.

use std::fmt;

use super::problem::Problem;
use super::{Effective, Resolution};

impl Resolution {
    /// Lists the effective values in three columns: key, value and origin.
    pub fn table(&self) -> impl fmt::Display {
        Table(&self.effective)
    }

    /// Lists the problems, errors first, with one closing line that counts them.
    pub fn findings(&self) -> impl fmt::Display {
        Findings(&self.problems)
    }
}

struct Table<'a>(&'a [Effective]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |column: fn(&Effective) -> &str| {
            let widths = self.0.iter().map(column).map(|text| text.chars().count());
            // one long list must not push the origins out of sight
            widths.filter(|width| *width <= 60).max().unwrap_or_default()
        };
        let key_width = widest(|value| &value.key);
        let value_width = widest(|value| &value.value);
        for Effective { key, value, origin } in self.0 {
            writeln!(f, "{key:<key_width$}  {value:<value_width$}  {origin}")?;
        }
        Ok(())
    }
}

struct Findings<'a>(&'a [Problem]);

impl fmt::Display for Findings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (errors, warnings): (Vec<_>, Vec<_>) = self.0.iter().partition(|problem| problem.is_error());
        for problem in errors.iter().chain(&warnings) {
            writeln!(f, "{problem}\n")?;
        }
        let verdict = if errors.is_empty() {
            "the configuration is valid"
        } else {
            "the configuration is not valid"
        };
        writeln!(
            f,
            "{verdict}: {}, {}",
            counted(errors.len(), "error"),
            counted(warnings.len(), "warning")
        )
    }
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}
