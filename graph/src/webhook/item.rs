//! The parts of a notification body that can be read without any key (graph.md 4.1, 4.2, 4.6, 4.7).

use chrono::{DateTime, Utc};
use m365_presence::identity::{SubscriptionId, TeamsId};
use m365_presence::ports::{Discard, LifecycleEvent, Notice, SubscriptionKind};
use m365_presence::teams::{Source, TeamsObservation};
use serde_json::Value;

use crate::client::pair;
use crate::fault::member;

/// Longest id that names a user.
const LONGEST_ID: usize = 128;

/// What an item says before any decryption.
pub(super) enum Reading {
    Discarded(Discard),
    Told(Notice),
    /// Carries resource data of a user.
    Sealed(TeamsId),
}

impl Reading {
    /// Reads an item whose client state stands for `kind`.
    pub(super) fn of(item: &Value, kind: &SubscriptionKind, received_at: DateTime<Utc>) -> Self {
        if let Some(event) = member(item, "lifecycleEvent") {
            return lifecycle(item, event, kind).map_or(Self::Discarded(Discard::Malformed), Self::Told);
        }
        let Some(user) = user(item) else {
            return Self::Discarded(Discard::NoUser);
        };
        match (kind, member(item, "encryptedContent")) {
            (SubscriptionKind::Users, _) => Self::Told(Notice::UserChanged(user)),
            (SubscriptionKind::Presence(_), Some(_)) => Self::Sealed(user),
            (SubscriptionKind::Presence(_), None) => Self::Told(basic(item, user, received_at)),
        }
    }
}

/// The tenants that an item names, under either name.
pub(super) fn tenants(item: &Value) -> impl Iterator<Item = &str> {
    ["tenantId", "organizationId"]
        .into_iter()
        .filter_map(|name| member(item, name)?.as_str())
        .filter(|tenant| !tenant.is_empty())
}

/// Takes the encrypted content out of an item.
pub(super) fn take_content(item: &mut Value) -> Option<Value> {
    let members = item.as_object_mut()?;
    let content = members
        .iter_mut()
        .find(|(name, _)| name.eq_ignore_ascii_case("encryptedContent"));
    content.map(|(_, content)| content.take())
}

/// The key that encrypted content asks for.
pub(super) fn certificate_id(content: &Value) -> Option<&str> {
    member(content, "encryptionCertificateId")?.as_str()
}

/// The user whom decrypted content names, where it does.
pub(super) fn inner_user(content: &Value) -> Option<TeamsId> {
    let id = member(content, "id").and_then(Value::as_str).and_then(plain_id);
    id.or_else(|| member(content, "@odata.id")?.as_str().and_then(path_id))
}

fn lifecycle(item: &Value, event: &Value, kind: &SubscriptionKind) -> Option<Notice> {
    let event = match event.as_str()?.to_ascii_lowercase().as_str() {
        "reauthorizationrequired" => LifecycleEvent::ReauthorizationRequired,
        "subscriptionremoved" => LifecycleEvent::SubscriptionRemoved,
        "missed" => LifecycleEvent::Missed,
        _ => return None,
    };
    let subscription = member(item, "subscriptionId")?
        .as_str()
        .filter(|id| !id.is_empty())?;
    Some(Notice::Lifecycle {
        subscription: SubscriptionId::new(subscription),
        kind: kind.clone(),
        event,
    })
}

/// A notification without resource data: documented ones tell no state, observed ones do.
fn basic(item: &Value, user: TeamsId, received_at: DateTime<Utc>) -> Notice {
    match member(item, "resourceData").and_then(pair) {
        Some(presence) => Notice::Presence(TeamsObservation {
            user,
            presence,
            note: None,
            sequence: None,
            source: Source::Notified { received_at },
        }),
        None => Notice::PresenceHint(user),
    }
}

/// Whom an item is about: `resourceData.id`, else `@odata.id`, else `resource`.
fn user(item: &Value) -> Option<TeamsId> {
    let inner = member(item, "resourceData").and_then(inner_user);
    inner.or_else(|| member(item, "resource")?.as_str().and_then(path_id))
}

fn plain_id(text: &str) -> Option<TeamsId> {
    let fine = !text.is_empty()
        && text.len() <= LONGEST_ID
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    fine.then(|| TeamsId::new(text))
}

/// Takes the id out of a path in both spellings: `users/OID/presence` and `communications/presences('OID')`.
fn path_id(path: &str) -> Option<TeamsId> {
    if let Some((_, quoted)) = path.split_once("('") {
        return plain_id(quoted.split_once("')")?.0);
    }
    let mut segments = path.split('/');
    segments
        .find(|segment| {
            ["users", "presences"]
                .iter()
                .any(|name| segment.eq_ignore_ascii_case(name))
        })
        .and_then(|_| segments.next())
        .and_then(plain_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use m365_presence::identity::Account;
    use m365_presence::teams::TeamsPresence;
    use serde_json::json;

    fn presence_kind() -> SubscriptionKind {
        SubscriptionKind::Presence(Account::new("presence@contoso.com"))
    }

    fn read(item: &Value) -> Reading {
        Reading::of(item, &presence_kind(), DateTime::UNIX_EPOCH)
    }

    fn read_of_users(item: &Value) -> Reading {
        Reading::of(item, &SubscriptionKind::Users, DateTime::UNIX_EPOCH)
    }

    fn discarded(item: &Value) -> Option<Discard> {
        match read(item) {
            Reading::Discarded(reason) => Some(reason),
            _ => None,
        }
    }

    fn vector(text: &str, member: &str, state: &str) -> Value {
        let text = text
            .replace("<userid>", "OID")
            .replace("<user-id>", "OID")
            .replace("{id}", "OID")
            .replace("<secretClientValue>", state)
            .replace("MyGraphExplorerSecretClientState", state)
            .replace("{secret}", state);
        let vector: Value = serde_json::from_str(&text).unwrap();
        vector[member]["value"][0].clone()
    }

    #[test]
    fn the_observed_basic_notification_tells_its_state() {
        let item = vector(
            include_str!("../../tests/vectors/wire/presence-notification-basic-observed-2020.json"),
            "body",
            "for presence",
        );
        let Reading::Told(Notice::Presence(seen)) = read(&item) else {
            panic!("no state")
        };
        assert_eq!(seen.user, TeamsId::new("oid"));
        assert_eq!(seen.presence, TeamsPresence::new("Away", "Away"));
        assert_eq!(seen.sequence, None);
    }

    #[test]
    fn the_documented_notification_is_a_hint_without_and_sealed_with_content() {
        let mut item = vector(
            include_str!("../../tests/vectors/wire/presence-notification-documented.json"),
            "rich",
            "for presence",
        );
        assert!(matches!(read(&item), Reading::Sealed(user) if user == TeamsId::new("oid")));
        item["encryptedContent"] = Value::Null;
        assert!(matches!(read(&item), Reading::Told(Notice::PresenceHint(_))));
    }

    #[test]
    fn the_observed_lifecycle_notification_names_subscription_and_event() {
        let item = vector(
            include_str!("../../tests/vectors/wire/lifecycle-observed-2023.json"),
            "body",
            "for users",
        );
        let Reading::Told(Notice::Lifecycle { kind, event, .. }) = read_of_users(&item) else {
            panic!("no event")
        };
        assert_eq!(
            (kind, event),
            (SubscriptionKind::Users, LifecycleEvent::ReauthorizationRequired)
        );
    }

    #[test]
    fn a_changed_user_is_told_by_id_or_by_resource() {
        for item in [
            json!({"ClientState": "for users", "resource": "Users/OID", "resourceData": {"id": "OID"}}),
            json!({"clientState": "for users", "resource": "Users/OID", "resourceData": null}),
            json!({"clientState": "for users", "resourceData": {"@odata.id": "Users('OID')"}}),
        ] {
            assert!(
                matches!(read_of_users(&item), Reading::Told(Notice::UserChanged(user)) if user.as_str() == "oid")
            );
        }
    }

    #[test]
    fn odd_items_are_discarded_by_reason() {
        let state = "for presence";
        assert_eq!(
            discarded(&json!({"clientState": state, "resource": ""})),
            Some(Discard::NoUser)
        );
        assert_eq!(
            discarded(&json!({"clientState": state, "resource": "users/../x"})),
            Some(Discard::NoUser)
        );
        assert_eq!(
            discarded(&json!({"clientState": state, "lifecycleEvent": "new", "subscriptionId": "s"})),
            Some(Discard::Malformed)
        );
    }
}
