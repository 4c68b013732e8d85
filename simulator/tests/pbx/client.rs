//! People who open the App in the PBX's client.

use awc::Client;
use m365_simulator::pbx::{Pbx, PbxOptions, Visit, session_key};
use serde_json::Value;

use crate::app::{App, CHALLENGE, Connection, Login, PATIENCE, alice};

const LICENSE: &str = "App(innovaphone-microsoft365)";

/// A PBX that only answers, so that whoever dials the App is a person.
fn quiet_pbx(app: &App) -> Pbx {
    let options = PbxOptions {
        dials: false,
        ..app.options("master")
    };
    let pbx = Pbx::start(options).unwrap();
    pbx.add_user(alice());
    pbx
}

fn logged_in(connection: &Connection) -> Login {
    connection.receive_mt("CheckBuild");
    connection.log_in("secret")
}

fn info(login: &Login) -> Value {
    serde_json::from_str(login.info.get()).unwrap()
}

#[test]
fn a_window_asks_for_its_build_and_logs_in_with_what_the_pbx_has_signed() {
    let app = App::start();
    let pbx = quiet_pbx(&app);
    pbx.assign("alice", LICENSE);
    let window = pbx.open_app(Visit::of("alice")).unwrap();
    let connection = app.accept();
    assert_eq!(connection.path, "/pbx");
    let login = logged_in(&connection);
    assert_eq!(login.digest, login.expected_digest("secret"));
    assert_eq!((login.sip.as_str(), &login.guid), ("alice", &alice().guid));
    let info = info(&login);
    assert_eq!(
        (&info["appobj"], &info["unlicensed"]),
        (&"m365".into(), &Value::Null)
    );
    let sent = window.journal().select(|frame| frame.is_sent("AppLogin"));
    assert_eq!(sent[0].text("pbxObj"), "m365");
    assert!(window.hears(|message| message["ok"] == true, PATIENCE).is_some());
    assert!(window.is_open());
    drop(connection);
    assert!(window.is_closed_within(PATIENCE));
}

#[test]
fn who_lacks_the_license_is_marked_and_the_license_covers_the_administrators_app() {
    let app = App::start();
    let pbx = quiet_pbx(&app);
    let administrator = Visit {
        app: Some("innovaphone-microsoft365admin".to_owned()),
        ..Visit::of("alice")
    };
    let _window = pbx.open_app(administrator.clone()).unwrap();
    assert_eq!(info(&logged_in(&app.accept()))["unlicensed"], true);
    pbx.assign("alice", LICENSE);
    let _window = pbx.open_app(administrator).unwrap();
    let login = logged_in(&app.accept());
    assert_eq!(login.app, "innovaphone-microsoft365admin");
    assert_eq!(info(&login)["unlicensed"], Value::Null);
    assert!(pbx.open_app(Visit::of("nobody")).is_err());
}

#[test]
fn the_client_hands_a_signed_login_to_the_page_that_asks_for_it() {
    let app = App::start();
    let pbx = quiet_pbx(&app);
    let endpoint = pbx.listen().unwrap();
    let client = endpoint.client_url();
    let get = |path: &str| {
        let url = client.replace("appclient.htm", path);
        actix_rt::System::new().block_on(async {
            let mut answer = Client::new().get(url).send().await.unwrap();
            (answer.status().as_u16(), answer.body().await.unwrap())
        })
    };
    assert_eq!(get("appclient.htm").0, 200);
    let people: Value = serde_json::from_slice(&get("people").1).unwrap();
    assert_eq!(people["users"][0]["h323"], "alice");
    let asked = format!("login?user=alice&app=innovaphone-microsoft365&challenge={CHALLENGE}");
    let (_, text) = get(&asked);
    let login = Login::parse(std::str::from_utf8(&text).unwrap());
    assert_eq!(login.digest, login.expected_digest("secret"));
    let message: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(
        (&message["mt"], &message["pbxObj"]),
        (&"Login".into(), &"m365".into())
    );
    assert_eq!(message["key"], session_key(CHALLENGE, "secret"));
    assert_eq!(get("login?user=nobody&app=x&challenge=1").0, 404);
}
