//! The settings in force, as an administrator sees them.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::concern::{Part, concerned};
use crate::config::{KeyFacts, Origin, Resolution, key_facts, single_keys};

/// One setting.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Setting)]
pub struct Item {
    /// What is known of its key.
    #[serde(flatten)]
    pub facts: KeyFacts,
    /// The value in force, a secret masked; null when it is not set.
    pub value: Value,
    /// `default`, `file`, `stored` or `environment`.
    #[schema(pattern = "^(default|file|stored|environment)$")]
    pub origin: &'static str,
    /// The environment variable that sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// Whom a change concerns.
    pub concerns: &'static [Part],
}

/// All settings in force.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// In the order of the sections.
    pub items: Vec<Item>,
    /// Identifies this picture, for `If-Match`; with its quotation marks.
    pub etag: String,
}

impl Picture {
    /// Draws the picture. `revision` tells pictures apart that look alike because only a secret differs.
    pub(super) fn of(resolution: &Resolution, revision: u64) -> Self {
        let mut set: BTreeMap<String, Item> = BTreeMap::new();
        for effective in &resolution.effective {
            let Ok(facts) = key_facts(&effective.key) else {
                continue;
            };
            let (origin, variable) = spelled(&effective.origin);
            let item = Item {
                value: value_of(&effective.value),
                origin,
                variable,
                concerns: concerned(&effective.key),
                facts,
            };
            set.insert(effective.key.clone(), item);
        }
        let unset = |facts: KeyFacts| Item {
            value: Value::Null,
            origin: "default",
            variable: None,
            concerns: concerned(&facts.key),
            facts,
        };
        let mut items: Vec<Item> = single_keys()
            .map(|facts| set.remove(&facts.key).unwrap_or_else(|| unset(facts)))
            .collect();
        items.extend(set.into_values());
        let etag = etag(&items, revision);
        Self { items, etag }
    }

    /// The value in force of a key, as it is shown.
    pub fn value(&self, key: &str) -> Option<String> {
        let item = self.items.iter().find(|item| item.facts.key == key)?;
        (!item.value.is_null()).then(|| item.value.to_string())
    }
}

fn spelled(origin: &Origin) -> (&'static str, Option<String>) {
    match origin {
        Origin::Default => ("default", None),
        Origin::File => ("file", None),
        Origin::Stored => ("stored", None),
        Origin::Environment(variable) => ("environment", Some(variable.clone())),
    }
}

/// Texts, flags and lists are shown in a notation that is JSON as well.
fn value_of(shown: &str) -> Value {
    serde_json::from_str(shown).unwrap_or_else(|_masked| Value::String(shown.to_owned()))
}

fn etag(items: &[Item], revision: u64) -> String {
    let written = serde_json::to_vec(items).unwrap_or_default();
    let hash = digest(&SHA256, &written);
    let short: String = hash
        .as_ref()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{revision}-{short}\"")
}
