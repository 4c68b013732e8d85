//! Who stands behind a request to Graph: the checks of an access token (reference 6.1 and 6.2).

use super::{
    answer::{Call, GraphError},
    cloud::Cloud,
    grants::Caller,
    jwt::Jwt,
};

/// Verifies the access token of a request: signature, audience, life, revocation.
pub(super) fn caller(cloud: &Cloud, call: &Call) -> Result<Caller, GraphError> {
    let token = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .map_or("", str::trim);
    if token.is_empty() {
        return Err(refused("Access token is empty.", false));
    }
    let malformed = || refused("CompactToken parsing failed with error code: 80049217", false);
    let jwt = Jwt::parse(token).ok_or_else(malformed)?;
    let (keys, now) = {
        let state = cloud.state();
        (state.keys.clone(), state.clock.now())
    };
    let key = keys
        .iter()
        .find(|key| jwt.header_text("kid") == Some(key.kid()))
        .ok_or_else(malformed)?;
    if !jwt.is_signed_by(key.public_key()) {
        return Err(refused(
            "Access token validation failure. Invalid signature.",
            false,
        ));
    }
    if jwt.text("aud") != Some("https://graph.microsoft.com") {
        return Err(refused(
            "Access token validation failure. Invalid audience.",
            false,
        ));
    }
    let caller = Caller::of(&jwt).ok_or_else(malformed)?;
    if caller.expires <= now {
        return Err(refused(
            "Lifetime validation failed, the token is expired.",
            false,
        ));
    }
    let valid_from = cloud.state().grants.revoked_below.get(&caller.subject).copied();
    if valid_from.is_some_and(|first| caller.token < first) {
        let reason = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp";
        return Err(refused(reason, true));
    }
    Ok(caller)
}

fn refused(message: &str, challenged: bool) -> GraphError {
    let mut challenge = String::from(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"",
    );
    if challenged {
        // {"access_token":{"nbf":{"essential":true}}}
        challenge.push_str(
            ", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==\"",
        );
    }
    GraphError::new(401, "InvalidAuthenticationToken", message).with("WWW-Authenticate", challenge)
}
