//! What nobody should send and some day somebody does: on every endpoint it is lost or refused with a clear sentence.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Utc;
use m365_presence::identity::{Credential, SubscriptionId, TeamsId};
use m365_presence::ports::{
    GraphError, PresenceChange, PresenceIo, PresenceWrite, SubscriptionKind, SubscriptionRequest,
    Subscriptions, Users,
};
use m365_presence::secret::Secret;
use serde_json::{Value, json};

use crate::support::{Reply, Rig, Seen};

/// Bodies that no endpoint documents.
const BODIES: [&str; 12] = [
    "",
    " ",
    "<html><body>Our services aren't available right now</body></html>",
    r#"{"error":{"code":"ServiceUnavail"#,
    r#"{"error":{"code":"NobodyKnowsThisCode","message":"and nobody knows this text"}}"#,
    r#"{"error":{"code":7,"message":[],"innerError":"none"}}"#,
    r#"{"error":[]}"#,
    r#"{"error":"a string"}"#,
    r#"{"error":null,"value":null}"#,
    "[]",
    "7",
    "\u{feff}{}",
];

/// What every endpoint makes of the same answer, by name.
async fn ask_everything(status: u16, body: &'static str) -> Vec<(&'static str, Result<(), GraphError>)> {
    let rig = || Rig::new(move |_| Reply::text(status, body));
    let id = SubscriptionId::new("s");
    let request = SubscriptionRequest {
        kind: SubscriptionKind::Users,
        users: vec![],
        client_state: Secret::new("s"),
        expires_at: Utc::now(),
        certificate: None,
    };
    let writes = [write("a"), write("b")];
    let mut outcomes = vec![
        ("users", Users::list(&rig().graph).await.map(drop)),
        ("read", rig().graph.read(&[TeamsId::new("a")]).await.map(drop)),
        ("create", rig().graph.create(&request).await.map(drop)),
        (
            "renew",
            rig()
                .graph
                .renew(&Credential::App, &id, Utc::now(), None)
                .await
                .map(drop),
        ),
        (
            "delete",
            rig().graph.delete(&Credential::App, &id).await.map(drop),
        ),
        (
            "list",
            Subscriptions::list(&rig().graph, &Credential::App)
                .await
                .map(drop),
        ),
    ];
    for result in rig().graph.write(&writes[..1]).await {
        outcomes.push(("write", result));
    }
    for result in rig().graph.write(&writes).await {
        outcomes.push(("batch", result));
    }
    outcomes
}

fn write(user: &str) -> PresenceWrite {
    PresenceWrite {
        user: TeamsId::new(user),
        change: PresenceChange::ClearPreferred,
        renewal: false,
    }
}

/// A sentence that an administrator may read: not empty, on one line, and nothing of a web page.
fn is_clear(error: &GraphError) -> bool {
    let text = error.to_string();
    !text.is_empty() && text.len() < 400 && !text.contains('<') && !text.contains('\n')
}

#[actix_rt::test]
async fn an_odd_error_of_a_failing_server_is_lost_whatever_it_holds() {
    for status in [500, 502, 503, 504, 599] {
        for body in BODIES {
            for (endpoint, outcome) in ask_everything(status, body).await {
                let Err(error) = outcome else {
                    panic!("{endpoint} took {status} {body:?} for a success");
                };
                let lost = matches!(error, GraphError::Lost { .. } | GraphError::Unreachable { .. });
                assert!(lost && is_clear(&error), "{endpoint}, {status} {body:?}: {error}");
            }
        }
    }
}

#[actix_rt::test]
async fn an_odd_refusal_is_a_refusal_whatever_it_holds() {
    for status in [400, 403, 404, 409, 423] {
        for body in BODIES {
            for (endpoint, outcome) in ask_everything(status, body).await {
                // what is gone, conflicts or is declined has a meaning of its own there
                let Err(error) = outcome else { continue };
                let refused = matches!(&error, GraphError::Refused { status: told, .. } if *told == status);
                assert!(
                    refused && is_clear(&error),
                    "{endpoint}, {status} {body:?}: {error}"
                );
            }
        }
    }
}

#[actix_rt::test]
async fn a_call_for_patience_counts_whatever_it_holds() {
    for body in BODIES {
        for (endpoint, outcome) in ask_everything(429, body).await {
            let throttled = matches!(outcome, Err(GraphError::Throttled { .. }));
            assert!(throttled, "{endpoint} {body:?}: {outcome:?}");
        }
    }
}

#[actix_rt::test]
async fn a_success_without_its_content_is_none() {
    for body in BODIES {
        for (endpoint, outcome) in ask_everything(200, body).await {
            // a write and a delete are granted by the status alone
            match (endpoint, outcome) {
                ("write" | "delete", outcome) => assert!(outcome.is_ok(), "{endpoint} {body:?}: {outcome:?}"),
                (_, Err(error @ GraphError::Lost { .. })) => assert!(is_clear(&error), "{endpoint}: {error}"),
                (_, outcome) => panic!("{endpoint} {body:?}: {outcome:?}"),
            }
        }
    }
}

fn user(id: usize) -> Value {
    json!({"id": format!("u{id}"), "displayName": "x"})
}

fn page(seen: &Seen, users: &[Value], token: usize) -> Reply {
    let next = format!("http://{}/v1.0/users?$skiptoken={token}", seen.header("host"));
    Reply::json(200, json!({"value": users, "@odata.nextLink": next}))
}

#[actix_rt::test]
async fn a_list_without_an_end_ends() {
    let asked = AtomicUsize::new(0);
    let rig = Rig::new(move |seen| {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        page(seen, &[user(number % 3)], number)
    });
    let outcome = Users::list(&rig.graph).await;
    assert!(
        matches!(&outcome, Err(GraphError::Lost { detail }) if detail.contains("no end")),
        "{outcome:?}"
    );
    assert!(rig.server.journal().len() < 200);
}

#[actix_rt::test]
async fn empty_pages_in_between_are_passed_over() {
    let asked = AtomicUsize::new(0);
    let rig = Rig::new(move |seen| match asked.fetch_add(1, Ordering::Relaxed) {
        number @ (0 | 40) => page(seen, &[user(number)], number),
        41 => Reply::json(200, json!({"value": [user(41)], "@odata.nextLink": null})),
        number => page(seen, &[], number),
    });
    assert_eq!(Users::list(&rig.graph).await.unwrap().len(), 3);
    let journal = rig.server.journal();
    assert!(
        journal
            .iter()
            .all(|seen| seen.header("consistencylevel") == "eventual")
    );
}

#[actix_rt::test]
async fn a_pause_in_the_middle_of_a_list_costs_no_page_twice() {
    let asked = AtomicUsize::new(0);
    let rig = Rig::new(move |seen| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => page(seen, &[user(1)], 1),
        1 => Reply::text(429, "").with("retry-after", "1"),
        _ => Reply::json(200, json!({"value": [user(2)]})),
    });
    assert_eq!(Users::list(&rig.graph).await.unwrap().len(), 2);
    let journal = rig.server.journal();
    let queries: Vec<&str> = journal.iter().map(|seen| seen.query.as_str()).collect();
    assert_eq!(queries[1..], ["$skiptoken=1", "$skiptoken=1"]);
}

#[actix_rt::test]
async fn no_token_leaves_for_another_host_however_the_link_is_dressed() {
    let stranger = Rig::new(|_| Reply::json(200, json!({"value": []})));
    let theirs = stranger.server.url.trim_start_matches("http://").to_owned();
    for dress in [
        "http://{theirs}/v1.0/users",
        "http://{ours}@{theirs}/v1.0/users",
        "http://{ours}:x@{theirs}/v1.0/users",
        "http://{theirs}\\@{ours}/v1.0/users",
        "http://{theirs}#@{ours}/v1.0/users",
        "http://{theirs}/v1.0/users?{ours}",
        "https://{ours}/v1.0/users",
        "HTTP://{ours}.{theirs}/v1.0/users",
        "//{ours}/v1.0/users",
        "/v1.0/users?$skiptoken=1",
        "users?$skiptoken=1",
        "ftp://{ours}/v1.0/users",
        "http:/{ours}/v1.0/users",
        "",
        " http://{ours}/v1.0/users",
        "http://{ours}/v1.0/users\r\nHost: {theirs}",
    ] {
        let theirs = theirs.clone();
        let asked = AtomicUsize::new(0);
        let rig = Rig::new(move |seen| {
            let ours = seen.header("host");
            let link = dress.replace("{ours}", ours).replace("{theirs}", &theirs);
            match asked.fetch_add(1, Ordering::Relaxed) {
                0 => Reply::json(200, json!({"value": [user(1)], "@odata.nextLink": link})),
                _ => Reply::json(200, json!({"value": [user(2)]})),
            }
        });
        let outcome = Users::list(&rig.graph).await;
        assert!(stranger.server.journal().is_empty(), "{dress} was followed");
        match outcome {
            Err(GraphError::Refused { code, message, .. }) => {
                assert_eq!(code, "ForeignNextLink", "{dress}");
                assert!(message.contains("gets no token"), "{message}");
            }
            // the line break travels as percent codes, to our own host
            outcome => assert!(dress.contains('\n') && outcome.is_ok(), "{dress}: {outcome:?}"),
        }
    }
}

#[actix_rt::test]
async fn a_link_with_odd_characters_is_followed_as_it_is_written() {
    let odd = "$filter=userType+eq+%27Member%27&$skiptoken=RFNwd-_.~!*'();:@/?=,%2B%25%20";
    let rig = Rig::new(move |seen| match seen.query.as_str() {
        query if query == odd => Reply::json(200, json!({"value": [user(2)]})),
        _ => {
            let next = format!("http://{}/v1.0/users?{odd}", seen.header("host"));
            Reply::json(200, json!({"value": [user(1)], "@odata.nextLink": next}))
        }
    });
    assert_eq!(Users::list(&rig.graph).await.unwrap().len(), 2);
    assert_eq!(rig.server.journal()[1].query, odd);
}

#[actix_rt::test]
async fn a_link_that_is_no_text_is_no_page() {
    for link in [json!(7), json!({}), json!([]), json!(true)] {
        let rig = Rig::new(move |_| Reply::json(200, json!({"value": [], "@odata.nextLink": link})));
        assert!(matches!(
            Users::list(&rig.graph).await,
            Err(GraphError::Lost { .. })
        ));
    }
}

#[actix_rt::test]
async fn presences_count_once_for_whoever_was_asked_for() {
    let rig = Rig::new(|_| {
        Reply::json(
            200,
            json!({"value": [
                {"id": "FOREIGN", "availability": "Busy", "activity": "Busy"},
                {"id": "A", "availability": "Busy", "activity": "Busy"},
                {"id": "a", "availability": "Away", "activity": "Away"},
                {"id": "b", "availability": "Available", "activity": null},
                {"id": "c", "availability": null, "activity": "Away"},
                {"id": "d", "availability": 7, "activity": "Away"},
                {"id": null, "availability": "Busy", "activity": "Busy"},
                null, 7, [],
            ]}),
        )
    });
    let asked = ["A", "b", "c", "d", "missing"].map(TeamsId::new);
    let seen = rig.graph.read(&asked).await.unwrap();
    let told: Vec<_> = seen
        .iter()
        .map(|seen| (seen.user.as_str(), seen.presence.activity.as_str()))
        .collect();
    assert_eq!(told, [("a", "Away")]);
}
