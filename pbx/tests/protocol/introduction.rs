use m365_pbx::{Outcome, SessionKind, introduced_anew};
use m365_presence::identity::PbxName;
use m365_presence::pbx::{PbxApi, PbxIntroduction};
use serde_json::json;

use crate::stage::{app_login, doorway, frames, logged_in};

const APP_INFO: &str = r#"{"mt":"AppInfo","app":"innovaphone-microsoft365"}"#;
const PBX_INFO: &str = r#"{"mt":"PbxInfo","domain":"example.com","pbx":"master","pbxDns":"pbx.example.com","apis":["PbxSignal","RCC","PbxApi","PbxTableUsers",7,"PbxApi"],"version":"13r3","build":"137818"}"#;

fn introduction(test_mode: bool) -> PbxIntroduction {
    PbxIntroduction {
        pbx: PbxName::new("master"),
        domain: "example.com".into(),
        app_object: "m365".into(),
        apis: vec![PbxApi::PbxApi, PbxApi::PbxTableUsers, PbxApi::Rcc],
        apis_listed: true,
        version: Some("13r3".into()),
        test_mode,
        service_licenses: None,
    }
}

#[test]
fn a_pbx_introduces_itself_with_the_apis_that_we_know() {
    let response = logged_in(r#"{"appobj":"m365"}"#).receive(PBX_INFO);
    assert_eq!(response.outcome, Outcome::Introduced(introduction(false)));
}

#[test]
fn other_apis_than_before_are_an_introduction_anew_and_the_same_ones_are_not() {
    let before = introduction(true);
    let anew = |apis: &str| {
        let told = format!(r#"{{"mt":"PbxInfo","domain":"example.com","pbx":"master","apis":{apis}}}"#);
        introduced_anew(&before, &told)
    };
    let more = anew(r#"["RCC","PbxAdminApi","PbxApi","PbxTableUsers"]"#).unwrap();
    let apis = vec![
        PbxApi::PbxApi,
        PbxApi::PbxTableUsers,
        PbxApi::PbxAdminApi,
        PbxApi::Rcc,
    ];
    assert_eq!(
        more,
        PbxIntroduction {
            apis,
            ..before.clone()
        }
    );
    assert!(anew("null").unwrap().apis.is_empty());
    assert_eq!(anew(r#"["PbxTableUsers","RCC","PbxApi"]"#), None);
    assert_eq!(introduced_anew(&before, PBX_INFO), None);
    // another PBX's name is no matter of its checkmarks, and a mention is no introduction
    for other in [
        r#"{"mt":"PbxInfo","pbx":"slave","apis":[]}"#,
        r#"{"mt":"PresenceUpdate","note":"PbxInfo"}"#,
        "PbxInfo",
    ] {
        assert_eq!(introduced_anew(&before, other), None, "{other}");
    }
    let unlisted = PbxIntroduction {
        apis_listed: false,
        ..before.clone()
    };
    assert_eq!(introduced_anew(&unlisted, r#"{"mt":"PbxInfo","apis":[]}"#), None);
}

#[test]
fn test_mode_comes_from_the_login() {
    let response = logged_in(r#"{"appobj":"m365","testmode":true}"#).receive(PBX_INFO);
    assert_eq!(response.outcome, Outcome::Introduced(introduction(true)));
}

#[test]
fn service_licenses_come_from_the_login_as_number_or_text() {
    for lics in ["5", "\"5\""] {
        let response = logged_in(&format!(r#"{{"appobj":"m365","lics":{lics}}}"#)).receive(PBX_INFO);
        let expected = PbxIntroduction {
            service_licenses: Some(5),
            ..introduction(false)
        };
        assert_eq!(response.outcome, Outcome::Introduced(expected));
    }
}

#[test]
fn the_app_is_described_before_the_introduction_as_well() {
    let mut doorway = logged_in(r#"{"appobj":"m365"}"#);
    let response = doorway.receive(APP_INFO);
    assert_eq!(response.outcome, Outcome::Waiting);
    assert_eq!(
        frames(&response),
        [json!({"mt": "AppInfoResult", "app": "innovaphone-microsoft365",
                "info": {"apis": {}}, "serviceInfo": {"apis": {}}})]
    );
    assert!(matches!(
        doorway.receive(PBX_INFO).outcome,
        Outcome::Introduced(_)
    ));
}

#[test]
fn garbage_before_the_introduction_is_waited_out() {
    let mut doorway = logged_in(r#"{"appobj":"m365"}"#);
    for garbage in [
        "{",
        "17",
        r#"{"mt":"PbxInfo"}"#,
        r#"{"mt":"PbxInfo","pbx":{}}"#,
        r#"{"mt":"AppLogin"}"#,
    ] {
        let response = doorway.receive(garbage);
        assert_eq!(
            (response.frames.len(), response.outcome),
            (0, Outcome::Waiting),
            "{garbage}"
        );
    }
    let bare = doorway
        .receive(r#"{"mt":"PbxInfo","pbx":"slave1","apis":"PbxApi"}"#)
        .outcome;
    let Outcome::Introduced(bare) = bare else {
        panic!("{bare:?}")
    };
    assert_eq!(
        (bare.pbx.as_str(), bare.domain.as_str(), bare.apis.len()),
        ("slave1", "example.com", 0)
    );
}

#[test]
fn a_person_never_introduces_a_pbx() {
    let mut doorway = doorway();
    doorway.receive(r#"{"mt":"AppChallenge"}"#);
    let accepted = doorway
        .receive(&app_login("alice", r#"{"appobj":"m365","groups":[]}"#))
        .outcome;
    let Outcome::Accepted(guest) = accepted else {
        panic!("{accepted:?}")
    };
    assert_eq!(guest.kind, SessionKind::User);
    assert_eq!(doorway.receive(PBX_INFO).outcome, Outcome::Waiting);
    assert_eq!(doorway.receive(r#"{"mt":"KeepAlive"}"#).frames.len(), 1);
}

#[test]
fn a_name_that_cannot_be_shown_names_no_pbx() {
    for name in ["", "two\\nlines", "\\u0007", &"x".repeat(101)] {
        let mut doorway = logged_in(r#"{"appobj":"m365"}"#);
        let info = format!(r#"{{"mt":"PbxInfo","pbx":"{name}","apis":[]}}"#);
        assert_eq!(doorway.receive(&info).outcome, Outcome::Waiting, "{name}");
    }
}
