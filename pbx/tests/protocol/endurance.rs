//! Whatever arrives: nothing panics, and what is valid afterwards still works.

use m365_pbx::{Approach, MESSAGE_LIMIT, Progress};
use m365_presence::ports::{PbxDialogue, PbxEvent, PbxOrder};
use m365_presence::secret::Secret;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::stage::{ALICE, APP, BUILD, Conversation, app_login, doorway, guid, src};

/// Messages that a conversation with all orders given is waiting for.
const EXPECTED: &[&str] = &[
    r#"{"mt":"ReplicateNextResult","src":"users:1","columns":{"guid":"aa","h323":"alice","cn":"A","loc":"master"}}"#,
    r#"{"mt":"ReplicateUpdate","src":"users:1","columns":{"guid":"aa","h323":"alice"}}"#,
    r#"{"mt":"ReplicateDel","src":"users:1","columns":{"guid":"aa"}}"#,
    r#"{"mt":"SubscribePresenceResult","src":"66eaaee678464cffb9a3c8ae259fedd2","error":1,"errorText":"x"}"#,
    r#"{"mt":"PresenceUpdate","src":"66eaaee678464cffb9a3c8ae259fedd2","presence":[{"contact":"tel:","activity":"busy"}]}"#,
    r#"{"mt":"UserInfo","src":"rcc:2","guid":"aa","channel":1,"alert":0}"#,
    r#"{"mt":"CallAdd","src":"rcc:2","guid":"aa","call":4,"state":133}"#,
    r#"{"mt":"CallUpdate","src":"rcc:2","call":4,"msg":"x-conn"}"#,
    r#"{"mt":"CallDel","src":"rcc:2","call":4}"#,
    r#"{"mt":"SetPresenceResult","src":"set:66eaaee678464cffb9a3c8ae259fedd2:3","error":"0"}"#,
    r#"{"mt":"CheckAppLicResult","src":"license:66eaaee678464cffb9a3c8ae259fedd2","ok":true}"#,
    r#"{"mt":"CheckBuild","url":"https://ap/m365/0815/x.htm"}"#,
    r#"{"mt":"AppInfo","app":"innovaphone-microsoft365"}"#,
];

fn busy_conversation() -> Conversation {
    let mut pbx = Conversation::new();
    let src = pbx.replicating();
    assert_eq!(src, "users:1");
    let (user, h323) = (guid(ALICE), String::from("alice"));
    pbx.order(PbxOrder::FollowLines);
    pbx.order(PbxOrder::SubscribePresence {
        user: user.clone(),
        h323: h323.clone(),
    });
    let (contact, activity) = ("teams:".into(), "busy".into());
    pbx.order(PbxOrder::SetEntry {
        note: String::new(),
        user: user.clone(),
        h323: h323.clone(),
        contact,
        activity,
    });
    pbx.order(PbxOrder::CheckLicense {
        user,
        h323,
        license: "App(x)".into(),
    });
    pbx
}

/// A message of which any character may be replaced, or the end cut off.
fn mutated() -> impl Strategy<Value = String> {
    let message = prop::sample::select(EXPECTED);
    (message, any::<prop::sample::Index>(), any::<Option<char>>()).prop_map(|(message, place, change)| {
        let place = place.index(message.chars().count());
        let kept = message.chars().take(place);
        match change {
            None => kept.collect(),
            Some(change) => kept
                .chain([change])
                .chain(message.chars().skip(place + 1))
                .collect(),
        }
    })
}

/// Any JSON value, a little deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

/// A message that is expected, but for one member of any form.
fn misshapen() -> impl Strategy<Value = String> {
    let members = prop::sample::select(
        &[
            "src", "columns", "presence", "guid", "channel", "state", "call", "error", "ok", "more", "url",
        ][..],
    );
    (prop::sample::select(EXPECTED), members, value()).prop_map(|(message, member, value)| {
        let mut message: Value = serde_json::from_str(message).unwrap();
        message[member] = value;
        message.to_string()
    })
}

fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        mutated(),
        misshapen(),
        any::<String>(),
        prop::sample::select(EXPECTED).prop_map(String::from)
    ]
}

proptest! {
    #[test]
    fn no_message_blocks_the_valid_ones_after_it(messages in prop::collection::vec(anything(), 0..40)) {
        let mut pbx = busy_conversation();
        for message in &messages {
            pbx.dialogue.receive(message);
            for sent in pbx.dialogue.outgoing() {
                prop_assert!(sent.len() < MESSAGE_LIMIT);
            }
        }
        let src = pbx.replicating();
        let row = json!({"mt": "ReplicateNextResult", "src": src, "columns": {"guid": "bb"}});
        prop_assert!(matches!(pbx.receive(row)[..], [PbxEvent::UserListed(_)]));
        let end = json!({"mt": "ReplicateNextResult", "src": src});
        prop_assert_eq!(pbx.receive(end), [PbxEvent::UsersComplete]);
        let order = PbxOrder::SubscribePresence { user: guid(ALICE), h323: "alice".into() };
        let subscription = json!({"mt": "SubscribePresence", "api": "PbxApi", "src": ALICE, "sip": "alice"});
        prop_assert_eq!(pbx.order(order).pop(), Some(subscription));
        let update = json!({"mt": "PresenceUpdate", "src": ALICE, "presence": []});
        prop_assert_eq!(pbx.receive(update).len(), 1);
    }

    #[test]
    fn no_login_panics_and_none_but_the_right_one_enters(messages in prop::collection::vec(anything(), 0..10)) {
        let mut doorway = doorway();
        for message in messages.iter().filter(|message| message.contains("mt")) {
            let outcome = doorway.receive(message).outcome;
            prop_assert!(!matches!(
                outcome,
                m365_pbx::Outcome::Accepted(_) | m365_pbx::Outcome::Introduced(_)
            ));
        }
    }

    #[test]
    fn nothing_that_a_dialled_pbx_says_keeps_us_out_but_a_refusal(messages in prop::collection::vec(anything(), 0..20)) {
        let mut approach = Approach::new("m365", &Secret::new("secret"), APP, BUILD);
        for message in &messages {
            prop_assert_eq!(approach.receive(message).progress, Progress::Waiting);
        }
        let challenge = r#"{"mt":"AppChallengeResult","challenge":"4711081547110815"}"#;
        prop_assert_eq!(approach.receive(challenge).frames.len(), 1);
        let admission = r#"{"mt":"AppLoginResult","ok":true}"#;
        prop_assert_eq!(approach.receive(admission).progress, Progress::Admitted);
        for message in &messages {
            prop_assert_eq!(approach.receive(message).progress, Progress::Waiting);
        }
        let name = r#"{"mt":"GetPbxConfigResult","src":"name","loc":"pbx-main"}"#;
        prop_assert!(matches!(approach.receive(name).progress, Progress::Arrived(_)));
    }

    #[test]
    fn a_mutated_login_is_refused_or_says_the_same(place in any::<prop::sample::Index>(), change in any::<char>()) {
        let login = app_login("m365", r#"{"appobj":"m365","testmode":false}"#);
        let place = place.index(login.chars().count());
        let mutated: String =
            login.chars().enumerate().map(|(at, kept)| if at == place { change } else { kept }).collect();
        let mut doorway = doorway();
        doorway.receive(r#"{"mt":"AppChallenge"}"#);
        if let m365_pbx::Outcome::Accepted(guest) = doorway.receive(&mutated).outcome {
            prop_assert_eq!((guest.app_object.as_str(), guest.test_mode), ("m365", false));
        }
    }
}

#[test]
fn deep_and_huge_messages_are_only_ignored() {
    let mut pbx = busy_conversation();
    let deep = format!(r#"{{"mt":"PresenceUpdate","x":{}"#, "[".repeat(200_000));
    let malformed = [PbxEvent::Ignored {
        message_type: "malformed".into(),
    }];
    assert_eq!(pbx.dialogue.receive(&deep), malformed);
    assert_eq!(pbx.dialogue.receive("[]"), malformed);
    let long_type = "é".repeat(100_000);
    let told = pbx.receive(json!({"mt": long_type}));
    assert_eq!(
        told,
        [PbxEvent::Ignored {
            message_type: "é".repeat(64)
        }]
    );
    pbx.receive(json!({"mt": "AppInfo", "app": "x".repeat(100_000)}));
    assert!(pbx.sent().is_empty());
    let long_note = json!({"mt": "PresenceUpdate", "src": ALICE,
                           "presence": [{"contact": "tel:", "note": "n".repeat(60_000)}]});
    assert_eq!(pbx.receive(long_note).len(), 1);
}

#[test]
fn orders_repeated_for_ever_send_no_more_than_the_window_allows() {
    let mut pbx = Conversation::new();
    let mut sent = 0;
    for round in 0..20 {
        for number in 0..300 {
            let user = guid(&format!("{number:032x}"));
            let order = PbxOrder::CheckLicense {
                user,
                h323: "u".into(),
                license: "l".into(),
            };
            sent += pbx.order(order).len();
        }
        assert_eq!(sent, 50 * (round + 1));
    }
}

#[test]
fn a_flood_of_calls_is_cut_off_and_the_counts_go_on() {
    let mut pbx = Conversation::new();
    let src = src(&pbx.order(PbxOrder::FollowLines)[0]);
    let mut told = 0;
    for call in 0..25_000 {
        let add = json!({"mt": "CallAdd", "src": src, "guid": ALICE, "call": call, "state": 5});
        told += usize::from(matches!(pbx.receive(add)[..], [PbxEvent::Calls { .. }]));
    }
    assert!(told < 25_000, "{told} calls are remembered");
    let count = json!({"mt": "UserInfo", "src": src, "guid": ALICE, "channel": 0});
    assert_eq!(
        pbx.receive(count),
        [PbxEvent::Calls {
            user: guid(ALICE),
            calls: 0
        }]
    );
}
