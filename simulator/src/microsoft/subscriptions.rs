//! `/subscriptions`: create, read, renew, delete and reauthorise (reference 3.1 and 3.2).

use std::sync::Arc;

use awc::Client;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    answer::{Answer, Call, GraphError},
    application::{NOT_AUTHORIZED, expires, invalid, lock, object, read, refuse_wrong_token, text},
    cloud::{Cloud, State},
    grants::Caller,
    knobs::CertificateChange,
    subscription::Subscription,
    validation::{accept_url, validate},
};

const CONTEXT: &str = "https://graph.microsoft.com/v1.0/$metadata#subscriptions";
const CONFLICT: &str = "A subscripton already exists. It must be deleted before a another can be made.";

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
    let shown = with_context(wanted.shown(true, state.knobs.show_certificate_ids));
    state.subscriptions.insert(wanted.id, Arc::new(wanted));
    Ok(Answer::json(201, shown))
}

/// Answers `GET /subscriptions`: the application's own, for a user's token only this user's.
pub(super) fn list(cloud: &Cloud, caller: &Caller) -> Result<Answer, GraphError> {
    let mut state = cloud.state();
    state.expire_subscriptions();
    let show_certificate_ids = state.knobs.show_certificate_ids;
    let value: Vec<Value> = state
        .subscriptions
        .values()
        .filter(|known| belongs(known, caller))
        .map(|known| known.shown(false, show_certificate_ids))
        .collect();
    Ok(Answer::ok(json!({"@odata.context": CONTEXT, "value": value})))
}

/// Answers `GET /subscriptions/{id}`.
pub(super) fn get(cloud: &Cloud, caller: &Caller, id: &str) -> Result<Answer, GraphError> {
    let mut state = cloud.state();
    let show_certificate_ids = state.knobs.show_certificate_ids;
    Ok(Answer::ok(with_context(
        own(&mut state, caller, id)?.shown(false, show_certificate_ids),
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
    let mut changed = Subscription::clone(own(&mut cloud.state(), caller, id)?);
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
        let change = cloud.state().knobs.certificate_change;
        match change {
            CertificateChange::Taken => changed.lock = Some(lock(&body)?),
            CertificateChange::Ignored => {}
            CertificateChange::Refused => {
                return Err(invalid("The 'encryptionCertificate' property cannot be changed."));
            }
        }
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
    let shown = with_context(changed.shown(false, state.knobs.show_certificate_ids));
    state.subscriptions.insert(changed.id, Arc::new(changed));
    Ok(Answer::ok(shown))
}

/// Answers `DELETE /subscriptions/{id}`.
pub(super) fn delete(cloud: &Cloud, call: &Call, caller: &Caller, id: &str) -> Result<Answer, GraphError> {
    let mut state = cloud.state();
    let known = own(&mut state, caller, id)?;
    let (id, is_presence) = (known.id, known.is_presence());
    let refuses = if call.path.starts_with("/v1.0") {
        state.knobs.refuse_presence_delete
    } else {
        state.knobs.refuse_presence_delete_in_beta
    };
    if is_presence && refuses {
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
    let known = Arc::make_mut(known);
    known.authorized_at = now;
    known.authorized_until = caller.expires;
    Ok(Answer::empty(204))
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
    let twin = |known: &&Arc<Subscription>| {
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
fn own<'a>(state: &'a mut State, caller: &Caller, id: &str) -> Result<&'a mut Arc<Subscription>, GraphError> {
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

fn with_context(mut shown: Value) -> Value {
    if let Some(members) = shown.as_object_mut() {
        members.insert("@odata.context".to_owned(), format!("{CONTEXT}/$entity").into());
    }
    shown
}
