use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use m365_presence::clock::Clock;
use m365_presence::identity::TeamsId;
use m365_presence::ports::{GraphError, PresenceIo, SignInError, Users};
use serde_json::json;

use crate::support::{Reply, Rig, fault};

fn throttled<T>(outcome: Result<T, GraphError>) -> Duration {
    match outcome {
        Err(GraphError::Throttled { retry_after }) => retry_after,
        Err(other) => panic!("not throttled: {other}"),
        Ok(_) => panic!("not throttled"),
    }
}

#[actix_rt::test]
async fn a_rejected_token_is_refreshed_once() {
    let rig = Rig::new(|seen| match seen.header("authorization") {
        "Bearer token-2" => Reply::json(200, json!({"value": []})),
        _ => Reply::json(
            401,
            fault(
                "InvalidAuthenticationToken",
                "Lifetime validation failed, the token is expired.",
            ),
        ),
    });
    rig.graph.list().await.unwrap();
    assert_eq!((rig.server.journal().len(), rig.tokens.rejected.get()), (2, 1));
}

#[actix_rt::test]
async fn a_token_that_stays_rejected_is_a_refusal_after_two_requests() {
    let rig = Rig::new(|_| Reply::json(401, fault("InvalidAuthenticationToken", "Access token is empty.")));
    assert!(matches!(
        rig.graph.list().await,
        Err(GraphError::Refused { status: 401, .. })
    ));
    assert_eq!(rig.server.journal().len(), 2);
}

#[actix_rt::test]
async fn without_a_sign_in_nothing_leaves() {
    let rig = Rig::new(|_| Reply::text(200, ""));
    rig.tokens.signed_out.set(true);
    let outcome = rig.graph.list().await;
    assert!(matches!(
        outcome,
        Err(GraphError::NotSignedIn {
            error: SignInError::Lost { .. },
            ..
        })
    ));
    assert!(rig.server.journal().is_empty());
}

#[actix_rt::test]
async fn after_a_429_its_family_waits_and_the_others_do_not() {
    let rig = Rig::new(|seen| match seen.path.as_str() {
        "/v1.0/users" => {
            Reply::json(429, fault("TooManyRequests", "Please retry again later.")).with("retry-after", "600")
        }
        _ => Reply::json(200, json!({"value": []})),
    });
    assert_eq!(throttled(rig.graph.list().await), Duration::from_secs(600));
    let remaining = throttled(rig.graph.list().await);
    assert!(remaining > Duration::from_secs(500) && remaining <= Duration::from_secs(600));
    assert_eq!(rig.server.count("/users"), 1);
    rig.graph.read(&[TeamsId::new("a")]).await.unwrap();
}

#[actix_rt::test]
async fn a_503_is_patience_with_retry_after_and_lost_without() {
    let rig = Rig::new(|seen| match seen.path.as_str() {
        "/v1.0/users" => Reply::text(503, "<html>busy</html>").with("retry-after", "30"),
        _ => Reply::text(503, ""),
    });
    assert_eq!(throttled(rig.graph.list().await), Duration::from_secs(30));
    let ids = [TeamsId::new("a")];
    for _ in 0..2 {
        assert!(matches!(rig.graph.read(&ids).await, Err(GraphError::Lost { .. })));
    }
    assert_eq!(rig.server.count("/communications/getPresencesByUserId"), 2);
}

#[actix_rt::test]
async fn a_date_as_retry_after_is_seen_from_the_answers_own_date() {
    let rig = Rig::new(|_| {
        Reply::text(429, "")
            .with("date", "Tue, 24 Nov 2026 12:00:00 GMT")
            .with("retry-after", "Tue, 24 Nov 2026 12:01:30 GMT")
    });
    assert_eq!(throttled(rig.graph.list().await), Duration::from_secs(90));
}

#[actix_rt::test]
async fn patience_ends() {
    let asked = AtomicUsize::new(0);
    let rig = Rig::new(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::text(429, "").with("retry-after", "1"),
        _ => Reply::json(200, json!({"value": []})),
    });
    let wait = throttled(rig.graph.list().await);
    tokio::time::sleep(wait + Duration::from_millis(50)).await;
    assert!(rig.graph.list().await.is_ok());
}

#[actix_rt::test]
async fn html_and_silence_are_lost_and_name_the_host() {
    for status in [302, 500, 502, 504] {
        let rig = Rig::new(move |_| {
            Reply::text(status, "<html>proxy</html>").with("location", "https://example.net/")
        });
        assert!(
            matches!(rig.graph.list().await, Err(GraphError::Lost { .. })),
            "{status}"
        );
        assert_eq!(rig.server.journal().len(), 1);
    }
    let rig = Rig::new(|_| Reply::text(200, ""));
    let host = rig.server.url.trim_start_matches("http://").to_owned();
    drop(rig.server);
    tokio::time::sleep(Duration::from_millis(200)).await;
    match rig.graph.list().await {
        Err(GraphError::Lost { detail }) => assert!(detail.contains(&host), "{detail}"),
        other => panic!("{other:?}"),
    }
}

#[actix_rt::test]
async fn a_clock_that_is_wrong_by_ten_minutes_is_corrected_by_any_answer() {
    for minutes in [-10_i64, 10] {
        let rig = Rig::new(move |_| {
            let date = chrono::Utc::now() + chrono::TimeDelta::minutes(minutes);
            Reply::json(200, json!({"value": []}))
                .with("date", &date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
        });
        assert_eq!(rig.clock.offset(), None);
        rig.graph.list().await.unwrap();
        let error = rig.clock.offset().unwrap() - chrono::TimeDelta::minutes(minutes);
        assert!(error.num_seconds().abs() <= 3, "{error}");
    }
}
