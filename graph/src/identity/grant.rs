//! What Entra grants: tokens and device codes (graph.md 1.2, 1.4).

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::ports::{AccessToken, DeviceCode, SignedIn};
use m365_presence::secret::Secret;
use serde_json::Value;

use super::text;

/// What Entra grants where it does not say (graph.md 1.4).
const USUAL_LIFETIME: u64 = 3599;

/// No lifetime is believed beyond what continuous access evaluation grants.
const LONGEST_LIFETIME: u64 = 28 * 3600;

/// No sign-in name is longer (113 characters before and after the `@` each, at most).
const LONGEST_NAME: usize = 256;

/// What a device code lives where Entra does not say.
const USUAL_CODE_LIFETIME: u64 = 900;

/// Longer times than this are all the same to us (136 years).
const LARGEST_SECONDS: f64 = 4_294_967_295.0;

/// Time between two polls where Entra does not say.
const USUAL_INTERVAL: u64 = 5;

/// Reads a token answer; `None` when it holds no token.
pub(super) fn signed_in(body: Option<&Value>, sent_at: DateTime<Utc>) -> Option<SignedIn> {
    let body = body?;
    let lifetime = seconds(body, "expires_in", USUAL_LIFETIME, LONGEST_LIFETIME);
    let token = text(body, "access_token")?;
    Some(SignedIn {
        permissions: permissions(token),
        access: AccessToken {
            secret: Secret::new(token),
            expires_at: after(sent_at, lifetime),
            lifetime,
        },
        refresh: text(body, "refresh_token").map(Secret::new),
        signed_in_as: text(body, "id_token").and_then(name_of),
    })
}

/// Reads the granted permissions off an access token. It is opaque to us (graph.md 1.4), so nothing is decided by them:
/// an administrator is told what a look at it shows, while it shows anything.
fn permissions(token: &str) -> Option<BTreeSet<String>> {
    let claims = claims_of(token)?;
    let roles = claims.get("roles").and_then(Value::as_array);
    let roles = roles.into_iter().flatten().filter_map(Value::as_str);
    let scopes = text(&claims, "scp").into_iter().flat_map(str::split_whitespace);
    let granted: BTreeSet<String> = roles.chain(scopes).map(str::to_owned).collect();
    (!granted.is_empty()).then_some(granted)
}

/// The claims of a token, whose signature is not verified.
fn claims_of(token: &str) -> Option<Value> {
    let claims = token.split('.').nth(1)?.trim_end_matches('=');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// Reads the sign-in name off an id token. Its signature is not verified, because it comes from the token endpoint
/// itself; nothing is decided by it.
fn name_of(id_token: &str) -> Option<String> {
    let claims = claims_of(id_token)?;
    let name = text(&claims, "preferred_username").or_else(|| text(&claims, "upn"))?;
    Some(
        name.chars()
            .filter(|c| !c.is_control())
            .take(LONGEST_NAME)
            .collect(),
    )
}

/// Reads a device code answer; `None` when it lacks what a person or we need.
pub(super) fn device_code(body: Option<&Value>, sent_at: DateTime<Utc>) -> Option<DeviceCode> {
    let body = body?;
    Some(DeviceCode {
        device_code: Secret::new(text(body, "device_code")?),
        user_code: text(body, "user_code")?.to_owned(),
        verification_uri: text(body, "verification_uri")
            .or_else(|| text(body, "verification_url"))?
            .to_owned(),
        expires_at: after(
            sent_at,
            seconds(body, "expires_in", USUAL_CODE_LIFETIME, LONGEST_LIFETIME),
        ),
        interval: seconds(body, "interval", USUAL_INTERVAL, USUAL_CODE_LIFETIME),
    })
}

/// Reads seconds, which come as a number with or without a fraction, and as the text of one; a fraction is cut off.
fn seconds(body: &Value, name: &str, usual: u64, longest: u64) -> Duration {
    let found = body
        .get(name)
        .and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()))
        .filter(|seconds: &f64| seconds.is_finite())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds.min(LARGEST_SECONDS)).ok())
        .map(|found| found.as_secs());
    Duration::from_secs(found.unwrap_or(usual).clamp(1, longest))
}

fn after(start: DateTime<Utc>, lifetime: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(lifetime)
        .ok()
        .and_then(|delta| start.checked_add_signed(delta))
        .unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn noon() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_recorded_answer_is_a_token_with_its_refresh_token() {
        let recorded: Value =
            serde_json::from_str(include_str!("../../tests/vectors/entra/rec-ropc-success.json")).unwrap();
        let granted = signed_in(Some(&recorded["token"]["body"]), noon()).unwrap();
        assert_eq!(granted.access.lifetime, Duration::from_secs(4548));
        assert_eq!(granted.access.expires_at, noon() + TimeDelta::seconds(4548));
        assert_eq!(granted.refresh.unwrap().expose(), "Sanitized");
    }

    #[test]
    fn a_lifetime_of_any_type_is_bounded() {
        for (expires_in, expected) in [
            (json!("3600"), 3600),
            (json!(3600.9), 3600),
            (json!(" 3600.0 "), 3600),
            (json!("soon"), 3599),
            (json!("NaN"), 3599),
            (json!({}), 3599),
            (json!(null), 3599),
            (json!(-1), 3599),
            (json!(0), 1),
            (json!(u64::MAX), LONGEST_LIFETIME),
        ] {
            let body = json!({"access_token": "t", "expires_in": expires_in});
            let granted = signed_in(Some(&body), noon()).unwrap();
            assert_eq!(granted.access.lifetime.as_secs(), expected);
        }
    }

    #[test]
    fn an_answer_without_its_heart_is_none() {
        assert!(signed_in(None, noon()).is_none());
        assert!(signed_in(Some(&json!({"access_token": ""})), noon()).is_none());
        assert!(device_code(Some(&json!({"device_code": "d", "user_code": "u"})), noon()).is_none());
    }
}
