use m365_simulator::pbx::{Pbx, PbxOptions, User};
use serde_json::{Value, json};

use crate::app::{App, Connection, alice, bob};

pub(crate) fn start(connection: &Connection, columns: &[&str], pseudo: Option<&[&str]>) -> Value {
    let columns: serde_json::Map<String, Value> = columns
        .iter()
        .map(|name| ((*name).to_owned(), json!({})))
        .collect();
    let mut request = json!({"mt": "ReplicateStart", "api": "PbxTableUsers", "src": "users", "add": false, "del": false, "columns": columns});
    if let Some(pseudo) = pseudo {
        request["pseudo"] = json!(pseudo);
    }
    connection.request(request)
}

fn next(connection: &Connection) -> Value {
    connection.request(json!({"mt": "ReplicateNext", "api": "PbxTableUsers", "src": "users"}))
}

pub(crate) fn pull(connection: &Connection) -> Vec<Value> {
    let mut rows = Vec::new();
    loop {
        let row = next(connection);
        match row.get("columns") {
            Some(columns) => rows.push(columns.clone()),
            None => return rows,
        }
    }
}

#[test]
fn the_table_comes_row_by_row_with_the_wanted_columns_and_ends_without_columns() {
    let (_app, _pbx, connection) = App::with_pbx([alice(), bob()]);
    let started = start(
        &connection,
        &["guid", "h323", "cn", "e164", "emails", "h323-email", "shoe-size"],
        None,
    );
    assert!(started["columns"].get("guid").is_some());
    assert!(started["columns"].get("shoe-size").is_none());
    let rows = pull(&connection);
    assert_eq!(rows.len(), 2);
    let (alice, bob) = (alice(), bob());
    assert_eq!(
        rows[0],
        json!({"guid": alice.guid, "h323": "alice", "cn": "Alice Müller", "e164": "201", "emails": [{"email": "alice@example.com"}]})
    );
    assert_eq!(
        rows[1],
        json!({"guid": bob.guid, "h323": "bob", "cn": "Bob Baker", "e164": "202", "h323-email": true})
    );
}

#[test]
fn object_types_are_delivered_only_when_asked_for() {
    let chief = User {
        pseudo: "executive".to_owned(),
        ..User::new("chief", "The Chief", "master")
    };
    let mailbox = User {
        pseudo: "vm".to_owned(),
        ..User::new("voicemail", "Voicemail", "master")
    };
    let (_app, _pbx, connection) = App::with_pbx([alice(), chief, mailbox]);
    let names = |rows: Vec<Value>| {
        rows.iter()
            .map(|row| row["h323"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    start(&connection, &["guid", "h323", "pseudo"], None);
    assert_eq!(names(pull(&connection)), ["alice"]);
    start(&connection, &["guid", "h323", "pseudo"], Some(&["", "executive"]));
    assert_eq!(names(pull(&connection)), ["alice", "chief"]);
}

#[test]
fn changes_come_live_under_the_source_of_the_start_with_all_wanted_columns() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    start(&connection, &["guid", "h323", "dn", "e164"], None);
    pull(&connection);
    pbx.add_user(bob());
    let added = connection.receive_mt("ReplicateAdd");
    assert_eq!(added["src"], "users");
    assert_eq!(added["api"], "PbxTableUsers");
    assert_eq!(added["columns"]["h323"], "bob");
    pbx.update_user("bob", |bob| bob.dn = "Baker, Bob".to_owned());
    let updated = connection.receive_mt("ReplicateUpdate");
    assert_eq!(
        updated["columns"],
        json!({"guid": bob().guid, "h323": "bob", "dn": "Baker, Bob", "e164": "202"})
    );
    pbx.remove_user("bob");
    let removed = connection.receive_mt("ReplicateDel");
    assert_eq!(removed["columns"]["guid"], bob().guid);
}

#[test]
fn a_row_deleted_during_the_pull_is_not_delivered_and_one_added_comes_live() {
    let (_app, pbx, connection) = App::with_pbx([alice(), bob()]);
    start(&connection, &["guid", "h323"], None);
    pbx.remove_user("bob");
    pbx.add_user(User::new("carol", "Carol", "master"));
    let rows = pull(&connection);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["h323"], "alice");
}

#[test]
fn numbered_replication_carries_the_table_and_the_numbers() {
    let app = App::start();
    let pbx = Pbx::start(PbxOptions {
        numbered_replication: true,
        ..app.options("master")
    })
    .unwrap();
    pbx.add_user(alice());
    let connection = app.logged_in();
    let started = start(&connection, &["guid"], None);
    assert_eq!(started["guid"].as_str().unwrap().len(), 32);
    assert!(next(&connection)["usn"].is_u64());
}

#[test]
fn five_thousand_users_are_replicated_checked_and_subscribed_quickly() {
    let users =
        (0..5000).map(|number| User::new(&format!("user{number}"), &format!("User {number}"), "master"));
    let (_app, pbx, connection) = App::with_pbx(users);
    let started = std::time::Instant::now();
    pbx.assign("user7", "App(innovaphone-microsoft365)");
    start(&connection, &["guid", "h323", "cn", "loc"], None);
    assert_eq!(pull(&connection).len(), 5000);
    for number in 0..5000 {
        let (h323, src) = (format!("user{number}"), number.to_string());
        connection.send(json!({"mt": "CheckAppLic", "api": "PbxAdminApi", "src": src, "h323": h323, "lic": "App(innovaphone-microsoft365)"}));
        connection.send(json!({"mt": "SubscribePresence", "api": "PbxApi", "src": src, "sip": h323}));
    }
    let mut licensed = 0;
    for _ in 0..5000 {
        licensed += usize::from(connection.receive_mt("CheckAppLicResult")["ok"] == true);
    }
    assert_eq!(licensed, 1);
    assert!(started.elapsed() < std::time::Duration::from_secs(60));
}
