//! The rules of subscriptions.

use actix_web::test as live;
use chrono::{DateTime, TimeDelta};
use m365_simulator::microsoft::{Kind, SigningKey, Subscription};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

use super::stage::{Listener, Order, Reply, Stage};

fn expiry(reply: &Reply) -> DateTime<chrono::Utc> {
    reply.body["expirationDateTime"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

fn id(reply: &Reply) -> String {
    reply.body["id"].as_str().expect("a subscription").to_owned()
}

#[live]
async fn creating_one_validates_both_urls_with_a_form_encoded_token() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let token = stage.user_token().await;
    let anna = stage.add_person("Anna");
    let mut body = stage.presence_subscription(&[anna], &listener);
    body["notificationUrl"] = json!(listener.url("/graph/notifications?kept=1"));
    let created = stage.subscribe(&token, &body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.body["clientState"], "our-client-state");
    assert_eq!(created.body["encryptionCertificate"], Value::Null);
    let posts = listener.posts.select(|_| true);
    let paths: Vec<_> = posts.iter().map(|post| post.path.as_str()).collect();
    assert_eq!(paths, ["/graph/notifications", "/graph/lifecycle"]);
    assert!(
        posts[0]
            .query
            .starts_with("kept=1&validationToken=Validation%3a+Testing+client+"),
        "{}",
        posts[0].query
    );
    assert!(posts[0].text.is_empty());
    assert_eq!(
        stage
            .control
            .journal()
            .count(|entry| entry.kind == Kind::Validation && entry.succeeded()),
        2
    );
}

#[live]
async fn an_endpoint_that_proves_nothing_gets_no_subscription() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let token = stage.user_token().await;
    let body = stage.presence_subscription(&[stage.add_person("Anna")], &listener);
    for (order, message) in [
        (
            Order::WrongToken,
            "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.",
        ),
        (
            Order::Status(404),
            "Subscription validation request failed. HTTP status code is 'NotFound'.",
        ),
        (
            Order::Sleep(Duration::from_secs(4)),
            "Subscription validation request timed out.",
        ),
    ] {
        if matches!(order, Order::Sleep(_)) {
            let soon = Duration::from_millis(500);
            stage.control.adjust(|knobs| knobs.validation_timeout = soon);
        }
        listener.order(order);
        let refused = stage.subscribe(&token, &body).await;
        assert_eq!(
            (refused.status, refused.code(), refused.message()),
            (400, "InvalidRequest", message)
        );
    }
    assert!(stage.control.subscriptions().is_empty());
}

#[live]
async fn an_application_has_one_presence_subscription_per_user() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let token = stage.user_token().await;
    let created = stage
        .subscribe(
            &token,
            &stage.presence_subscription(&[stage.add_person("Anna")], &listener),
        )
        .await;
    let other = stage.presence_subscription(&[stage.add_person("Bert")], &listener);
    let refused = stage.subscribe(&token, &other).await;
    assert_eq!((refused.status, refused.code()), (409, "ExtensionError"));
    assert_eq!(
        refused.message(),
        "Operation: Create; Exception: [Status Code: Conflict; Reason: A subscripton already exists. It must be deleted before a another can be made.]"
    );
    let path = format!("/v1.0/subscriptions/{}", id(&created));
    assert_eq!(
        stage.call("DELETE", &token, &path, &Value::Null).await.status,
        204
    );
    assert_eq!(stage.subscribe(&token, &other).await.status, 201);
    let gone = stage
        .call(
            "PATCH",
            &token,
            &path,
            &json!({"expirationDateTime": stage.in_minutes(50)}),
        )
        .await;
    assert_eq!(
        (gone.status, gone.code(), gone.message()),
        (404, "ResourceNotFound", "The object was not found.")
    );
}

#[live]
async fn listing_hides_the_client_state_and_everybody_elses() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let token = stage.user_token().await;
    let created = stage
        .subscribe(
            &token,
            &stage.presence_subscription(&[stage.add_person("Anna")], &listener),
        )
        .await;
    stage.control.add_account(m365_simulator::microsoft::Account::new(
        stage.tenant.id,
        "second@contoso.com",
        "x",
    ));
    let second = stage.sign_in("second@contoso.com", "x").await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = stage.get(&token, "/v1.0/subscriptions").await;
    assert_eq!(own.body["value"][0]["id"], created.body["id"]);
    assert_eq!(own.body["value"][0]["clientState"], Value::Null);
    assert_eq!(
        stage.get(&second, "/v1.0/subscriptions").await.body["value"],
        json!([])
    );
    let one = stage
        .get(&token, &format!("/v1.0/subscriptions/{}", id(&created)))
        .await;
    assert_eq!((one.status, &one.body["clientState"]), (200, &Value::Null));
}

#[live]
async fn expiries_are_raised_and_capped_in_the_clouds_clock() {
    let (stage, listener) = (Stage::new(), Listener::start());
    stage.control.set_clock_offset(TimeDelta::hours(5));
    let token = stage.user_token().await;
    let mut body = stage.presence_subscription(&[stage.add_person("Anna")], &listener);
    body["expirationDateTime"] = json!(stage.in_minutes(61));
    let refused = stage.subscribe(&token, &body).await;
    assert_eq!((refused.status, refused.code()), (400, "ExtensionError"));
    assert!(
        refused.message().ends_with("is beyond allowed max '01:00:00'.]"),
        "{}",
        refused.message()
    );
    body["expirationDateTime"] = json!(stage.in_minutes(10));
    let created = stage.subscribe(&token, &body).await;
    let life = expiry(&created) - stage.control.now();
    assert!(
        life > TimeDelta::minutes(44) && life <= TimeDelta::minutes(45),
        "{life}"
    );
    let path = format!("/v1.0/subscriptions/{}", id(&created));
    let renewed = stage
        .call(
            "PATCH",
            &token,
            &path,
            &json!({"expirationDateTime": stage.in_minutes(55)}),
        )
        .await;
    assert!(renewed.status == 200 && expiry(&renewed) - stage.control.now() > TimeDelta::minutes(54));
    stage.control.adjust(|knobs| knobs.raise_short_expiries = false);
    let renewed = stage
        .call(
            "PATCH",
            &token,
            &path,
            &json!({"expirationDateTime": stage.in_minutes(10)}),
        )
        .await;
    assert!(expiry(&renewed) - stage.control.now() <= TimeDelta::minutes(10));
    stage
        .control
        .set_clock_offset(TimeDelta::hours(5) + TimeDelta::minutes(11));
    assert!(stage.control.subscriptions().is_empty(), "it ended");
}

#[live]
async fn wrong_tokens_and_wrong_wishes_are_refused() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let (user, app) = (stage.user_token().await, stage.app_token().await);
    let anna = stage.add_person("Anna");
    let good = stage.presence_subscription(&[anna], &listener);
    let forbidden = stage.subscribe(&app, &good).await;
    assert_eq!((forbidden.status, forbidden.code()), (403, "ExtensionError"));
    assert_eq!(
        forbidden.message(),
        "Operation: Create; Exception: [Status Code: Forbidden; Reason: The request is not authorized for this user or application.]"
    );
    let crowd: Vec<Uuid> = (0..651).map(|_| Uuid::new_v4()).collect();
    let many = stage
        .subscribe(&user, &stage.presence_subscription(&crowd, &listener))
        .await;
    assert_eq!((many.status, many.code()), (400, "ExtensionError"));
    for (name, value) in [
        ("changeType", json!("updated,deleted")),
        ("resource", json!("/communications/presences")),
        ("notificationUrl", json!("http://connector.example.com/x")),
        ("clientState", json!("x".repeat(129))),
        ("expirationDateTime", Value::Null),
        ("includeResourceData", json!(true)),
        ("vapidPublicKey", json!("x")),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert_eq!(stage.subscribe(&user, &bad).await.status, 400, "{name}");
    }
    let users = json!({"changeType": "created,updated", "notificationUrl": listener.url("/n"), "resource": "/users", "expirationDateTime": stage.in_minutes(60)});
    let created = stage.subscribe(&app, &users).await;
    assert_eq!(
        (created.status, created.message()),
        (400, "Invalid 'changeType' attribute: 'created'.")
    );
    assert!(
        listener.posts.select(|_| true).is_empty(),
        "nothing was validated"
    );
}

#[live]
async fn a_user_without_teams_carries_no_presence_subscription() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let token = stage.user_token().await;
    let body = stage.presence_subscription(&[stage.add_person("Anna")], &listener);
    let account = stage.get(&token, "/v1.0/users/presence@contoso.com").await;
    let id: Uuid = account.body["id"].as_str().unwrap().parse().unwrap();
    stage.control.change_user(id, |user| user.plans.clear());
    assert_eq!(stage.subscribe(&token, &body).await.status, 403);
}

#[live]
async fn deleting_can_be_refused_on_v1_alone_and_on_beta_too() {
    let (stage, listener) = (Stage::new(), Listener::start());
    stage.control.adjust(|knobs| knobs.refuse_presence_delete = true);
    let token = stage.user_token().await;
    let created = stage
        .subscribe(
            &token,
            &stage.presence_subscription(&[stage.add_person("Anna")], &listener),
        )
        .await;
    let id = id(&created);
    assert_eq!(
        stage
            .call(
                "DELETE",
                &token,
                &format!("/v1.0/subscriptions/{id}"),
                &Value::Null
            )
            .await
            .status,
        403
    );
    let beta = format!("/beta/subscriptions/{id}");
    let refuse = |refuse| {
        stage
            .control
            .adjust(|knobs| knobs.refuse_presence_delete_in_beta = refuse)
    };
    refuse(true);
    assert_eq!(
        stage.call("DELETE", &token, &beta, &Value::Null).await.status,
        403
    );
    refuse(false);
    assert_eq!(
        stage
            .call(
                "DELETE",
                &token,
                &format!("/beta/subscriptions/{id}"),
                &Value::Null
            )
            .await
            .status,
        204
    );
}

#[live]
async fn certificates_must_be_usable() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let token = stage.user_token().await;
    let key = SigningKey::generate("connector").unwrap();
    let mut body = stage.rich_subscription(&[stage.add_person("Anna")], &listener, &key);
    body["encryptionCertificate"] = json!("bm9uc2Vuc2U=");
    assert_eq!(stage.subscribe(&token, &body).await.status, 400);
    let body = stage.rich_subscription(&[stage.add_person("Bert")], &listener, &key);
    let created = stage.subscribe(&token, &body).await;
    assert_eq!(
        (created.status, &created.body["encryptionCertificateId"]),
        (201, &json!("cert-1"))
    );
}

#[live]
async fn an_application_subscribes_to_users_for_long() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let token = stage.app_token().await;
    let users = json!({"changeType": "updated,deleted", "notificationUrl": listener.url("/n"), "resource": "users", "expirationDateTime": stage.in_minutes(41_000), "clientState": "x"});
    let created = stage.subscribe(&token, &users).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.body["creatorId"], json!(stage.app.service_principal));
    let twice = stage.subscribe(&token, &users).await;
    assert_eq!(twice.status, 409);
    assert!(
        twice
            .message()
            .contains("already exists for the requested combination")
    );
    let path = format!("/v1.0/subscriptions/{}/reauthorize", id(&created));
    assert_eq!(stage.post(&token, &path, &Value::Null).await.status, 204);
}

#[live]
async fn what_another_program_left_behind_stands_in_the_way_until_it_ends() {
    let (stage, listener) = (Stage::new(), Listener::start());
    let token = stage.user_token().await;
    let account = stage.get(&token, "/v1.0/users/presence@contoso.com").await;
    let creator: Uuid = account.body["id"].as_str().unwrap().parse().unwrap();
    let anna = stage.add_person("Anna");
    let resource = format!("/communications/presences/{anna}");
    let ends = stage.control.now() + TimeDelta::minutes(30);
    let foreign =
        Subscription::left_behind(&stage.app, creator, &resource, &listener.url("/other"), ends).unwrap();
    stage.control.put_subscription(foreign.clone());
    let body = stage.presence_subscription(&[anna], &listener);
    assert_eq!(stage.subscribe(&token, &body).await.status, 409);
    let listed = stage.get(&token, "/v1.0/subscriptions").await;
    assert_eq!(listed.body["value"][0]["id"], json!(foreign.id));
    stage
        .control
        .change_subscription(foreign.id, |known| known.expires -= TimeDelta::minutes(31));
    assert_eq!(stage.subscribe(&token, &body).await.status, 201);
}
