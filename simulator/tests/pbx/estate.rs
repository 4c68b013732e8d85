use m365_simulator::pbx::{Direction, Estate, Pbx, PbxOptions, Peer, Role, User};
use serde_json::json;

use crate::{
    app::{App, Connection, alice},
    presence::subscribe,
    replication::{pull, start},
};

struct Pair {
    app: App,
    master: Pbx,
    slave: Pbx,
    at_master: Connection,
    at_slave: Connection,
}

fn pair() -> Pair {
    let (app, estate) = (App::start(), Estate::new());
    let master = Pbx::start_in(&estate, app.options("master")).unwrap();
    let at_master = app.logged_in();
    let slave = PbxOptions {
        role: Role::Slave,
        ..app.options("slave1")
    };
    let slave = Pbx::start_in(&estate, slave).unwrap();
    let at_slave = app.logged_in();
    master.add_users([alice(), User::new("carol", "Carol", "slave1")]);
    Pair {
        app,
        master,
        slave,
        at_master,
        at_slave,
    }
}

#[test]
fn the_master_replicates_everybody_and_a_slave_its_own_users() {
    let pair = pair();
    start(&pair.at_master, &["guid", "h323", "loc"], None);
    assert_eq!(pull(&pair.at_master).len(), 2);
    start(&pair.at_slave, &["guid", "h323", "loc"], None);
    let rows = pull(&pair.at_slave);
    assert_eq!((rows.len(), &rows[0]["h323"]), (1, &json!("carol")));
    pair.master
        .update_user("alice", |alice| alice.loc = "slave1".to_owned());
    assert_eq!(
        pair.at_slave.receive_mt("ReplicateAdd")["columns"]["h323"],
        "alice"
    );
    assert_eq!(
        pair.at_master.receive_mt("ReplicateUpdate")["columns"]["loc"],
        "slave1"
    );
}

#[test]
fn presence_crosses_pbxs_and_calls_do_not() {
    let pair = pair();
    subscribe(&pair.at_master, "carol");
    pair.at_master.receive_mt("PresenceUpdate");
    pair.at_slave.request(json!({"mt": "SetPresence", "api": "PbxApi", "src": "s", "sip": "carol", "contact": "teams:", "activity": "busy"}));
    assert_eq!(
        pair.at_master.receive_mt("PresenceUpdate")["presence"][0]["activity"],
        "busy"
    );
    assert_eq!(
        pair.master
            .start_call("carol", Direction::Outgoing, Peer::default()),
        None
    );
    pair.at_master
        .send(json!({"mt": "Initialize", "api": "RCC", "src": "rcc", "calls": true}));
    pair.at_master.receive_mt("InitializeResult");
    let call = pair
        .slave
        .start_call("carol", Direction::Outgoing, Peer::default())
        .unwrap();
    let (next, _) = pair.at_master.receive_text();
    assert!(
        next.contains("PresenceUpdate") && next.contains("on-the-phone"),
        "{next}"
    );
    pair.slave.end(call);
}

#[test]
fn an_alien_call_is_refused_away_from_home() {
    let pair = pair();
    let create =
        json!({"mt": "CreateApi", "api": "PbxImpersonation", "src": "i", "sip": "carol", "target": "PbxApi"});
    let target = pair.at_master.request(create)["target"].clone();
    let answer = pair
        .at_master
        .request(json!({"mt": "AddAlienCall", "api": target, "src": "a"}));
    assert!(answer["error"].as_u64().unwrap() > 0);
}

#[test]
fn a_user_who_moved_while_the_pbx_was_away_shows_the_new_home() {
    let pair = pair();
    pair.slave
        .start_call("carol", Direction::Outgoing, Peer::default())
        .unwrap();
    pair.master.rest();
    pair.at_master.wait_for_end();
    pair.master
        .update_user("carol", |carol| carol.loc = "master".to_owned());
    assert_eq!(pair.master.calls("carol"), 0);
    pair.master.resume();
    let at_master = pair.app.logged_in();
    start(&at_master, &["guid", "h323", "loc"], None);
    assert!(pull(&at_master).iter().all(|row| row["loc"] == "master"));
}

#[test]
fn two_app_objects_of_one_pbx_have_a_connection_each() {
    let (app, estate) = (App::start(), Estate::new());
    let user_app = Pbx::start_in(&estate, app.options("master")).unwrap();
    let first = app.logged_in();
    let api = PbxOptions {
        app_object: "microsoft365-api".to_owned(),
        ..app.options("master")
    };
    let _api = Pbx::start_in(&estate, api).unwrap();
    let second = app.logged_in();
    user_app.add_user(alice());
    for connection in [&first, &second] {
        start(connection, &["guid"], None);
        assert_eq!(pull(connection).len(), 1);
    }
}
