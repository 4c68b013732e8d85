//! Notifications: shapes, batches, repetition, loss.

use std::time::Duration;

use actix_web::test as live;
use m365_simulator::microsoft::{
    BasicShape, Kind, LifecycleEvent, LifecycleShape, Options, Pair, SigningKey,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    shapes::{shape, vector},
    stage::{Listener, Order, PATIENCE, Stage, richly, subscribed},
};

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
