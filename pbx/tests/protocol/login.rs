use m365_pbx::{Challenge, LoggedIn, Outcome, Refusal, SessionKind};
use serde_json::{Value, json};

use crate::stage::{APP, app_login, doorway, doorway_with, frames, sha256};

const OBJECT: &str = r#"{"appobj":"m365","appdn":"Connector für Teams","apps":[]}"#;

fn outcome_of(login: &str) -> Outcome {
    let mut doorway = doorway();
    doorway.receive(r#"{"mt":"AppChallenge"}"#);
    doorway.receive(login).outcome
}

/// A refusal of somebody who comes as an App object.
fn refused(refusal: Refusal) -> Outcome {
    Outcome::Refused(refusal, SessionKind::PbxObject)
}

fn accepted(login: &str) -> LoggedIn {
    match outcome_of(login) {
        Outcome::Accepted(guest) => guest,
        other => panic!("not accepted: {other:?}"),
    }
}

/// An `AppLogin` by its members, proven for exactly the hashed text.
fn proven(app: &str, hashed_info: &str, members: &str) -> String {
    let digest = sha256(&format!("{app}:::::{hashed_info}4711081547110815:secret"));
    format!(r#"{{"mt":"AppLogin","app":"{app}","digest":"{digest}"{members}}}"#)
}

#[test]
fn every_vector_logs_in() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/applogin.json")).unwrap();
    for vector in &vectors {
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let challenge = text("challenge");
        if challenge.len() != 16 {
            continue;
        }
        let member = |name: &str| format!(r#""{name}":{}"#, vector[name]);
        let mut members: Vec<String> = ["sip", "guid", "dn", "domain", "app", "digest"]
            .iter()
            .map(|name| member(name))
            .collect();
        if let Some(info) = vector["info"].as_str() {
            members.push(format!(r#""info": {info} "#));
        }
        let mut doorway = doorway_with(&text("password"), &text("app"), &challenge);
        let asked = doorway.receive(r#"{"mt":"AppChallenge"}"#);
        assert_eq!(
            frames(&asked),
            [json!({"mt": "AppChallengeResult", "challenge": challenge})]
        );
        let answer = doorway.receive(&format!(r#"{{"mt":"AppLogin",{}}}"#, members.join(",")));
        assert!(
            matches!(answer.outcome, Outcome::Accepted(_)),
            "{}",
            vector["name"]
        );
        let result =
            json!({"mt": "AppLoginResult", "app": vector["app"], "domain": vector["domain"], "ok": true});
        assert_eq!(frames(&answer), [result]);
    }
    assert!(vectors.len() > 3);
}

/// Digests that the protocol's own documentation gives.
#[test]
fn the_documented_digests_log_in() {
    for (info, digest) in [
        (
            "",
            "a205299ed2ef2786c311e0be1b14db343f2cadd906a6ae7b564eee34bda5e9a1",
        ),
        (
            r#","info":{}"#,
            "57b23fe824b9222a7ac879597cb509bcdc865a1bfeb057d9d12118cef0c3ba34",
        ),
        (
            r#","info":{"cn":"Test User"}"#,
            "96db3c3f657230c2b68194becc6d2a77f05de9f79f01fc81e9ca0fb196b10d9d",
        ),
    ] {
        let mut doorway = doorway_with("pwd", "pbxadminapi", "0123456789abcdef");
        doorway.receive(r#"{"mt":"AppChallenge"}"#);
        let login = format!(r#"{{"mt":"AppLogin","app":"pbxadminapi","digest":"{digest}"{info}}}"#);
        assert!(
            matches!(doorway.receive(&login).outcome, Outcome::Accepted(_)),
            "{info}"
        );
    }
}

#[test]
fn info_is_hashed_as_it_was_received() {
    let spaced = r#"{ "z" : 1.0e2,"a":"\u00fc\/", "appobj":"" }"#;
    accepted(&proven(
        APP,
        &format!("{spaced}:"),
        &format!(r#","info":{spaced}"#),
    ));
    accepted(&proven(APP, "{}:", r#","info":{}"#));
    accepted(&proven(APP, "null:", r#","info":null"#));
    accepted(&proven(APP, "", ""));
}

#[test]
fn missing_and_null_members_are_hashed_as_empty() {
    accepted(&proven(
        APP,
        "",
        r#","sip":null,"guid":null,"dn":null,"domain":null"#,
    ));
}

#[test]
fn names_are_hashed_unescaped_and_the_digest_may_be_in_upper_case() {
    let digest = sha256(&format!("{APP}:::: Ä/\"ü:4711081547110815:secret")).to_uppercase();
    let login = format!(
        r#"{{"mt":"AppLogin","app":"{APP}","dn":" \u00c4\/\"\u00fc","digest":"{digest}","key":"k"}}"#
    );
    accepted(&login);
}

#[test]
fn a_wrong_password_is_told_apart_from_another_app_and_from_nonsense() {
    let wrong = app_login("m365", OBJECT).replace(r#""dn":"Dn""#, r#""dn":"Dm""#);
    assert_eq!(outcome_of(&wrong), refused(Refusal::WrongPassword));
    let no_digest = format!(r#"{{"mt":"AppLogin","app":"{APP}"}}"#);
    assert_eq!(outcome_of(&no_digest), refused(Refusal::WrongPassword));
    for other in [
        "",
        "-",
        "innovaphone-microsoft",
        "Innovaphone-microsoft365",
        "x-innovaphone-microsoft365",
    ] {
        assert_eq!(
            outcome_of(&proven(other, "", "")),
            refused(Refusal::UnknownApp),
            "{other}"
        );
    }
    for nonsense in [
        "",
        "{",
        "[]",
        "\"AppLogin\"",
        r#"{"mt":"AppLogin","dn":7}"#,
        &"[".repeat(100_000),
    ] {
        assert_eq!(
            outcome_of(nonsense),
            refused(Refusal::Malformed),
            "{nonsense:.20}"
        );
    }
}

#[test]
fn a_refusal_is_answered_with_a_text_and_is_the_end() {
    let mut doorway = doorway();
    doorway.receive(r#"{"mt":"AppChallenge"}"#);
    let good = app_login("m365", OBJECT);
    let refusal = doorway.receive(&good.replace("example.com", "example.org"));
    let answer = &frames(&refusal)[0];
    assert_eq!(
        (&answer["mt"], &answer["ok"]),
        (&json!("AppLoginResult"), &json!(false))
    );
    assert!(answer["error"].is_string());
    assert_eq!(
        (&answer["app"], &answer["domain"]),
        (&json!(APP), &json!("example.org"))
    );
    let later = doorway.receive(&good);
    assert_eq!((later.frames.len(), later.outcome), (0, Outcome::Waiting));
}

#[test]
fn a_login_needs_its_challenge_first() {
    let response = doorway().receive(&app_login("m365", OBJECT));
    assert_eq!(response.outcome, refused(Refusal::Malformed));
}

#[test]
fn an_app_that_continues_the_configured_name_is_accepted() {
    assert_eq!(
        accepted(&proven("innovaphone-microsoft365-api", "", "")).app,
        "innovaphone-microsoft365-api"
    );
}

#[test]
fn an_object_is_told_from_a_person_by_what_is_signed() {
    let object = accepted(&app_login("m365", OBJECT));
    assert_eq!(
        (object.kind, object.app_object.as_str()),
        (SessionKind::PbxObject, "m365")
    );
    let alice = accepted(&app_login("alice", OBJECT));
    assert_eq!(alice.kind, SessionKind::User);
    assert_eq!((alice.sip.as_str(), alice.guid.as_str()), ("alice", "00ff"));
    let marked = app_login("m365", OBJECT).replace(r#""sip""#, r#""pbxObj":"master","sip""#);
    assert_eq!(accepted(&marked).kind, SessionKind::User);
    let bare = accepted(&proven(APP, "", ""));
    assert_eq!(
        (bare.kind, bare.app_object.as_str()),
        (SessionKind::PbxObject, "")
    );
}

#[test]
fn a_refused_person_is_told_from_a_refused_object() {
    let wrong = app_login("alice", OBJECT).replace(r#""dn":"Dn""#, r#""dn":"Dm""#);
    let expected = Outcome::Refused(Refusal::WrongPassword, SessionKind::User);
    assert_eq!(outcome_of(&wrong), expected);
    let marked = wrong
        .replace("alice", "m365")
        .replace(r#""sip""#, r#""pbxObj":"m365","sip""#);
    assert_eq!(outcome_of(&marked), expected);
}

#[test]
fn a_person_without_a_license_is_let_in_and_told() {
    let info = r#"{"appobj":"m365","unlicensed":true,"testmode":"true"}"#;
    let alice = accepted(&app_login("alice", info));
    assert!(alice.unlicensed && alice.test_mode);
    assert!(!accepted(&app_login("alice", OBJECT)).unlicensed);
}

#[test]
fn nothing_but_courtesies_is_served_before_the_login() {
    let mut doorway = doorway();
    for unserved in [
        r#"{"mt":"AppInfo","app":"x"}"#,
        r#"{"mt":"PbxInfo","pbx":"master","apis":["PbxApi"]}"#,
        r#"{"mt":"Whatever"}"#,
        r#"{"no":"type"}"#,
        r#"{"mt":5}"#,
    ] {
        let response = doorway.receive(unserved);
        assert_eq!(
            (response.frames.len(), response.outcome),
            (0, Outcome::Waiting),
            "{unserved}"
        );
    }
    assert_eq!(
        frames(&doorway.receive(r#"{"mt":"KeepAlive"}"#)),
        [json!({"mt": "KeepAliveResult"})]
    );
    doorway.receive(r#"{"mt":"AppChallenge","user":"x"}"#);
    assert!(matches!(
        doorway.receive(&app_login("m365", OBJECT)).outcome,
        Outcome::Accepted(_)
    ));
}

#[test]
fn challenges_are_sixteen_digits_and_differ() {
    let (one, other) = (Challenge::draw().unwrap(), Challenge::draw().unwrap());
    assert_ne!(one, other);
    for challenge in [one, other, Challenge::new([0; 8])] {
        assert_eq!(challenge.as_str().len(), 16);
        assert!(challenge.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

#[test]
fn nothing_that_is_printed_holds_a_secret() {
    let login = app_login("m365", OBJECT);
    let digest = serde_json::from_str::<Value>(&login).unwrap()["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let printed = format!("{:?}", outcome_of(&login));
    assert!(!printed.contains(&digest) && !printed.contains("secret"));
    assert_eq!(format!("{:?}", Challenge::new([1; 8])), "Challenge");
}
