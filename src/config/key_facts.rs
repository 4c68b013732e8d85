//! What an administrator may know of a key before setting it, for the API and the page.

use serde::Serialize;
use utoipa::ToSchema;

use super::catalogue::{self, KEYS, Place, Shape};
use super::layer;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeyFacts {
    /// The key, spelled as the catalogue does.
    pub key: String,
    /// Whether its value is never shown.
    pub secret: bool,
    /// Its value unless set, written as in the environment.
    pub default: Option<&'static str>,
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
        Place::Key(key) => Ok(facts(path.to_string(), key)),
        _ => Err(catalogue::nearest(&path)),
    }
}

/// What is known of all keys that stand for one value each, in the order in which they are shown.
pub fn single_keys() -> impl Iterator<Item = KeyFacts> {
    let single = KEYS.iter().filter(|key| !key.path.contains('*'));
    single.map(|key| facts(key.path.to_owned(), key))
}

fn facts(name: String, key: &catalogue::Key) -> KeyFacts {
    KeyFacts {
        key: name,
        secret: key.shape == Shape::Secret,
        default: key.default,
        allowed: key.allowed,
        example: key.example,
        found_at: key.found_at,
    }
}
