use actix_http::ws::{Frame, Message};
use futures_util::{SinkExt, StreamExt};
use m365_simulator::pbx::{Identity, Pbx, PbxOptions};
use serde_json::{Value, json};

use crate::app::alice;

/// Logs in at a PBX as a script would, sends requests, and returns what was received in all.
fn script(url: &str, app: &'static str, sip: &'static str, requests: &[Value]) -> Vec<Value> {
    let expected = requests.len();
    actix_rt::System::new().block_on(async {
        let (_, mut socket) = awc::Client::new().ws(url).connect().await.unwrap();
        let mut received = Vec::new();
        let challenge = json!({"mt": "AppChallenge"}).to_string();
        socket.send(Message::Text(challenge.into())).await.unwrap();
        while let Some(Ok(frame)) = socket.next().await {
            let Frame::Text(text) = frame else { break };
            let message: Value = serde_json::from_slice(&text).unwrap();
            if message["mt"] == "AppChallengeResult" {
                let identity = Identity {
                    app,
                    domain: "",
                    sip,
                    guid: "",
                    dn: "",
                    info: None,
                };
                let digest = identity.digest(message["challenge"].as_str().unwrap(), "secret");
                let login = json!({"mt": "AppLogin", "app": app, "sip": sip, "digest": digest}).to_string();
                socket.send(Message::Text(login.into())).await.unwrap();
            } else if message["mt"] == "AppLoginResult" {
                for request in requests {
                    socket
                        .send(Message::Text(request.to_string().into()))
                        .await
                        .unwrap();
                }
            }
            received.push(message.clone());
            if received.len() == expected + 2 || message["mt"] == "KeepAliveResult" {
                break;
            }
        }
        received
    })
}

fn pbx() -> Pbx {
    let pbx = Pbx::start(PbxOptions::new("master", "http://127.0.0.1:9/pbx/app")).unwrap();
    pbx.add_user(alice());
    pbx
}

#[test]
fn a_script_logs_in_as_the_app_object_and_gets_no_introduction() {
    let pbx = pbx();
    let endpoint = pbx.listen().unwrap();
    let config = json!({"mt": "GetPbxConfig", "api": "PbxAdminApi", "src": "1"});
    let received = script(&endpoint.url(), "m365", "", &[config]);
    assert_eq!(received[0]["challenge"].as_str().unwrap().len(), 16);
    assert_eq!(
        received[1],
        json!({"mt": "AppLoginResult", "app": "m365", "domain": "example.com", "ok": true})
    );
    assert_eq!(received[2]["loc"], "master");
    assert!(!pbx.is_connected(), "a script is not the PBX's own connection");
    assert_eq!((pbx.admissions(), pbx.rejections()), (1, 0));
}

#[test]
fn on_behalf_of_a_user_only_the_users_apis_answer() {
    let pbx = pbx();
    let endpoint = pbx.listen().unwrap();
    let config = json!({"mt": "GetPbxConfig", "api": "PbxAdminApi", "src": "1"});
    let presence = json!({"mt": "SetPresence", "api": "PbxApi", "src": "2", "sip": "alice", "contact": "tel:", "activity": "dnd"});
    let received = script(
        &endpoint.url(),
        "m365",
        "alice",
        &[config, presence, json!({"mt": "KeepAlive"})],
    );
    assert_eq!(received[2]["mt"], "SetPresenceResult");
    assert_eq!(received[3]["mt"], "KeepAliveResult");
}

#[test]
fn another_app_is_refused_and_the_connection_closed() {
    let pbx = pbx();
    let endpoint = pbx.listen().unwrap();
    let received = script(&endpoint.url(), "another", "", &[json!({"mt": "KeepAlive"})]);
    assert_eq!(received[1]["ok"], false);
    assert!(received[1]["error"].is_string());
    assert_eq!(received.len(), 2);
    assert_eq!((pbx.admissions(), pbx.rejections()), (0, 1));
}

#[test]
fn a_pbx_that_does_not_dial_only_listens() {
    let options = PbxOptions {
        dials: false,
        ..PbxOptions::new("master", "http://127.0.0.1:9/pbx/app")
    };
    let pbx = Pbx::start(options).unwrap();
    let endpoint = pbx.listen().unwrap();
    let received = script(&endpoint.url(), "m365", "", &[json!({"mt": "KeepAlive"})]);
    assert_eq!(received[2]["mt"], "KeepAliveResult");
    assert_eq!(pbx.connections(), 1, "the script's alone");
}
