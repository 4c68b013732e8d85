use m365_presence::licensing::ListedLicense;
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
        (json!({"ok": []}), false),
        (json!({"ok": false, "error": 0}), false),
        (json!({"ok": true, "error": "but why"}), true),
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
fn an_error_is_no_answer_and_is_told_as_what_it_is() {
    for members in [
        json!({"error": "database locked"}),
        json!({"ok": false, "error": 3, "errorText": "database locked"}),
    ] {
        let mut pbx = Conversation::new();
        let mut answer = members.clone();
        answer["mt"] = json!("CheckAppLicResult");
        answer["src"] = pbx.order(check(ALICE, "alice"))[0]["src"].clone();
        let event = PbxEvent::LicenseFailed {
            user: guid(ALICE),
            message: "database locked".to_owned(),
        };
        assert_eq!(pbx.receive(answer), [event], "{members}");
    }
}

#[test]
fn a_late_answer_to_an_earlier_check_says_nothing() {
    let mut pbx = Conversation::new();
    let earlier = pbx.order(check(ALICE, "alice"));
    let later = pbx.order(check(ALICE, "alice"));
    assert_ne!(src(&earlier[0]), src(&later[0]));
    assert_eq!(pbx.receive(answer(&earlier[0], true)), []);
    let event = PbxEvent::License {
        user: guid(ALICE),
        held: false,
    };
    assert_eq!(pbx.receive(answer(&later[0], false)), [event]);
}

#[test]
fn checks_that_are_given_up_hold_no_place() {
    let mut pbx = Conversation::new();
    let given_up = (0..80).map(|number| pbx.order(check(&format!("{number:032x}"), "u")));
    let given_up: Vec<Value> = given_up.flatten().collect();
    assert_eq!(given_up.len(), 50);
    assert!(pbx.order(PbxOrder::DropLicenseChecks).is_empty());
    assert_eq!(pbx.order(check(ALICE, "alice")).len(), 1);
    assert!(pbx.is_ignored(answer(&given_up[0], true)));
}

#[test]
fn licenses_are_listed_with_their_numbers_as_text() {
    let mut pbx = Conversation::new();
    let sent = pbx.order(PbxOrder::ListLicenses);
    assert_eq!(
        sent,
        [json!({"mt": "GetPbxLicenses", "api": "PbxAdminApi", "src": src(&sent[0])})]
    );
    let lines = json!([
        {"name": "Port", "version": "13", "count": "0", "local": "3", "slaves": "0", "used": "3"},
        {"name": LICENSE, "count": 50, "used": "20"},
        {"count": "1"},
        "nonsense",
    ]);
    let list = json!({"mt": "GetPbxLicensesResult", "src": src(&sent[0]), "lic": lines});
    let line = |name: &str, count, used| ListedLicense {
        name: name.to_owned(),
        count,
        used,
    };
    let listed = vec![line("Port", 0, 3), line(LICENSE, 50, 20)];
    assert_eq!(pbx.receive(list.clone()), [PbxEvent::LicensesListed(listed)]);
    assert!(pbx.is_ignored(list), "nobody asked again");
}

#[test]
fn a_pbx_in_test_mode_lists_nothing_and_a_refused_list_says_nothing() {
    let mut pbx = Conversation::new();
    let sent = pbx.order(PbxOrder::ListLicenses);
    let refused = json!({"mt": "GetPbxLicensesResult", "src": src(&sent[0]), "error": "no right"});
    assert!(pbx.is_ignored(refused));
    let empty = json!({"mt": "GetPbxLicensesResult", "src": src(&sent[0])});
    assert_eq!(pbx.receive(empty), [PbxEvent::LicensesListed(Vec::new())]);
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
