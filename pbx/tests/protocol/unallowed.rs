use m365_presence::ports::{PbxEvent, PbxOrder};
use serde_json::json;

use crate::stage::{Conversation, src};

#[test]
fn subscriptions_that_nothing_allows_are_told_in_every_shape() {
    let mut pbx = Conversation::new();
    let order = pbx.order(PbxOrder::MonitorUnallowed).remove(0);
    assert_eq!(
        order,
        json!({"mt": "MonitorUnallowed", "api": "PbxAdminApi", "src": src(&order)})
    );
    let told = |mt: &str, members: serde_json::Value| {
        let mut message = members;
        message["mt"] = json!(mt);
        message["src"] = order["src"].clone();
        message["api"] = json!("PbxAdminApi");
        message
    };
    let unallowed = |user: &str, subscribers: &[&str], pending| {
        vec![PbxEvent::Unallowed {
            user: user.into(),
            subscribers: subscribers.iter().map(|name| (*name).into()).collect(),
            pending,
        }]
    };
    assert_eq!(pbx.receive(told("MonitorUnallowedResult", json!({}))), []);
    let srcs = json!([{"name": "m365", "grp": "all"}, {"name": "wallboard@example.com"}]);
    assert_eq!(
        pbx.receive(told("MonitorUnallowedAdd", json!({"user": "anna", "srcs": srcs}))),
        unallowed("anna", &["m365", "wallboard@example.com"], true)
    );
    assert_eq!(
        pbx.receive(told(
            "MonitorUnallowedAdd",
            json!({"user": {"cn": "Anna", "h323": "anna"}, "srcs": ["m365"]})
        )),
        unallowed("anna", &["m365"], true)
    );
    assert_eq!(
        pbx.receive(told("MonitorUnallowedDel", json!({"user": "anna"}))),
        unallowed("anna", &[], false)
    );
}

#[test]
fn one_that_names_nobody_or_was_not_asked_for_is_useless() {
    let mut pbx = Conversation::new();
    assert!(pbx.is_ignored(json!({"mt": "MonitorUnallowedAdd", "src": "x", "user": "anna"})));
    let order = pbx.order(PbxOrder::MonitorUnallowed).remove(0);
    for user in [json!(""), json!(5), json!({}), json!(null)] {
        assert!(pbx.is_ignored(json!({"mt": "MonitorUnallowedAdd", "src": order["src"], "user": user})));
    }
}
