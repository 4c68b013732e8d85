use m365_pbx::{Errand, UserSession};
use m365_presence::secret::Secret;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::stage::{APP, BUILD, CHALLENGE, PASSWORD, sha256};

fn session() -> UserSession {
    UserSession::new(&Secret::new(PASSWORD), APP, BUILD)
}

fn told(session: &mut UserSession, message: &Value) -> (Vec<Value>, Errand) {
    let (frames, errand) = session.receive(&message.to_string());
    (parsed(&frames), errand)
}

fn parsed(frames: &[String]) -> Vec<Value> {
    let parsed = frames.iter().map(|frame| serde_json::from_str(frame).unwrap());
    parsed.collect()
}

fn state(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

#[test]
fn the_state_is_told_once_it_is_subscribed_to_and_bears_the_pages_src() {
    let mut session = session();
    assert!(session.tell(&state("{}")).is_empty());
    let subscribe = json!({"api": "Microsoft365", "mt": "SubscribeState", "src": "s1"});
    let expected = json!({"mt": "SubscribeStateResult", "api": "Microsoft365", "src": "s1"});
    assert_eq!(
        told(&mut session, &subscribe),
        (vec![expected], Errand::Subscription)
    );
    assert_eq!(
        parsed(&session.tell(&state(r#"{"user":null}"#))),
        [json!({"mt": "State", "api": "Microsoft365", "src": "s1", "state": {"user": null}})]
    );
}

#[test]
fn a_subscription_without_src_is_told_without() {
    let mut session = session();
    told(&mut session, &json!({"mt": "SubscribeState"}));
    let expected = json!({"mt": "State", "api": "Microsoft365", "state": 1});
    assert_eq!(parsed(&session.tell(&state("1"))), [expected]);
}

#[test]
fn courtesies_go_on_and_nonsense_is_passed_over() {
    let mut session = session();
    let keep_alive = (vec![json!({"mt": "KeepAliveResult"})], Errand::Courtesy);
    assert_eq!(told(&mut session, &json!({"mt": "KeepAlive"})), keep_alive);
    for nonsense in [
        json!(7),
        json!({"mt": 5}),
        json!({"mt": "PbxInfo", "pbx": "mine"}),
    ] {
        assert_eq!(
            told(&mut session, &nonsense),
            (vec![], Errand::Courtesy),
            "{nonsense}"
        );
    }
    assert_eq!(session.receive("{").1, Errand::Courtesy);
    let admin = json!({"mt": "AppInfo", "app": format!("{APP}admin")});
    assert_eq!(told(&mut session, &admin).0[0]["info"], json!({"apis": {}}));
}

#[test]
fn a_stored_password_can_be_checked_and_a_wrong_one_is_told() {
    let mut session = session();
    let check = |digest: &str| json!({"mt": "AppCheckLogin", "app": APP, "domain": "d", "challenge": CHALLENGE, "digest": digest});
    let right = sha256(&format!("{APP}:d::::{CHALLENGE}:{PASSWORD}"));
    assert_eq!(told(&mut session, &check(&right)).1, Errand::Courtesy);
    assert_eq!(told(&mut session, &check("00")).1, Errand::Unproven);
}
