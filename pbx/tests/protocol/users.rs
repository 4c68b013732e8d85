use m365_presence::pbx::PbxUser;
use m365_presence::ports::{PbxEvent, PbxOrder};
use serde_json::{Value, json};

use crate::stage::{ALICE, Conversation, guid, src};

fn row(kind: &str, src: &str, columns: Value) -> Value {
    json!({"mt": kind, "src": src, "api": "PbxTableUsers", "columns": columns})
}

fn next(src: &str) -> Value {
    json!({"mt": "ReplicateNext", "api": "PbxTableUsers", "src": src})
}

fn alice() -> Value {
    json!({"guid": ALICE, "h323": "alice", "cn": "Alice Müller", "dn": "Müller, Alice", "loc": "master"})
}

fn listed(h323: &str, cn: &str, home: &str) -> PbxEvent {
    PbxEvent::UserListed(PbxUser {
        guid: guid(ALICE),
        h323: h323.into(),
        cn: cn.into(),
        home: home.into(),
    })
}

#[test]
fn a_replication_reads_row_by_row_until_a_result_without_columns() {
    let mut pbx = Conversation::new();
    let sent = pbx.order(PbxOrder::ReplicateUsers);
    let src = src(&sent[0]);
    assert_eq!(
        sent,
        [
            json!({"mt": "ReplicateStart", "api": "PbxTableUsers", "src": src, "add": false, "del": false,
                "columns": {"guid": {}, "h323": {}, "cn": {}, "dn": {}, "loc": {}, "config": {}},
                "pseudo": ["", "executive"]})
        ]
    );
    pbx.receive(
        json!({"mt": "ReplicateStartResult", "src": src, "api": "PbxTableUsers",
                       "guid": "db", "usn": 0, "columns": {"guid": {}}}),
    );
    assert_eq!(pbx.sent(), [next(&src)]);
    let events = pbx.receive(row("ReplicateNextResult", &src, alice()));
    assert_eq!(events, [listed("alice", "Alice Müller", "master")]);
    assert_eq!(pbx.sent(), [next(&src)]);
    let end = pbx.receive(json!({"mt": "ReplicateNextResult", "src": src, "api": "PbxTableUsers"}));
    assert_eq!(end, [PbxEvent::UsersComplete]);
    assert!(pbx.sent().is_empty());
    assert!(pbx.is_ignored(row("ReplicateNextResult", &src, alice())));
}

#[test]
fn empty_columns_and_columns_without_a_guid_end_the_table_too() {
    let nobody = [json!({"cn": "x"}), json!({"guid": ""})];
    let nothing = [json!({}), json!(null), json!([]), json!(""), json!(false)];
    for columns in nobody.into_iter().chain(nothing) {
        let mut pbx = Conversation::new();
        let src = pbx.replicating();
        assert_eq!(
            pbx.receive(row("ReplicateNextResult", &src, columns)),
            [PbxEvent::UsersComplete]
        );
    }
}

#[test]
fn rows_may_be_incomplete_and_their_values_of_another_type() {
    let mut pbx = Conversation::new();
    let src = pbx.replicating();
    let upper = ALICE.to_uppercase();
    let events = pbx.receive(row(
        "ReplicateNextResult",
        &src,
        json!({"guid": upper, "h323": 403, "cn": false}),
    ));
    assert_eq!(events, [listed("403", "", "")]);
    let malformed = pbx.is_ignored(row("ReplicateNextResult", &src, json!("x")));
    assert!(malformed);
    assert_eq!(pbx.sent(), [next(&src), next(&src)]);
}

#[test]
fn live_changes_come_before_during_and_after_the_table() {
    let mut pbx = Conversation::new();
    let src = src(&pbx.order(PbxOrder::ReplicateUsers)[0]);
    let all = [listed("alice", "Alice Müller", "master")];
    assert_eq!(pbx.receive(row("ReplicateAdd", &src, alice())), all);
    pbx.receive(json!({"mt": "ReplicateStartResult", "src": src}));
    assert_eq!(pbx.receive(row("ReplicateUpdate", &src, alice())), all);
    pbx.receive(json!({"mt": "ReplicateNextResult", "src": src}));
    pbx.sent();
    assert_eq!(pbx.receive(row("ReplicateUpdate", &src, alice())), all);
    let removed = pbx.receive(row("ReplicateDel", &src, json!({"guid": ALICE})));
    assert_eq!(removed, [PbxEvent::UserRemoved(guid(ALICE))]);
    assert!(pbx.sent().is_empty());
    let at_the_top = json!({"mt": "ReplicateDel", "src": src, "api": "PbxTableUsers", "guid": ALICE});
    assert_eq!(pbx.receive(at_the_top), [PbxEvent::UserRemoved(guid(ALICE))]);
    assert!(pbx.is_ignored(json!({"mt": "ReplicateDel", "src": src, "api": "PbxTableUsers"})));
}

#[test]
fn an_update_as_a_real_pbx_sends_it_is_read() {
    let mut pbx = Conversation::new();
    let src = pbx.replicating();
    let update = json!({"mt": "ReplicateUpdate", "src": src, "api": "PbxTableUsers", "columns": {
        "apps-my": "users", "cn": "Charlotte", "config": "Config User", "dn": "C", "e164": "403", "fax": false,
        "grps": [{"name": "Support"}], "guid": ALICE, "h323": "charlotte", "hide": false, "loc": "pbx-main",
        "node": "master", "t-allows": [{"name": "@", "online": true}]}});
    assert_eq!(
        pbx.receive(update),
        [listed("charlotte", "Charlotte", "pbx-main")]
    );
}

#[test]
fn a_refused_table_is_told_with_the_reason() {
    for kind in ["ReplicateStartResult", "ReplicateNextResult"] {
        let mut pbx = Conversation::new();
        let src = match kind {
            "ReplicateStartResult" => src(&pbx.order(PbxOrder::ReplicateUsers)[0]),
            _ => pbx.replicating(),
        };
        let events = pbx.receive(json!({"mt": kind, "src": src, "error": "no access"}));
        assert_eq!(
            events,
            [PbxEvent::UsersRefused {
                message: "no access".into()
            }]
        );
        assert!(pbx.sent().is_empty());
    }
}

#[test]
fn a_second_replication_supersedes_the_first() {
    let mut pbx = Conversation::new();
    let old = pbx.replicating();
    let new = src(&pbx.order(PbxOrder::ReplicateUsers)[0]);
    assert!(pbx.is_ignored(json!({"mt": "ReplicateNextResult", "src": old})));
    assert!(pbx.is_ignored(json!({"mt": "ReplicateNextResult", "src": new})));
    pbx.receive(json!({"mt": "ReplicateStartResult", "src": new}));
    assert_eq!(pbx.sent(), [next(&new)]);
}

#[test]
fn what_nobody_asked_for_is_ignored() {
    let mut pbx = Conversation::new();
    assert!(pbx.is_ignored(row("ReplicateUpdate", "users:1", alice())));
    let src = pbx.replicating();
    assert!(pbx.is_ignored(row("ReplicateUpdate", "other", alice())));
    assert!(pbx.is_ignored(row("ReplicateDel", &src, json!({"h323": "alice"}))));
    assert!(pbx.is_ignored(json!({"mt": "ReplicateAdd", "src": src})));
}
