use m365_presence::identity::TeamsId;
use m365_presence::ports::{GraphError, Users};
use serde_json::{Value, json};

use crate::support::{Reply, Rig, Seen, fault};

fn user(id: &str, name: &str) -> Value {
    json!({"id": id, "displayName": name, "accountEnabled": true, "userType": "Member", "assignedPlans": []})
}

/// Two pages; the link to the second names this server by its `Host`.
fn two_pages(seen: &Seen) -> Reply {
    if seen.header("consistencylevel") != "eventual" {
        return Reply::json(400, fault("Request_BadRequest", "ConsistencyLevel is missing"));
    }
    if seen.query.contains("$skiptoken=RFN%2Bd'A") {
        return Reply::json(
            200,
            json!({"value": [user("b", "Bob, newer"), user("C", "Carol"), {"id": null}, 7]}),
        );
    }
    let next = format!(
        "http://{}/v1.0/users?$top=999&$skiptoken=RFN%2Bd'A",
        seen.header("host")
    );
    Reply::json(
        200,
        json!({"@odata.nextLink": next, "value": [user("a", "Ada"), user("B", "Bob")]}),
    )
}

#[actix_rt::test]
async fn all_pages_are_read_with_their_header_and_a_moved_user_counts_once() {
    let rig = Rig::new(two_pages);
    let users = rig.graph.list().await.unwrap();
    let names: Vec<_> = users
        .iter()
        .map(|user| (user.id.as_str(), user.display_name.as_deref().unwrap()))
        .collect();
    assert_eq!(names, [("a", "Ada"), ("b", "Bob, newer"), ("c", "Carol")]);
    let journal = rig.server.journal();
    assert_eq!(journal.len(), 2);
    assert!(journal[0].query.contains("userType") && journal[0].query.contains("$top=999"));
    assert_eq!(journal[0].header("authorization"), "Bearer token-1");
    assert_eq!(journal[0].header("client-request-id").len(), 36);
}

#[actix_rt::test]
async fn a_link_to_another_host_gets_no_token_and_is_named() {
    for link in [
        "http://127.0.0.1:1/v1.0/users",
        "https://graph.example.net/v1.0/users?x",
        "no link",
    ] {
        let rig = Rig::new(move |_| Reply::json(200, json!({"value": [], "@odata.nextLink": link})));
        let Err(GraphError::Refused { code, message, .. }) = rig.graph.list().await else {
            panic!("{link} was followed");
        };
        assert_eq!(code, "ForeignNextLink");
        let named = link
            .parse::<url::Url>()
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned));
        assert!(named.is_none_or(|host| message.contains(&host)), "{message}");
        assert_eq!(rig.server.journal().len(), 1);
    }
}

#[actix_rt::test]
async fn a_byte_order_mark_is_read_over() {
    let rig = Rig::new(|_| Reply::text(200, "\u{feff}{\"value\":[{\"id\":\"a\"}]}"));
    assert_eq!(rig.graph.list().await.unwrap().len(), 1);
}

#[actix_rt::test]
async fn a_list_is_whole_or_an_error() {
    let rig = Rig::new(|seen| match seen.query.contains("$skiptoken") {
        true => Reply::text(502, "<html>bad gateway</html>"),
        false => two_pages(seen),
    });
    assert!(matches!(rig.graph.list().await, Err(GraphError::Lost { .. })));
    for body in [
        "",
        "<html></html>",
        "{}",
        r#"{"value":7}"#,
        r#"{"value":[{"id":"a"}"#,
    ] {
        let rig = Rig::new(move |_| Reply::text(200, body));
        assert!(
            matches!(rig.graph.list().await, Err(GraphError::Lost { .. })),
            "{body}"
        );
    }
}

#[actix_rt::test]
async fn pages_that_lead_in_circles_end() {
    let rig = Rig::new(|seen| {
        let next = format!("http://{}/v1.0/users?$skiptoken=again", seen.header("host"));
        Reply::json(200, json!({"value": [user("a", "Ada")], "@odata.nextLink": next}))
    });
    assert!(matches!(rig.graph.list().await, Err(GraphError::Lost { .. })));
}

#[actix_rt::test]
async fn a_page_larger_than_awcs_own_limit_is_read() {
    let rig = Rig::new(|_| {
        let name = "x".repeat(3000);
        let users: Vec<_> = (0..999)
            .map(|number| user(&format!("u{number}"), &name))
            .collect();
        Reply::json(200, json!({ "value": users }))
    });
    assert_eq!(rig.graph.list().await.unwrap().len(), 999);
}

#[actix_rt::test]
async fn a_missing_permission_is_a_refusal_with_its_code() {
    let rig = Rig::new(|_| {
        Reply::json(
            403,
            fault("Authorization_RequestDenied", "Insufficient privileges"),
        )
    });
    let Err(GraphError::Refused { status, code, .. }) = rig.graph.list().await else {
        panic!("not refused")
    };
    assert_eq!((status, code.as_str()), (403, "Authorization_RequestDenied"));
}

#[actix_rt::test]
async fn a_guest_without_a_plan_is_listed_as_what_he_is() {
    let rig = Rig::new(|_| {
        Reply::json(
            200,
            json!({"value": [
                {"id": "g", "userType": "Guest", "accountEnabled": false, "assignedPlans": [
                    {"servicePlanId": "57ff2da0-773e-42df-b2af-ffb7a2317929", "capabilityStatus": "Warning"},
                ]},
            ]}),
        )
    });
    let users = rig.graph.list().await.unwrap();
    assert_eq!(users[0].id, TeamsId::new("g"));
    assert_eq!(
        (users[0].guest, users[0].account_enabled, users[0].teams_plan),
        (true, false, true)
    );
}
