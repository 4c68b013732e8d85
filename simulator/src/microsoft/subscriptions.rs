//! `/subscriptions`: create, read, renew, delete and reauthorise (reference 3.1 and 3.2).

use awc::Client;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    answer::{Answer, Call, GraphError},
    clock::offset_time,
    cloud::{Cloud, State},
    grants::Caller,
    subscription::{self, BadResource, Subscription, Target},
    validation::{accept_url, validate},
};

const CONTEXT: &str = "https://graph.microsoft.com/v1.0/$metadata#subscriptions";
const CONFLICT: &str = "A subscripton already exists. It must be deleted before a another can be made.";
const NOT_AUTHORIZED: &str = "The request is not authorized for this user or application.";

/// The expiry that shorter ones are raised to, and the longest for presences and for users, in minutes.
const SHORTEST: i64 = 45;
const LONGEST_PRESENCE: i64 = 60;
const LONGEST_USERS: i64 = 41_760;

/// How many `/users` subscriptions an application may hold in a tenant.
const USER_QUOTA: usize = 100;

/// Answers `POST /subscriptions`.
pub(super) async fn create(
    cloud: &Cloud,
    client: &Client,
    call: &Call,
    caller: &Caller,
) -> Result<Answer, GraphError> {
    let body = object(call)?;
    let wanted = read(cloud, caller, &body)?;
    refuse_conflict(&mut cloud.state(), &wanted)?;
    let who = caller.name();
    validate(cloud, client, &wanted.notification_url, &who).await?;
    if let Some(url) = &wanted.lifecycle_url {
        validate(cloud, client, url, &who).await?;
    }
    let mut state = cloud.state();
    // Another create may have won while the endpoints proved themselves.
    refuse_conflict(&mut state, &wanted)?;
    let shown = with_context(wanted.shown(true));
    state.subscriptions.insert(wanted.id, wanted);
    Ok(Answer::json(201, shown))
}

/// Answers `GET /subscriptions`: the application's own, for a user's token only this user's.
pub(super) fn list(cloud: &Cloud, caller: &Caller) -> Result<Answer, GraphError> {
    let mut state = cloud.state();
    state.expire_subscriptions();
    let value: Vec<Value> = state
        .subscriptions
        .values()
        .filter(|known| belongs(known, caller))
        .map(|known| known.shown(false))
        .collect();
    Ok(Answer::ok(json!({"@odata.context": CONTEXT, "value": value})))
}

/// Answers `GET /subscriptions/{id}`.
pub(super) fn get(cloud: &Cloud, caller: &Caller, id: &str) -> Result<Answer, GraphError> {
    let mut state = cloud.state();
    Ok(Answer::ok(with_context(
        own(&mut state, caller, id)?.shown(false),
    )))
}

/// Answers `PATCH /subscriptions/{id}`, which renews and reauthorises.
pub(super) async fn update(
    cloud: &Cloud,
    client: &Client,
    call: &Call,
    caller: &Caller,
    id: &str,
) -> Result<Answer, GraphError> {
    let body = object(call)?;
    let mut changed = own(&mut cloud.state(), caller, id)?.clone();
    refuse_wrong_token(caller, changed.is_presence(), "Update")?;
    let expiry = body.get("expirationDateTime");
    let url = text(&body, "notificationUrl");
    if expiry.is_none() && url.is_none() {
        return Err(invalid(
            "The 'expirationDateTime' or 'notificationUrl' property is required.",
        ));
    }
    if body.contains_key("lifecycleNotificationUrl") {
        return Err(invalid(
            "The 'lifecycleNotificationUrl' property cannot be changed.",
        ));
    }
    if body.contains_key("resource") || body.contains_key("changeType") {
        return Err(invalid(
            "Only the expiration, the notification URL and the certificate can be changed.",
        ));
    }
    if expiry.is_some() {
        changed.expires = expires(cloud, &body, changed.is_presence(), "Update")?;
    }
    if changed.lock.is_some() && body.contains_key("encryptionCertificate") {
        changed.lock = Some(lock(&body)?);
    }
    if let Some(url) = url.filter(|url| *url != changed.notification_url) {
        accept_url(url, "notificationUrl")?;
        validate(cloud, client, url, &caller.name()).await?;
        url.clone_into(&mut changed.notification_url);
    }
    changed.authorized_at = cloud.now();
    changed.authorized_until = caller.expires;
    changed.warned = None;
    let mut state = cloud.state();
    // It may be gone by now.
    own(&mut state, caller, id)?;
    let shown = with_context(changed.shown(false));
    state.subscriptions.insert(changed.id, changed);
    Ok(Answer::ok(shown))
}

/// Answers `DELETE /subscriptions/{id}`.
pub(super) fn delete(cloud: &Cloud, call: &Call, caller: &Caller, id: &str) -> Result<Answer, GraphError> {
    let mut state = cloud.state();
    let known = own(&mut state, caller, id)?;
    let (id, is_presence) = (known.id, known.is_presence());
    if is_presence && state.knobs.refuse_presence_delete && call.path.starts_with("/v1.0") {
        return Err(GraphError::extension(403, "Delete", "Forbidden", NOT_AUTHORIZED));
    }
    refuse_wrong_token(caller, is_presence, "Delete")?;
    state.subscriptions.remove(&id);
    Ok(Answer::empty(204))
}

/// Answers `POST /subscriptions/{id}/reauthorize`.
pub(super) fn reauthorize(cloud: &Cloud, caller: &Caller, id: &str) -> Result<Answer, GraphError> {
    let now = cloud.now();
    let mut state = cloud.state();
    let known = own(&mut state, caller, id)?;
    refuse_wrong_token(caller, known.is_presence(), "Reauthorize")?;
    known.authorized_at = now;
    known.authorized_until = caller.expires;
    Ok(Answer::empty(204))
}

fn read(cloud: &Cloud, caller: &Caller, body: &Map<String, Value>) -> Result<Subscription, GraphError> {
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
        lock: if rich { Some(lock(body)?) } else { None },
        tls: tls.to_owned(),
        notification_url_app: text(body, "notificationUrlAppId").map(str::to_owned),
        warned: None,
    })
}

fn expires(
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

fn refuse_wrong_token(caller: &Caller, is_presence: bool, operation: &str) -> Result<(), GraphError> {
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

/// One presence subscription per application and user; for users, none twice, and a quota.
fn refuse_conflict(state: &mut State, wanted: &Subscription) -> Result<(), GraphError> {
    state.expire_subscriptions();
    if wanted.is_presence() {
        return match state.presence_subscription(wanted.app, wanted.creator) {
            Some(_) => Err(GraphError::extension(409, "Create", "Conflict", CONFLICT)),
            None => Ok(()),
        };
    }
    let same_app = || {
        state
            .subscriptions
            .values()
            .filter(|known| known.app == wanted.app && known.tenant == wanted.tenant)
    };
    let twin = |known: &&Subscription| {
        known.creator == wanted.creator
            && known.change_type == wanted.change_type
            && known.target == wanted.target
    };
    if let Some(known) = same_app().find(twin) {
        let message = format!(
            "Subscription Id {} already exists for the requested combination",
            known.id
        );
        return Err(GraphError::new(409, "InvalidRequest", message));
    }
    if same_app().filter(|known| !known.is_presence()).count() >= USER_QUOTA {
        let message =
            format!("The application has reached its quota of {USER_QUOTA} subscriptions in this tenant.");
        return Err(GraphError::new(403, "Forbidden", message));
    }
    Ok(())
}

/// Finds a live subscription that the caller may see.
fn own<'a>(state: &'a mut State, caller: &Caller, id: &str) -> Result<&'a mut Subscription, GraphError> {
    state.expire_subscriptions();
    let id = Uuid::parse_str(id).ok();
    id.and_then(|id| state.subscriptions.get_mut(&id))
        .filter(|known| belongs(known, caller))
        .ok_or_else(|| GraphError::new(404, "ResourceNotFound", "The object was not found."))
}

fn belongs(known: &Subscription, caller: &Caller) -> bool {
    known.app == caller.app
        && known.tenant == caller.tenant
        && (!caller.delegated || known.creator == caller.subject)
}

fn lock(body: &Map<String, Value>) -> Result<subscription::Lock, GraphError> {
    let certificate = text(body, "encryptionCertificate").unwrap_or_default();
    let id = text(body, "encryptionCertificateId").unwrap_or_default();
    subscription::lock(certificate, id).ok_or_else(|| {
        invalid("The 'encryptionCertificate' and 'encryptionCertificateId' properties are not valid.")
    })
}

fn object(call: &Call) -> Result<Map<String, Value>, GraphError> {
    match call.json() {
        Some(Value::Object(body)) => Ok(body),
        _ => Err(GraphError::new(
            400,
            "BadRequest",
            "Unable to read JSON request payload.",
        )),
    }
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn with_context(mut shown: Value) -> Value {
    if let Some(members) = shown.as_object_mut() {
        members.insert("@odata.context".to_owned(), format!("{CONTEXT}/$entity").into());
    }
    shown
}

fn invalid(message: &str) -> GraphError {
    GraphError::new(400, "InvalidRequest", message)
}
