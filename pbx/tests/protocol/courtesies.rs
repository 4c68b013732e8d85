use m365_pbx::Outcome;
use serde_json::json;

use crate::stage::{APP, Conversation, PASSWORD, doorway, frames, logged_in, sha256};

#[test]
fn a_keep_alive_is_answered_in_the_conversation() {
    let mut pbx = Conversation::new();
    assert!(pbx.receive(json!({"mt": "KeepAlive"})).is_empty());
    assert_eq!(pbx.sent(), [json!({"mt": "KeepAliveResult"})]);
    assert!(pbx.receive(json!({"mt": "KeepAliveResult"})).is_empty());
    assert!(pbx.sent().is_empty());
}

#[test]
fn the_app_is_described_in_the_conversation_and_an_api_object_is_hidden() {
    let mut pbx = Conversation::new();
    pbx.receive(json!({"mt": "AppInfo", "app": "innovaphone-microsoft365", "src": "7"}));
    pbx.receive(json!({"mt": "AppInfo", "app": "microsoft365-api"}));
    assert_eq!(
        pbx.sent(),
        [
            json!({"mt": "AppInfoResult", "src": "7", "app": "innovaphone-microsoft365",
                   "info": {"apis": {}}, "serviceInfo": {"apis": {}}}),
            json!({"mt": "AppInfoResult", "app": "microsoft365-api",
                   "info": {"hidden": true, "apis": {}}, "serviceInfo": {"apis": {}}}),
        ]
    );
}

#[test]
fn a_page_of_another_build_is_sent_to_this_one() {
    let rows = [
        ("https://ap/example.com/m365/0a1b/x.htm", None),
        ("https://ap/example.com/m365/0A1B/x.htm", None),
        (
            "https://ap/example.com/m365/0815/x.htm",
            Some("https://ap/example.com/m365/0a1b/x.htm"),
        ),
        (
            "https://ap/example.com/m365/x.htm",
            Some("https://ap/example.com/m365/0a1b/x.htm"),
        ),
        (
            "https://ap/m365/0815/x.htm?a=/b#/c",
            Some("https://ap/m365/0a1b/x.htm?a=/b#/c"),
        ),
        ("https://abc/x.htm", Some("https://abc/0a1b/x.htm")),
        ("/ff/x.htm", Some("/0a1b/x.htm")),
        ("https://ap", None),
        ("", None),
    ];
    for (url, expected) in rows {
        let message = json!({"mt": "CheckBuild", "url": url});
        let mut result = json!({"mt": "CheckBuildResult"});
        if let Some(expected) = expected {
            result["url"] = json!(expected);
        }
        assert_eq!(
            frames(&doorway().receive(&message.to_string())),
            [result],
            "{url}"
        );
    }
}

#[test]
fn a_stored_password_is_checked_before_and_after_a_login() {
    let check = |digest: &str| {
        format!(
            r#"{{"mt":"AppCheckLogin","src":"c","app":"{APP}","domain":"example.com","challenge":"1234","digest":"{digest}"}}"#
        )
    };
    let right = sha256(&format!("{APP}:example.com::::1234:{PASSWORD}"));
    let wrong = sha256(&format!("{APP}:example.com::::1234:another"));
    for mut doorway in [doorway(), logged_in(r#"{"appobj":"m365"}"#)] {
        for (digest, ok) in [
            (&right, true),
            (&right.to_uppercase(), true),
            (&wrong, false),
            (&String::new(), false),
        ] {
            let response = doorway.receive(&check(digest));
            assert_eq!(
                frames(&response),
                [json!({"mt": "AppCheckLoginResult", "src": "c", "ok": ok})]
            );
            let expected = if ok { Outcome::Waiting } else { Outcome::Unproven };
            assert_eq!(response.outcome, expected);
        }
        let alive = doorway.receive(r#"{"mt":"KeepAlive"}"#);
        assert_eq!(alive.frames.len(), 1, "the connection goes on");
    }
}
