//! How a request becomes a subscription: the rules that its properties obey (reference 3.1 and 3.2).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    answer::{Call, GraphError},
    clock::offset_time,
    cloud::Cloud,
    grants::Caller,
    subscription::{self, BadResource, Subscription, Target},
    validation::accept_url,
};

/// What the presence service says to a token that it does not take.
pub(super) const NOT_AUTHORIZED: &str = "The request is not authorized for this user or application.";

/// The expiry that shorter ones are raised to, and the longest for presences and for users, in minutes.
const SHORTEST: i64 = 45;
const LONGEST_PRESENCE: i64 = 60;
const LONGEST_USERS: i64 = 41_760;

/// Reads what a request wants to subscribe to; everything that can be wrong without asking anybody else is refused.
pub(super) fn read(
    cloud: &Cloud,
    caller: &Caller,
    body: &Map<String, Value>,
) -> Result<Subscription, GraphError> {
    let need = |name: &str| {
        text(body, name)
            .ok_or_else(|| invalid(&format!("The '{name}' property is required and cannot be empty.")))
    };
    let (resource, change_type) = (need("resource")?, need("changeType")?);
    let target = subscription::target(resource).map_err(|error| match error {
        BadResource::Unknown => invalid(&format!("Resource '{resource}' is not supported.")),
        BadResource::TooMany(count) => {
            let reason = format!(
                "The number of users {count} is beyond the allowed maximum of {}.",
                subscription::MAX_USERS
            );
            GraphError::extension(400, "Create", "BadRequest", &reason)
        }
    })?;
    let is_presence = matches!(target, Target::Presences(_));
    refuse_wrong_token(caller, is_presence, "Create")?;
    refuse_wrong_changes(change_type, is_presence)?;
    let notification_url = need("notificationUrl")?;
    accept_url(notification_url, "notificationUrl")?;
    let lifecycle_url = text(body, "lifecycleNotificationUrl");
    if let Some(url) = lifecycle_url {
        accept_url(url, "lifecycleNotificationUrl")?;
    }
    let client_state = text(body, "clientState");
    if client_state.is_some_and(|state| state.chars().count() > 128) {
        return Err(invalid(
            "The 'clientState' property is limited to 128 characters.",
        ));
    }
    let push = [
        "vapidPublicKey",
        "webPushEncryptionP256dhPublicKey",
        "webPushEncryptionSecret",
    ];
    if let Some(name) = push
        .iter()
        .find(|name| body.get(**name).is_some_and(|value| !value.is_null()))
    {
        return Err(invalid(&format!(
            "The '{name}' property is not supported for webhooks."
        )));
    }
    let tls = text(body, "latestSupportedTlsVersion").unwrap_or("v1_2");
    if !matches!(tls, "v1_0" | "v1_1" | "v1_2" | "v1_3") {
        return Err(invalid("The 'latestSupportedTlsVersion' property is not valid."));
    }
    let rich = body
        .get("includeResourceData")
        .and_then(Value::as_bool)
        .unwrap_or_default();
    need("expirationDateTime")?;
    if is_presence {
        refuse_without_teams(cloud, caller)?;
    }
    Ok(Subscription {
        id: Uuid::new_v4(),
        tenant: caller.tenant,
        app: caller.app,
        creator: caller.subject,
        delegated: caller.delegated,
        change_type: change_type.to_owned(),
        resource: resource.to_owned(),
        target,
        notification_url: notification_url.to_owned(),
        lifecycle_url: lifecycle_url.map(str::to_owned),
        client_state: client_state.map(str::to_owned),
        expires: expires(cloud, body, is_presence, "Create")?,
        authorized_at: cloud.now(),
        authorized_until: caller.expires,
        lock: if rich {
            refuse_resource_data(cloud)?;
            Some(lock(body)?)
        } else {
            None
        },
        tls: tls.to_owned(),
        notification_url_app: text(body, "notificationUrlAppId").map(str::to_owned),
        warned: None,
    })
}

/// Reads an expiry, in the cloud's clock: too far ahead is refused, too near is raised.
pub(super) fn expires(
    cloud: &Cloud,
    body: &Map<String, Value>,
    is_presence: bool,
    operation: &str,
) -> Result<DateTime<Utc>, GraphError> {
    let asked = text(body, "expirationDateTime").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let asked = asked
        .ok_or_else(|| invalid("The 'expirationDateTime' property is not a valid date."))?
        .with_timezone(&Utc);
    let (now, raises) = {
        let state = cloud.state();
        (state.clock.now(), state.knobs.raise_short_expiries)
    };
    if asked <= now && !raises {
        return Err(invalid(
            "The 'expirationDateTime' property must be in the future.",
        ));
    }
    if is_presence && asked > now + TimeDelta::minutes(LONGEST_PRESENCE) {
        let ahead = (asked - now).to_std().unwrap_or_default();
        let (seconds, days) = (ahead.as_secs() % 86_400, ahead.as_secs() / 86_400);
        let reason = format!(
            "Expiration time '{}' ('{days}.{:02}:{:02}:{:02}.{:07}' from now) is beyond allowed max '01:00:00'.",
            offset_time(asked),
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            ahead.subsec_nanos() / 100,
        );
        return Err(GraphError::extension(400, operation, "BadRequest", &reason));
    }
    if asked > now + TimeDelta::minutes(LONGEST_USERS) {
        let message = format!("Subscription expiration can only be {LONGEST_USERS} minutes in the future.");
        return Err(GraphError::new(400, "ExtensionError", message));
    }
    Ok(if raises {
        asked.max(now + TimeDelta::minutes(SHORTEST))
    } else {
        asked
    })
}

/// Refuses tokens that may not touch this kind of subscription: presence needs a user's (reference 0).
pub(super) fn refuse_wrong_token(
    caller: &Caller,
    is_presence: bool,
    operation: &str,
) -> Result<(), GraphError> {
    let allowed = if is_presence {
        caller.delegated && caller.may(&["Presence.Read.All"])
    } else {
        caller.may(&["User.Read.All"])
    };
    if allowed {
        Ok(())
    } else {
        Err(GraphError::extension(403, operation, "Forbidden", NOT_AUTHORIZED))
    }
}

fn refuse_resource_data(cloud: &Cloud) -> Result<(), GraphError> {
    match &cloud.state().knobs.refuse_resource_data {
        Some(refusal) => Err(GraphError::new(refusal.status, refusal.code, refusal.message)),
        None => Ok(()),
    }
}

fn refuse_without_teams(cloud: &Cloud, caller: &Caller) -> Result<(), GraphError> {
    let state = cloud.state();
    let licensed = state
        .person(caller.tenant, caller.subject)
        .is_some_and(|person| person.user.has_teams());
    if licensed {
        Ok(())
    } else {
        Err(GraphError::extension(403, "Create", "Forbidden", NOT_AUTHORIZED))
    }
}

fn refuse_wrong_changes(change_type: &str, is_presence: bool) -> Result<(), GraphError> {
    let legal: &[&str] = if is_presence {
        &["updated"]
    } else {
        &["updated", "deleted"]
    };
    match change_type
        .split(',')
        .map(str::trim)
        .find(|change| !legal.contains(change))
    {
        Some(change) => Err(invalid(&format!("Invalid 'changeType' attribute: '{change}'."))),
        None => Ok(()),
    }
}

/// Reads how rich content is to be locked.
pub(super) fn lock(body: &Map<String, Value>) -> Result<subscription::Lock, GraphError> {
    let certificate = text(body, "encryptionCertificate").unwrap_or_default();
    let id = text(body, "encryptionCertificateId").unwrap_or_default();
    subscription::lock(certificate, id).ok_or_else(|| {
        invalid("The 'encryptionCertificate' and 'encryptionCertificateId' properties are not valid.")
    })
}

/// Reads a body that must be an object.
pub(super) fn object(call: &Call) -> Result<Map<String, Value>, GraphError> {
    match call.json() {
        Some(Value::Object(body)) => Ok(body),
        _ => Err(GraphError::new(
            400,
            "BadRequest",
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
        )),
    }
}

/// Returns a property that is a text and not empty.
pub(super) fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Refuses a property.
pub(super) fn invalid(message: &str) -> GraphError {
    GraphError::new(400, "InvalidRequest", message)
}
