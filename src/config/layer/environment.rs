//! The layer of the environment.

use std::ffi::OsString;

use super::{Layer, Origin, Value, path, secret_of_file};
use crate::config::catalogue::{self, KEYS, Place};
use crate::config::path::Path;
use crate::config::problem::{Problem, Severity};

/// Where the names of our variables begin.
const PREFIX: &str = "CONNECTOR__";

impl Layer {
    /// Takes the variables that begin with `CONNECTOR__`, two underscores between levels.
    pub fn from_environment(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut layer = Self::default();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            match (name.strip_prefix(PREFIX), value.into_string()) {
                (Some(place), Ok(value)) => layer.take(name, place, value),
                (Some(_), Err(_)) => layer.problems.push(Problem::error(name, "is no valid UTF-8")),
                (None, _) => layer.warn_of_single_underscores(name),
            }
        }
        layer
    }

    fn take(&mut self, name: &str, place: &str, value: String) {
        let path = path(place, "__");
        let origin = Origin::Environment(name.to_owned());
        match (catalogue::at(&path), secret_of_file(&path)) {
            (Place::Key(_), _) => self.insert(path, Value::Text(value), origin, name),
            (_, Some((path, _))) => self.insert_from_file(path, &value, origin, name),
            (Place::Section | Place::Sections, None) => self.problems.push(
                Problem::error(name, "is a section, not a value").with_remedy(format!(
                    "add two underscores and the name of a key, e.g. {name}__{}",
                    child(&path)
                )),
            ),
            (Place::Unknown, None) => self.refuse_unknown(name, &variable(&catalogue::nearest(&path))),
        }
    }

    /// A variable like `CONNECTOR_PBX_PASSWORD` would be ignored silently.
    fn warn_of_single_underscores(&mut self, name: &str) {
        if !name.starts_with("CONNECTOR_") {
            return;
        }
        let mut variables = KEYS.iter().map(|key| variable(&key.path.replace('*', "0")));
        let meant = variables.find(|meant| meant.replace("__", "_") == name.replace("__", "_"));
        if let Some(meant) = meant {
            let problem = Problem::error(name, "is not read, because two underscores stand between levels");
            let problem = problem.with_remedy(format!("call it {meant}"));
            self.problems.push(Problem {
                severity: Severity::Warning,
                ..problem
            });
        }
    }
}

/// The variable of a dotted path.
fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").to_uppercase())
}

/// The first name below a section.
fn child(path: &Path) -> String {
    let prefix = format!("{path}.");
    let child = KEYS
        .iter()
        .find_map(|key| key.path.strip_prefix(&prefix))
        .unwrap_or_default();
    child.replace('*', "0").replace('.', "__").to_uppercase()
}
