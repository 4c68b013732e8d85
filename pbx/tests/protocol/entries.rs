use m365_presence::ports::{PbxDialogue, PbxEvent, PbxOrder};
use serde_json::{Value, json};

use crate::stage::{ALICE, Conversation, guid, src};

fn set(activity: &str) -> PbxOrder {
    PbxOrder::SetEntry {
        note: String::new(),
        user: guid(ALICE),
        h323: "alice".into(),
        contact: "teams:".into(),
        activity: activity.into(),
    }
}

fn result(src: &str, error: Value) -> Value {
    json!({"mt": "SetPresenceResult", "src": src, "api": "PbxApi", "error": error})
}

#[test]
fn a_write_names_the_user_and_our_contact() {
    let mut pbx = Conversation::new();
    for activity in ["busy", ""] {
        let sent = pbx.order(set(activity));
        assert_eq!(
            sent,
            [
                json!({"mt": "SetPresence", "api": "PbxApi", "src": src(&sent[0]), "guid": ALICE,
                    "sip": "alice", "contact": "teams:", "activity": activity, "note": ""})
            ]
        );
    }
}

#[test]
fn an_answer_without_an_error_is_a_success() {
    for error in [json!(null), json!(0), json!("0"), json!(false), json!("")] {
        let mut pbx = Conversation::new();
        let src = src(&pbx.order(set("busy"))[0]);
        assert_eq!(
            pbx.receive(result(&src, error)),
            [PbxEvent::EntrySet(guid(ALICE))]
        );
        assert!(pbx.is_ignored(result(&src, json!(0))));
    }
}

#[test]
fn a_refused_write_is_told_with_the_reason() {
    let mut pbx = Conversation::new();
    let src = src(&pbx.order(set("busy"))[0]);
    let mut refused = result(&src, json!(1));
    refused["errorText"] = json!("unknown user");
    let expected = PbxEvent::EntryRefused {
        user: guid(ALICE),
        message: "unknown user".into(),
    };
    assert_eq!(pbx.receive(refused), [expected]);
}

#[test]
fn only_the_newest_write_of_a_user_is_told() {
    let mut pbx = Conversation::new();
    let old = src(&pbx.order(set("busy"))[0]);
    let new = src(&pbx.order(set("away"))[0]);
    assert!(pbx.receive(result(&old, json!(1))).is_empty());
    assert_eq!(
        pbx.receive(result(&new, json!(0))),
        [PbxEvent::EntrySet(guid(ALICE))]
    );
}

#[test]
fn answers_to_nobody_are_ignored() {
    let mut pbx = Conversation::new();
    for src in ["", "set:", "set:x", "set:x:y", ALICE, "users:1"] {
        assert!(pbx.is_ignored(result(src, json!(0))), "{src}");
    }
    assert!(pbx.is_ignored(json!({"mt": "SetPresenceResult"})));
}

#[test]
fn an_answer_to_an_earlier_run_is_not_taken_for_ours() {
    let dialogues = m365_pbx::Dialogues::new("a", "0");
    let mut earlier = dialogues.begin();
    earlier.order(set("busy"));
    let sent: Value = serde_json::from_str(&earlier.outgoing()[0]).unwrap();
    let mut later = Conversation {
        dialogue: dialogues.begin(),
    };
    later.order(set("busy"));
    assert!(later.receive(result(&src(&sent), json!(0))).is_empty());
}

#[test]
fn a_message_that_no_pbx_could_take_is_not_sent() {
    let mut pbx = Conversation::new();
    assert!(pbx.order(set(&"x".repeat(m365_pbx::MESSAGE_LIMIT))).is_empty());
    assert_eq!(pbx.order(set("busy")).len(), 1);
}
