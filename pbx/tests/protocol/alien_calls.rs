use m365_presence::ports::{PbxEvent, PbxOrder};
use serde_json::{Value, json};

use crate::stage::{ALICE, Conversation, guid, src};

fn order(on: bool) -> PbxOrder {
    PbxOrder::SetAlienCall {
        user: guid(ALICE),
        h323: "alice".into(),
        on,
    }
}

fn set(on: bool) -> Vec<PbxEvent> {
    vec![PbxEvent::AlienCallSet {
        user: guid(ALICE),
        on,
    }]
}

fn answer(request: &Value, members: Value) -> Value {
    let mut answer = members;
    answer["mt"] = json!(format!("{}Result", request["mt"].as_str().unwrap()));
    answer["src"] = request["src"].clone();
    answer["api"] = request["api"].clone();
    answer
}

/// A user with a call of ours on the channel `PbxApi.0`.
fn standing() -> Conversation {
    let mut pbx = Conversation::new();
    let create = pbx.order(order(true)).remove(0);
    assert_eq!(pbx.receive(answer(&create, json!({"target": "PbxApi.0"}))), []);
    let add = pbx.sent().remove(0);
    assert_eq!(pbx.receive(answer(&add, json!({"id": 5}))), set(true));
    pbx
}

#[test]
fn a_call_is_put_on_a_user_by_a_channel_of_his() {
    let mut pbx = Conversation::new();
    let sent = pbx.order(order(true));
    let create = json!({"mt": "CreateApi", "api": "PbxImpersonation", "src": src(&sent[0]), "sip": "alice", "target": "PbxApi"});
    assert_eq!(sent, [create]);
    assert_eq!(pbx.receive(answer(&sent[0], json!({"target": "PbxApi.7"}))), []);
    let sent = pbx.sent();
    assert_eq!(
        sent,
        [json!({"mt": "AddAlienCall", "api": "PbxApi.7", "src": src(&sent[0])})]
    );
    assert_eq!(pbx.receive(answer(&sent[0], json!({"id": "5"}))), set(true));
    let sent = pbx.order(order(false));
    assert_eq!(
        sent,
        [json!({"mt": "DelAlienCall", "api": "PbxApi.7", "src": src(&sent[0]), "id": "5"})]
    );
    assert_eq!(pbx.receive(answer(&sent[0], json!({}))), set(false));
    let sent = pbx.sent();
    assert_eq!(
        (&sent[0]["mt"], &sent[0]["target"]),
        (&json!("DeleteApi"), &json!("PbxApi.7"))
    );
    assert_eq!(pbx.receive(answer(&sent[0], json!({"ok": true}))), []);
    assert!(pbx.sent().is_empty());
}

#[test]
fn a_refusal_is_told_and_leaves_no_channel_behind() {
    let refused = |message: &str| {
        vec![PbxEvent::AlienCallRefused {
            user: guid(ALICE),
            message: message.into(),
        }]
    };
    let mut pbx = Conversation::new();
    let create = pbx.order(order(true)).remove(0);
    assert_eq!(
        pbx.receive(answer(&create, json!({"error": "no right"}))),
        refused("no right")
    );
    let create = pbx.order(order(true)).remove(0);
    pbx.receive(answer(&create, json!({"target": "PbxApi.1"})));
    let add = pbx.sent().remove(0);
    assert_eq!(
        pbx.receive(answer(
            &add,
            json!({"error": 1, "errorText": "user is elsewhere"})
        )),
        refused("user is elsewhere")
    );
    assert_eq!(pbx.sent()[0]["mt"], "DeleteApi");
    let create = pbx.order(order(true)).remove(0);
    pbx.receive(answer(&create, json!({"target": "PbxApi.2"})));
    let add = pbx.sent().remove(0);
    assert_eq!(
        pbx.receive(answer(&add, json!({}))),
        refused("answered without a call")
    );
    assert_eq!(pbx.sent()[0]["target"], "PbxApi.2");
}

#[test]
fn a_call_that_is_not_wanted_any_more_is_taken_off_as_soon_as_it_is_there() {
    let mut pbx = Conversation::new();
    let create = pbx.order(order(true)).remove(0);
    assert!(pbx.order(order(false)).is_empty());
    assert_eq!(
        pbx.receive(answer(&create, json!({"target": "PbxApi.0"}))),
        set(false)
    );
    assert_eq!(pbx.sent()[0]["mt"], "DeleteApi");
    let create = pbx.order(order(true)).remove(0);
    pbx.receive(answer(&create, json!({"target": "PbxApi.1"})));
    let add = pbx.sent().remove(0);
    let deleted = pbx.order(order(false));
    assert!(
        deleted
            .iter()
            .all(|request| request["mt"] == "DeleteApi" && request["target"] == "PbxApi.1")
    );
    assert_eq!(pbx.receive(answer(&add, json!({"id": 1}))), [], "too late");
    assert_eq!(
        pbx.receive(answer(deleted.last().unwrap(), json!({"ok": true}))),
        set(false)
    );
}

#[test]
fn one_that_is_wanted_again_while_it_ends_begins_anew() {
    let mut pbx = standing();
    let end = pbx.order(order(false)).remove(0);
    assert!(pbx.order(order(true)).is_empty());
    assert_eq!(pbx.receive(answer(&end, json!({}))), []);
    let sent = pbx.sent();
    assert_eq!(
        (&sent[0]["mt"], &sent[1]["mt"]),
        (&json!("DeleteApi"), &json!("CreateApi"))
    );
}

#[test]
fn what_was_left_unanswered_is_tried_again_and_late_answers_leave_nothing_behind() {
    let mut pbx = Conversation::new();
    let lost = pbx.order(order(true)).remove(0);
    let create = pbx.order(order(true)).remove(0);
    assert_ne!(src(&lost), src(&create));
    assert_eq!(pbx.receive(answer(&lost, json!({"target": "PbxApi.0"}))), []);
    let sent = pbx.sent();
    assert_eq!(
        (&sent[0]["mt"], &sent[0]["target"]),
        (&json!("DeleteApi"), &json!("PbxApi.0"))
    );
    pbx.receive(answer(&create, json!({"target": "PbxApi.1"})));
    let lost = pbx.sent().remove(0);
    let sent = pbx.order(order(true));
    assert_eq!(
        (&sent[0]["mt"], &sent[0]["target"], &sent[1]["mt"]),
        (&json!("DeleteApi"), &json!("PbxApi.1"), &json!("CreateApi"))
    );
    assert_eq!(pbx.receive(answer(&lost, json!({"id": 1}))), []);
    let mut pbx = standing();
    pbx.order(order(false));
    let deleted = pbx.order(order(false)).remove(0);
    assert_eq!(deleted["mt"], "DeleteApi");
    let again = pbx.order(order(false)).remove(0);
    assert_eq!(
        (&again["mt"], &again["target"]),
        (&deleted["mt"], &deleted["target"])
    );
    assert_eq!(pbx.receive(answer(&again, json!({}))), set(false));
}

#[test]
fn one_that_is_given_up_and_wanted_again_stands_once() {
    let mut pbx = Conversation::new();
    let given_up = pbx.order(order(true)).remove(0);
    pbx.order(order(false));
    let create = pbx.order(order(true)).remove(0);
    assert_eq!(pbx.receive(answer(&given_up, json!({"target": "PbxApi.0"}))), []);
    assert_eq!(pbx.sent()[0]["mt"], "DeleteApi");
    pbx.receive(answer(&create, json!({"target": "PbxApi.1"})));
    let add = pbx.sent().remove(0);
    assert_eq!(
        (&add["mt"], &add["api"]),
        (&json!("AddAlienCall"), &json!("PbxApi.1"))
    );
    assert_eq!(pbx.receive(answer(&add, json!({"id": 1}))), set(true));
}

#[test]
fn an_end_that_is_refused_ends_with_its_channel() {
    let mut pbx = standing();
    let end = pbx.order(order(false)).remove(0);
    assert_eq!(
        pbx.receive(answer(&end, json!({"error": 1, "errorText": "unknown call"}))),
        set(false)
    );
    assert_eq!(pbx.sent()[0]["mt"], "DeleteApi");
}

#[test]
fn an_order_that_is_met_already_sends_nothing() {
    let mut pbx = standing();
    assert!(pbx.order(order(true)).is_empty());
    assert!(Conversation::new().order(order(false)).is_empty());
}

#[test]
fn answers_that_nobody_asked_for_are_harmless() {
    let mut pbx = Conversation::new();
    for (mt, src) in [
        ("CreateApiResult", "x"),
        ("AddAlienCallResult", "alien:"),
        ("DelAlienCallResult", "alien:a:b"),
    ] {
        assert!(pbx.is_ignored(json!({"mt": mt, "src": src})));
    }
    assert_eq!(
        pbx.receive(json!({"mt": "CreateApiResult", "src": "alien:a:1", "target": "PbxApi.3"})),
        []
    );
    assert_eq!(pbx.sent()[0]["target"], "PbxApi.3");
}
