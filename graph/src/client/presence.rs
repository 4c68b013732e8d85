//! Presence in bulk (graph.md 5.1), and the port for reading and writing it.

use std::collections::{BTreeMap, HashSet};

use awc::http::Method;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_presence::identity::{Credential, TeamsId};
use m365_presence::note::plain;
use m365_presence::ports::{GraphError, PresenceIo, PresenceWrite, READ_LIMIT};
use m365_presence::teams::{Source, TeamsObservation, TeamsPresence};
use serde_json::{Value, json};

use super::{Call, GraphClient};
use crate::fault::{member, refusal, unreadable};
use crate::http::Family;

impl PresenceIo for GraphClient {
    fn read<'a>(
        &'a self,
        users: &'a [TeamsId],
    ) -> LocalBoxFuture<'a, Result<Vec<TeamsObservation>, GraphError>> {
        async move {
            let mut seen = Vec::with_capacity(users.len());
            for ids in users.chunks(READ_LIMIT) {
                seen.extend(self.read_chunk(ids).await?);
            }
            Ok(seen)
        }
        .boxed_local()
    }

    fn write<'a>(&'a self, writes: &'a [PresenceWrite]) -> LocalBoxFuture<'a, Vec<Result<(), GraphError>>> {
        self.write_all(writes).boxed_local()
    }
}

impl GraphClient {
    async fn read_chunk(&self, users: &[TeamsId]) -> Result<Vec<TeamsObservation>, GraphError> {
        let ids: Vec<&str> = users.iter().map(TeamsId::as_str).collect();
        let url = self.endpoints.graph("/communications/getPresencesByUserId");
        let call = Call::new(&Credential::App, Family::PresenceRead, Method::POST, &url);
        let answer = self.call(call.json(json!({ "ids": ids }))).await?;
        if !answer.is_success() {
            return Err(refusal(&answer));
        }
        let body = answer.json().ok_or_else(|| unreadable("list of presences"))?;
        let items = member(&body, "value")
            .and_then(Value::as_array)
            .ok_or_else(|| unreadable("list of presences"))?;
        let asked: HashSet<&TeamsId> = users.iter().collect();
        // who is told twice is as the later of both says, and of whom nobody asked nothing was to be told
        let told: BTreeMap<TeamsId, TeamsObservation> = items
            .iter()
            .filter_map(|item| observation(item, answer.sent_at))
            .filter(|seen| asked.contains(&seen.user))
            .map(|seen| (seen.user.clone(), seen))
            .collect();
        Ok(told.into_values().collect())
    }
}

/// Reads one presence; an item that lacks its user or a part of its state tells nothing.
fn observation(item: &Value, begun_at: DateTime<Utc>) -> Option<TeamsObservation> {
    let user = member(item, "id")?.as_str().filter(|id| !id.is_empty())?;
    Some(TeamsObservation {
        user: TeamsId::new(user),
        presence: pair(item)?,
        note: read_note(item),
        sequence: sequence(item),
        source: Source::Read { begun_at },
    })
}

/// The pair of a presence object; values are kept as they came.
pub(crate) fn pair(item: &Value) -> Option<TeamsPresence> {
    let text = |name| {
        member(item, name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    Some(TeamsPresence::new(text("availability")?, text("activity")?))
}

/// The status message of a read presence: whoever has none is told without.
fn read_note(item: &Value) -> Option<String> {
    Some(note(item).unwrap_or_default())
}

/// The status message of a presence object, where one is told. Teams marks one up, and graph says in `contentType`
/// whether it is text, but that is not relied on.
pub(crate) fn note(item: &Value) -> Option<String> {
    let message = member(member(item, "statusMessage")?, "message")?;
    let content = member(message, "content")?.as_str()?;
    Some(plain(content)).filter(|text| !text.is_empty())
}

/// The version of a presence object, where it is told (graph.md 4.3).
pub(crate) fn sequence(item: &Value) -> Option<String> {
    match member(item, "sequenceNumber")? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use m365_presence::note::LONGEST;

    #[test]
    fn a_status_message_is_read_as_plain_text_and_none_as_empty() {
        for (content, text) in [
            (
                "In Berlin <b>until</b> Friday &amp; back<pinnednote></pinnednote>",
                "In Berlin until Friday & back",
            ),
            ("<p>a < b</p>\n&lt;c&gt;", "a < b <c>"),
            ("5 <6", "5 <6"),
            ("ä<", "ä<"),
        ] {
            let item = json!({"statusMessage": {"message": {"content": content, "contentType": "html"}}});
            assert_eq!(read_note(&item).as_deref(), Some(text));
        }
        for item in [
            json!({}),
            json!({"statusMessage": null}),
            json!({"statusMessage": {"message": {"content": 5}}}),
        ] {
            assert_eq!((read_note(&item).as_deref(), note(&item)), (Some(""), None));
        }
        let long = json!({"statusMessage": {"message": {"content": "ö".repeat(1_000)}}});
        assert_eq!(note(&long).map(|note| note.chars().count()), Some(LONGEST));
    }

    #[test]
    fn unknown_values_are_kept_and_incomplete_items_are_not() {
        let now = DateTime::UNIX_EPOCH;
        let odd = json!({"ID": "A", "availability": "Odd", "activity": "New", "sequenceNumber": 7});
        let seen = observation(&odd, now).unwrap();
        assert_eq!(seen.presence, TeamsPresence::new("Odd", "New"));
        assert_eq!(seen.sequence.as_deref(), Some("7"));
        for item in [
            json!({"id": "a", "availability": "Busy"}),
            json!({"id": null, "availability": "Busy", "activity": "Busy"}),
            json!({"id": "a", "availability": ["Busy"], "activity": "Busy"}),
            json!("a"),
        ] {
            assert_eq!(observation(&item, now), None);
        }
    }
}
