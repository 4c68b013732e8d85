//! What an administrator may know of a key before setting it, for the API and the page.

use serde::Serialize;
use utoipa::ToSchema;

use super::catalogue::{self, KEYS, Place, Shape};
use super::{layer, settings};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeyFacts {
    /// The key, spelled as the catalogue does.
    pub key: String,
    /// Whether its value is never shown.
    pub secret: bool,
    /// Its value unless set, written as in the environment.
    pub default: Option<String>,
    /// Which values are allowed; empty where the words are listed by the refusal.
    pub allowed: &'static str,
    /// A value that would be right, written as in the file.
    pub example: &'static str,
    /// Where the administrator finds the value; empty where the default is fine.
    pub found_at: &'static str,
}

/// What is known of a key, however its rows and levels are spelled.
///
/// # Errors
/// The nearest valid key, when there is none of that name.
pub fn key_facts(name: &str) -> Result<KeyFacts, String> {
    let path = layer::path(name, ".");
    match catalogue::at(&path) {
        Place::Key(key) => Ok(row_facts(path.to_string(), key)),
        _ => Err(catalogue::nearest(&path)),
    }
}

/// What is known of all keys that stand for one value each, in the order in which they are shown.
pub fn single_keys() -> impl Iterator<Item = KeyFacts> {
    let single = KEYS.iter().filter(|key| !key.path.contains('*'));
    single.map(|key| facts(key.path.to_owned(), key))
}

/// As [`facts`]; a row of a mapping has its default in the table of defaults.
fn row_facts(name: String, key: &catalogue::Key) -> KeyFacts {
    let default = match key.path.starts_with("mapping.") {
        true => settings::default_rows().get(&name).cloned(),
        false => None,
    };
    let facts = facts(name, key);
    KeyFacts {
        default: default.or(facts.default),
        ..facts
    }
}

fn facts(name: String, key: &catalogue::Key) -> KeyFacts {
    KeyFacts {
        key: name,
        secret: key.shape == Shape::Secret,
        default: key.default.map(str::to_owned),
        allowed: key.allowed,
        example: key.example,
        found_at: key.found_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_of_a_row_is_that_of_its_table() {
        let default = |name| key_facts(name).unwrap().default;
        assert_eq!(
            default("mapping.teams_to_pbx.inacall").as_deref(),
            Some("on-the-phone")
        );
        assert_eq!(
            default("mapping.pbx_to_teams.lunch").as_deref(),
            Some("BeRightBack")
        );
        assert_eq!(default("mapping.pbx_to_teams.surfing"), None);
        assert_eq!(default("timers.sweep").as_deref(), Some("5m"));
    }
}
