//! Reading and setting presence, and how Teams makes one presence out of many.

use actix_web::test as live;
use m365_simulator::microsoft::{Options, Pair};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

use super::stage::{PATIENCE, Stage};

fn pair(body: &Value) -> (&str, &str) {
    (
        body["availability"].as_str().unwrap_or_default(),
        body["activity"].as_str().unwrap_or_default(),
    )
}

async fn set(stage: &Stage, token: &str, user: Uuid, availability: &str, activity: &str) -> u16 {
    let body = json!({"sessionId": stage.app.client_id, "availability": availability, "activity": activity, "expirationDuration": "PT1H"});
    stage
        .post(token, &format!("/v1.0/users/{user}/presence/setPresence"), &body)
        .await
        .status
}

async fn prefer(stage: &Stage, token: &str, user: Uuid, availability: &str, activity: &str) -> u16 {
    let body = json!({"availability": availability, "activity": activity});
    stage
        .post(
            token,
            &format!("/v1.0/users/{user}/presence/setUserPreferredPresence"),
            &body,
        )
        .await
        .status
}

async fn until(what: impl Fn() -> bool) {
    let reached = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached)
        .await
        .expect("the state is reached");
}

#[live]
async fn presences_are_read_one_by_one_and_in_bulk() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let (anna, bert) = (stage.add_person("Anna"), stage.add_person("Bert"));
    stage.busy(anna);
    let one = stage.get(&token, &format!("/v1.0/users/{anna}/presence")).await;
    assert_eq!((one.status, pair(&one.body)), (200, ("Busy", "InAMeeting")));
    let other = stage
        .get(&token, &format!("/v1.0/communications/presences/{bert}"))
        .await;
    assert_eq!(pair(&other.body), ("Offline", "Offline"));
    let unknown = Uuid::new_v4();
    let bulk = stage
        .post(
            &token,
            "/v1.0/communications/getPresencesByUserId",
            &json!({"ids": [anna, unknown, bert]}),
        )
        .await;
    assert_eq!(bulk.body["value"].as_array().unwrap().len(), 2);
    assert_eq!(
        bulk.body["@odata.context"],
        "https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.presence)"
    );
    let ids: Vec<Uuid> = (0..651).map(|_| Uuid::new_v4()).collect();
    assert_eq!(
        stage
            .post(
                &token,
                "/v1.0/communications/getPresencesByUserId",
                &json!({"ids": ids})
            )
            .await
            .status,
        400
    );
    assert_eq!(
        stage
            .get(&token, &format!("/v1.0/users/{unknown}/presence"))
            .await
            .status,
        404
    );
}

#[live]
async fn only_the_legal_pairs_and_lifetimes_are_taken() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let anna = stage.add_person("Anna");
    assert_eq!(set(&stage, &token, anna, "Busy", "InACall").await, 200);
    assert_eq!(set(&stage, &token, anna, "Busy", "Busy").await, 400);
    assert_eq!(prefer(&stage, &token, anna, "Busy", "Busy").await, 200);
    assert_eq!(prefer(&stage, &token, anna, "Busy", "InACall").await, 400);
    let path = format!("/v1.0/users/{anna}/presence/setPresence");
    for (life, status) in [
        ("PT5M", 200),
        ("PT4H", 200),
        ("PT4M", 400),
        ("PT5H", 400),
        ("nonsense", 400),
    ] {
        let body = json!({"sessionId": stage.app.client_id, "availability": "Busy", "activity": "InACall", "expirationDuration": life});
        assert_eq!(stage.post(&token, &path, &body).await.status, status, "{life}");
    }
    let foreign = json!({"sessionId": Uuid::new_v4(), "availability": "Busy", "activity": "InACall"});
    assert_eq!(stage.post(&token, &path, &foreign).await.status, 400);
}

#[live]
async fn a_session_needs_clearing_and_the_preferred_slot_does_not() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let anna = stage.add_person("Anna");
    let clear = format!("/v1.0/users/{anna}/presence/clearPresence");
    let session = json!({"sessionId": stage.app.client_id});
    assert_eq!(stage.post(&token, &clear, &session).await.status, 404);
    set(&stage, &token, anna, "Busy", "InACall").await;
    assert_eq!(stage.post(&token, &clear, &session).await.status, 200);
    assert_eq!(stage.control.presence(anna), Some(Pair::offline()));
    let path = format!("/v1.0/users/{anna}/presence/clearUserPreferredPresence");
    assert_eq!(stage.post(&token, &path, &json!({})).await.status, 200);
}

#[live]
async fn a_preferred_state_masks_sessions_but_only_while_there_is_one() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let anna = stage.add_person("Anna");
    prefer(&stage, &token, anna, "Away", "Away").await;
    assert_eq!(stage.control.presence(anna), Some(Pair::offline()));
    stage.busy(anna);
    assert_eq!(stage.control.presence(anna), Some(Pair::new("Away", "Away")));
    stage.control.clear_preferred(anna);
    set(&stage, &token, anna, "DoNotDisturb", "Presenting").await;
    assert_eq!(
        stage.control.presence(anna),
        Some(Pair::new("DoNotDisturb", "Presenting"))
    );
    set(&stage, &token, anna, "Available", "Available").await;
    assert_eq!(
        stage.control.presence(anna),
        Some(Pair::new("Busy", "InAMeeting")),
        "the strongest session wins"
    );
}

#[live]
async fn leases_run_out_by_themselves() {
    let stage = Stage::with(Options {
        time_scale: 3600.0,
        ..Options::default()
    });
    let token = stage.app_token().await;
    let (anna, bert) = (stage.add_person("Anna"), stage.add_person("Bert"));
    set(&stage, &token, anna, "Available", "Available").await;
    set(&stage, &token, bert, "Busy", "InACall").await;
    for user in [anna, bert] {
        until(|| stage.control.presence(user) == Some(Pair::offline())).await;
        assert_eq!(stage.control.app_session(user, stage.app.client_id), None);
    }
}

#[live]
async fn a_body_without_its_content_type_is_not_read() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let anna = stage.add_person("Anna");
    let url = format!(
        "{}/v1.0/users/{anna}/presence/clearUserPreferredPresence",
        stage.cloud.graph_url()
    );
    let request = stage
        .http
        .post(url)
        .bearer_auth(&token)
        .insert_header(("Content-Type", "text/plain"));
    assert_eq!(request.send_body("{}").await.unwrap().status(), 400);
}

#[live]
async fn single_and_bulk_reads_have_their_odd_shapes() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let (anna, nobody) = (stage.add_person("Anna"), Uuid::new_v4());
    stage.control.adjust(|knobs| {
        knobs.wrapped_presence = true;
        knobs.unknown_presences = true;
        knobs.read_sequence_numbers = true;
    });
    stage.control.set_out_of_office(anna, true);
    let wrapped = stage
        .get(&token, &format!("/v1.0/communications/presences/{anna}"))
        .await;
    let inner = &wrapped.body["value"][0];
    assert_eq!(inner["outOfOfficeSettings"]["isOutOfOffice"], true);
    assert_eq!(inner["sequenceNumber"].as_str().map(str::len), Some(20));
    let bulk = stage
        .post(
            &token,
            "/v1.0/communications/getPresencesByUserId",
            &json!({"ids": [nobody]}),
        )
        .await;
    assert_eq!(
        pair(&bulk.body["value"][0]),
        ("PresenceUnknown", "PresenceUnknown")
    );
}

#[live]
async fn tokens_of_the_wrong_kind_do_not_write() {
    let stage = Stage::new();
    let anna = stage.add_person("Anna");
    let token = stage.user_token().await;
    let path = format!("/v1.0/users/{anna}/presence/setPresence");
    let body = json!({"sessionId": stage.app.client_id, "availability": "Busy", "activity": "InACall"});
    let refused = stage.post(&token, &path, &body).await;
    assert_eq!(
        (refused.status, refused.message()),
        (401, "Cannot set the presence of another user.")
    );
    stage.control.change_app(stage.app.client_id, |app| {
        app.application = vec!["Presence.Read.All".to_owned()]
    });
    let refused = stage.post(&stage.app_token().await, &path, &body).await;
    assert_eq!((refused.status, refused.code()), (403, "Forbidden"));
}

#[live]
async fn a_batch_answers_every_item_for_itself() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let (anna, bert) = (stage.add_person("Anna"), stage.add_person("Bert"));
    set(&stage, &token, anna, "Busy", "InACall").await;
    let clear = |id: &str, user: Uuid| {
        json!({"id": id, "method": "POST", "url": format!("/users/{user}/presence/clearPresence"),
            "headers": {"Content-Type": "application/json"}, "body": {"sessionId": stage.app.client_id}})
    };
    let mut dependent = clear("3", anna);
    dependent["dependsOn"] = json!(["2"]);
    let batch = json!({"requests": [clear("1", anna), clear("2", bert), dependent]});
    let reply = stage.post(&token, "/v1.0/$batch", &batch).await;
    let statuses: Vec<_> = reply.body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["status"].as_u64().unwrap())
        .collect();
    assert_eq!((reply.status, statuses), (200, vec![200, 404, 424]));
    let twice = json!({"requests": [clear("1", anna), clear("1", bert)]});
    assert_eq!(stage.post(&token, "/v1.0/$batch", &twice).await.status, 400);
    let many: Vec<Value> = (0..21).map(|number| clear(&number.to_string(), anna)).collect();
    assert_eq!(
        stage
            .post(&token, "/v1.0/$batch", &json!({"requests": many}))
            .await
            .status,
        400
    );
}

#[live]
async fn a_status_message_is_told_as_text_until_it_ends_or_is_taken_back() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let anna = stage.add_person("Anna");
    let path = format!("/v1.0/users/{anna}/presence/setStatusMessage");
    let read = async || {
        let one = stage.get(&token, &format!("/v1.0/users/{anna}/presence")).await;
        one.body["statusMessage"].clone()
    };
    let message = json!({"content": "back at 3", "contentType": "text"});
    let told = json!({ "message": message });
    for (expiry, expected) in [
        (Value::Null, &told),
        (
            json!({"dateTime": "2099-01-01T00:00:00", "timeZone": "UTC"}),
            &told,
        ),
        (
            json!({"dateTime": "2001-01-01T00:00:00", "timeZone": "UTC"}),
            &Value::Null,
        ),
    ] {
        let body = json!({"statusMessage": {"message": message, "expiryDateTime": expiry}});
        assert_eq!(stage.post(&token, &path, &body).await.status, 200);
        assert_eq!(read().await, *expected, "{expiry}");
    }
    let set = json!({"statusMessage": {"message": message}});
    assert_eq!(stage.post(&token, &path, &set).await.status, 200);
    let clear = json!({"statusMessage": {"message": {"content": "", "contentType": "text"}}});
    assert_eq!(stage.post(&token, &path, &clear).await.status, 200);
    assert_eq!(read().await, Value::Null);
    let html = json!({"statusMessage": {"message": {"content": "x", "contentType": "html"}}});
    for body in [html, json!({})] {
        assert_eq!(stage.post(&token, &path, &body).await.status, 400);
    }
}
