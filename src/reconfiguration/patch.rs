//! What the body of `PATCH /api/v1/settings` wants.
//!
//! It is a JSON merge patch (RFC 7396) of the configuration: sections are objects, null takes a stored value back. A
//! whole path may stand as a name too, as in `{"matching.microsoft": "mail"}`, which is shorter to type.

use std::collections::BTreeMap;

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

/// Everything that a body wants, by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch(pub BTreeMap<String, Wanted>);

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
    /// A key that does not exist.
    #[error("{name} is unknown; the nearest valid key is {nearest}")]
    Unknown {
        /// The key as it was written.
        name: String,
        /// What was probably meant.
        nearest: String,
    },
    /// A section where a value stands.
    #[error(
        "{name} is a section, not a value: give its keys, as in {{\"matching\": {{\"microsoft\": \"mail\"}}}}"
    )]
    Section {
        /// The section.
        name: String,
    },
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
        if patch.0.is_empty() {
            return Err(NoPatch::Empty);
        }
        Ok(patch)
    }

    fn take_in(&mut self, name: &str, value: &Value, depth: usize) -> Result<(), NoPatch> {
        if depth > DEEPEST || self.0.len() >= MOST {
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
        let facts = key_facts(name).map_err(|nearest| {
            let name = name.to_owned();
            match nearest == name {
                true => NoPatch::Section { name },
                false => NoPatch::Unknown { name, nearest },
            }
        })?;
        let key = facts.key.clone();
        let value = (!value.is_null()).then(|| value.clone());
        match self.0.insert(key.clone(), Wanted { facts, value }) {
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
        let pairs = patch.0.into_iter();
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
                json!([{"sync": {"read": "polling"}}]),
                NoPatch::Unknown {
                    name: "0.sync.read".into(),
                    nearest: "sync.read".into(),
                },
            ),
            (
                json!({"sync": {"reed": "polling"}}),
                NoPatch::Unknown {
                    name: "sync.reed".into(),
                    nearest: "sync.read".into(),
                },
            ),
            (json!({"sync": 5}), NoPatch::Section { name: "sync".into() }),
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
    fn a_body_without_end_is_refused() {
        let deep = (0..100).fold(json!(1), |inner, _| json!({"a": inner}));
        assert_eq!(Patch::read(&deep), Err(NoPatch::TooMuch));
    }
}
