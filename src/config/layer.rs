//! The layers of the configuration: default < file < stored < environment.
//!
//! A layer is flat: each value stands under its whole path, so that one layer overrides single values of another, down
//! to one row of a mapping or the password of the second communication user. Names are resolved here, once, against
//! the catalogue; what it does not know is a problem of the layer. Secrets that are given as `…_file` are read here as
//! well, so that nobody behind this point knows two ways to a secret.

mod environment;
mod file;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;

use m365_presence::mapping::{PbxToTeams, TeamsToPbx};
use serde::Serialize;

use super::catalogue::{self, Key, Place, Shape};
use super::path::Path;
use super::problem::Problem;

/// Where an effective value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It is set nowhere.
    Default,
    /// The configuration file.
    File,
    /// Changed at run time and kept in the database.
    Stored,
    /// An environment variable, by its name.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File => f.write_str("file"),
            Self::Stored => f.write_str("stored"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
        }
    }
}

/// A value as it was written.
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    List(Vec<String>),
    /// Anything that no key takes, as it is to be shown.
    Other(String),
    /// It could not be read, and the layer's problems say why.
    Unread,
}

impl Value {
    /// Reads a text, which is all that the environment has, as what the key takes; what does not fit stays a text.
    pub(super) fn written_as(self, shape: Shape) -> Self {
        match (shape, self) {
            (Shape::Flag, Self::Text(text)) => match text.trim().to_lowercase().parse() {
                Ok(flag) => Self::Flag(flag),
                Err(_) => Self::Text(text),
            },
            (Shape::List, Self::Text(text)) if text.trim_start().starts_with('[') => {
                file::list(&text).unwrap_or(Self::Text(text))
            }
            (Shape::List, Self::Text(text)) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Self::List(items.map(str::to_owned).collect())
            }
            (_, value) => value,
        }
    }
}

/// A value with its origin.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The values of one source. It holds secrets in plain text, hence no `Debug`.
#[derive(Clone, Default)]
pub struct Layer {
    pub(super) values: BTreeMap<Path, Entry>,
    pub(super) problems: Vec<Problem>,
    /// The source could not be read at all, so nothing follows from what is not in it.
    pub(super) unread: bool,
}

impl Layer {
    /// Takes the settings that were changed at run time: dotted path and value.
    pub fn stored(values: impl IntoIterator<Item = (String, serde_json::Value)>) -> Self {
        let mut layer = Self::default();
        for (name, value) in values {
            let path = path(&name, ".");
            match (catalogue::at(&path), toml::Value::try_from(value)) {
                (Place::Key(_), Ok(value)) => layer.insert(path, file::value(value), Origin::Stored, &name),
                (Place::Key(_), Err(_)) => layer.problems.push(Problem::error(name, "takes no such value")),
                (Place::Section | Place::Sections, _) => {
                    let problem = Problem::error(name, "is a section, not a value");
                    let remedy = "give its keys, as in {\"matching\": {\"microsoft\": \"mail\"}}";
                    layer.problems.push(problem.with_remedy(remedy));
                }
                _ => layer.refuse_unknown(&name, &catalogue::nearest(&path)),
            }
        }
        layer
    }

    /// The environment variable that gives a value in this layer.
    pub(super) fn variable(&self, key: &str) -> Option<String> {
        match &self.values.get(&path(key, "."))?.origin {
            Origin::Environment(variable) => Some(variable.clone()),
            _ => None,
        }
    }

    /// Adds a value; the same value twice in one layer is a problem.
    fn insert(&mut self, path: Path, value: Value, origin: Origin, name: &str) {
        match self.values.entry(path) {
            Slot::Vacant(slot) => {
                slot.insert(Entry { value, origin });
            }
            Slot::Occupied(slot) => {
                let remedy = format!("keep one of the two values of {}", slot.key());
                let problem = Problem::error(name, "is given twice in the same place");
                self.problems.push(problem.with_remedy(remedy));
            }
        }
    }

    fn refuse_unknown(&mut self, name: &str, nearest: &str) {
        let problem = Problem::error(name, format!("is unknown; the nearest valid key is {nearest}"));
        self.problems
            .push(problem.with_remedy("correct the name, or remove it"));
    }

    /// Reads a secret from the file that holds it: the bytes as they are, less one newline at the end.
    fn insert_from_file(&mut self, path: Path, file: &str, origin: Origin, name: &str) {
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let text = text.strip_suffix('\n').unwrap_or(&text);
                let text = text.strip_suffix('\r').unwrap_or(text);
                self.insert(path, Value::Text(text.to_owned()), origin, name);
            }
            Err(error) => {
                let problem = Problem::error(name, format!("names a file that cannot be read: {error}"));
                let remedy = "check the path, and that the connector's user may read the file";
                let found = Some(format!("{file:?} ({origin})"));
                self.problems.push(Problem {
                    found,
                    ..problem.with_remedy(remedy)
                });
                self.values.insert(
                    path,
                    Entry {
                        value: Value::Unread,
                        origin,
                    },
                );
            }
        }
    }
}

/// The secret whose file a name like `password_file` gives; `None` for all other names.
fn secret_of_file(path: &Path) -> Option<(Path, &'static Key)> {
    let base = path.last().strip_suffix("_file")?;
    let path = path.parent()?.join(base);
    match catalogue::at(&path) {
        Place::Key(key) if matches!(key.shape, Shape::Secret | Shape::Address) => Some((path, key)),
        _ => None,
    }
}

/// The path that a written name means, whose levels are separated like this. The name of a row is whatever follows,
/// perhaps in quotation marks; everything else is lower case.
pub(super) fn path(name: &str, separator: &str) -> Path {
    if let [section, table, row] = name.splitn(3, separator).collect::<Vec<_>>().as_slice() {
        let map = Path::dotted(&format!("{section}.{table}").to_lowercase());
        if catalogue::is_map(&map) {
            return row_as_known(map.join(row.trim_matches('"')));
        }
    }
    Path::dotted(&name.replace(separator, ".").to_lowercase())
}

/// Spells the name of a mapping's row as the mapping itself does, so that rows of different layers meet.
///
/// Environment variables are upper case and have no dashes: `ON_THE_PHONE` means `on-the-phone`.
fn row_as_known(path: Path) -> Path {
    let Some(parent) = path.parent().filter(catalogue::is_map) else {
        return path;
    };
    let row = path.last().trim();
    let same =
        |known: &str| known.eq_ignore_ascii_case(row) || known.eq_ignore_ascii_case(&row.replace('_', "-"));
    let known = match parent.last() {
        "teams_to_pbx" => {
            let table = TeamsToPbx::default();
            table
                .rows()
                .map(|(activity, _)| activity.to_owned())
                .find(|known| same(known))
        }
        "pbx_to_teams" => {
            let table = PbxToTeams::default();
            table
                .rows()
                .map(|(activity, _)| activity.to_owned())
                .find(|known| same(known))
        }
        _ => Some(row.to_lowercase()),
    };
    parent.join(known.unwrap_or_else(|| row.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Layers;

    fn stored(key: &str, value: serde_json::Value) -> Layer {
        Layer::stored([(key.to_owned(), value)])
    }

    fn environment(name: &str, value: &str) -> Layer {
        Layer::from_environment([(name.into(), value.into())])
    }

    fn in_force(layers: &Layers, key: &str) -> (String, Origin) {
        let resolution = layers.resolve();
        let value = resolution
            .effective
            .into_iter()
            .find(|value| value.key == key)
            .unwrap();
        (value.value, value.origin)
    }

    #[test]
    fn each_layer_overrides_the_one_before() {
        let key = "sync.read";
        let mut layers = Layers::default();
        assert_eq!(in_force(&layers, key), ("\"hybrid\"".to_owned(), Origin::Default));
        layers.file = Layer::from_toml("[sync]\nread = \"polling\"", "x");
        assert_eq!(in_force(&layers, key), ("\"polling\"".to_owned(), Origin::File));
        layers.stored = stored(key, json!("subscription"));
        assert_eq!(
            in_force(&layers, key),
            ("\"subscription\"".to_owned(), Origin::Stored)
        );
        let variable = "CONNECTOR__SYNC__READ";
        layers.environment = environment(variable, "hybrid");
        assert_eq!(
            in_force(&layers, key),
            ("\"hybrid\"".to_owned(), Origin::Environment(variable.to_owned()))
        );
    }

    #[test]
    fn single_values_are_overridden_and_the_others_stay() {
        let users = "[[microsoft.communication_users]]\nusername = \"a@x\"\n[[microsoft.communication_users]]\nusername = \"b@x\"";
        let layers = Layers {
            file: Layer::from_toml(users, "x"),
            environment: environment("CONNECTOR__MICROSOFT__COMMUNICATION_USERS__1__USERNAME", "c@x"),
            ..Layers::default()
        };
        assert_eq!(
            in_force(&layers, "microsoft.communication_users.0.username").0,
            "\"a@x\""
        );
        assert_eq!(
            in_force(&layers, "microsoft.communication_users.1.username").0,
            "\"c@x\""
        );
    }

    #[test]
    fn rows_of_a_mapping_meet_whatever_their_case() {
        let layers = Layers {
            file: Layer::from_toml("[mapping.pbx_to_teams]\nOn-The-Phone = \"Busy\"", "x"),
            environment: environment("CONNECTOR__MAPPING__PBX_TO_TEAMS__ON_THE_PHONE", "Away"),
            ..Layers::default()
        };
        assert_eq!(
            in_force(&layers, "mapping.pbx_to_teams.on-the-phone").0,
            "\"Away\""
        );
    }

    #[test]
    fn a_row_twice_in_one_layer_is_refused() {
        let layer = Layer::from_toml("[mapping.teams_to_pbx]\nAway = \"away\"\naway = \"busy\"", "x");
        assert!(layer.problems[0].cause.contains("given twice"));
    }

    #[test]
    fn stored_settings_keep_their_types() {
        let layers = Layers {
            stored: stored("matching.strip_domain", json!(true)),
            ..Layers::default()
        };
        assert_eq!(in_force(&layers, "matching.strip_domain").0, "true");
        assert!(
            stored("matching.strip", json!(true)).problems[0]
                .cause
                .contains("matching.strip_domain")
        );
    }

    #[test]
    fn the_name_of_a_row_may_have_dots() {
        let key = "matching.overrides.\"alice.b\"";
        let mut layers = Layers {
            file: Layer::from_toml("[matching.overrides]\n\"Alice.B\" = \"a@contoso.com\"", "x"),
            ..Layers::default()
        };
        assert_eq!(in_force(&layers, key).0, "\"a@contoso.com\"");
        layers.stored = stored(key, json!("b@contoso.com"));
        assert_eq!(
            in_force(&layers, key),
            ("\"b@contoso.com\"".to_owned(), Origin::Stored)
        );
    }

    #[test]
    fn a_health_check_needs_one_key_only() {
        let layers = Layers {
            environment: environment("CONNECTOR__MANAGEMENT__LISTEN", "[::]:9"),
            ..Layers::default()
        };
        assert!(layers.resolve().settings.is_none());
        assert_eq!(layers.management_address().unwrap().to_string(), "[::1]:9");
    }

    #[test]
    fn secrets_are_masked_in_the_settings_themselves() {
        let text = include_str!("../../tests/configuration/valid.toml");
        let layers = Layers {
            file: Layer::from_toml(text, "x"),
            ..Layers::default()
        };
        let settings = layers.resolve().settings.unwrap();
        assert_eq!(settings.pbx.password.expose(), "the-pbx-password");
        let shown = format!("{settings:?}");
        assert!(
            !shown.contains("the-pbx-password") && !shown.contains("the~client.secret"),
            "{shown}"
        );
    }
}
