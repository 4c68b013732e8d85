use std::time::Duration;

use m365_presence::identity::TeamsId;
use m365_presence::note::StatusMessage;
use m365_presence::ports::{GraphError, PresenceChange, PresenceIo, PresenceWrite};
use m365_presence::teams::{Source, TeamsPresence};
use serde_json::{Value, json};

use crate::support::{APP, Reply, Rig, Seen, fault};

fn write(user: &str, change: PresenceChange) -> PresenceWrite {
    PresenceWrite {
        user: TeamsId::new(user),
        change,
        renewal: false,
    }
}

fn in_a_call(user: &str) -> PresenceWrite {
    let presence = TeamsPresence::new("Busy", "InACall");
    write(
        user,
        PresenceChange::SetSession {
            presence,
            lifetime: Duration::from_secs(600),
        },
    )
}

#[actix_rt::test]
async fn many_users_are_read_in_chunks_that_graph_takes() {
    let rig = Rig::new(|seen| {
        let ids = seen.json()["ids"].as_array().unwrap().clone();
        if ids.len() > 650 {
            return Reply::text(400, "");
        }
        let value: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "availability": "Away", "activity": "Away"}))
            .collect();
        Reply::json(200, json!({ "value": value }))
    });
    let users: Vec<_> = (0..651)
        .map(|number| TeamsId::new(format!("u{number}")))
        .collect();
    let before = chrono::Utc::now() - chrono::TimeDelta::seconds(3);
    let seen = rig.graph.read(&users).await.unwrap();
    assert_eq!((seen.len(), rig.server.journal().len()), (651, 2));
    assert!(matches!(seen[0].source, Source::Read { begun_at } if begun_at >= before));
    assert!(rig.graph.read(&[]).await.unwrap().is_empty());
}

#[actix_rt::test]
async fn a_single_write_goes_directly() {
    let rig = Rig::new(|_| Reply::text(200, ""));
    assert!(rig.graph.write(&[in_a_call("OID")]).await[0].is_ok());
    let journal = rig.server.journal();
    assert_eq!(journal[0].path, "/v1.0/users/oid/presence/setPresence");
    assert_eq!(
        journal[0].json(),
        json!({"sessionId": APP, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT10M"})
    );
}

#[actix_rt::test]
async fn a_status_message_is_written_as_text_with_its_end_and_taken_back_by_an_empty_one() {
    let rig = Rig::new(|_| Reply::text(200, ""));
    let set = PresenceChange::SetMessage {
        message: StatusMessage::of_note("back at 3, <3 & \"all\"").unwrap(),
        until: "2026-11-26T12:00:00Z".parse().unwrap(),
    };
    for change in [set, PresenceChange::ClearMessage] {
        assert!(rig.graph.write(&[write("OID", change)]).await[0].is_ok());
    }
    let journal = rig.server.journal();
    assert_eq!(journal[0].path, "/v1.0/users/oid/presence/setStatusMessage");
    assert_eq!(
        journal[0].json(),
        json!({"statusMessage": {
            "message": {"content": "back at 3, <3 & \"all\"", "contentType": "text"},
            "expiryDateTime": {"dateTime": "2026-11-26T12:00:00.000000", "timeZone": "UTC"},
        }})
    );
    assert_eq!(journal[1].path, "/v1.0/users/oid/presence/setStatusMessage");
    assert_eq!(
        journal[1].json(),
        json!({"statusMessage": {"message": {"content": "", "contentType": "text"}}})
    );
}

#[actix_rt::test]
async fn an_empty_success_is_one_even_where_it_is_called_a_web_page() {
    let rig = Rig::new(|_| Reply::text(200, "").with("content-type", "text/html; charset=utf-8"));
    assert!(rig.graph.write(&[in_a_call("OID")]).await[0].is_ok());
    let rig = Rig::new(|_| Reply::text(200, "<html>sign in</html>").with("content-type", "text/html"));
    let result = rig.graph.write(&[in_a_call("OID")]).await.remove(0);
    assert!(matches!(result, Err(GraphError::Lost { .. })), "{result:?}");
}

/// A batch whose items each get what their user's name says.
fn mixed(seen: &Seen) -> Reply {
    if !seen.path.ends_with("/$batch") {
        return Reply::text(200, "");
    }
    let requests = seen.json()["requests"].as_array().unwrap().clone();
    assert!(requests.len() <= 20);
    let mut responses: Vec<Value> = requests
        .iter()
        .filter_map(|request| {
            let name = request["url"].as_str().unwrap().split('/').nth(2).unwrap();
            let (status, headers, body) = match name {
                "gone" => (404, json!({}), fault("NotFound", "no such session")),
                "slow" => (429, json!({"Retry-After": "7"}), fault("TooManyRequests", "")),
                "bad" => (400, json!({}), fault("BadRequest", "no")),
                "left-out" => return None,
                _ => (200, json!({}), Value::Null),
            };
            Some(json!({"id": request["id"], "status": status, "headers": headers, "body": body}))
        })
        .collect();
    responses.reverse();
    Reply::json(200, json!({ "responses": responses }))
}

#[actix_rt::test]
async fn each_item_of_a_batch_has_its_own_result_in_the_callers_order() {
    let rig = Rig::new(mixed);
    let illegal = PresenceChange::SetPreferred {
        presence: TeamsPresence::new("Busy", "InACall"),
        lifetime: Duration::from_secs(600),
    };
    let writes = [
        in_a_call("fine"),
        write("gone", PresenceChange::ClearSession),
        in_a_call("bad"),
        in_a_call("left-out"),
        write("illegal", illegal),
        write("fine-too", PresenceChange::ClearPreferred),
        in_a_call("slow"),
    ];
    let results = rig.graph.write(&writes).await;
    assert!(
        results[0].is_ok() && results[1].is_ok() && results[5].is_ok(),
        "{results:?}"
    );
    assert!(
        matches!(&results[2], Err(GraphError::Refused { status: 400, code, .. }) if code == "BadRequest")
    );
    assert!(matches!(results[3], Err(GraphError::Lost { .. })));
    assert!(matches!(&results[4], Err(GraphError::Refused { code, .. }) if code == "IllegalPair"));
    let wait = Duration::from_secs(7);
    assert!(matches!(results[6], Err(GraphError::Throttled { retry_after }) if retry_after == wait));
    let journal = rig.server.journal();
    assert_eq!(journal.len(), 1);
    assert!(!journal[0].body.contains("illegal"));
    let next = rig.graph.write(&[in_a_call("fine")]).await;
    assert!(
        matches!(next[0], Err(GraphError::Throttled { .. })),
        "the family waits"
    );
}

#[actix_rt::test]
async fn without_batches_every_write_goes_directly() {
    for status in [400, 404, 405, 501] {
        let rig = Rig::new(move |seen| match seen.path.as_str() {
            "/v1.0/$batch" => Reply::text(status, ""),
            path if path.contains("/b/") => Reply::json(403, fault("Forbidden", "")),
            _ => Reply::text(200, ""),
        });
        let results = rig
            .graph
            .write(&[in_a_call("a"), in_a_call("b"), in_a_call("c")])
            .await;
        assert!(results[0].is_ok() && results[2].is_ok());
        assert!(matches!(results[1], Err(GraphError::Refused { status: 403, .. })));
        assert_eq!(rig.server.count("/setPresence"), 3);
    }
}

#[actix_rt::test]
async fn more_writes_than_a_batch_holds_become_several() {
    let rig = Rig::new(mixed);
    let writes: Vec<_> = (0..41).map(|number| in_a_call(&format!("u{number}"))).collect();
    let results = rig.graph.write(&writes).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 41);
    let paths: Vec<_> = rig.server.journal().into_iter().map(|seen| seen.path).collect();
    assert_eq!(
        paths,
        [
            "/v1.0/$batch",
            "/v1.0/$batch",
            "/v1.0/users/u40/presence/setPresence"
        ]
    );
}

#[actix_rt::test]
async fn a_token_that_ends_inside_a_batch_is_refreshed() {
    let rig = Rig::new(|seen| match (seen.path.as_str(), seen.header("authorization")) {
        ("/v1.0/$batch", _) => Reply::json(
            200,
            json!({"responses": [
                {"id": "0", "status": 401, "body": fault("InvalidAuthenticationToken", "")},
                {"id": 1, "status": "200"},
            ]}),
        ),
        (_, "Bearer token-2") => Reply::text(200, ""),
        _ => Reply::json(401, fault("InvalidAuthenticationToken", "")),
    });
    let results = rig.graph.write(&[in_a_call("a"), in_a_call("b")]).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

#[actix_rt::test]
async fn a_lost_batch_is_lost_for_every_write() {
    let rig = Rig::new(|_| Reply::text(502, "<html></html>"));
    let results = rig.graph.write(&[in_a_call("a"), in_a_call("b")]).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(GraphError::Lost { .. })))
    );
}
