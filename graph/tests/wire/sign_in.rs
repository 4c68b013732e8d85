use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::signature::{KeyPair, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use m365_graph::{AppRegistration, CommunicationUser, EntraIdentity, IdentitySettings, Proof};
use m365_presence::clock::Clock;
use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{Identity, Presented, SignInError, SignedIn};
use m365_presence::secret::Secret;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};

use crate::support::{APP, Reply, Rig};

pub const ACCOUNT: &str = "Presence@Contoso.com";
pub const PASSWORD: &str = "p&ä*(+ ) %='!~#\";<>";
const CERTIFICATE: &str = include_str!("../vectors/rich-notification/cert.pem");
const KEY: &str = include_str!("../vectors/rich-notification/key.pem");

pub fn by_secret() -> Proof {
    Proof::Secret(Secret::new("s&cret+ %"))
}

pub fn by_certificate() -> Proof {
    Proof::Certificate {
        certificate: CERTIFICATE.to_owned(),
        private_key: Secret::new(KEY),
    }
}

pub fn identity(
    rig: &Rig,
    proof: Proof,
    password: Option<&str>,
    own: Option<AppRegistration>,
) -> EntraIdentity {
    let settings = IdentitySettings {
        tenant: "contoso.onmicrosoft.com".to_owned(),
        app: AppRegistration {
            client_id: APP.to_owned(),
            proof: Some(proof),
        },
        communication_users: vec![CommunicationUser {
            username: ACCOUNT.to_owned(),
            password: password.map(Secret::new),
            registration: own,
        }],
    };
    EntraIdentity::new(rig.http.clone(), rig.endpoints.clone(), &settings).unwrap()
}

pub fn granted() -> Reply {
    let body =
        json!({"token_type": "Bearer", "expires_in": 4548, "access_token": "a", "refresh_token": "r2"});
    Reply::json(200, body)
}

pub fn refused(status: u16, error: &str, number: u32) -> Reply {
    let description = format!("AADSTS{number}: in whatever language\r\nTrace ID: x");
    Reply::json(
        status,
        json!({"error": error, "error_codes": [number], "error_description": description}),
    )
}

pub fn communication() -> Credential {
    Credential::Communication(Account::new(ACCOUNT))
}

pub async fn sign_in(identity: &EntraIdentity, refresh: Option<&str>) -> Result<SignedIn, SignInError> {
    let refresh = refresh.map(Secret::new);
    let presented = Presented {
        refresh: refresh.as_ref(),
        claims: None,
    };
    identity.sign_in(&communication(), presented).await
}

pub fn code(outcome: Result<SignedIn, SignInError>) -> (AuthenticationCode, String) {
    match outcome {
        Err(SignInError::Refused { code, detail, .. }) => (code, detail),
        other => panic!("not refused: {other:?}"),
    }
}

#[actix_rt::test]
async fn every_character_of_a_password_arrives() {
    let rig = Rig::new(|_| granted());
    let signed_in = sign_in(&identity(&rig, by_secret(), Some(PASSWORD), None), None)
        .await
        .unwrap();
    assert_eq!(signed_in.access.lifetime, Duration::from_secs(4548));
    assert_eq!(signed_in.refresh.unwrap().expose(), "r2");
    let journal = rig.server.journal();
    assert_eq!(journal[0].path, "/contoso.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!(
        journal[0].header("content-type"),
        "application/x-www-form-urlencoded"
    );
    let form = journal[0].form();
    assert_eq!(form["password"], PASSWORD);
    assert_eq!(
        (form["username"].as_str(), form["grant_type"].as_str()),
        (ACCOUNT, "password")
    );
    assert_eq!(
        form["scope"],
        "https://graph.microsoft.com/Presence.Read.All offline_access openid profile"
    );
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        (APP, "s&cret+ %")
    );
}

#[actix_rt::test]
async fn the_app_signs_in_with_its_secret() {
    let rig = Rig::new(|_| granted());
    identity(&rig, by_secret(), None, None)
        .sign_in(&Credential::App, Presented::default())
        .await
        .unwrap();
    let form = rig.server.journal()[0].form();
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["scope"], "https://graph.microsoft.com/.default");
    assert_eq!(form.len(), 4);
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[actix_rt::test]
async fn the_app_signs_in_with_an_assertion_that_its_certificate_verifies() {
    let rig = Rig::new(|_| granted());
    let identity = identity(&rig, by_certificate(), None, None);
    identity
        .sign_in(&Credential::App, Presented::default())
        .await
        .unwrap();
    let form = rig.server.journal()[0].form();
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert!(!form.contains_key("client_secret"));

    let assertion = &form["client_assertion"];
    let der = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    let header = part(assertion, 0);
    assert_eq!(
        header,
        json!({"typ": "JWT", "alg": "PS256", "x5t#S256": URL_SAFE_NO_PAD.encode(thumbprint)})
    );

    let claims = part(assertion, 1);
    assert_eq!(
        claims["aud"],
        format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", rig.server.url)
    );
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(APP), &json!(APP)));
    assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
    let (issued, from, until) = (&claims["iat"], &claims["nbf"], &claims["exp"]);
    assert_eq!(issued, from);
    let life = until.as_i64().unwrap() - from.as_i64().unwrap();
    assert!((300..=600).contains(&life), "{life}");

    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let key = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let key = aws_lc_rs::rsa::KeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let public = key.public_key();
    let components = RsaPublicKeyComponents {
        n: public.modulus().big_endian_without_leading_zero(),
        e: public.exponent().big_endian_without_leading_zero(),
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    components
        .verify(&RSA_PSS_2048_8192_SHA256, signed.as_bytes(), &signature)
        .unwrap();
}

#[actix_rt::test]
async fn an_assertion_refused_for_a_wrong_clock_is_dated_anew_at_once() {
    let asked = AtomicUsize::new(0);
    let rig = Rig::new(move |_| {
        let ahead = (chrono::Utc::now() + chrono::TimeDelta::minutes(10)).format("%a, %d %b %Y %H:%M:%S GMT");
        let reply = match asked.fetch_add(1, Ordering::Relaxed) {
            0 => refused(401, "invalid_client", 500133),
            _ => granted(),
        };
        reply.with("date", &ahead.to_string())
    });
    let identity = identity(&rig, by_certificate(), None, None);
    identity
        .sign_in(&Credential::App, Presented::default())
        .await
        .unwrap();
    let journal = rig.server.journal();
    let issued = |index: usize| {
        part(&journal[index].form()["client_assertion"], 1)["iat"]
            .as_i64()
            .unwrap()
    };
    assert!((590..=610).contains(&(issued(1) - issued(0))));
    assert!(rig.clock.offset().unwrap() > chrono::TimeDelta::minutes(9));
}

#[actix_rt::test]
async fn a_registration_of_its_own_without_a_secret_sends_none() {
    let rig = Rig::new(|_| granted());
    let own = AppRegistration {
        client_id: "public-client".to_owned(),
        proof: None,
    };
    sign_in(&identity(&rig, by_secret(), Some(PASSWORD), Some(own)), None)
        .await
        .unwrap();
    let form = rig.server.journal()[0].form();
    assert_eq!(form["client_id"], "public-client");
    assert!(!form.contains_key("client_secret"));
}

#[actix_rt::test]
async fn refusals_have_their_light_and_show_no_secret() {
    for (status, error, number, expected) in [
        (400, "invalid_grant", 50126, AuthenticationCode::WrongPassword),
        (400, "invalid_grant", 50076, AuthenticationCode::MfaRequired),
        (
            400,
            "interaction_required",
            50079,
            AuthenticationCode::MfaRequired,
        ),
        (400, "invalid_grant", 50053, AuthenticationCode::AccountLocked),
        (400, "invalid_grant", 65001, AuthenticationCode::ConsentRequired),
        (400, "access_denied", 53003, AuthenticationCode::ConditionalAccess),
        (400, "unauthorized_client", 700016, AuthenticationCode::UnknownApp),
        (400, "invalid_request", 90002, AuthenticationCode::UnknownTenant),
        (
            401,
            "invalid_client",
            7000215,
            AuthenticationCode::WrongClientSecret,
        ),
        (
            401,
            "invalid_client",
            7000222,
            AuthenticationCode::ClientSecretExpired,
        ),
    ] {
        let rig = Rig::new(move |_| refused(status, error, number));
        let (found, detail) = code(sign_in(&identity(&rig, by_secret(), Some(PASSWORD), None), None).await);
        assert_eq!(found, expected, "{number}");
        assert!(
            detail.starts_with(ACCOUNT) && detail.contains(&format!("AADSTS{number}")),
            "{detail}"
        );
        assert!(!detail.contains(PASSWORD) && !detail.contains("s&cret"));
    }
}

#[actix_rt::test]
async fn the_recorded_unknown_certificate_turns_on_the_certificates_light() {
    let recorded: Value =
        serde_json::from_str(include_str!("../vectors/entra/rec-client-cert-unknown.json")).unwrap();
    let rig = Rig::new(move |_| Reply::json(401, recorded["response"]["body_prefix"].clone()));
    let outcome = identity(&rig, by_certificate(), None, None)
        .sign_in(&Credential::App, Presented::default())
        .await;
    assert_eq!(code(outcome).0, AuthenticationCode::WrongCertificate);
}

#[actix_rt::test]
async fn a_busy_entra_is_left_alone_by_whom_it_asks_for_patience() {
    let rig =
        Rig::new(|_| Reply::json(429, json!({"error": "temporarily_unavailable"})).with("retry-after", "60"));
    let identity = identity(&rig, by_secret(), Some(PASSWORD), None);
    for credential in [communication(), Credential::App, communication(), Credential::App] {
        let outcome = identity.sign_in(&credential, Presented::default()).await;
        assert!(
            matches!(outcome, Err(SignInError::Throttled { retry_after }) if retry_after.as_secs() >= 50)
        );
    }
    assert_eq!(rig.server.journal().len(), 2);
}

#[actix_rt::test]
async fn html_and_nothing_are_lost_and_never_a_wrong_password() {
    for (status, body) in [
        (502, "<html></html>"),
        (400, "<html></html>"),
        (200, "<html></html>"),
        (200, ""),
        (404, ""),
    ] {
        let rig = Rig::new(move |_| Reply::text(status, body));
        let outcome = sign_in(&identity(&rig, by_secret(), Some(PASSWORD), None), None).await;
        assert!(matches!(outcome, Err(SignInError::Lost { .. })), "{status}");
    }
}

#[actix_rt::test]
async fn an_account_that_is_not_configured_is_refused_here() {
    let rig = Rig::new(|_| granted());
    let stranger = Credential::Communication(Account::new("stranger@contoso.com"));
    let outcome = identity(&rig, by_secret(), None, None)
        .sign_in(&stranger, Presented::default())
        .await;
    assert!(matches!(outcome, Err(SignInError::Refused { .. })));
    assert!(rig.server.journal().is_empty());
}
