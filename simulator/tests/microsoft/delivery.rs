//! Notifications: shapes, encryption, tokens, repetition, forgeries.

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
use m365_simulator::microsoft::{
    BasicShape, Forgery, Kind, LifecycleEvent, LifecycleShape, Options, Pair, SigningKey, TokenVersion,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{Listener, Order, PATIENCE, Stage};

const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

fn vector(path: &str) -> Value {
    let path = format!("{}/../graph/tests/vectors/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The members of an object and of the objects in it, with their places.
fn members(value: &Value, place: &str, found: &mut Vec<String>) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        members(inner, &place, found);
        found.push(place);
    }
}

fn shape(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    members(value, "", &mut found);
    found.sort();
    found
}

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

async fn subscribed(stage: &Stage, listener: &Listener, user: Uuid) -> Uuid {
    let body = stage.presence_subscription(&[user], listener);
    let reply = stage.subscribe(&stage.user_token().await, &body).await;
    reply.body["id"]
        .as_str()
        .expect("a subscription")
        .parse()
        .unwrap()
}

async fn richly(stage: &Stage, listener: &Listener, user: Uuid, key: &SigningKey) -> Uuid {
    let body = stage.rich_subscription(&[user], listener, key);
    let reply = stage.subscribe(&stage.user_token().await, &body).await;
    reply.body["id"]
        .as_str()
        .expect("a subscription")
        .parse()
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
async fn basic_notifications_have_the_documented_and_the_observed_shape() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let anna = stage.add_person("Anna");
    subscribed(&stage, &listener, anna).await;
    stage.busy(anna);
    let documented = listener.wait(|body| body["value"].is_array()).await;
    let mut real = vector("wire/presence-notification-documented.json")["rich"]["value"][0].clone();
    real.as_object_mut().unwrap().remove("encryptedContent");
    assert_eq!(shape(&documented["value"][0]), shape(&real));
    assert!(documented.get("validationTokens").is_none());
    assert_eq!(documented["value"][0]["clientState"], "our-client-state");
    stage
        .control
        .adjust(|knobs| knobs.delivery.basic = BasicShape::Observed);
    stage
        .control
        .set_client(anna, "desktop", Pair::new("Away", "Away"));
    let observed = listener
        .wait(|body| body["value"][0]["resourceData"]["activity"] == "Away")
        .await;
    let real = vector("wire/presence-notification-basic-observed-2020.json");
    assert_eq!(shape(&observed["value"][0]), shape(&real["body"]["value"][0]));
    assert_eq!(
        observed["value"][0]["resource"],
        format!("communications/presences('{anna}')")
    );
    assert_eq!(observed["value"][0]["resourceData"]["id"], Value::Null);
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
async fn only_a_changed_presence_is_told() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let (anna, bert) = (stage.add_person("Anna"), stage.add_person("Bert"));
    subscribed(&stage, &listener, anna).await;
    stage.busy(bert);
    stage.busy(anna);
    stage.busy(anna);
    stage
        .control
        .set_client(anna, "desktop", Pair::new("Away", "Away"));
    let journal = stage.control.journal();
    let told = |count: usize| {
        let journal = journal.clone();
        move |_: &_| {
            journal
                .select(|entry: &m365_simulator::microsoft::Entry| entry.kind == Kind::Delivery)
                .iter()
                .map(|entry| entry.users.len())
                .sum::<usize>()
                >= count
        }
    };
    assert!(wait_until(|| told(2)(&())).await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!told(3)(&()), "two changes, two notifications");
}

async fn wait_until(what: impl Fn() -> bool) -> bool {
    let reached = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.is_ok()
}

#[live]
async fn many_changes_share_a_post() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let crowd: Vec<Uuid> = (0..200)
        .map(|number| stage.add_person(&format!("Person {number}")))
        .collect();
    stage
        .control
        .adjust(|knobs| knobs.delivery.delay = Duration::from_millis(300));
    let body = stage.presence_subscription(&crowd, &listener);
    assert_eq!(
        stage.subscribe(&stage.user_token().await, &body).await.status,
        201
    );
    for user in &crowd {
        stage.busy(*user);
    }
    let journal = stage.control.journal();
    let told = || {
        journal
            .select(|entry| entry.kind == Kind::Delivery)
            .iter()
            .map(|entry| entry.users.len())
            .sum::<usize>()
    };
    assert!(wait_until(|| told() == 200).await);
    assert!(journal.count(|entry| entry.kind == Kind::Delivery) < 100);
}

#[live]
async fn what_is_not_taken_comes_again_with_the_same_body() {
    let (stage, listener) = (
        Stage::with(Options {
            time_scale: 10.0,
            ..Options::default()
        }),
        Listener::start(),
    );
    stage
        .control
        .adjust(|knobs| knobs.delivery.first_timeout = Duration::from_millis(300));
    let (anna, key) = (
        stage.add_person("Anna"),
        SigningKey::generate("connector").unwrap(),
    );
    richly(&stage, &listener, anna, &key).await;
    listener.order(Order::Status(503));
    listener.order(Order::Sleep(Duration::from_millis(900)));
    stage.busy(anna);
    let journal = stage.control.journal();
    let taken = journal
        .awaited(
            0,
            |entry| entry.kind == Kind::Delivery && entry.succeeded(),
            PATIENCE,
        )
        .await
        .unwrap();
    assert!(taken.detail["attempt"].as_u64().unwrap() >= 2);
    let bodies = listener.posts.select(|post| post.body["value"].is_array());
    assert!(bodies.len() >= 2 && bodies.iter().all(|post| post.text == bodies[0].text));
}

#[live]
async fn chaos_drops_and_doubles() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let anna = stage.add_person("Anna");
    subscribed(&stage, &listener, anna).await;
    let journal = stage.control.journal();
    stage.control.adjust(|knobs| knobs.delivery.drop = 1.0);
    stage.busy(anna);
    assert!(
        journal
            .awaited(0, |entry| entry.kind == Kind::Lost, PATIENCE)
            .await
            .is_some()
    );
    stage.control.adjust(|knobs| {
        knobs.delivery.drop = 0.0;
        knobs.delivery.duplicate = 1.0;
    });
    stage
        .control
        .set_client(anna, "desktop", Pair::new("Away", "Away"));
    assert!(wait_until(|| journal.count(|entry| entry.kind == Kind::Delivery) == 2).await);
}

#[live]
async fn an_expired_token_holds_notifications_back_until_the_renewal() {
    let (stage, listener) = (
        Stage::with(Options {
            time_scale: 5.0,
            ..Options::default()
        }),
        Listener::start(),
    );
    let anna = stage.add_person("Anna");
    let id = subscribed(&stage, &listener, anna).await;
    let past = stage.control.now() - chrono::TimeDelta::seconds(1);
    stage
        .control
        .change_subscription(id, |subscription| subscription.authorized_until = past);
    stage.busy(anna);
    let journal = stage.control.journal();
    assert!(
        journal
            .awaited(0, |entry| entry.kind == Kind::Withheld, PATIENCE)
            .await
            .is_some()
    );
    assert_eq!(journal.count(|entry| entry.kind == Kind::Delivery), 0);
    let body = json!({"expirationDateTime": stage.in_minutes(50)});
    let renewed = stage
        .call(
            "PATCH",
            &stage.user_token().await,
            &format!("/v1.0/subscriptions/{id}"),
            &body,
        )
        .await;
    assert_eq!(renewed.status, 200);
    assert!(
        journal
            .awaited(0, |entry| entry.kind == Kind::Delivery, PATIENCE)
            .await
            .is_some()
    );
}

#[live]
async fn users_that_come_change_and_go_are_told() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let token = stage.app_token().await;
    let body = json!({"changeType": "updated,deleted", "notificationUrl": listener.url("/users"), "resource": "/users", "expirationDateTime": stage.in_minutes(60), "clientState": "x"});
    assert_eq!(stage.subscribe(&token, &body).await.status, 201);
    let anna = stage.add_person("Anna");
    let about = |body: &Value, change: &str| {
        let items = body["value"].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .any(|item| item["changeType"] == change && item["resourceData"]["id"] == json!(anna))
    };
    let told = listener.wait(|body| about(body, "updated")).await;
    let real = vector("wire/user-notification-eventgrid-shape.json");
    assert_eq!(shape(&told["value"][0]), shape(&real["body"]));
    assert!(stage.control.remove_user(anna, true));
    listener.wait(|body| about(body, "deleted")).await;
}

#[live]
async fn lifecycle_notifications_have_both_shapes() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let anna = stage.add_person("Anna");
    let id = subscribed(&stage, &listener, anna).await;
    stage.control.send_lifecycle(
        id,
        LifecycleEvent::ReauthorizationRequired,
        LifecycleShape::Observed,
    );
    let observed = listener
        .wait(|body| body["value"][0]["lifecycleEvent"] == "reauthorizationRequired")
        .await;
    assert_eq!(
        shape(&observed),
        shape(&vector("wire/lifecycle-observed-2023.json")["body"])
    );
    let real = &vector("wire/lifecycle-observed-2023.json")["body"]["value"][0];
    assert_eq!(shape(&observed["value"][0]), shape(real));
    assert!(
        stage
            .control
            .remove_subscription(id, Some(LifecycleShape::Documented))
    );
    let documented = listener
        .wait(|body| body["value"][0]["lifecycleEvent"] == "subscriptionRemoved")
        .await;
    let names = shape(&documented["value"][0]);
    assert_eq!(
        names,
        [
            "/clientState",
            "/lifecycleEvent",
            "/subscriptionExpirationDateTime",
            "/subscriptionId",
            "/tenantId"
        ]
    );
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
