//! Reads typed values from the merged layers, and gathers every problem on the way.
//!
//! Each read answers `None` where there is nothing usable: the problem is noted, and reading goes on, so that an
//! administrator sees all problems at once. Whatever is read is noted as effective value with its origin.

mod display;

use std::collections::{BTreeMap, BTreeSet};

use m365_presence::secret::Secret;

use super::catalogue::{self, Key, Place, Shape};
use super::choice::Choice;
use super::layer::{Entry, Layer, Origin, Value};
use super::path::Path;
use super::problem::{Problem, Refusal, Severity};
use display::{found, shown};

/// One value that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Dotted path.
    pub key: String,
    /// The value as it is shown: a secret is masked.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// The merged layers, and what has been found in them so far.
pub(super) struct Reader {
    values: BTreeMap<Path, Entry>,
    pub(super) effective: Vec<Effective>,
    pub(super) problems: Vec<Problem>,
    /// A source could not be read: what is missing may well stand there.
    partial: bool,
}

impl Reader {
    /// Merges layers; a later one overrides an earlier one.
    pub(super) fn new<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Self {
        let mut reader = Self {
            values: BTreeMap::new(),
            effective: Vec::new(),
            problems: Vec::new(),
            partial: false,
        };
        for layer in layers {
            reader.values.extend(layer.values.clone());
            reader.problems.extend(layer.problems.iter().cloned());
            reader.partial |= layer.unread;
        }
        reader
    }

    /// Reads a text. Unset and without default it is `None`; [`Reader::required`] makes that a problem.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        let (key, entry) = self.look(path, None)?;
        self.text_of(path, key, entry)
    }

    /// Reads a text that must be there.
    pub(super) fn required(&mut self, path: &str) -> Option<String> {
        self.demand(path);
        self.text(path)
    }

    /// Reads a text and lets `parse` make a value of it.
    pub(super) fn parsed<T>(
        &mut self,
        path: &str,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        self.parsed_or(path, None, parse)
    }

    /// As [`Reader::parsed`], with a default of its own where the usual one does not fit.
    pub(super) fn parsed_or<T>(
        &mut self,
        path: &str,
        default: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        let (key, entry) = self.look(path, default)?;
        let text = self.text_of(path, key, entry)?;
        parse(&text).map_err(|refusal| self.refuse(path, refusal)).ok()
    }

    /// Reads one word of a closed set.
    pub(super) fn choice<T: Choice>(&mut self, path: &str) -> Option<T> {
        let text = self.text(path)?;
        let choice = T::parse(&text);
        if choice.is_none() {
            let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
            self.refuse(
                path,
                Refusal::with_allowed("is none of the allowed words", words.join(", ")),
            );
        }
        choice
    }

    /// Reads `true` or `false`.
    pub(super) fn flag(&mut self, path: &str) -> Option<bool> {
        let (_, entry) = self.look(path, None)?;
        match entry.value {
            Value::Flag(flag) => Some(flag),
            _ => {
                self.refuse(path, "is neither true nor false");
                None
            }
        }
    }

    /// Reads a list of texts, which the environment writes with commas or like the file.
    pub(super) fn list_or(&mut self, path: &str, default: &[&str]) -> Option<Vec<String>> {
        if !self.is_set(path) {
            self.note(path.to_owned(), format!("{default:?}"), Origin::Default);
            return Some(default.iter().map(|item| (*item).to_owned()).collect());
        }
        let (_, entry) = self.look(path, None)?;
        match entry.value {
            Value::List(items) => Some(items.iter().map(|item| item.trim().to_owned()).collect()),
            _ => {
                self.refuse(path, "is no list of texts");
                None
            }
        }
    }

    /// Reads a secret.
    pub(super) fn secret(&mut self, path: &str) -> Option<Secret> {
        self.text(path).map(Secret::new)
    }

    /// Reads the rows of a map, by their names. An empty value is a value here.
    pub(super) fn rows(&mut self, map: &str) -> BTreeMap<String, String> {
        let map = Path::dotted(map);
        let here = |path: &&Path| path.parent().as_ref() == Some(&map);
        let paths: Vec<Path> = self.values.keys().filter(here).cloned().collect();
        let mut rows = BTreeMap::new();
        for path in paths {
            let Some(entry) = self.values.get(&path).cloned() else {
                continue;
            };
            self.note(
                path.to_string(),
                shown(Shape::Text, &entry.value),
                entry.origin.clone(),
            );
            match entry.value {
                Value::Text(text) => {
                    rows.insert(path.last().to_owned(), text.trim().to_owned());
                }
                _ => self.refuse_path(&path, "is not a text".into()),
            }
        }
        rows
    }

    /// Lists the indices of a list of sections.
    pub(super) fn indices(&self, list: &str) -> BTreeSet<u16> {
        let list = Path::dotted(list);
        let depth = list.segments().len();
        let below = self
            .values
            .keys()
            .filter(|path| path.segments().starts_with(list.segments()));
        below
            .filter_map(|path| path.segments().get(depth)?.parse().ok())
            .collect()
    }

    /// Looks at a text without judging it: the value, else the default.
    pub(super) fn peek(&self, path: &str) -> Option<String> {
        let path = Path::dotted(path);
        match (
            self.values.get(&path).map(|entry| &entry.value),
            catalogue::at(&path),
        ) {
            (Some(Value::Text(text)), _) => Some(text.clone()),
            (None, Place::Key(key)) => key.default.map(str::to_owned),
            _ => None,
        }
    }

    /// Tells whether any layer sets a value.
    pub(super) fn is_set(&self, path: &str) -> bool {
        self.values.contains_key(&Path::dotted(path))
    }

    /// Notes that a key is missing, unless it is set, and tells where its value is found.
    pub(super) fn demand(&mut self, path: &str) {
        if self.is_set(path) {
            return;
        }
        let mut problem = Problem::error(path, "is missing");
        if let Place::Key(key) = catalogue::at(&Path::dotted(path)) {
            problem.allowed = Some(key.allowed.to_owned());
            problem.example = Some(key.example.to_owned());
            problem.remedy = (!key.found_at.is_empty()).then(|| key.found_at.to_owned());
        }
        self.note_missing(problem);
    }

    /// Notes that something is missing, unless a source could not be read: it may well stand there.
    pub(super) fn note_missing(&mut self, problem: Problem) {
        if !self.partial {
            self.problems.push(problem);
        }
    }

    /// Notes that a value is wrong.
    pub(super) fn refuse(&mut self, path: &str, refusal: impl Into<Refusal>) {
        self.refuse_path(&Path::dotted(path), refusal.into());
    }

    /// Notes that the value of a row is wrong.
    pub(super) fn refuse_row(&mut self, map: &str, row: &str, refusal: impl Into<Refusal>) {
        self.refuse_path(&Path::dotted(map).join(row), refusal.into());
    }

    /// Notes that a value is probably not what was meant.
    pub(super) fn warn(
        &mut self,
        key: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let problem = Problem::error(key, cause).with_remedy(remedy);
        self.problems.push(Problem {
            severity: Severity::Warning,
            ..problem
        });
    }

    fn refuse_path(&mut self, path: &Path, refusal: Refusal) {
        let mut problem = Problem::error(path.to_string(), refusal.cause);
        problem.remedy = refusal.remedy;
        if let Place::Key(key) = catalogue::at(path) {
            problem.found = self.values.get(path).map(|entry| found(key.shape, entry));
            problem.allowed = refusal.allowed.or_else(|| Some(key.allowed.to_owned()));
            problem.example = Some(key.example.to_owned());
        }
        self.problems.push(problem);
    }

    /// Finds a value, else the default, and notes it as effective.
    fn look(&mut self, path: &str, default: Option<&str>) -> Option<(&'static Key, Entry)> {
        let at = Path::dotted(path);
        let Place::Key(key) = catalogue::at(&at) else {
            return None;
        };
        let default = default.or(key.default).map(|text| Entry {
            value: Value::Text(text.to_owned()),
            origin: Origin::Default,
        });
        let mut entry = self.values.get(&at).cloned().or(default)?;
        entry.value = entry.value.written_as(key.shape);
        if entry.value == Value::Unread {
            return None;
        }
        self.note(
            path.to_owned(),
            shown(key.shape, &entry.value),
            entry.origin.clone(),
        );
        Some((key, entry))
    }

    fn text_of(&mut self, path: &str, key: &Key, entry: Entry) -> Option<String> {
        match entry.value {
            Value::Text(text) if text.trim().is_empty() => {
                self.refuse(path, "is empty");
                None
            }
            // a password's blanks are judged by whoever reads it, never removed
            Value::Text(text) if key.shape == Shape::Secret => Some(text),
            Value::Text(text) => Some(text.trim().to_owned()),
            _ => {
                self.refuse(path, "is not a text: write it in quotation marks");
                None
            }
        }
    }

    pub(super) fn note(&mut self, key: String, value: String, origin: Origin) {
        if !self.effective.iter().any(|known| known.key == key) {
            self.effective.push(Effective { key, value, origin });
        }
    }
}
