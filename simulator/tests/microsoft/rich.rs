//! Rich notifications: encryption, validation tokens, forgeries, and many of them.

use std::time::Duration;

use actix_web::test as live;
use aws_lc_rs::{
    cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    hmac,
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use m365_simulator::microsoft::{Account, Forgery, Kind, Pair, SigningKey, TokenVersion};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    shapes::{shape, vector},
    stage::{Listener, PATIENCE, Stage, richly},
};

const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

/// Opens encrypted content by the published recipe.
fn open(content: &Value, key: &[u8]) -> String {
    let bytes = |name: &str| STANDARD.decode(content[name].as_str().unwrap()).unwrap();
    let private = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(key).unwrap()).unwrap();
    let mut room = vec![0; private.min_output_size()];
    let symmetric = private
        .decrypt(&OAEP_SHA1_MGF1SHA1, &bytes("dataKey"), &mut room, None)
        .unwrap()
        .to_vec();
    assert_eq!(symmetric.len(), 32);
    let mut data = bytes("data");
    let signer = hmac::Key::new(hmac::HMAC_SHA256, &symmetric);
    hmac::verify(&signer, &data, &bytes("dataSignature")).expect("the signature fits");
    let vector: [u8; 16] = symmetric[..16].try_into().unwrap();
    let opener =
        PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &symmetric).unwrap()).unwrap();
    let plain = opener
        .decrypt(&mut data, DecryptionContext::Iv128(FixedLength::from(vector)))
        .unwrap();
    String::from_utf8(plain.to_vec()).unwrap()
}

fn pkcs8(pem: &str) -> Vec<u8> {
    STANDARD
        .decode(
            pem.lines()
                .filter(|line| !line.starts_with("---"))
                .collect::<String>(),
        )
        .unwrap()
}

#[test]
fn the_recipe_opens_what_the_real_service_locked() {
    let real = vector("rich-notification/vector.json");
    let pem = format!(
        "{}/../graph/tests/vectors/rich-notification/key.pem",
        env!("CARGO_MANIFEST_DIR")
    );
    let pem = std::fs::read_to_string(pem).unwrap();
    assert_eq!(open(&real, &pkcs8(&pem)), real["plaintext"].as_str().unwrap());
}

#[live]
async fn rich_notifications_open_with_the_subscribers_key_and_carry_a_good_token() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let (anna, key) = (
        stage.add_person("Anna"),
        SigningKey::generate("connector").unwrap(),
    );
    richly(&stage, &listener, anna, &key).await;
    let token = stage.app_token().await;
    let body = json!({"sessionId": stage.app.client_id, "availability": "Busy", "activity": "InACall"});
    stage
        .post(&token, &format!("/v1.0/users/{anna}/presence/setPresence"), &body)
        .await;
    let envelope = listener.wait(|body| body["value"].is_array()).await;
    let content = &envelope["value"][0]["encryptedContent"];
    assert_eq!(
        shape(&envelope["value"][0]),
        shape(&vector("wire/presence-notification-documented.json")["rich"]["value"][0])
    );
    let plain: Value = serde_json::from_str(&open(content, &pkcs8(key.private_key_pem()))).unwrap();
    let wanted = json!({"@odata.id": format!("users/{anna}/presence"), "@odata.type": "#microsoft.graph.presence", "id": anna, "availability": "Busy", "activity": "InACall"});
    assert_eq!(plain, wanted);
    assert_eq!(content["encryptionCertificateId"], "cert-1");
    let claims = verified(&stage, envelope["validationTokens"][0].as_str().unwrap()).await;
    assert_eq!(
        (&claims["azp"], &claims["ver"]),
        (&json!(PUBLISHER), &json!("2.0"))
    );
    assert_eq!(
        claims["iss"],
        format!("https://login.microsoftonline.com/{}/v2.0", stage.tenant.id)
    );
    stage
        .control
        .adjust(|knobs| knobs.delivery.tokens = TokenVersion::V1);
    stage.busy(anna);
    stage
        .control
        .set_client(anna, "mobile", Pair::new("DoNotDisturb", "Presenting"));
    let old = listener
        .wait(|body| *body != envelope && body["value"].is_array())
        .await;
    let claims = verified(&stage, old["validationTokens"][0].as_str().unwrap()).await;
    assert_eq!(
        (&claims["appid"], &claims["ver"]),
        (&json!(PUBLISHER), &json!("1.0"))
    );
}

async fn verified(stage: &Stage, token: &str) -> Value {
    let url = format!("{}/common/discovery/v2.0/keys", stage.cloud.login_url());
    let keys: JwkSet =
        serde_json::from_slice(&stage.http.get(url).send().await.unwrap().body().await.unwrap()).unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[stage.app.client_id]);
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    jsonwebtoken::decode(token, &key, &validation).unwrap().claims
}

#[live]
async fn forgeries_differ_where_they_say() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let (anna, key) = (
        stage.add_person("Anna"),
        SigningKey::generate("connector").unwrap(),
    );
    let id = richly(&stage, &listener, anna, &key).await;
    let journal = stage.control.journal();
    let forge = async |forgery: Forgery| {
        let (mark, told) = (journal.mark(), listener.posts.mark());
        stage
            .control
            .send_presence(id, anna, Pair::new("Away", "Away"), Some(forgery));
        let wanted = |entry: &m365_simulator::microsoft::Entry| {
            entry.kind == Kind::Delivery && entry.detail["forgery"] == format!("{forgery:?}")
        };
        assert!(journal.awaited(mark, wanted, PATIENCE).await.is_some());
        listener.posts.select_since(told, |_| true)[0].clone()
    };
    assert_ne!(
        forge(Forgery::WrongClientState).await.body["value"][0]["clientState"],
        "our-client-state"
    );
    assert!(
        forge(Forgery::NoTokens)
            .await
            .body
            .get("validationTokens")
            .is_none()
    );
    assert_eq!(
        forge(Forgery::UnknownCertificate).await.body["value"][0]["encryptedContent"]["encryptionCertificateId"],
        "nobodys-certificate"
    );
    assert_eq!(forge(Forgery::Garbage).await.body, Value::Null);
    for forgery in [
        Forgery::WrongPublisher,
        Forgery::WrongAudience,
        Forgery::WrongTenant,
        Forgery::ExpiredToken,
        Forgery::BadTokenSignature,
        Forgery::TamperedData,
        Forgery::TamperedSignature,
    ] {
        assert!(
            forge(forgery).await.body["validationTokens"][0].is_string(),
            "{forgery:?}"
        );
    }
}

#[live]
async fn five_thousand_users_are_told_through_eight_subscriptions() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let key = SigningKey::shared().unwrap();
    let crowd: Vec<Uuid> = (0..5000)
        .map(|number| stage.add_person(&format!("Person {number}")))
        .collect();
    for (number, shard) in crowd.chunks(650).enumerate() {
        let username = format!("carrier{number}@contoso.com");
        stage
            .control
            .add_account(Account::new(stage.tenant.id, &username, "x"));
        let token = stage.sign_in(&username, "x").await.body["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let created = stage
            .subscribe(&token, &stage.rich_subscription(shard, &listener, &key))
            .await;
        assert_eq!(created.status, 201, "{}", created.body);
    }
    for user in &crowd {
        stage.busy(*user);
    }
    let journal = stage.control.journal();
    let told = || -> usize {
        let delivered = journal.select(|entry| entry.kind == Kind::Delivery && entry.succeeded());
        delivered.iter().map(|entry| entry.users.len()).sum()
    };
    let all = async {
        while told() < crowd.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE * 3, all)
        .await
        .expect("everybody is told");
}
