use m365_presence::ports::{PbxEvent, PbxOrder};
use serde_json::{Value, json};

use crate::stage::{ALICE, Conversation, guid, src};

const LICENSE: &str = "App(innovaphone-microsoft365)";

fn check(user: &str, h323: &str) -> PbxOrder {
    PbxOrder::CheckLicense {
        user: guid(user),
        h323: h323.into(),
        license: LICENSE.into(),
    }
}

fn answer(request: &Value, ok: bool) -> Value {
    json!({"mt": "CheckAppLicResult", "src": request["src"], "api": "PbxAdminApi", "ok": ok})
}

#[test]
fn a_check_names_the_user_by_one_name() {
    let mut pbx = Conversation::new();
    let sent = pbx.order(check(ALICE, "alice"));
    assert_eq!(
        sent,
        [
            json!({"mt": "CheckAppLic", "api": "PbxAdminApi", "src": src(&sent[0]), "h323": "alice", "lic": LICENSE})
        ]
    );
    let nameless = "00000000000000000000000000000001";
    let sent = pbx.order(check(nameless, ""));
    assert_eq!((&sent[0]["guid"], sent[0].get("h323")), (&json!(nameless), None));
}

#[test]
fn held_is_only_what_the_pbx_affirms() {
    for (members, held) in [
        (json!({"ok": true}), true),
        (json!({"ok": "true"}), true),
        (json!({"ok": false}), false),
        (json!({}), false),
        (json!({"error": "unknown user"}), false),
        (json!({"ok": []}), false),
    ] {
        let mut pbx = Conversation::new();
        let mut answer = members.clone();
        answer["mt"] = json!("CheckAppLicResult");
        answer["src"] = pbx.order(check(ALICE, "alice"))[0]["src"].clone();
        let event = PbxEvent::License {
            user: guid(ALICE),
            held,
        };
        assert_eq!(pbx.receive(answer.clone()), [event], "{members}");
        assert!(pbx.is_ignored(answer), "a second answer");
    }
}

#[test]
fn at_most_fifty_checks_are_unanswered() {
    let mut pbx = Conversation::new();
    let mut sent = Vec::new();
    for number in 0..180 {
        sent.extend(pbx.order(check(&format!("{number:032x}"), "u")));
    }
    assert_eq!(sent.len(), 50);
    // The last one answered first: a late answer must not let more than fifty be open.
    let mut open = sent;
    let mut answered = 0;
    while let Some(request) = open.pop() {
        assert_eq!(pbx.receive(answer(&request, true)).len(), 1);
        answered += 1;
        open.extend(pbx.sent());
        assert!(open.len() <= 50);
    }
    assert_eq!(answered, 180);
}

#[test]
fn a_check_whose_answer_was_lost_is_sent_anew_on_order() {
    let mut pbx = Conversation::new();
    for number in 0..60 {
        pbx.order(check(&format!("{number:032x}"), "u"));
    }
    let again = pbx.order(check(&format!("{:032x}", 3), "u"));
    assert_eq!(again.len(), 1);
    assert!(pbx.order(check(&format!("{:032x}", 55), "u")).is_empty());
    assert_eq!(pbx.receive(answer(&again[0], false)).len(), 1);
    assert_eq!(pbx.sent().len(), 1);
}
