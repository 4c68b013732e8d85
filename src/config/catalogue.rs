//! Every key of the configuration: its place, shape and default, and what to tell an administrator about it.
//!
//! This is the only list of keys. The layers ask it which key a name of the file or of the environment means, the
//! reader takes defaults and advice from it, and tests hold the annotated `deploy/connector.toml` against it.

mod keys;

use super::nearest;
use super::path::Path;

pub(super) use keys::KEYS;

/// Lists of sections, as the beginnings of their keys.
const INDEXED: [&str; 2] = ["microsoft.communication_users.", "pbx.dial."];

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A text.
    Text,
    /// A text that is never shown, and may come from a file.
    Secret,
    /// An address that may carry a password: it is shown without, and may come from a file.
    Address,
    /// `true` or `false`.
    Flag,
    /// A list of texts; in the environment separated by commas, or as the file writes it.
    List,
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    /// Dotted path; `*` stands for an index or for the name of a row.
    pub(super) path: &'static str,
    /// How it is written.
    pub(super) shape: Shape,
    /// Its value unless set, written as in the environment.
    pub(super) default: Option<&'static str>,
    /// Which values are allowed.
    pub(super) allowed: &'static str,
    /// A value that would be right, written as in the file.
    pub(super) example: &'static str,
    /// Where the administrator finds the value, or how to choose it; empty where the default is fine.
    pub(super) found_at: &'static str,
}

/// What stands at a path.
pub(super) enum Place {
    /// A value.
    Key(&'static Key),
    /// Further levels by name.
    Section,
    /// A list of sections by index.
    Sections,
    /// Nothing.
    Unknown,
}

/// Tells what stands at a path.
pub(super) fn at(path: &Path) -> Place {
    if let Some(key) = KEYS.iter().find(|key| matches(key.path, path, true)) {
        return Place::Key(key);
    }
    let below = KEYS.iter().find(|key| matches(key.path, path, false));
    match below.map(|key| key.path.split('.').nth(path.segments().len())) {
        Some(Some("*")) if !is_map(path) => Place::Sections,
        Some(_) => Place::Section,
        None => Place::Unknown,
    }
}

/// Tells whether the names below this path are rows of the administrator's choice.
pub(super) fn is_map(path: &Path) -> bool {
    let row = path.join("*").to_string().replace('"', "");
    KEYS.iter().any(|key| key.path == row)
}

/// Names the valid path that was most probably meant by an unknown one.
///
/// A slip of the pen, or a name cut short, is looked for among the neighbours first; then a key of this very name
/// that stands elsewhere, which is what a key in the wrong section looks like; then whatever is nearest by its whole
/// path.
pub(super) fn nearest(unknown: &Path) -> String {
    let parent = unknown.parent().unwrap_or_default();
    let name = unknown.last();
    let depth = parent.segments().len();
    let neighbours = || {
        let below = KEYS.iter().filter(|key| matches(key.path, &parent, false));
        below
            .filter_map(|key| key.path.split('.').nth(depth))
            .filter(|neighbour| *neighbour != "*")
    };
    let slip = nearest::nearest(name, neighbours());
    let slip = slip.filter(|slip| nearest::distance(name, slip) <= (name.len() / 3).max(2));
    let shortened =
        |neighbour: &&str| depth > 0 && (neighbour.starts_with(name) || name.starts_with(neighbour));
    if let Some(meant) = slip.or_else(|| neighbours().find(shortened)) {
        return parent.join(meant).to_string();
    }
    let elsewhere = KEYS.iter().find(|key| key.path.rsplit('.').next() == Some(name));
    let whole = unknown.to_string();
    let nearest = elsewhere
        .map(|key| key.path)
        .or_else(|| nearest::nearest(&whole, KEYS.iter().map(|key| key.path)))
        .unwrap_or_default();
    nearest.replace('*', "0")
}

/// Compares a key's path with the start of it, or with the whole.
fn matches(pattern: &str, path: &Path, whole: bool) -> bool {
    let mut names = pattern.split('.');
    let start = path.segments().iter().all(|segment| match names.next() {
        Some("*") if INDEXED.iter().any(|list| pattern.starts_with(list)) => is_index(segment),
        Some("*") => true,
        Some(name) => name == segment,
        None => false,
    });
    start && (!whole || names.next().is_none())
}

fn is_index(segment: &str) -> bool {
    segment
        .parse::<u16>()
        .is_ok_and(|index| index.to_string() == segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_named() {
        for (unknown, meant) in [
            ("microsoft.tenat", "microsoft.tenant"),
            ("microsft", "microsoft"),
            ("timers.user_subscriptions", "timers.user_subscription"),
            (
                "microsoft.communication_users.0.user_name",
                "microsoft.communication_users.0.username",
            ),
            ("public.token", "management.token"),
            ("tenant", "microsoft.tenant"),
            ("pbx.master_pbx", "pbx.master"),
            ("matching.strip", "matching.strip_domain"),
        ] {
            assert_eq!(nearest(&Path::dotted(unknown)), meant, "{unknown}");
        }
    }

    #[test]
    fn rows_take_any_name_and_lists_take_indices() {
        assert!(matches!(
            at(&Path::dotted("mapping.teams_to_pbx.Whatever")),
            Place::Key(_)
        ));
        assert!(matches!(
            at(&Path::dotted("microsoft.communication_users.7.password")),
            Place::Key(_)
        ));
        assert!(matches!(
            at(&Path::dotted("microsoft.communication_users.x.password")),
            Place::Unknown
        ));
        assert!(matches!(
            at(&Path::dotted("microsoft.communication_users")),
            Place::Sections
        ));
        assert!(matches!(
            at(&Path::dotted("mapping.teams_to_pbx")),
            Place::Section
        ));
        assert!(matches!(at(&Path::default()), Place::Section));
    }
}
