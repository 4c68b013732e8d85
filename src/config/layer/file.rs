//! The layer of the configuration file.

use std::path::Path as FilePath;

use super::{Layer, Origin, Value, row_as_known, secret_of_file};
use crate::config::catalogue::{self, Place};
use crate::config::path::Path;
use crate::config::problem::Problem;

impl Layer {
    /// Reads the configuration file. A file that cannot be read, or is no TOML, is a problem of the layer.
    pub fn from_file(file: &FilePath) -> Self {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::from_toml(&text, &file.display().to_string()),
            Err(error) => {
                let problem = Problem::error(file.display().to_string(), format!("cannot be read: {error}"));
                let remedy =
                    "check --config or CONNECTOR_CONFIG, and that the connector's user may read the file";
                Self {
                    problems: vec![problem.with_remedy(remedy)],
                    unread: true,
                    ..Self::default()
                }
            }
        }
    }

    /// Reads a configuration from its text; `name` is what problems call it.
    pub fn from_toml(text: &str, name: &str) -> Self {
        let mut layer = Self::default();
        match text.parse::<toml::Table>() {
            Ok(table) => layer.collect(table, &Path::default()),
            Err(error) => {
                layer.problems.push(syntax_problem(text, name, &error));
                layer.unread = true;
            }
        }
        layer
    }

    fn collect(&mut self, table: toml::Table, above: &Path) {
        for (name, value) in table {
            let path = row_as_known(above.join(name));
            match (catalogue::at(&path), value) {
                (Place::Key(_), value) => {
                    let name = path.to_string();
                    self.insert(path, self::value(value), Origin::File, &name);
                }
                (Place::Section, toml::Value::Table(table)) => self.collect(table, &path),
                (Place::Section, _) => self.problems.push(
                    Problem::error(path.to_string(), "is a section, not a value")
                        .with_remedy(format!("write [{path}] and its keys below it")),
                ),
                (Place::Sections, toml::Value::Array(sections)) => self.collect_all(sections, &path),
                (Place::Sections, _) => self.refuse_list(&path),
                (Place::Unknown, value) => self.collect_unknown(&path, value),
            }
        }
    }

    fn collect_all(&mut self, sections: Vec<toml::Value>, path: &Path) {
        for (index, section) in sections.into_iter().enumerate() {
            match section {
                toml::Value::Table(table) => self.collect(table, &path.join(index.to_string())),
                _ => return self.refuse_list(path),
            }
        }
    }

    fn collect_unknown(&mut self, path: &Path, value: toml::Value) {
        let name = path.to_string();
        match (secret_of_file(path), value) {
            (Some((path, _)), toml::Value::String(file)) => {
                self.insert_from_file(path, &file, Origin::File, &name);
            }
            (Some(_), _) => self
                .problems
                .push(Problem::error(name, "is not the path of a file")),
            (None, _) => self.refuse_unknown(&name, &catalogue::nearest(path)),
        }
    }

    fn refuse_list(&mut self, path: &Path) {
        let problem = Problem::error(path.to_string(), "is a list of sections");
        self.problems
            .push(problem.with_remedy(format!("write [[{path}]] before the keys of each")));
    }
}

/// Reads a list of texts as the file writes it; `None` when it is none.
pub(super) fn list(text: &str) -> Option<Value> {
    let mut table: toml::Table = format!("list = {text}").parse().ok()?;
    match value(table.remove("list")?) {
        list @ Value::List(_) if table.is_empty() => Some(list),
        _ => None,
    }
}

/// Takes a value in the shapes that keys take.
pub(super) fn value(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::Text(text),
        toml::Value::Boolean(flag) => Value::Flag(flag),
        toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => Value::List(
            items
                .iter()
                .filter_map(toml::Value::as_str)
                .map(str::to_owned)
                .collect(),
        ),
        other => Value::Other(other.to_string()),
    }
}

/// The parser's own text quotes the line, which may hold a secret: only place and reason are taken.
fn syntax_problem(text: &str, name: &str, error: &toml::de::Error) -> Problem {
    let before = error
        .span()
        .and_then(|span| text.get(..span.start))
        .unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let cause = format!(
        "is no valid TOML at line {line}, column {column}: {}",
        reason(error.message())
    );
    Problem::error(name, cause)
        .with_remedy("texts stand in quotation marks, and a key stands once per section")
}

/// A parser's message in one line.
fn reason(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
