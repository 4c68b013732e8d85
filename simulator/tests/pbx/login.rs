use m365_simulator::pbx::{Cut, Identity, Pbx, PbxOptions, session_key};
use serde_json::{Value, json};

use crate::app::{App, CHALLENGE, Login, PATIENCE};

#[test]
fn digests_and_session_keys_are_those_of_the_vectors() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/applogin.json")).unwrap();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let identity = Identity {
            app: text("app"),
            domain: text("domain"),
            sip: text("sip"),
            guid: text("guid"),
            dn: text("dn"),
            info: vector["info"].as_str(),
        };
        assert_eq!(
            identity.digest(text("challenge"), text("password")),
            text("digest"),
            "{}",
            text("name")
        );
        assert_eq!(
            session_key(text("challenge"), text("password")),
            text("key"),
            "{}",
            text("name")
        );
    }
}

#[test]
fn a_pbx_dials_the_app_url_less_its_last_component_and_signs_the_info_that_it_sends() {
    let app = App::start();
    let mut options = PbxOptions {
        object_dn: "Connector für Teams".to_owned(),
        ..app.options("master")
    };
    options.other_apps.clear();
    let _pbx = Pbx::start(options).unwrap();
    let connection = app.accept();
    assert_eq!(connection.path, "/pbx");
    let login = connection.log_in("secret");
    assert_eq!(
        (login.app.as_str(), login.sip.as_str()),
        ("innovaphone-microsoft365", "m365")
    );
    assert_eq!(login.digest, login.expected_digest("secret"));
    let info = format!(
        r#"{{"appobj":"m365","appdn":"Connector für Teams","appurl":"{}","pbx":"master","cn":"Connector für Teams","unlicensed":true,"apps":[]}}"#,
        app.url
    );
    assert_eq!(login.info.get(), info);
}

#[test]
fn info_carries_test_mode_service_licenses_and_other_apps_only_when_set() {
    let app = App::start();
    let options = PbxOptions {
        unlicensed: false,
        test_mode: true,
        service_licenses: Some(3),
        other_apps: vec!["microsoft365-api".to_owned()],
        ..app.options("slave1")
    };
    let _pbx = Pbx::start(options).unwrap();
    let info: Value = serde_json::from_str(app.accept().log_in("secret").info.get()).unwrap();
    assert_eq!(info["testmode"], true);
    assert_eq!(info["lics"], 3);
    assert_eq!(
        info["apps"],
        json!([{"name": "microsoft365-api", "dn": "microsoft365-api"}])
    );
    assert!(info.get("unlicensed").is_none());
}

#[test]
fn passwords_with_colons_and_names_with_quotes_give_a_valid_digest() {
    let app = App::start();
    let options = PbxOptions {
        password: "geheim:mit:doppelpunkt".to_owned(),
        object_dn: "Alice \"Ally\" Müller \\ Co / Söhne".to_owned(),
        ..app.options("master")
    };
    let _pbx = Pbx::start(options).unwrap();
    let connection = app.accept();
    let login = connection.log_in("geheim:mit:doppelpunkt");
    assert_eq!(login.dn, "Alice \"Ally\" Müller \\ Co / Söhne");
    connection.receive_mt("PbxInfo");
}

#[test]
fn after_the_login_the_pbx_introduces_itself_with_its_checkmarks() {
    let app = App::start();
    let mut options = app.options("master");
    options.apis = vec!["PbxApi".to_owned()];
    let pbx = Pbx::start(options).unwrap();
    let connection = app.accept();
    connection.log_in("secret");
    let info = connection.receive_mt("PbxInfo");
    assert_eq!(info["pbx"], "master");
    assert_eq!(info["domain"], "example.com");
    assert_eq!(info["pbxDns"], "master.example.com");
    assert_eq!(info["apis"], json!(["PbxApi"]));
    assert_eq!(
        (&info["version"], &info["build"]),
        (&json!("13r3"), &json!("137818"))
    );
    assert_eq!(
        connection.receive_mt("AppInfo")["app"],
        "innovaphone-microsoft365"
    );
    assert!(pbx.is_connected());
    connection.send(json!({"mt": "GetPbxConfig", "api": "PbxAdminApi", "src": "1"}));
    connection.send(json!({"mt": "SubscribePresence", "api": "PbxApi", "src": "2", "sip": "nobody"}));
    let (first, _) = connection.receive_text();
    assert!(
        first.contains("SubscribePresenceResult"),
        "an API without a checkmark was answered: {first}"
    );
}

#[test]
fn a_refused_pbx_tries_again_with_back_off_until_its_password_is_right() {
    let app = App::start();
    let pbx = Pbx::start(PbxOptions {
        password: "wrong".to_owned(),
        ..app.options("master")
    })
    .unwrap();
    for _ in 0..3 {
        let connection = app.accept();
        connection.log_in("secret");
        connection.wait_for_end();
    }
    assert_eq!(pbx.logins(), 0);
    pbx.configure(|options| options.password = "secret".to_owned());
    loop {
        let connection = app.accept();
        let login = connection.log_in("secret");
        if login.digest == login.expected_digest("secret") {
            break;
        }
    }
    assert!(pbx.wait_for_logins(1, PATIENCE));
}

#[test]
fn capitals_in_the_digest_and_a_long_challenge_are_possible() {
    let app = App::start();
    let pbx = Pbx::start(app.options("master")).unwrap();
    pbx.inject(|faults| faults.capital_digest = true);
    let connection = app.accept();
    connection.receive_mt("AppChallenge");
    connection.send(json!({"mt": "AppChallengeResult", "challenge": CHALLENGE, "sysClient": "x"}));
    let login = Login::parse(&connection.receive_text().0);
    assert_eq!(login.digest, login.expected_digest("secret").to_uppercase());
}

#[test]
fn keep_alives_and_pings_are_answered_before_and_after_the_login() {
    let app = App::start();
    let _pbx = Pbx::start(app.options("master")).unwrap();
    let connection = app.accept();
    connection.receive_mt("AppChallenge");
    connection.send(json!({"mt": "KeepAlive"}));
    connection.receive_mt("KeepAliveResult");
    connection.ping();
    connection.receive_mt("test-pong");
}

#[test]
fn a_pbx_with_keep_alive_gives_a_deaf_app_up_and_dials_again() {
    let app = App::start();
    let interval = std::time::Duration::from_millis(400);
    let _pbx = Pbx::start(PbxOptions {
        keep_alive: Some(interval),
        ..app.options("master")
    })
    .unwrap();
    let connection = app.logged_in();
    connection.receive_mt("KeepAlive");
    connection.wait_for_end();
    app.logged_in();
}

#[test]
fn a_browser_like_connection_asks_for_the_build_first() {
    let app = App::start();
    let url = format!("{}.htm", app.url);
    let _pbx = Pbx::start(PbxOptions {
        check_build: Some(url.clone()),
        ..app.options("master")
    })
    .unwrap();
    let connection = app.accept();
    let first: Value = serde_json::from_str(&connection.receive_text().0).unwrap();
    assert_eq!((&first["mt"], &first["url"]), (&json!("CheckBuild"), &json!(url)));
    connection.log_in("secret");
    connection.receive_mt("PbxInfo");
}

#[test]
fn a_resting_pbx_does_not_dial_and_a_resumed_one_does() {
    let app = App::start();
    let pbx = Pbx::start(app.options("master")).unwrap();
    let connection = app.logged_in();
    pbx.rest();
    connection.wait_for_end();
    let before = pbx.connections();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(pbx.connections(), before);
    pbx.resume();
    app.logged_in();
    assert!(pbx.wait_until_connected(PATIENCE));
}

#[test]
fn a_connection_that_is_cut_or_closed_is_made_anew() {
    let app = App::start();
    let pbx = Pbx::start(app.options("master")).unwrap();
    let connection = app.logged_in();
    pbx.cut(Cut::Close);
    connection.wait_for_end();
    let connection = app.logged_in();
    pbx.cut(Cut::Abort);
    connection.wait_for_end();
    let connection = app.logged_in();
    connection.close();
    app.logged_in();
    assert!(pbx.wait_for_logins(4, PATIENCE));
}

#[test]
fn a_stopped_pbx_ends_its_connection_for_good() {
    let app = App::start();
    let pbx = Pbx::start(app.options("master")).unwrap();
    let connection = app.logged_in();
    pbx.stop();
    connection.wait_for_end();
    assert!(!pbx.is_connected());
}

#[test]
fn a_handle_can_be_shared_among_threads() {
    fn is_shareable<Handle: Clone + Send + Sync + 'static>(_: &Handle) {}
    let app = App::start();
    let pbx = Pbx::start(app.options("master")).unwrap();
    is_shareable(&pbx);
    is_shareable(pbx.estate());
    let clone = pbx.clone();
    drop(pbx);
    app.logged_in();
    assert!(clone.wait_until_connected(PATIENCE));
}
