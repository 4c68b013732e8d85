//! openid-configuration and signing keys.

use actix_web::test as live;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use m365_simulator::microsoft::SigningKey;
use serde_json::Value;

use super::stage::{PASSWORD, Reply, Stage, reply};

async fn fetch(stage: &Stage, path: &str) -> Reply {
    reply(
        stage
            .http
            .get(format!("{}/{path}", stage.cloud.login_url()))
            .send()
            .await
            .unwrap(),
    )
    .await
}

fn vector(name: &str) -> Value {
    let path = format!(
        "{}/../graph/tests/vectors/entra/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[live]
async fn the_configuration_has_every_member_of_the_recorded_one() {
    let stage = Stage::new();
    let document = fetch(
        &stage,
        "contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration",
    )
    .await;
    assert_eq!(document.status, 200);
    for name in vector("openid-configuration-v2.json")["body"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(document.body.get(name).is_some(), "{name} is missing");
    }
    let issuer = format!("https://login.microsoftonline.com/{}/v2.0", stage.tenant.id);
    assert_eq!(
        document.body["issuer"], issuer,
        "the directory id can be learned from the domain"
    );
    let old = fetch(
        &stage,
        &format!("{}/.well-known/openid-configuration", stage.tenant.id),
    )
    .await;
    assert_eq!(
        old.body["issuer"],
        format!("https://sts.windows.net/{}/", stage.tenant.id)
    );
    let common = fetch(&stage, "common/v2.0/.well-known/openid-configuration").await;
    assert_eq!(
        common.body["issuer"],
        "https://login.microsoftonline.com/{tenantid}/v2.0"
    );
    assert_eq!(
        fetch(&stage, "nowhere.example/v2.0/.well-known/openid-configuration")
            .await
            .body["error_codes"][0],
        90002
    );
}

#[live]
async fn tokens_verify_with_the_listed_keys_and_rotation_replaces_them() {
    let stage = Stage::new();
    for path in ["common/discovery/v2.0/keys", "common/discovery/keys"] {
        let listed = fetch(&stage, path).await.body;
        let key = &listed["keys"][0];
        let der = STANDARD.decode(key["x5c"][0].as_str().unwrap()).unwrap();
        let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
        assert_eq!(key["kid"], URL_SAFE_NO_PAD.encode(sha1));
        assert_eq!((&key["kid"], key["e"].as_str()), (&key["x5t"], Some("AQAB")));
    }
    let id_token = stage.sign_in("presence@contoso.com", PASSWORD).await.body["id_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let keys: JwkSet =
        serde_json::from_value(fetch(&stage, "common/discovery/v2.0/keys").await.body).unwrap();
    let kid = jsonwebtoken::decode_header(&id_token).unwrap().kid.unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[stage.app.client_id]);
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    jsonwebtoken::decode::<Value>(&id_token, &key, &validation).unwrap();
    let fresh = SigningKey::generate("next").unwrap();
    stage.control.rotate_signing_key(fresh.clone(), true);
    let listed = fetch(&stage, "common/discovery/v2.0/keys").await.body;
    assert_eq!(
        (&listed["keys"][0]["kid"], &listed["keys"][1]["kid"]),
        (&fresh.kid().into(), &kid.into())
    );
}

#[live]
async fn clients_of_the_library_find_instance_and_realm() {
    let stage = Stage::new();
    let query = "api-version=1.1&authorization_endpoint=https%3A%2F%2Flogin.microsoftonline.com%2Fcontoso%2Foauth2%2Fv2.0%2Fauthorize";
    let instance = fetch(&stage, &format!("common/discovery/instance?{query}")).await;
    let endpoint = instance.body["tenant_discovery_endpoint"].as_str().unwrap();
    assert!(
        endpoint.ends_with("/contoso/v2.0/.well-known/openid-configuration"),
        "{endpoint}"
    );
    let realm = fetch(&stage, "common/userrealm/someone%40contoso.com?api-version=1.0").await;
    assert_eq!(
        (&realm.body["account_type"], &realm.body["domain_name"]),
        (&"Managed".into(), &"contoso.com".into())
    );
}
