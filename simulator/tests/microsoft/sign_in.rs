//! Tokens: every grant, and how each refusal looks.

use actix_web::test as live;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use m365_simulator::microsoft::{Aadsts, Account, Refusal, SigningKey};
use serde_json::{Value, json};

use super::stage::{PASSWORD, Reply, Stage};

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn code(reply: &Reply) -> u64 {
    reply.body["error_codes"][0].as_u64().unwrap_or_default()
}

#[live]
async fn a_password_with_every_special_character_signs_in_by_both_encodings() {
    let stage = Stage::new();
    let reply = stage.sign_in("presence@contoso.com", PASSWORD).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.body["token_type"], "Bearer");
    assert!(reply.body["refresh_token"].is_string() && reply.body["id_token"].is_string());
    let scopes = claims(reply.body["access_token"].as_str().unwrap())["scp"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(scopes, "Presence.Read.All User.Read.All");
    let by_percent = format!(
        "client_id={}&grant_type=password&username=presence%40contoso.com&password=p%26%C3%A4*(%2B%20)%20%25%3D'!~%23%22%3B%3C%3E&scope=Presence.Read.All&client_secret=s3cret",
        stage.app.client_id
    );
    assert_eq!(stage.raw_form(&stage.token_url(), &by_percent).await.status, 200);
}

#[live]
async fn a_wrong_password_is_refused_as_recorded() {
    let stage = Stage::new();
    let reply = stage.sign_in("presence@contoso.com", "wrong").await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.body["error"], "invalid_grant");
    assert_eq!(code(&reply), 50126);
    let description = reply.body["error_description"].as_str().unwrap();
    let start =
        "AADSTS50126: Error validating credentials due to invalid username or password.\r\nTrace ID: ";
    assert!(description.starts_with(start), "{description}");
    assert_eq!(
        reply.body["error_uri"],
        "https://login.microsoftonline.com/error?code=50126"
    );
    assert_eq!(reply.header("x-ms-clitelem"), Some("1,50126,0,,"));
    assert_eq!(reply.header("x-ms-request-id"), reply.body["trace_id"].as_str());
    assert_eq!(reply.header("cache-control"), Some("no-store, no-cache"));
}

#[live]
async fn ten_wrong_passwords_lock_the_account() {
    let stage = Stage::new();
    for _ in 0..10 {
        assert_eq!(code(&stage.sign_in("presence@contoso.com", "wrong").await), 50126);
    }
    assert_eq!(
        code(&stage.sign_in("presence@contoso.com", PASSWORD).await),
        50053
    );
    stage.control.change_password("presence@contoso.com", "fresh");
    assert_eq!(stage.sign_in("presence@contoso.com", "fresh").await.status, 200);
}

#[live]
async fn every_row_of_the_code_table_can_be_provoked() {
    let stage = Stage::new();
    for row in Aadsts::table() {
        let wanted = Refusal::from(row);
        stage.control.refuse_next_token(row);
        let reply = stage.sign_in("presence@contoso.com", PASSWORD).await;
        assert_eq!(
            (reply.status, code(&reply)),
            (wanted.status, u64::from(row.0)),
            "{}",
            reply.body
        );
        assert_eq!(reply.body["error"], wanted.error);
        assert_eq!(reply.body["suberror"].as_str(), wanted.suberror.as_deref());
    }
    assert_eq!(stage.sign_in("presence@contoso.com", PASSWORD).await.status, 200);
}

#[live]
async fn accounts_refuse_by_their_condition() {
    let stage = Stage::new();
    for (name, condition) in [
        ("mfa", Aadsts::MFA_REQUIRED),
        ("off", Aadsts::DISABLED),
        ("old", Aadsts::PASSWORD_EXPIRED),
    ] {
        let username = format!("{name}@contoso.com");
        stage
            .control
            .add_account(Account::new(stage.tenant.id, &username, "x").refused(condition));
        assert_eq!(code(&stage.sign_in(&username, "x").await), u64::from(condition.0));
        assert_eq!(
            code(&stage.sign_in(&username, "y").await),
            50126,
            "the password is checked first"
        );
    }
    assert_eq!(code(&stage.sign_in("nobody@contoso.com", "x").await), 50034);
}

#[live]
async fn tenants_and_apps_are_checked() {
    let stage = Stage::new();
    let login = stage.cloud.login_url().to_owned();
    let client = stage.app.client_id.to_string();
    let fields = [
        ("client_id", client.as_str()),
        ("grant_type", "password"),
        ("username", "presence@contoso.com"),
    ];
    for (tenant, wanted) in [("nowhere.example", 90002), ("common", 9_001_023)] {
        let reply = stage
            .form(&format!("{login}/{tenant}/oauth2/v2.0/token"), &fields)
            .await;
        assert_eq!((reply.status, code(&reply)), (400, wanted), "{}", reply.body);
    }
    assert_eq!(
        code(&stage.form(&stage.token_url(), &[("client_id", &client)]).await),
        900_144
    );
    stage
        .control
        .change_app(stage.app.client_id, |app| app.public_client = false);
    let reply = stage.form(&stage.token_url(), &fields).await;
    assert_eq!((reply.status, code(&reply)), (401, 7_000_218));
    assert!(stage.control.remove_app(stage.app.client_id));
    let reply = stage.app_sign_in("s3cret").await;
    assert_eq!((reply.status, code(&reply)), (400, 700_016));
    assert_eq!(reply.body["error"], "unauthorized_client");
}

#[live]
async fn secrets_are_taken_from_the_form_and_from_the_header() {
    let stage = Stage::new();
    let reply = stage.app_sign_in("s3cret").await;
    assert_eq!((reply.status, &reply.body["expires_in"]), (200, &json!(3599)));
    assert!(reply.body.get("refresh_token").is_none() && reply.body.get("id_token").is_none());
    let roles = claims(reply.body["access_token"].as_str().unwrap())["roles"].clone();
    assert!(
        roles
            .as_array()
            .unwrap()
            .contains(&json!("Presence.ReadWrite.All"))
    );
    let wrong = stage.app_sign_in("wrong").await;
    assert_eq!(
        (wrong.status, code(&wrong), wrong.body["error"].as_str()),
        (401, 7_000_215, Some("invalid_client"))
    );
    let basic = STANDARD.encode(format!("{}:s3cret", stage.app.client_id));
    let request = stage
        .http
        .post(stage.token_url())
        .insert_header(("Authorization", format!("Basic {basic}")));
    let body = "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
    let request = request.insert_header(("Content-Type", "application/x-www-form-urlencoded"));
    assert_eq!(request.send_body(body).await.unwrap().status(), 200);
    let past = stage.control.now() - chrono::TimeDelta::days(1);
    stage
        .control
        .change_app(stage.app.client_id, |app| app.secrets[0].expires = Some(past));
    assert_eq!(code(&stage.app_sign_in("s3cret").await), 7_000_222);
}

#[live]
async fn certificates_sign_in_by_either_thumbprint() {
    let stage = Stage::new();
    let key = SigningKey::generate("connector").unwrap();
    let der = key.certificate_der().to_vec();
    stage
        .control
        .change_app(stage.app.client_id, |app| app.certificates.push(der.clone()));
    let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
    let mut modern = Header::new(Algorithm::PS256);
    modern.x5t_s256 = Some(URL_SAFE.encode(sha256));
    let mut old = Header::new(Algorithm::RS256);
    old.x5t = Some(URL_SAFE_NO_PAD.encode(sha1));
    let now = stage.control.now().timestamp() as f64;
    for header in [&modern, &old] {
        let reply = by_assertion(&stage, header, &key, &stage.token_url(), now + 300.5).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    assert_eq!(
        code(&by_assertion(&stage, &old, &key, "https://elsewhere/token", now + 300.0).await),
        50013
    );
    assert_eq!(
        code(&by_assertion(&stage, &old, &key, &stage.token_url(), now - 900.0).await),
        500_133
    );
    let stranger = SigningKey::generate("stranger").unwrap();
    assert_eq!(
        code(&by_assertion(&stage, &old, &stranger, &stage.token_url(), now + 300.0).await),
        700_027
    );
    old.x5t = Some(stranger.kid().to_owned());
    let unknown = by_assertion(&stage, &old, &stranger, &stage.token_url(), now + 300.0).await;
    assert_eq!((unknown.status, code(&unknown)), (401, 700_027));
    let text = unknown.body["error_description"].as_str().unwrap();
    assert!(
        text.contains("The key was not found., Thumbprint of key used by client: '"),
        "{text}"
    );
}

async fn by_assertion(
    stage: &Stage,
    header: &Header,
    key: &SigningKey,
    audience: &str,
    expires: f64,
) -> Reply {
    let client = stage.app.client_id.to_string();
    let claims = json!({"aud": audience, "iss": client, "sub": client, "jti": "j", "iat": expires - 300.0, "exp": expires});
    let key = EncodingKey::from_rsa_pem(key.private_key_pem().as_bytes()).unwrap();
    let assertion = jsonwebtoken::encode(header, &claims, &key).unwrap();
    let fields = [
        ("client_id", client.as_str()),
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion.as_str()),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    stage.form(&stage.token_url(), &fields).await
}

#[live]
async fn an_older_refresh_token_stays_valid_until_the_password_changes() {
    let stage = Stage::new();
    let first = stage.sign_in("presence@contoso.com", PASSWORD).await;
    let first = first.body["refresh_token"].as_str().unwrap().to_owned();
    let second = refresh(&stage, &first).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.body["refresh_token"], first.as_str());
    assert_eq!(refresh(&stage, &first).await.status, 200);
    stage.control.change_password("presence@contoso.com", "new");
    let refused = refresh(&stage, &first).await;
    assert_eq!(
        (code(&refused), refused.body["suberror"].as_str()),
        (50173, Some("bad_token"))
    );
    assert_eq!(code(&refresh(&stage, "0.Anything").await), 70000);
}

async fn refresh(stage: &Stage, token: &str) -> Reply {
    let client = stage.app.client_id.to_string();
    let fields = [
        ("client_id", client.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_secret", "s3cret"),
    ];
    stage.form(&stage.token_url(), &fields).await
}

#[live]
async fn a_device_code_signs_in_where_a_second_factor_is_demanded() {
    let stage = Stage::new();
    stage
        .control
        .add_account(Account::new(stage.tenant.id, "mfa@contoso.com", "x").refused(Aadsts::MFA_REQUIRED));
    let client = stage.app.client_id.to_string();
    let url = stage.token_url().replace("/token", "/devicecode");
    let begun = stage
        .form(
            &url,
            &[
                ("client_id", &client),
                ("scope", "Presence.Read.All offline_access"),
            ],
        )
        .await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    assert_eq!(
        (&begun.body["expires_in"], &begun.body["interval"]),
        (&json!(900), &json!(5))
    );
    let device = begun.body["device_code"].as_str().unwrap().to_owned();
    let fields = [
        ("client_id", client.as_str()),
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", device.as_str()),
    ];
    let pending = stage.form(&stage.token_url(), &fields).await;
    assert_eq!(
        (pending.status, pending.body["error"].as_str()),
        (400, Some("authorization_pending"))
    );
    let waiting = stage.control.pending_sign_ins();
    assert_eq!(waiting[0].user_code, begun.body["user_code"].as_str().unwrap());
    assert!(
        stage
            .control
            .approve_sign_in(&waiting[0].user_code, "mfa@contoso.com")
    );
    let done = stage.form(&stage.token_url(), &fields).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let again = refresh(&stage, done.body["refresh_token"].as_str().unwrap()).await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(
        stage.form(&stage.token_url(), &fields).await.body["error"],
        "bad_verification_code"
    );
}

#[live]
async fn scopes_are_checked() {
    let stage = Stage::new();
    let client = stage.app.client_id.to_string();
    let app = |scope: &'static str| {
        [
            ("client_id", client.as_str().to_owned()),
            ("grant_type", "client_credentials".to_owned()),
            ("client_secret", "s3cret".to_owned()),
            ("scope", scope.to_owned()),
        ]
    };
    for (scope, wanted, error) in [
        (
            "https://graph.microsoft.com/User.Read.All",
            1_002_012,
            "invalid_scope",
        ),
        ("nonsense", 70011, "invalid_scope"),
        ("https://vault.azure.net/.default", 500_011, "invalid_resource"),
    ] {
        let fields = app(scope);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let reply = stage.form(&stage.token_url(), &fields).await;
        assert_eq!(
            (code(&reply), reply.body["error"].as_str()),
            (wanted, Some(error)),
            "{scope}"
        );
    }
    stage
        .control
        .change_app(stage.app.client_id, |app| app.delegated.clear());
    let reply = stage.sign_in("presence@contoso.com", PASSWORD).await;
    assert_eq!(
        (code(&reply), reply.body["suberror"].as_str()),
        (65001, Some("consent_required"))
    );
}
