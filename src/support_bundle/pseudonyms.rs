//! Who is named appears under another name, and what is secret not at all.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use aho_corasick::{AhoCorasick, MatchKind};
use m365_presence::secret::Secret;
use serde_json::{Map, Value};

/// A shorter secret would stand in the middle of words.
const SHORTEST_SECRET: usize = 4;

/// What stands for a secret.
const HIDDEN: &str = "(secret)";

/// What the words of a sign-in code follow, in the light and in the log.
const SIGN_IN_CODE: &str = "with the code ";

/// Fields of the log that name a person, also one who is not known any more.
const NAMING_FIELDS: [&str; 5] = ["user", "h323", "account", "who", "signed_in_as"];

/// Gathers what is to be replaced.
pub(super) struct Pseudonyms {
    hasher: RandomState,
    secrets: Vec<String>,
    names: HashMap<String, String>,
}

impl Pseudonyms {
    /// Begins with the secrets. Pseudonyms are made with a key that ends with this value.
    pub(super) fn new(secrets: &[Secret]) -> Self {
        let exposed = secrets.iter().map(|secret| secret.expose().to_owned());
        Self {
            hasher: RandomState::new(),
            secrets: exposed.filter(|secret| secret.len() >= SHORTEST_SECRET).collect(),
            names: HashMap::new(),
        }
    }

    /// Adds a name; whatever its case is.
    pub(super) fn hide_name(&mut self, name: &str) {
        if !name.trim().is_empty() {
            let pseudonym = self.pseudonym(name);
            self.names.insert(name.to_lowercase(), pseudonym);
        }
    }

    /// Replaces names and secrets in every text of a document.
    pub(super) fn finish(self, document: Value) -> Value {
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(self.names.keys());
        let replacements = self.names.values().cloned().collect();
        match finder {
            Ok(finder) => Replacement {
                pseudonyms: self,
                finder,
                replacements,
            }
            .of(document),
            Err(error) => Value::String(format!("the names cannot be replaced: {error}")),
        }
    }

    fn pseudonym(&self, name: &str) -> String {
        format!("person-{:012x}", self.hasher.hash_one(name.to_lowercase()) >> 16)
    }
}

struct Replacement {
    pseudonyms: Pseudonyms,
    finder: AhoCorasick,
    replacements: Vec<String>,
}

impl Replacement {
    fn of(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.in_text(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.of(item)).collect()),
            Value::Object(members) => Value::Object(self.in_members(members)),
            other => other,
        }
    }

    fn in_members(&self, members: Map<String, Value>) -> Map<String, Value> {
        let replaced = members.into_iter().map(|(key, value)| {
            let named = NAMING_FIELDS.contains(&key.as_str());
            let value = match value {
                Value::String(name) if named && !name.is_empty() => {
                    Value::String(self.pseudonyms.pseudonym(&name))
                }
                value => self.of(value),
            };
            (key, value)
        });
        replaced.collect()
    }

    fn in_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.pseudonyms.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        if let Some((before, after)) = text.split_once(SIGN_IN_CODE) {
            let rest = after
                .find(char::is_whitespace)
                .map_or("", |end| after.split_at(end).1);
            text = format!("{before}{SIGN_IN_CODE}{HIDDEN}{rest}");
        }
        self.in_words(&self.in_addresses(&text))
    }

    /// Replaces whatever looks like a mail address, known or not.
    fn in_addresses(&self, text: &str) -> String {
        if !text.contains('@') {
            return text.to_owned();
        }
        let belongs = |letter: char| letter.is_alphanumeric() || "@._%+-#".contains(letter);
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(belongs) {
            let (before, from) = rest.split_at(start);
            let (token, after) = from.split_at(from.find(|letter| !belongs(letter)).unwrap_or(from.len()));
            replaced.push_str(before);
            let address = token.trim_end_matches('.');
            match address.split_once('@') {
                Some((local, host)) if !local.is_empty() && !host.is_empty() => {
                    replaced.push_str(&self.pseudonyms.pseudonym(address));
                    replaced.push_str(token.split_at(address.len()).1);
                }
                _ => replaced.push_str(token),
            }
            rest = after;
        }
        replaced.push_str(rest);
        replaced
    }

    /// Replaces names that stand as words of their own.
    fn in_words(&self, text: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut done = 0;
        for found in self.finder.find_iter(text) {
            let (before, after) = (text.get(..found.start()), text.get(found.end()..));
            let bound = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
            let is_word = bound(before.and_then(|before| before.chars().next_back()))
                && bound(after.and_then(|after| after.chars().next()));
            if let Some(name) = self
                .replacements
                .get(found.pattern().as_usize())
                .filter(|_| is_word)
            {
                replaced.push_str(text.get(done..found.start()).unwrap_or_default());
                replaced.push_str(name);
                done = found.end();
            }
        }
        replaced.push_str(text.get(done..).unwrap_or_default());
        replaced
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn replaced(document: Value) -> Value {
        let secrets = [Secret::new("pass~word"), Secret::new("abc")];
        let mut pseudonyms = Pseudonyms::new(&secrets);
        for name in [
            "anna",
            "Anna Huber",
            "Jürgen Groß",
            "308d07ec-5824-407c-8ca6-646cf2350940",
        ] {
            pseudonyms.hide_name(name);
        }
        pseudonyms.finish(document)
    }

    #[test]
    fn a_name_is_the_same_word_wherever_it_stands_and_whatever_its_case_is() {
        let told = replaced(json!({"message": "anna, ANNA and wanna", "fields": {"user": "Anna"}}));
        let word = told["fields"]["user"].as_str().unwrap();
        assert!(word.starts_with("person-"), "{told}");
        assert_eq!(told["message"], format!("{word}, {word} and wanna"));
    }

    #[test]
    fn whole_names_addresses_and_object_ids_are_replaced() {
        let told = replaced(json!([
            "Anna Huber is Jürgen Groß",
            "mail to anna.huber@contoso.com.",
            "id 308D07EC-5824-407c-8ca6-646cf2350940"
        ]));
        let text = told.to_string();
        for name in ["Huber", "rgen", "huber", "contoso.com", "407c"] {
            assert!(!text.contains(name), "{name}: {text}");
        }
        assert!(told[1].as_str().unwrap().ends_with('.'), "{told}");
    }

    #[test]
    fn secrets_and_sign_in_codes_are_left_out() {
        let told = replaced(json!([
            "refused: pass~word is wrong",
            "must sign in at https://x/ with the code ABCD1234 before 12:00 UTC",
            "abc is too short to be told from a word"
        ]));
        assert_eq!(told[0], "refused: (secret) is wrong");
        assert_eq!(
            told[1],
            "must sign in at https://x/ with the code (secret) before 12:00 UTC"
        );
        assert_eq!(told[2], "abc is too short to be told from a word");
    }

    #[test]
    fn another_bundle_names_people_otherwise() {
        let document = json!("anna");
        assert_ne!(replaced(document.clone()), replaced(document));
    }
}
