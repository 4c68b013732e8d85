use m365_simulator::pbx::{Direction, Peer, User};
use serde_json::{Value, json};

use crate::app::{App, Connection, alice, bob};

fn initialize(connection: &Connection) {
    connection.send(json!({"mt": "Initialize", "api": "RCC", "src": "rcc", "calls": true, "limit": 50}));
}

fn customer() -> Peer {
    Peer {
        e164: "004930123456".to_owned(),
        ..Peer::default()
    }
}

#[test]
fn line_states_of_local_users_come_before_the_result() {
    let elsewhere = User::new("carol", "Carol", "slave1");
    let (_app, pbx, connection) = App::with_pbx([alice(), bob(), elsewhere]);
    let call = pbx.start_call("bob", Direction::Outgoing, customer()).unwrap();
    initialize(&connection);
    let first = connection.receive_mt("UserInfo");
    assert_eq!(
        (&first["h323"], &first["channel"], &first["alert"]),
        (&json!("alice"), &json!(0), &json!(0))
    );
    assert_eq!((&first["pbx"], &first["state"]), (&json!("master"), &json!(1)));
    assert!(first.get("update").is_none());
    let second = connection.receive_mt("UserInfo");
    assert_eq!((&second["h323"], &second["channel"]), (&json!("bob"), &json!(1)));
    let known = connection.receive_mt("CallAdd");
    assert_eq!(known["guid"], bob().guid);
    let (rest, _) = connection.receive_text();
    assert!(rest.contains("CallUpdate"));
    let (rest, _) = connection.receive_text();
    assert!(rest.contains("InitializeResult"), "{rest}");
    pbx.end(call);
    assert_eq!(connection.receive_mt("CallDel")["call"], known["call"]);
    assert_eq!(connection.receive_mt("UserInfo")["channel"], 0);
}

#[test]
fn a_parked_call_occupies_nobody_and_one_that_is_handed_over_occupies_another() {
    let (_app, pbx, connection) = App::with_pbx([alice(), bob()]);
    let call = pbx.start_call("alice", Direction::Outgoing, customer()).unwrap();
    pbx.connect(call);
    initialize(&connection);
    connection.receive_mt("InitializeResult");
    pbx.park(call);
    assert_eq!(connection.receive_mt("CallUpdate")["state"], 8);
    assert_eq!(connection.receive_mt("UserInfo")["channel"], 0);
    let taken = pbx.hand_over(call, "bob").unwrap();
    assert_ne!(taken, call);
    assert_eq!((pbx.calls("alice"), pbx.calls("bob")), (0, 1));
}

#[test]
fn line_states_are_refused_and_calls_told_without_counts_on_demand() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    pbx.inject(|faults| faults.lines_error = Some("no access".to_owned()));
    initialize(&connection);
    assert_eq!(connection.receive_mt("InitializeResult")["error"], "no access");
    pbx.inject(|faults| {
        faults.lines_error = None;
        faults.uncounted_calls = true;
    });
    initialize(&connection);
    connection.receive_mt("InitializeResult");
    let call = pbx.start_call("alice", Direction::Outgoing, customer()).unwrap();
    pbx.end(call);
    for mt in ["CallAdd", "CallUpdate", "CallDel"] {
        assert!(connection.receive_text().0.contains(mt));
    }
}

#[test]
fn an_incoming_call_rings_first_and_counts_as_a_channel_when_connected() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    initialize(&connection);
    connection.receive_mt("InitializeResult");
    let call = pbx.start_call("alice", Direction::Incoming, customer()).unwrap();
    let added = connection.receive_mt("CallAdd");
    assert_eq!(added["src"], "rcc");
    assert_eq!(added["state"], 0x81);
    let update = connection.receive_mt("CallUpdate");
    assert_eq!(
        (&update["msg"], &update["remote"]["e164"]),
        (&json!("x-setup"), &json!("004930123456"))
    );
    let info = connection.receive_mt("UserInfo");
    assert_eq!((&info["channel"], &info["alert"]), (&json!(0), &json!(1)));
    pbx.alert(call);
    assert_eq!(connection.receive_mt("CallUpdate")["msg"], "r-alert");
    connection.receive_mt("UserInfo");
    pbx.connect(call);
    assert_eq!(connection.receive_mt("CallUpdate")["msg"], "r-conn");
    let info = connection.receive_mt("UserInfo");
    assert_eq!(
        (&info["channel"], &info["alert"], &info["update"]),
        (&json!(1), &json!(0), &json!("update"))
    );
}

#[test]
fn one_users_calls_can_be_watched_by_handle() {
    let (_app, pbx, connection) = App::with_pbx([alice(), bob()]);
    let answer =
        connection.request(json!({"mt": "UserInitialize", "api": "RCC", "src": "u", "cn": "Alice Müller"}));
    let handle = answer["user"].clone();
    let call = pbx.start_call("alice", Direction::Outgoing, customer()).unwrap();
    let states = |info: Value| {
        (
            info["state"].as_u64().unwrap(),
            info["msg"].as_str().unwrap().to_owned(),
        )
    };
    let first = connection.receive_mt("CallInfo");
    assert_eq!((&first["user"], &first["src"]), (&handle, &json!("u")));
    assert_eq!(states(first), (1, "r-setup".to_owned()));
    pbx.alert(call);
    assert_eq!(
        states(connection.receive_mt("CallInfo")),
        (4, "x-alert".to_owned())
    );
    pbx.connect(call);
    assert_eq!(
        states(connection.receive_mt("CallInfo")),
        (5, "x-conn".to_owned())
    );
    pbx.hold(call);
    assert_eq!(
        states(connection.receive_mt("CallInfo")),
        (0x105, "r-hold".to_owned())
    );
    pbx.retrieve(call);
    assert_eq!(states(connection.receive_mt("CallInfo")).0, 5);
    pbx.end(call);
    let last = connection.receive_mt("CallInfo");
    assert_eq!(last["del"], true);
    assert_eq!(states(last), (0, "del".to_owned()));
    connection.request(json!({"mt": "UserEnd", "api": "RCC", "src": "e", "user": handle}));
    pbx.start_call("alice", Direction::Outgoing, customer()).unwrap();
    connection.send(json!({"mt": "GetPbxConfig", "api": "PbxAdminApi", "src": "last"}));
    let (next, _) = connection.receive_text();
    assert!(
        next.contains("GetPbxConfigResult"),
        "an ended watch was told: {next}"
    );
}

#[test]
fn a_deleted_user_leaves_the_lines() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    initialize(&connection);
    connection.receive_mt("InitializeResult");
    pbx.remove_user("alice");
    let gone = connection.receive_mt("UserInfo");
    assert_eq!(
        (&gone["update"], &gone["guid"]),
        (&json!("del"), &json!(alice().guid))
    );
}

#[test]
fn an_alien_call_makes_the_user_busy_until_it_is_deleted_or_the_connection_ends() {
    let (app, pbx, connection) = App::with_pbx([alice()]);
    let create =
        json!({"mt": "CreateApi", "api": "PbxImpersonation", "src": "i", "sip": "alice", "target": "PbxApi"});
    let target = connection.request(create.clone())["target"].clone();
    assert_eq!(target, "PbxApi.0");
    let added = connection.request(json!({"mt": "AddAlienCall", "api": target, "src": "a"}));
    assert_eq!(added["api"], target);
    assert_eq!(pbx.entry("alice", "tel:").unwrap().activity, "on-the-phone");
    assert_eq!(pbx.alien_calls("alice"), 1);
    let deleted =
        connection.request(json!({"mt": "DelAlienCall", "api": target, "src": "d", "id": added["id"]}));
    assert!(deleted.get("error").is_none());
    assert_eq!(pbx.entry("alice", "tel:"), None);
    connection.request(json!({"mt": "AddAlienCall", "api": target, "src": "b"}));
    connection.close();
    let connection = app.logged_in();
    assert_eq!(pbx.alien_calls("alice"), 0);
    let target = connection.request(create)["target"].clone();
    connection.request(json!({"mt": "AddAlienCall", "api": target, "src": "c"}));
    let deleted = connection
        .request(json!({"mt": "DeleteApi", "api": "PbxImpersonation", "src": "x", "target": target}));
    assert_eq!(deleted["ok"], true);
    assert_eq!(pbx.calls("alice"), 0);
}
