//! What the body of `PATCH /api/v1/settings` wants.
//!
//! It is a JSON merge patch (RFC 7396) of the configuration: sections are objects, null takes a stored value back. A
//! whole path may stand as a name too, as in `{"matching.microsoft": "mail"}`, which is shorter to type.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::config::{KeyFacts, key_facts};

/// Deepest nesting of a body; no key is deeper.
const DEEPEST: usize = 8;

/// Changes that one body may want.
const MOST: usize = 1_000;

/// One wanted change.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What is known of the key.
    pub facts: KeyFacts,
    /// The new value; `None` takes a stored one back.
    pub value: Option<Value>,
}

/// Everything that a body wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// By key.
    pub wanted: BTreeMap<String, Wanted>,
    /// Names that are no key, as they were written. They are refused together with whatever else is wrong.
    pub unknown: BTreeSet<String>,
}

/// Why a body is no patch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPatch {
    /// Not an object, or nothing in it.
    #[error(
        "the body is a JSON object with at least one setting, like {{\"matching\": {{\"microsoft\": \"mail\"}}}}"
    )]
    Empty,
    /// Too much, or too deep.
    #[error("the body wants more than {MOST} settings, or is nested deeper than {DEEPEST} levels")]
    TooMuch,
    /// The same key in two spellings.
    #[error("{key} is given twice")]
    Twice {
        /// The key.
        key: String,
    },
}

impl Patch {
    /// Reads a body.
    ///
    /// # Errors
    /// [`NoPatch`].
    pub fn read(body: &Value) -> Result<Self, NoPatch> {
        let mut patch = Self::default();
        patch.take_in("", body, 0)?;
        if patch.len() == 0 {
            return Err(NoPatch::Empty);
        }
        Ok(patch)
    }

    fn len(&self) -> usize {
        self.wanted.len() + self.unknown.len()
    }

    fn take_in(&mut self, name: &str, value: &Value, depth: usize) -> Result<(), NoPatch> {
        if depth > DEEPEST || self.len() >= MOST {
            return Err(NoPatch::TooMuch);
        }
        match value {
            Value::Object(members) => members
                .iter()
                .try_for_each(|(member, value)| self.take_in(&below(name, member), value, depth + 1)),
            Value::Array(sections) if !sections.is_empty() && sections.iter().all(Value::is_object) => {
                sections.iter().enumerate().try_for_each(|(index, value)| {
                    self.take_in(&below(name, &index.to_string()), value, depth + 1)
                })
            }
            _ if name.is_empty() => Err(NoPatch::Empty),
            value => self.want(name, value),
        }
    }

    fn want(&mut self, name: &str, value: &Value) -> Result<(), NoPatch> {
        let Ok(facts) = key_facts(name) else {
            self.unknown.insert(name.to_owned());
            return Ok(());
        };
        let key = facts.key.clone();
        let value = (!value.is_null()).then(|| value.clone());
        match self.wanted.insert(key.clone(), Wanted { facts, value }) {
            Some(_) => Err(NoPatch::Twice { key }),
            None => Ok(()),
        }
    }
}

fn below(name: &str, member: &str) -> String {
    if name.is_empty() {
        member.to_owned()
    } else {
        format!("{name}.{member}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(body: &Value) -> Vec<(String, Option<Value>)> {
        let patch = Patch::read(body).unwrap();
        assert!(patch.unknown.is_empty());
        let pairs = patch.wanted.into_iter();
        pairs.map(|(key, wanted)| (key, wanted.value)).collect()
    }

    #[test]
    fn sections_and_whole_paths_mean_the_same() {
        let expected = [
            ("matching.microsoft".to_owned(), Some(json!("mail"))),
            ("sync.read".to_owned(), None),
        ];
        assert_eq!(
            wanted(&json!({"matching": {"microsoft": "mail"}, "sync": {"read": null}})),
            expected
        );
        assert_eq!(
            wanted(&json!({"matching.microsoft": "mail", "sync.read": null})),
            expected
        );
    }

    #[test]
    fn rows_and_lists_of_sections_are_found() {
        assert_eq!(
            wanted(&json!({
                "mapping": {"teams_to_pbx": {"inacall": "busy"}},
                "microsoft": {"communication_users": [{"username": "a@contoso.com"}]},
                "matching": {"exclude": ["door"]},
            })),
            [
                ("mapping.teams_to_pbx.InACall".to_owned(), Some(json!("busy"))),
                ("matching.exclude".to_owned(), Some(json!(["door"]))),
                (
                    "microsoft.communication_users.0.username".to_owned(),
                    Some(json!("a@contoso.com"))
                ),
            ]
        );
    }

    #[test]
    fn what_is_no_patch_is_refused() {
        for (body, refusal) in [
            (json!({}), NoPatch::Empty),
            (json!({"matching": {}}), NoPatch::Empty),
            (json!("matching"), NoPatch::Empty),
            (
                json!({"sync.read": "polling", "sync": {"read": "hybrid"}}),
                NoPatch::Twice {
                    key: "sync.read".into(),
                },
            ),
        ] {
            assert_eq!(Patch::read(&body), Err(refusal), "{body}");
        }
    }

    #[test]
    fn what_is_no_key_is_gathered_and_the_rest_is_read_on() {
        let body = json!({"sync": {"reed": "polling", "read": "hybrid"}, "0.sync.read": null});
        let patch = Patch::read(&body).unwrap();
        assert_eq!(
            patch.unknown,
            BTreeSet::from(["0.sync.read".to_owned(), "sync.reed".to_owned()])
        );
        assert!(patch.wanted.keys().eq(["sync.read"]));
        let list = Patch::read(&json!([{"sync": {"read": "polling"}}])).unwrap();
        assert!(list.wanted.is_empty() && list.unknown.contains("0.sync.read"));
    }

    #[test]
    fn a_body_without_end_is_refused() {
        let deep = (0..100).fold(json!(1), |inner, _| json!({"a": inner}));
        assert_eq!(Patch::read(&deep), Err(NoPatch::TooMuch));
    }
}
