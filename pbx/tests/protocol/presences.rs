use m365_presence::pbx::PresenceEntry;
use m365_presence::ports::{PbxEvent, PbxOrder};
use serde_json::{Value, json};

use crate::stage::{ALICE, Conversation, guid, src};

fn subscribe(user: &str) -> PbxOrder {
    PbxOrder::SubscribePresence {
        user: guid(user),
        h323: "alice".into(),
    }
}

fn unsubscribe(user: &str) -> PbxOrder {
    PbxOrder::UnsubscribePresence {
        user: guid(user),
        h323: "alice".into(),
    }
}

fn update(user: &str, presence: Value) -> Value {
    json!({"mt": "PresenceUpdate", "src": user, "api": "PbxApi", "presence": presence})
}

fn result(user: &str) -> Value {
    json!({"mt": "SubscribePresenceResult", "src": user, "api": "PbxApi"})
}

fn entry(contact: &str, activity: &str, note: &str) -> PresenceEntry {
    PresenceEntry {
        contact: contact.into(),
        activity: activity.into(),
        note: note.into(),
    }
}

#[test]
fn a_subscription_tells_the_whole_list_each_time() {
    let mut pbx = Conversation::new();
    let sent = pbx.order(subscribe(ALICE));
    assert_eq!(
        sent,
        [json!({"mt": "SubscribePresence", "api": "PbxApi", "src": ALICE, "sip": "alice"})]
    );
    assert!(pbx.receive(result(ALICE)).is_empty());
    let up = json!({"mt": "PresenceState", "src": ALICE, "api": "PbxApi", "up": true, "sip": "alice"});
    assert!(pbx.receive(up).is_empty());
    let list = json!([{"contact": "tel:", "status": "open", "activity": "busy", "note": "until 3"},
                      {"contact": "im:", "status": "closed"}, {"activity": null, "note": 3}, "sloppy"]);
    let entries = vec![
        entry("tel:", "busy", "until 3"),
        entry("im:", "", ""),
        entry("", "", "3"),
    ];
    assert_eq!(
        pbx.receive(update(ALICE, list)),
        [PbxEvent::Presence {
            user: guid(ALICE),
            entries
        }]
    );
    let nothing = json!({"mt": "PresenceUpdate", "src": ALICE});
    assert_eq!(
        pbx.receive(nothing),
        [PbxEvent::Presence {
            user: guid(ALICE),
            entries: vec![]
        }]
    );
}

#[test]
fn a_lost_presence_is_told_and_comes_back() {
    let mut pbx = Conversation::new();
    pbx.order(subscribe(ALICE));
    let down = json!({"mt": "PresenceState", "src": ALICE, "up": false});
    assert_eq!(pbx.receive(down), [PbxEvent::PresenceLost(guid(ALICE))]);
    let back = pbx.receive(update(ALICE, json!([])));
    assert_eq!(
        back,
        [PbxEvent::Presence {
            user: guid(ALICE),
            entries: vec![]
        }]
    );
}

#[test]
fn a_refused_subscription_is_told_with_the_reason() {
    for (error, text, reason) in [
        (json!(3), json!("no such user"), "no such user"),
        (json!("4"), json!(null), "4"),
        (json!(5), json!(null), "error 5"),
        (json!({}), json!(null), "refused without a reason"),
    ] {
        let mut pbx = Conversation::new();
        pbx.order(subscribe(ALICE));
        let mut refused = result(ALICE);
        refused["error"] = error;
        refused["errorText"] = text;
        let expected = PbxEvent::PresenceRefused {
            user: guid(ALICE),
            message: reason.into(),
        };
        assert_eq!(pbx.receive(refused), [expected]);
    }
    let mut pbx = Conversation::new();
    pbx.order(subscribe(ALICE));
    assert!(
        pbx.receive(json!({"mt": "SubscribePresenceResult", "src": ALICE, "error": 0}))
            .is_empty()
    );
}

#[test]
fn an_ended_subscription_tells_nothing_any_more() {
    let mut pbx = Conversation::new();
    pbx.order(subscribe(ALICE));
    let sent = pbx.order(unsubscribe(ALICE));
    assert_eq!(
        sent,
        [json!({"mt": "UnsubscribePresence", "api": "PbxApi", "src": ALICE, "sip": "alice"})]
    );
    assert!(
        pbx.receive(json!({"mt": "UnsubscribePresenceResult", "src": ALICE}))
            .is_empty()
    );
    assert!(pbx.is_ignored(update(ALICE, json!([]))));
}

#[test]
fn subscriptions_are_sent_in_bounded_batches() {
    let mut pbx = Conversation::new();
    let mut sent: Vec<Value> = Vec::new();
    for number in 0..250 {
        sent.extend(pbx.order(subscribe(&format!("{number:032x}"))));
    }
    assert_eq!(sent.len(), 100);
    let withdrawn = format!("{:032x}", 249);
    assert!(pbx.order(unsubscribe(&withdrawn)).is_empty());
    let mut answered = 0;
    while answered < sent.len() {
        pbx.receive(result(&src(&sent[answered])));
        answered += 1;
        sent.extend(pbx.sent());
        assert!(sent.len() - answered <= 100);
    }
    assert_eq!(sent.len(), 249);
}

#[test]
fn a_user_whom_the_pbx_keeps_silent_about_holds_up_nobody() {
    let mut pbx = Conversation::new();
    let mut sent = 0;
    for number in 0..150 {
        sent += pbx.order(subscribe(&format!("{number:032x}"))).len();
    }
    pbx.receive(result(&format!("{:032x}", 99)));
    assert_eq!(sent + pbx.sent().len(), 150);
}

#[test]
fn updates_of_strangers_and_of_a_wrong_form_are_ignored() {
    let mut pbx = Conversation::new();
    assert!(pbx.is_ignored(update(ALICE, json!([]))));
    pbx.order(subscribe(ALICE));
    assert!(pbx.is_ignored(update(ALICE, json!("tel:"))));
    assert!(pbx.is_ignored(json!({"mt": "PresenceUpdate", "presence": []})));
}
