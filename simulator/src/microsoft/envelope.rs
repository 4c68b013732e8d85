//! Puts notifications into an envelope and, where needed, vouches for them with validation tokens (reference 4.1, 4.5).

use std::{collections::HashSet, sync::Arc};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    cloud::Cloud,
    discovery::{issuer_v1, issuer_v2},
    forgery::Forgery,
    key::SigningKey,
    knobs::TokenVersion,
    notification::Outgoing,
    subscription::Subscription,
};

/// The application id of Microsoft Graph Change Tracking.
const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

/// Writes the body of one POST.
pub(super) fn envelope(cloud: &Cloud, items: &[(Outgoing, Arc<Subscription>)]) -> String {
    let (delivery, key, now) = {
        let state = cloud.state();
        (
            state.knobs.delivery.clone(),
            state.keys.first().cloned(),
            state.clock.now().timestamp(),
        )
    };
    let forgery = items.iter().find_map(|(outgoing, _)| outgoing.forgery);
    if forgery == Some(Forgery::Garbage) {
        return "{\"value\":[{\"subscriptionId\":".to_owned();
    }
    let mut value = Vec::with_capacity(items.len());
    let mut tokens = Vec::new();
    let mut vouched = HashSet::new();
    let (mut wanted, mut withheld) = (false, false);
    for (outgoing, subscription) in items {
        let mut item = outgoing.shown(subscription, &delivery);
        if let Some(forgery) = outgoing.forgery {
            forgery.spoil_item(&mut item);
        }
        value.push(item);
        if !outgoing.needs_token(subscription) {
            continue;
        }
        wanted = true;
        withheld |= cloud
            .state()
            .apps
            .get(&subscription.app)
            .is_some_and(|app| app.assignment_required);
        let audience = subscription
            .notification_url_app
            .clone()
            .unwrap_or_else(|| subscription.app.to_string());
        if let Some(key) = &key
            && vouched.insert((audience.clone(), subscription.tenant))
        {
            tokens.extend(token(
                key,
                delivery.tokens,
                now,
                &audience,
                subscription.tenant,
                forgery,
            ));
        }
    }
    let mut envelope = json!({ "value": value });
    if wanted
        && forgery != Some(Forgery::NoTokens)
        && let Some(members) = envelope.as_object_mut()
    {
        let tokens = if withheld { Value::Null } else { json!(tokens) };
        members.insert("validationTokens".to_owned(), tokens);
    }
    envelope.to_string()
}

fn token(
    key: &SigningKey,
    version: TokenVersion,
    now: i64,
    audience: &str,
    tenant: Uuid,
    forgery: Option<Forgery>,
) -> Option<String> {
    let tenant = tenant.to_string();
    let (subject, opaque) = (Uuid::new_v4(), Uuid::new_v4().simple().to_string());
    let mut claims = match version {
        TokenVersion::V2 => json!({
            "aud": audience, "iss": issuer_v2(&tenant), "iat": now, "nbf": now, "exp": now + 86_700, "aio": opaque,
            "azp": PUBLISHER, "azpacr": "2", "oid": subject, "rh": opaque, "sub": subject, "tid": tenant,
            "uti": opaque, "ver": "2.0",
        }),
        TokenVersion::V1 => json!({
            "aud": audience, "iss": issuer_v1(&tenant), "iat": now, "nbf": now, "exp": now + 29_100, "aio": opaque,
            "appid": PUBLISHER, "appidacr": "2", "idp": issuer_v1(&tenant), "tid": tenant, "uti": opaque, "ver": "1.0",
        }),
    };
    if let Some(forgery) = forgery {
        forgery.spoil_claims(&mut claims);
    }
    let token = key.sign(&claims).ok()?;
    Some(match forgery {
        Some(forgery) => forgery.spoil_token(token),
        None => token,
    })
}
