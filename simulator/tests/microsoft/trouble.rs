//! Refused tokens, limits, outages and broken connections.

use std::time::Duration;

use actix_web::test as live;
use chrono::{DateTime, TimeDelta};
use m365_simulator::microsoft::{
    Entry, ErrorBody, Family, Fault, Kind, Limit, Options, Quota, RetryAfter, Times,
};
use serde_json::json;
use uuid::Uuid;

use super::stage::{PASSWORD, Reply, Stage, reply};

async fn presence(stage: &Stage, token: &str, user: Uuid) -> Reply {
    stage.get(token, &format!("/v1.0/users/{user}/presence")).await
}

#[live]
async fn bad_access_tokens_are_refused_in_the_known_words() {
    let stage = Stage::new();
    let anna = stage.add_person("Anna");
    let empty = reply(
        stage
            .http
            .get(format!("{}/v1.0/users", stage.cloud.graph_url()))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        (empty.status, empty.code(), empty.message()),
        (401, "InvalidAuthenticationToken", "Access token is empty.")
    );
    assert!(
        empty
            .header("www-authenticate")
            .unwrap()
            .contains("00000003-0000-0000-c000-000000000000")
    );
    assert!(empty.body["error"]["innerError"]["request-id"].is_string());
    let message = "CompactToken parsing failed with error code: 80049217";
    assert_eq!(presence(&stage, "nonsense", anna).await.message(), message);
    let token = stage.app_token().await;
    assert_eq!(presence(&stage, &token, anna).await.status, 200);
    let (head, claims) = token.split_once('.').unwrap();
    let other = stage.user_token().await;
    let mixed = format!(
        "{head}.{}.{}",
        claims.split_once('.').unwrap().0,
        other.rsplit_once('.').unwrap().1
    );
    assert_eq!(presence(&stage, &mixed, anna).await.status, 401);
    stage.control.revoke(stage.app.service_principal);
    let revoked = presence(&stage, &token, anna).await;
    assert!(
        revoked.status == 401
            && revoked
                .header("www-authenticate")
                .unwrap()
                .contains("insufficient_claims")
    );
    assert_eq!(presence(&stage, &stage.app_token().await, anna).await.status, 200);
}

#[live]
async fn tokens_expire_in_the_clouds_clock() {
    let stage = Stage::new();
    let anna = stage.add_person("Anna");
    stage
        .control
        .adjust(|knobs| knobs.token_life = Some(Duration::from_secs(100)));
    let token = stage.app_token().await;
    stage.control.set_clock_offset(TimeDelta::seconds(101));
    let expired = presence(&stage, &token, anna).await;
    assert_eq!(
        (expired.status, expired.message()),
        (401, "Lifetime validation failed, the token is expired.")
    );
}

#[live]
async fn the_date_header_follows_the_clouds_clock() {
    let stage = Stage::new();
    stage.control.set_clock_offset(TimeDelta::hours(3));
    for reply in [
        stage.app_sign_in("s3cret").await,
        stage.get("", "/v1.0/users").await,
    ] {
        let date = DateTime::parse_from_rfc2822(reply.header("date").unwrap()).unwrap();
        let ahead = date.to_utc() - chrono::Utc::now();
        assert!(
            (ahead - TimeDelta::hours(3)).abs() < TimeDelta::minutes(1),
            "{ahead}"
        );
    }
}

#[live]
async fn ordered_faults_strike_their_family_only() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let anna = stage.add_person("Anna");
    let reads = Some(Family::PresenceRead);
    stage
        .control
        .inject(reads, Fault::Throttled(RetryAfter::Seconds(7)), Times::Next(1));
    let throttled = presence(&stage, &token, anna).await;
    assert_eq!(
        (
            throttled.status,
            throttled.code(),
            throttled.header("retry-after")
        ),
        (429, "TooManyRequests", Some("7"))
    );
    assert_eq!(presence(&stage, &token, anna).await.status, 200);
    stage
        .control
        .inject(reads, Fault::Throttled(RetryAfter::Date(30)), Times::Next(1));
    let dated = presence(&stage, &token, anna).await;
    assert!(DateTime::parse_from_rfc2822(dated.header("retry-after").unwrap()).is_ok());
    for (body, kind) in [
        (ErrorBody::Html, Some("text/html; charset=utf-8")),
        (ErrorBody::Empty, None),
    ] {
        stage.control.inject(
            reads,
            Fault::Failed {
                status: 503,
                body,
                retry_after: RetryAfter::Silent,
            },
            Times::Next(1),
        );
        let failed = presence(&stage, &token, anna).await;
        assert_eq!((failed.status, failed.header("content-type")), (503, kind));
    }
    stage.control.inject(
        Some(Family::Token),
        Fault::Throttled(RetryAfter::Seconds(3)),
        Times::Next(1),
    );
    let busy = stage.app_sign_in("s3cret").await;
    assert_eq!(
        (
            busy.status,
            busy.body["error"].as_str(),
            busy.header("retry-after")
        ),
        (429, Some("temporarily_unavailable"), Some("3"))
    );
    stage.control.inject(
        None,
        Fault::Failed {
            status: 500,
            body: ErrorBody::Json,
            retry_after: RetryAfter::Silent,
        },
        Times::Always,
    );
    assert_eq!(stage.get(&token, "/v1.0/users").await.status, 500);
    stage.control.clear_faults(None);
    assert_eq!(stage.get(&token, "/v1.0/users").await.status, 200);
}

#[live]
async fn connections_break_before_and_within_the_answer() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let anna = stage.add_person("Anna");
    let write = format!("/v1.0/users/{anna}/presence/setPresence");
    let body = json!({"sessionId": stage.app.client_id, "availability": "Busy", "activity": "InACall"});
    stage
        .control
        .inject(Some(Family::PresenceWrite), Fault::Closed, Times::Next(1));
    assert!(stage.try_call("POST", &token, &write, &body).await.is_err());
    assert_eq!(
        stage.control.app_session(anna, stage.app.client_id),
        None,
        "it had no effect"
    );
    stage
        .control
        .inject(Some(Family::PresenceWrite), Fault::AnswerLost, Times::Next(1));
    assert!(stage.try_call("POST", &token, &write, &body).await.is_err());
    assert!(
        stage.control.app_session(anna, stage.app.client_id).is_some(),
        "it had its effect"
    );
    stage
        .control
        .inject(Some(Family::Users), Fault::Truncated, Times::Next(1));
    let url = format!("{}/v1.0/users", stage.cloud.graph_url());
    let mut answer = stage.http.get(url).bearer_auth(&token).send().await.unwrap();
    let promised: usize = answer
        .headers()
        .get("content-length")
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let got = answer.body().await.map(|body| body.len()).unwrap_or_default();
    assert!(
        answer.status() == 200 && got < promised,
        "{got} of {promised} bytes arrived"
    );
}

#[live]
async fn documented_limits_are_enforced_per_family() {
    let stage = Stage::new();
    let token = stage.user_token().await;
    for _ in 0..25 {
        assert_eq!(stage.get(&token, "/v1.0/subscriptions").await.status, 200);
    }
    let throttled = stage.get(&token, "/v1.0/subscriptions").await;
    assert_eq!(throttled.status, 429);
    let wait: u64 = throttled.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    stage.control.set_limit(
        Quota::Directory,
        Limit {
            units: 3,
            period: Duration::from_secs(60),
        },
    );
    assert_eq!(stage.get(&token, "/v1.0/users").await.status, 200);
    let refused = stage.get(&token, "/v1.0/users").await;
    assert_eq!(
        (refused.status, refused.header("x-ms-throttle-information")),
        (429, Some("ResourceUnitLimitExceeded"))
    );
    assert_eq!(
        stage.get(&token, "/v1.0/users?$select=id").await.status,
        200,
        "one unit was left"
    );
    assert_eq!(stage.control.count(Family::SubscriptionList).throttled, 1);
}

#[live]
async fn throttled_items_of_a_batch_say_when_to_come_back() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let anna = stage.add_person("Anna");
    stage.control.inject(
        Some(Family::PresenceRead),
        Fault::Throttled(RetryAfter::Seconds(9)),
        Times::Next(1),
    );
    let item = |id: &str| json!({"id": id, "method": "GET", "url": format!("/users/{anna}/presence")});
    let reply = stage
        .post(
            &token,
            "/v1.0/$batch",
            &json!({"requests": [item("1"), item("2")]}),
        )
        .await;
    assert_eq!(reply.body["responses"][0]["status"], 429);
    assert_eq!(reply.body["responses"][0]["headers"]["Retry-After"], "9");
    assert_eq!(reply.body["responses"][1]["status"], 200);
}

#[live]
async fn the_journal_says_who_asked_for_what() {
    let stage = Stage::new();
    let token = stage.user_token().await;
    let anna = stage.add_person("Anna");
    presence(&stage, &token, anna).await;
    stage.sign_in("presence@contoso.com", "wrong").await;
    let journal = stage.control.journal();
    let read = journal
        .select(|entry| entry.is_request(Family::PresenceRead))
        .pop()
        .unwrap();
    assert_eq!((read.status, read.users), (Some(200), vec![anna]));
    assert!(
        read.who.starts_with(&format!("{} for ", stage.app.client_id)),
        "{}",
        read.who
    );
    let refused = journal
        .select(|entry| entry.is_request(Family::Token) && !entry.succeeded())
        .pop()
        .unwrap();
    assert_eq!(refused.who, "presence@contoso.com");
    let told = ["grant", "code", "claims"].map(|name| &refused.detail[name]);
    assert_eq!(told, [&json!("password"), &json!(50126), &json!("")]);
    assert!(!format!("{:?}", journal.select(|_| true)).contains(PASSWORD));
    assert_eq!(journal.count(|entry| entry.kind == Kind::Delivery), 0);
}

#[test]
fn a_stopped_cloud_frees_its_ports_for_the_next_one() {
    let stage = Stage::new();
    let port = |url: &str| url.rsplit_once(':').unwrap().1.parse().unwrap();
    let (login_port, graph_port) = (port(stage.cloud.login_url()), port(stage.cloud.graph_url()));
    stage.cloud.stop();
    assert!(std::net::TcpStream::connect(("127.0.0.1", graph_port)).is_err());
    let again = Stage::with(Options {
        login_port,
        graph_port,
        ..Options::default()
    });
    assert!(std::net::TcpStream::connect(("127.0.0.1", graph_port)).is_ok());
    assert_eq!(port(again.cloud.graph_url()), graph_port);
}

#[test]
fn a_cloud_starts_and_stops_without_a_runtime_and_keeps_its_journal_bounded() {
    let stage = Stage::with(Options {
        journal: 3,
        ..Options::default()
    });
    let control = stage.control.clone();
    stage.cloud.stop();
    for number in 0..5 {
        control.journal().record(entry(number));
    }
    assert_eq!(control.journal().select(|_| true).len(), 3);
    assert_eq!(control.journal().mark(), 5);
    assert_eq!(control.journal().select_since(4, |_| true)[0].who, "4");
    assert!(
        control
            .journal()
            .wait_for(|entry| entry.who == "9", Duration::from_millis(20))
            .is_none()
    );
    assert_eq!(control.count(Family::Token).requests, 0);
}

fn entry(number: u32) -> Entry {
    Entry {
        at: chrono::Utc::now(),
        kind: Kind::Validation,
        who: number.to_string(),
        token: 0,
        what: String::new(),
        status: None,
        users: Vec::new(),
        detail: json!(null),
    }
}
