use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use m365_presence::identity::Credential;
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{Identity, Presented, SignInError};
use serde_json::json;

use crate::sign_in::{
    ACCOUNT, PASSWORD, by_certificate, by_secret, code, communication, granted, identity, refused, sign_in,
};
use crate::support::{Reply, Rig, Seen};

#[actix_rt::test]
async fn a_refresh_token_is_presented_instead_of_the_password_and_nothing_follows_its_refusal() {
    let rig = Rig::new(
        |seen| match seen.form().get("refresh_token").map(String::as_str) {
            Some("ended") => refused(400, "invalid_grant", 700082),
            _ => granted(),
        },
    );
    let identity = identity(&rig, by_secret(), Some(PASSWORD), None);
    sign_in(&identity, Some("good")).await.unwrap();
    let (found, _) = code(sign_in(&identity, Some("ended")).await);
    assert_eq!(found, AuthenticationCode::SignInRequired);
    let forms: Vec<_> = rig.server.journal().iter().map(Seen::form).collect();
    for form in &forms {
        assert_eq!(form["grant_type"], "refresh_token");
        assert!(!form.contains_key("password"));
    }
    assert_eq!(forms.len(), 2);
}

#[actix_rt::test]
async fn a_stored_sign_in_that_has_ended_is_told_from_other_refusals() {
    use AuthenticationCode as Code;
    for (number, expected) in [
        (50173, Code::SignInRequired),
        (50133, Code::SignInRequired),
        (70000, Code::SignInRequired),
        (70008, Code::SignInRequired),
        (700082, Code::SignInRequired),
        (700081, Code::SignInRequired),
        (1, Code::SignInRequired),
        (50076, Code::MfaRequired),
        (50053, Code::AccountLocked),
    ] {
        let rig = Rig::new(move |_| refused(400, "invalid_grant", number));
        let identity = identity(&rig, by_secret(), None, None);
        let (found, detail) = code(sign_in(&identity, Some("r")).await);
        assert_eq!(found, expected, "{number}");
        assert!(
            detail.contains(ACCOUNT) && detail.contains(&format!("AADSTS{number}")),
            "{detail}"
        );
        assert_eq!(code(sign_in(&identity, None).await).0, Code::SignInRequired);
        assert_eq!(rig.server.journal().len(), 1, "nothing is left to present");
    }
}

#[actix_rt::test]
async fn claims_that_were_demanded_are_handed_on_as_they_are() {
    let claims = r#"{"access_token":{"nbf":{"essential":true, "value":"1"}}}"#;
    let rig = Rig::new(|_| granted());
    let identity = identity(&rig, by_secret(), Some(PASSWORD), None);
    let presented = Presented {
        refresh: None,
        claims: Some(claims),
    };
    for credential in [communication(), Credential::App] {
        identity.sign_in(&credential, presented).await.unwrap();
    }
    for seen in rig.server.journal() {
        assert_eq!(seen.form()["claims"], claims);
    }
}

#[actix_rt::test]
async fn what_a_refusal_demands_of_the_next_sign_in_is_told() {
    let rig = Rig::new(|_| {
        let body = json!({"error": "interaction_required", "error_codes": [50076], "claims": "{\"a\":1}"});
        Reply::json(400, body)
    });
    let outcome = sign_in(&identity(&rig, by_secret(), None, None), Some("r")).await;
    assert!(
        matches!(&outcome, Err(SignInError::Refused { claims: Some(claims), .. }) if claims == "{\"a\":1}"),
        "{outcome:?}"
    );
}

#[actix_rt::test]
async fn who_has_signed_in_is_read_off_the_id_token() {
    for (claims, expected) in [
        (
            json!({"preferred_username": "admin@contoso.com"}),
            Some("admin@contoso.com"),
        ),
        (json!({"upn": "admin@contoso.com"}), Some("admin@contoso.com")),
        (json!({"preferred_username": 7}), None),
        (json!([]), None),
    ] {
        let token = format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let rig = Rig::new(move |_| Reply::json(200, json!({"access_token": "a", "id_token": token})));
        let signed_in = sign_in(&identity(&rig, by_secret(), None, None), Some("r"))
            .await
            .unwrap();
        assert_eq!(signed_in.signed_in_as.as_deref(), expected);
    }
}

#[actix_rt::test]
async fn a_greeting_presents_nothing_and_takes_any_understood_answer() {
    for (status, body, is_there) in [
        (400, r#"{"error":"invalid_request","error_codes":[900144]}"#, true),
        (401, r#"{"error":"invalid_client"}"#, true),
        (400, "<html></html>", false),
        (503, r#"{"error":"temporarily_unavailable"}"#, false),
        (200, "", false),
    ] {
        let rig = Rig::new(move |_| Reply::text(status, body));
        let identity = identity(&rig, by_secret(), Some(PASSWORD), None);
        assert_eq!(identity.greet().await.is_ok(), is_there, "{status} {body}");
        let form = rig.server.journal()[0].form();
        assert_eq!(form.keys().collect::<Vec<_>>(), ["client_id"]);
    }
}

#[actix_rt::test]
async fn a_digest_tells_a_corrected_credential_and_shows_nothing_of_it() {
    let rig = Rig::new(|_| granted());
    let digest = |proof, password| identity(&rig, proof, Some(password), None).digest(&communication());
    let before = digest(by_secret(), PASSWORD);
    assert_eq!(before, digest(by_secret(), PASSWORD));
    assert_ne!(before, digest(by_secret(), "corrected"));
    assert_ne!(before, digest(by_certificate(), PASSWORD));
    assert!(!before.expose().contains(PASSWORD));
}
