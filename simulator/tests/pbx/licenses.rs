use m365_simulator::pbx::Pbx;
use serde_json::{Value, json};

use crate::app::{App, Connection, alice, bob};

const LICENSE: &str = "App(innovaphone-microsoft365)";

fn check(connection: &Connection, key: &str, value: &str, license: &str) -> Value {
    let mut request = json!({"mt": "CheckAppLic", "api": "PbxAdminApi", "src": "c", "lic": license});
    request[key] = json!(value);
    connection.request(request)["ok"].clone()
}

#[test]
fn licenses_are_checked_by_guid_name_and_long_name() {
    let (_app, pbx, connection) = App::with_pbx([alice(), bob()]);
    pbx.assign("alice", LICENSE);
    for (key, value) in [
        ("guid", alice().guid.as_str()),
        ("h323", "alice"),
        ("cn", "Alice Müller"),
    ] {
        assert_eq!(check(&connection, key, value, LICENSE), true, "{key}");
    }
    assert_eq!(check(&connection, "h323", "bob", LICENSE), false);
    assert_eq!(check(&connection, "h323", "nobody", LICENSE), false);
    pbx.withdraw("alice", LICENSE);
    assert_eq!(check(&connection, "h323", "alice", LICENSE), false);
    pbx.inject(|faults| faults.unlicensed_without_ok = true);
    assert_eq!(check(&connection, "h323", "alice", LICENSE), Value::Null);
}

#[test]
fn a_license_covers_every_app_whose_name_begins_like_it() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    pbx.assign("alice", LICENSE);
    assert_eq!(
        check(&connection, "h323", "alice", "App(innovaphone-microsoft365admin)"),
        true
    );
    assert_eq!(
        check(&connection, "h323", "alice", "App(innovaphone-microsoft)"),
        false
    );
}

#[test]
fn test_mode_licenses_everybody_and_lists_nothing() {
    let app = App::start();
    let mut options = app.options("master");
    options.test_mode = true;
    let pbx = Pbx::start(options).unwrap();
    pbx.add_user(alice());
    let connection = app.logged_in();
    assert_eq!(check(&connection, "h323", "alice", LICENSE), true);
    let list = connection.request(json!({"mt": "GetPbxLicenses", "api": "PbxAdminApi", "src": "l"}));
    assert!(list.get("lic").is_none());
}

#[test]
fn installed_licenses_are_counted_in_text() {
    let (_app, pbx, connection) = App::with_pbx([alice(), bob()]);
    pbx.assign("alice", LICENSE);
    let list = connection.request(json!({"mt": "GetPbxLicenses", "api": "PbxAdminApi", "src": "l"}));
    let licenses = list["lic"].as_array().unwrap();
    let ours = licenses
        .iter()
        .find(|license| license["name"] == LICENSE)
        .unwrap();
    assert_eq!(ours["used"], "1");
}

#[test]
fn objects_and_the_name_of_the_pbx_can_be_asked_for() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    pbx.assign("alice", LICENSE);
    pbx.set_presence("alice", "tel:", "meeting", "");
    let object = connection
        .request(json!({"mt": "GetObject", "api": "PbxAdminApi", "src": "o", "cn": "Alice Müller"}));
    assert_eq!(object["h323"], "alice");
    assert_eq!(
        object["presence"][0],
        json!({"c": "tel:", "a": "meeting", "n": ""})
    );
    let missing =
        connection.request(json!({"mt": "GetObject", "api": "PbxAdminApi", "src": "m", "h323": "nobody"}));
    assert!(missing["error"].is_string());
    let config = connection.request(json!({"mt": "GetPbxConfig", "api": "PbxAdminApi", "src": "g"}));
    assert_eq!(config["loc"], "master");
}
