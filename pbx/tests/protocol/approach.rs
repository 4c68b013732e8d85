//! Logging in at a PBX that we have dialled.

use m365_pbx::{Approach, Progress, keep_alive};
use m365_presence::identity::PbxName;
use m365_presence::pbx::PbxApi;
use m365_presence::secret::Secret;
use serde_json::{Value, json};

use crate::stage::{APP, BUILD, CHALLENGE, PASSWORD, sha256};

fn approach(object: &str, password: &str) -> Approach {
    Approach::new(object, &Secret::new(password), APP, BUILD)
}

/// The PBX says something; answers what it hears, and where that leads.
fn told(approach: &mut Approach, message: Value) -> (Vec<Value>, Progress) {
    let step = approach.receive(&message.to_string());
    let frames = step
        .frames
        .iter()
        .map(|frame| serde_json::from_str(frame).unwrap());
    (frames.collect(), step.progress)
}

fn challenged(approach: &mut Approach, challenge: &str) -> Value {
    let (said, progress) = told(
        approach,
        json!({"mt": "AppChallengeResult", "challenge": challenge}),
    );
    assert_eq!((said.len(), progress), (1, Progress::Waiting));
    said[0].clone()
}

fn admitted() -> Approach {
    let mut approach = approach("m365", PASSWORD);
    challenged(&mut approach, CHALLENGE);
    let (said, progress) = told(
        &mut approach,
        json!({"mt": "AppLoginResult", "app": "m365", "domain": "example.com", "ok": true}),
    );
    assert_eq!(progress, Progress::Admitted);
    assert_eq!(
        said,
        [json!({"mt": "GetPbxConfig", "api": "PbxAdminApi", "src": "name"})]
    );
    approach
}

#[test]
fn the_login_proves_the_object_by_the_vectors_digest() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/applogin.json")).unwrap();
    let mut proven = 0;
    for vector in &vectors {
        let text = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
        let bare = ["domain", "sip", "guid", "dn", "info"]
            .iter()
            .all(|name| text(name).is_empty());
        if !bare {
            continue;
        }
        let mut approach = approach(&text("app"), &text("password"));
        assert_eq!(approach.greeting(), [r#"{"mt":"AppChallenge"}"#]);
        let login = challenged(&mut approach, &text("challenge"));
        assert_eq!(
            login,
            json!({"mt": "AppLogin", "app": vector["app"], "digest": vector["digest"]})
        );
        proven += 1;
    }
    assert!(proven > 0);
}

#[test]
fn challenges_of_any_length_and_passwords_with_colons_are_taken_as_they_are() {
    for challenge in ["4711", "a b:c\u{fc}", "0123456789abcdef0123456789abcdef"] {
        let mut approach = approach("objekt-ü", "a:b:c");
        let login = challenged(&mut approach, challenge);
        assert_eq!(
            login["digest"],
            sha256(&format!("objekt-ü:::::{challenge}:a:b:c"))
        );
    }
    let mut approach = approach("m365", PASSWORD);
    let (said, _) = told(
        &mut approach,
        json!({"mt": "AppChallengeResult", "challenge": 4711}),
    );
    assert_eq!(said[0]["digest"], sha256("m365:::::4711:secret"));
}

#[test]
fn the_pbx_is_known_by_what_it_says_of_itself() {
    let mut approach = admitted();
    let (_, progress) = told(
        &mut approach,
        json!({"mt": "GetPbxConfigResult", "api": "PbxAdminApi", "src": "name", "loc": "pbx-main"}),
    );
    let Progress::Arrived(pbx) = progress else {
        panic!("{progress:?}")
    };
    assert_eq!(
        (pbx.pbx.as_str(), pbx.domain.as_str()),
        ("pbx-main", "example.com")
    );
    assert_eq!(pbx.app_object, "m365");
    assert!(!pbx.apis_listed, "nobody has listed them");
    assert_eq!(pbx.apis, PbxApi::ALL);
}

#[test]
fn an_introduction_that_comes_nevertheless_prevails() {
    let mut approach = admitted();
    let (_, progress) = told(
        &mut approach,
        json!({"mt": "PbxInfo", "pbx": "pbx-main", "apis": ["PbxApi"], "version": "15r1"}),
    );
    let Progress::Arrived(pbx) = progress else {
        panic!("{progress:?}")
    };
    assert!(pbx.apis_listed);
    assert_eq!(
        (pbx.apis, pbx.version.as_deref()),
        (vec![PbxApi::PbxApi], Some("15r1"))
    );
}

#[test]
fn a_pbx_that_does_not_say_its_name_can_be_given_one() {
    for answer in [
        json!({"mt": "GetPbxConfigResult", "src": "name"}),
        json!({"mt": "GetPbxConfigResult", "src": "name", "error": "no right"}),
        json!({"mt": "GetPbxConfigResult", "src": "name", "loc": ""}),
    ] {
        let mut approach = admitted();
        assert_eq!(told(&mut approach, answer).1, Progress::Nameless);
        let pbx = approach.name(PbxName::new("pbx-main")).unwrap();
        assert_eq!(pbx.pbx.as_str(), "pbx-main");
    }
    assert!(
        approach("m365", PASSWORD)
            .name(PbxName::new("pbx-main"))
            .is_none(),
        "before the login"
    );
}

#[test]
fn a_refused_login_is_told_with_the_pbxs_own_words() {
    for (answer, words) in [
        (
            json!({"mt": "AppLoginResult", "ok": false, "error": "wrong password"}),
            "wrong password",
        ),
        (
            json!({"mt": "AppLoginResult", "error": 5, "errorText": "no such app"}),
            "no such app",
        ),
        (json!({"mt": "AppLoginResult"}), ""),
        (json!({"mt": "AppLoginResult", "ok": "false"}), ""),
    ] {
        let mut approach = approach("m365", PASSWORD);
        challenged(&mut approach, CHALLENGE);
        assert_eq!(told(&mut approach, answer).1, Progress::Refused(words.to_owned()));
    }
}

#[test]
fn whatever_else_is_said_meanwhile_is_passed_over() {
    let mut approach = approach("m365", PASSWORD);
    for (said, answers) in [
        ("garbage", 0),
        ("[]", 0),
        (r#"{"mt":"Unheard"}"#, 0),
        (r#"{"mt":"AppChallengeResult"}"#, 0),
        (r#"{"mt":"GetPbxConfigResult","loc":"too-early"}"#, 0),
        (r#"{"mt":"KeepAlive"}"#, 1),
        (r#"{"mt":"KeepAliveResult"}"#, 0),
    ] {
        let step = approach.receive(said);
        assert_eq!(
            (step.frames.len(), step.progress),
            (answers, Progress::Waiting),
            "{said}"
        );
    }
    challenged(&mut approach, CHALLENGE);
    assert_eq!(keep_alive(), [r#"{"mt":"KeepAlive"}"#]);
}
