//! A body taken apart (graph.md 4.1): what carries a client state of ours is kept, and the rest is only counted.
//!
//! Items are read one after the other and judged at once, so that a mebibyte of a stranger's items costs no more memory
//! than one of them.

use std::fmt;

use m365_presence::ports::{AcceptedState, Discard, SubscriptionKind};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use subtle::{Choice, ConstantTimeEq};

use crate::fault::member;
use crate::http::without_mark;

/// Items of ours that are taken out of one body at most: Graph sends some tens, and a body of a mebibyte holds no more
/// genuine ones.
const MOST_ITEMS: usize = 4096;

/// Validation tokens of one body at most: Graph sends one per application and directory.
const MOST_TOKENS: usize = 64;

/// A whole body.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    /// What carries a client state of ours, and what that stands for.
    pub(super) items: Vec<(Value, SubscriptionKind)>,
    /// Why the others do not count.
    pub(super) discarded: Vec<Discard>,
    /// The validation tokens; what stands there and is no text is an empty one, which no check passes.
    pub(super) tokens: Vec<String>,
}

impl Envelope {
    /// Reads a body, with a byte order mark or without; `None` when it is no change notification collection.
    pub(super) fn read(body: &[u8], accepted: &[AcceptedState]) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(without_mark(body));
        let envelope = Collection(accepted).deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        envelope
    }
}

/// Compares the client state with every accepted one, all of them and each in constant time.
fn kind<'s>(item: &Value, accepted: &'s [AcceptedState]) -> Option<&'s SubscriptionKind> {
    let given = member(item, "clientState")?.as_str()?.as_bytes();
    let mut found = None;
    for state in accepted {
        let expected = state.client_state.expose().as_bytes();
        let equal: Choice = expected.ct_eq(given) & Choice::from(u8::from(!expected.is_empty()));
        if bool::from(equal) {
            found = Some(&state.kind);
        }
    }
    found
}

/// Reads the object; `None` when it has no list of items.
struct Collection<'a>(&'a [AcceptedState]);

impl<'de> DeserializeSeed<'de> for Collection<'_> {
    type Value = Option<Envelope>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Collection<'_> {
    type Value = Option<Envelope>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a change notification collection")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope::default();
        let mut whole = false;
        while let Some(name) = members.next_key::<String>()? {
            if name.eq_ignore_ascii_case("value") {
                let items = Items {
                    accepted: self.0,
                    envelope: &mut envelope,
                };
                whole = members.next_value_seed(items)?;
            } else if name.eq_ignore_ascii_case("validationTokens") {
                // a list, or null where Microsoft sends none
                if let Value::Array(tokens) = members.next_value()? {
                    let text = |token: &Value| token.as_str().unwrap_or_default().to_owned();
                    envelope.tokens = tokens.iter().take(MOST_TOKENS).map(text).collect();
                }
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(whole.then_some(envelope))
    }
}

/// Reads the items; answers whether there is a list of them.
struct Items<'a> {
    accepted: &'a [AcceptedState],
    envelope: &'a mut Envelope,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of change notifications")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        while let Some(item) = items.next_element::<Value>()? {
            let reason = match kind(&item, self.accepted) {
                Some(kind) if self.envelope.items.len() < MOST_ITEMS => {
                    self.envelope.items.push((item, kind.clone()));
                    continue;
                }
                Some(_) => Discard::Malformed,
                None if item.is_object() => Discard::UnknownClientState,
                None => Discard::Malformed,
            };
            self.envelope.discarded.push(reason);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use m365_presence::identity::Account;
    use m365_presence::secret::Secret;
    use serde_json::json;

    use super::*;

    fn accepted() -> Vec<AcceptedState> {
        vec![
            AcceptedState {
                client_state: Secret::new("for presence"),
                kind: SubscriptionKind::Presence(Account::new("presence@contoso.com")),
            },
            AcceptedState {
                client_state: Secret::new("for users"),
                kind: SubscriptionKind::Users,
            },
        ]
    }

    fn read(body: &str) -> Option<Envelope> {
        Envelope::read(body.as_bytes(), &accepted())
    }

    #[test]
    fn a_body_without_its_list_is_no_envelope() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            "7",
            r#"{"value":{}}"#,
            r#"{"value":null}"#,
            r#"{"value":["#,
            r#"{"value":[]}x"#,
            "\u{0}",
        ] {
            assert!(read(body).is_none(), "{body}");
        }
        assert!(Envelope::read(b"{\"value\":[\"\xff\"]}", &accepted()).is_none());
        assert!(read(r#"{"value":[]}"#).is_some());
        assert!(read("\u{feff}{\"value\":[]}").is_some());
        assert!(read("\u{feff}\u{feff}{\"value\":[]}").is_none());
    }

    #[test]
    fn members_are_found_in_any_spelling_and_the_order_does_not_matter() {
        let item = json!({"ClientState": "for users", "Resource": "Users/OID"});
        let body = json!({"ValidationTokens": [7, "t"], "@odata.context": {"value": 1}, "VALUE": [item]});
        let envelope = read(&body.to_string()).unwrap();
        assert_eq!(envelope.tokens, ["", "t"]);
        assert_eq!(envelope.items, [(item, SubscriptionKind::Users)]);
        for none in [json!(null), json!("t"), json!({"0": "t"}), json!(7)] {
            let body = json!({"value": [], "validationTokens": none});
            assert!(read(&body.to_string()).unwrap().tokens.is_empty());
        }
    }

    #[test]
    fn a_foreign_client_state_ends_the_matter() {
        let states = [
            json!("for presenc"),
            json!("for presence "),
            json!("FOR PRESENCE"),
            json!(""),
            json!(null),
            json!(7),
            json!(["for presence"]),
        ];
        let items: Vec<Value> = states
            .iter()
            .map(|state| json!({"clientState": state}))
            .chain([json!({}), json!([]), json!(7)])
            .collect();
        let envelope = read(&json!({"value": items}).to_string()).unwrap();
        assert!(envelope.items.is_empty());
        let strangers = vec![Discard::UnknownClientState; states.len() + 1];
        assert_eq!(
            envelope.discarded,
            [strangers, vec![Discard::Malformed; 2]].concat()
        );
        let unset = [AcceptedState {
            client_state: Secret::default(),
            kind: SubscriptionKind::Users,
        }];
        let body = json!({"value": [{"clientState": ""}]}).to_string();
        assert!(Envelope::read(body.as_bytes(), &unset).unwrap().items.is_empty());
    }

    #[test]
    fn more_than_any_body_of_microsofts_holds_is_cut() {
        let item = json!({"clientState": "for users"});
        let body = json!({"value": vec![item; MOST_ITEMS + 10], "validationTokens": vec!["t"; 1000]});
        let envelope = read(&body.to_string()).unwrap();
        assert_eq!((envelope.items.len(), envelope.discarded.len()), (MOST_ITEMS, 10));
        assert_eq!(envelope.tokens.len(), MOST_TOKENS);
    }
}
