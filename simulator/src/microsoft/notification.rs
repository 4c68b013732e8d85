//! What change and lifecycle notifications look like on the wire (reference 4.1 to 4.3, 4.6 and 4.7).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    clock::offset_time,
    forgery::Forgery,
    knobs::{BasicShape, Delivery, LifecycleShape},
    presence::Pair,
    seal::seal,
    subscription::Subscription,
};

/// What a lifecycle notification says (reference 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleEvent {
    /// The token or the subscription is about to end.
    ReauthorizationRequired,
    /// The subscription is gone.
    SubscriptionRemoved,
    /// Notifications were lost.
    Missed,
}

impl LifecycleEvent {
    /// Returns the spelling on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReauthorizationRequired => "reauthorizationRequired",
            Self::SubscriptionRemoved => "subscriptionRemoved",
            Self::Missed => "missed",
        }
    }
}

/// What there is to tell a subscriber.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Presence {
        user: Uuid,
        pair: Pair,
        sequence: u64,
    },
    User {
        user: Uuid,
        change: &'static str,
        at: DateTime<Utc>,
        sequence: u64,
    },
    Lifecycle {
        event: LifecycleEvent,
        shape: LifecycleShape,
    },
}

/// One notification on its way to a subscription.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) subscription: Uuid,
    pub(super) change: Change,
    pub(super) forgery: Option<Forgery>,
    /// The subscription as it was, for a notification that must arrive although it is gone.
    pub(super) last: Option<Arc<Subscription>>,
}

impl Outgoing {
    /// Addresses a change to a subscription.
    pub(super) fn new(subscription: Uuid, change: Change) -> Self {
        Self {
            subscription,
            change,
            forgery: None,
            last: None,
        }
    }

    /// Tells whether this goes to the lifecycle URL.
    pub(super) fn is_lifecycle(&self) -> bool {
        matches!(self.change, Change::Lifecycle { .. })
    }

    /// Returns the user concerned, if one is.
    pub(super) fn user(&self) -> Option<Uuid> {
        match self.change {
            Change::Presence { user, .. } | Change::User { user, .. } => Some(user),
            Change::Lifecycle { .. } => None,
        }
    }

    /// Tells whether the envelope needs validation tokens for this.
    pub(super) fn needs_token(&self, subscription: &Subscription) -> bool {
        match &self.change {
            Change::Presence { .. } => subscription.lock.is_some(),
            Change::User { .. } => false,
            Change::Lifecycle { shape, .. } => *shape == LifecycleShape::Observed,
        }
    }

    /// Returns the journal's summary of this.
    pub(super) fn summary(&self) -> Value {
        match &self.change {
            Change::Presence { user, pair, .. } => {
                json!({"user": user, "availability": pair.availability, "activity": pair.activity})
            }
            Change::User { user, change, .. } => json!({"user": user, "change": change}),
            Change::Lifecycle { event, .. } => json!({"event": event.name()}),
        }
    }

    /// Writes the notification as it stands in the envelope.
    pub(super) fn shown(&self, subscription: &Subscription, delivery: &Delivery) -> Value {
        let mut shown = json!({
            "subscriptionId": subscription.id,
            "clientState": subscription.client_state,
            "subscriptionExpirationDateTime": offset_time(subscription.expires),
        });
        let specific = match &self.change {
            Change::Presence { user, pair, sequence } => {
                presence(subscription, delivery, *user, pair, *sequence)
            }
            Change::User {
                user,
                change,
                at,
                sequence,
            } => user_change(subscription, *user, change, *at, *sequence),
            Change::Lifecycle { event, shape } => lifecycle(subscription, *event, *shape),
        };
        if let (Some(members), Value::Object(specific)) = (shown.as_object_mut(), specific) {
            members.extend(specific);
        }
        shown
    }
}

fn presence(
    subscription: &Subscription,
    delivery: &Delivery,
    user: Uuid,
    pair: &Pair,
    sequence: u64,
) -> Value {
    let tenant = subscription.tenant;
    let mut shown = if subscription.lock.is_none() && delivery.basic == BasicShape::Observed {
        let resource = format!("communications/presences('{user}')");
        json!({
            "changeType": "updated", "tenantId": tenant, "resource": resource,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.presence", "@odata.id": resource, "id": null,
                "activity": pair.activity, "availability": pair.availability,
            },
        })
    } else {
        json!({
            "changeType": "updated", "tenantId": tenant, "organizationId": tenant,
            "resource": format!("communications/presences/{user}"),
            "resourceData": {
                "@odata.id": format!("users/{user}/presence"), "@odata.type": "#microsoft.graph.presence", "id": user,
            },
        })
    };
    let content = subscription
        .lock
        .as_ref()
        .and_then(|lock| seal(lock, &plaintext(delivery, user, pair, sequence)).ok());
    if let (Some(content), Some(members)) = (content, shown.as_object_mut()) {
        members.insert("encryptedContent".to_owned(), content);
    }
    shown
}

fn plaintext(delivery: &Delivery, user: Uuid, pair: &Pair, sequence: u64) -> String {
    let mut content = Map::new();
    let mut add = |name: &str, value: Value| {
        content.insert(name.to_owned(), value);
    };
    if delivery.rich_extras {
        add(
            "@odata.context",
            "https://graph.microsoft.com/v1.0/$metadata#communications/presences/$entity".into(),
        );
    }
    add("@odata.id", format!("users/{user}/presence").into());
    add("@odata.type", "#microsoft.graph.presence".into());
    add("id", json!(user));
    add("availability", json!(pair.availability));
    add("activity", json!(pair.activity));
    if delivery.sequence_numbers {
        add("sequenceNumber", format!("{sequence:020}").into());
    }
    if delivery.rich_extras {
        add("statusMessage", Value::Null);
        add(
            "outOfOfficeSettings",
            json!({"message": null, "isOutOfOffice": false}),
        );
        add("workLocation", Value::Null);
    }
    Value::Object(content).to_string()
}

fn user_change(
    subscription: &Subscription,
    user: Uuid,
    change: &str,
    at: DateTime<Utc>,
    sequence: u64,
) -> Value {
    let resource = format!("Users/{user}");
    json!({
        "changeType": change, "resource": resource, "tenantId": subscription.tenant,
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.User", "@odata.id": resource, "id": user,
            "organizationId": subscription.tenant, "eventTime": offset_time(at).replace("+00:00", "Z"),
            "sequenceNumber": sequence,
        },
    })
}

fn lifecycle(subscription: &Subscription, event: LifecycleEvent, shape: LifecycleShape) -> Value {
    match shape {
        LifecycleShape::Documented => {
            json!({"tenantId": subscription.tenant, "lifecycleEvent": event.name()})
        }
        LifecycleShape::Observed => json!({
            "lifecycleEvent": event.name(), "resource": "", "sequence": null, "resourceData": {},
            "encryptedContent": null, "organizationId": subscription.tenant,
        }),
    }
}
