use m365_simulator::pbx::{
    Clearing, Direction, OnThePhone, Pbx, PbxOptions, Peer, Setting, User, Visibility,
};
use serde_json::{Value, json};

use crate::app::{App, Connection, PATIENCE, alice, bob};

pub(crate) fn subscribe(connection: &Connection, sip: &str) -> Value {
    connection
        .request(json!({"mt": "SubscribePresence", "api": "PbxApi", "src": format!("src-{sip}"), "sip": sip}))
}

fn set(connection: &Connection, sip: &str, contact: &str, activity: &str, note: &str) -> Value {
    connection.request(json!({
        "mt": "SetPresence", "api": "PbxApi", "src": "set", "sip": sip,
        "contact": contact, "activity": activity, "note": note,
    }))
}

fn activities(update: &Value) -> Vec<(String, String)> {
    let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let items = update["presence"].as_array().unwrap();
    items
        .iter()
        .map(|item| (text(item, "contact"), text(item, "activity")))
        .collect()
}

fn pair(contact: &str, activity: &str) -> (String, String) {
    (contact.to_owned(), activity.to_owned())
}

#[test]
fn a_subscription_is_answered_with_who_and_what() {
    let (_app, _pbx, connection) = App::with_pbx([alice()]);
    let answer = subscribe(&connection, "alice");
    assert!(answer.get("error").is_none());
    let state = connection.receive_mt("PresenceState");
    assert_eq!(state["src"], "src-alice");
    assert_eq!(state["up"], true);
    assert_eq!((&state["sip"], &state["num"]), (&json!("alice"), &json!("201")));
    assert_eq!(state["email"], "alice@example.com");
    let update = connection.receive_mt("PresenceUpdate");
    assert_eq!(
        update["presence"],
        json!([{"contact": "im:", "status": "closed", "activity": ""}])
    );
}

#[test]
fn a_number_can_be_subscribed_and_an_unknown_user_is_an_error() {
    let (_app, _pbx, connection) = App::with_pbx([bob()]);
    let by_number = json!({"mt": "SubscribePresence", "api": "PbxApi", "src": "n", "num": "202"});
    assert!(connection.request(by_number).get("error").is_none());
    assert_eq!(connection.receive_mt("PresenceState")["email"], "bob@example.com");
    assert!(subscribe(&connection, "nobody")["error"].as_u64().unwrap() > 0);
}

#[test]
fn setting_presence_answers_first_and_then_echoes_to_the_own_subscription() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    subscribe(&connection, "alice");
    connection.receive_mt("PresenceUpdate");
    pbx.set_presence("alice", "tel:", "lunch", "back at one");
    let update = connection.receive_mt("PresenceUpdate");
    assert_eq!(update["presence"][0]["note"], "back at one");
    let answer = set(&connection, "alice", "teams:", "busy", "");
    assert!(answer.get("error").is_none());
    let update = connection.receive_mt("PresenceUpdate");
    assert_eq!(
        activities(&update),
        [pair("teams:", "busy"), pair("tel:", "lunch"), pair("im:", "")]
    );
    assert!(pbx.wait_for_activity("alice", "teams:", "busy", PATIENCE));
    assert_eq!(pbx.entry("Alice Müller", "tel:").unwrap().activity, "lunch");
}

#[test]
fn a_guid_suffices_and_a_missing_contact_is_the_users_own() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    let guid = alice().guid;
    connection.request(
        json!({"mt": "SetPresence", "api": "PbxApi", "src": "s", "guid": guid, "activity": "away", "note": ""}),
    );
    assert_eq!(pbx.entry("alice", "tel:").unwrap().activity, "away");
}

#[test]
fn a_cleared_entry_is_dropped_or_stays_empty_as_configured() {
    for (clearing, left) in [(Clearing::Drop, None), (Clearing::Empty, Some(""))] {
        let app = App::start();
        let pbx = Pbx::start(PbxOptions {
            clearing,
            ..app.options("master")
        })
        .unwrap();
        pbx.add_user(alice());
        let connection = app.logged_in();
        set(&connection, "alice", "teams:", "dnd", "");
        set(&connection, "alice", "teams:", "", "");
        let entry = pbx.entry("alice", "teams:");
        assert_eq!(entry.as_ref().map(|entry| entry.activity.as_str()), left);
    }
}

#[test]
fn an_unknown_user_cannot_be_set_and_an_injected_error_changes_nothing() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    assert_eq!(set(&connection, "nobody", "teams:", "busy", "")["error"], 1);
    pbx.inject(|faults| faults.presence_error = Some((7, "not today".to_owned())));
    let answer = set(&connection, "alice", "teams:", "busy", "");
    assert_eq!(
        (&answer["error"], &answer["errorText"]),
        (&json!(7), &json!("not today"))
    );
    assert_eq!(pbx.entry("alice", "teams:"), None);
}

#[test]
fn an_unsubscribed_source_hears_nothing_more() {
    let (_app, pbx, connection) = App::with_pbx([alice(), bob()]);
    subscribe(&connection, "alice");
    subscribe(&connection, "bob");
    connection
        .request(json!({"mt": "UnsubscribePresence", "api": "PbxApi", "src": "src-alice", "sip": "alice"}));
    pbx.set_presence("alice", "tel:", "busy", "");
    pbx.set_presence("bob", "tel:", "busy", "");
    let update = connection.receive_mt("PresenceUpdate");
    let update = if activities(&update)[0].1.is_empty() {
        connection.receive_mt("PresenceUpdate")
    } else {
        update
    };
    assert_eq!(update["src"], "src-bob");
}

#[test]
fn a_lost_monitor_comes_back_with_state_and_presence() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    subscribe(&connection, "alice");
    connection.receive_mt("PresenceUpdate");
    pbx.set_monitored("alice", false);
    assert_eq!(connection.receive_mt("PresenceState")["up"], false);
    pbx.set_monitored("alice", true);
    assert_eq!(connection.receive_mt("PresenceState")["up"], true);
    connection.receive_mt("PresenceUpdate");
    pbx.remove_user("alice");
    assert_eq!(connection.receive_mt("PresenceState")["up"], false);
    pbx.add_user(alice());
    assert_eq!(connection.receive_mt("PresenceState")["up"], true);
}

#[test]
fn on_the_phone_appears_with_a_call_and_only_with_its_right() {
    let blind = Visibility {
        on_the_phone: false,
        ..Visibility::FULL
    };
    let (_app, pbx, connection) = App::with_pbx([
        alice(),
        User {
            visibility: blind,
            ..bob()
        },
    ]);
    subscribe(&connection, "alice");
    connection.receive_mt("PresenceUpdate");
    let call = pbx
        .start_call("alice", Direction::Outgoing, Peer::default())
        .unwrap();
    let update = connection.receive_mt("PresenceUpdate");
    assert_eq!(activities(&update)[0], pair("tel:", "on-the-phone"));
    pbx.end(call);
    assert_eq!(
        activities(&connection.receive_mt("PresenceUpdate")),
        [pair("im:", "")]
    );
    pbx.start_call("bob", Direction::Outgoing, Peer::default())
        .unwrap();
    assert_eq!(pbx.entry("bob", "tel:"), None);
}

#[test]
fn without_any_right_a_subscription_stays_pending_until_it_is_granted() {
    let hidden = Visibility {
        presence: false,
        note: false,
        on_the_phone: false,
    };
    let (_app, pbx, connection) = App::with_pbx([
        User {
            visibility: hidden,
            ..alice()
        },
        bob(),
    ]);
    subscribe(&connection, "alice");
    subscribe(&connection, "bob");
    assert_eq!(connection.receive_mt("PresenceState")["sip"], "bob");
    pbx.update_user("alice", |alice| alice.visibility = Visibility::FULL);
    assert_eq!(connection.receive_mt("PresenceState")["sip"], "alice");
}

#[test]
fn the_on_the_phone_entry_may_come_elsewhere_or_not_at_all_and_be_refused() {
    let app = App::start();
    let phone = OnThePhone {
        contact: "phone:".to_owned(),
        ..OnThePhone::default()
    };
    let options = PbxOptions {
        on_the_phone: Some(phone),
        on_the_phone_setting: Setting::Rejected,
        ..app.options("master")
    };
    let pbx = Pbx::start(options).unwrap();
    pbx.add_user(alice());
    let connection = app.logged_in();
    assert_eq!(
        set(&connection, "alice", "teams:", "on-the-phone", "")["error"],
        1
    );
    pbx.configure(|options| options.on_the_phone_setting = Setting::Ignored);
    assert!(
        set(&connection, "alice", "teams:", "on-the-phone", "")
            .get("error")
            .is_none()
    );
    assert_eq!(pbx.entry("alice", "teams:"), None);
    pbx.start_call("alice", Direction::Outgoing, Peer::default())
        .unwrap();
    assert_eq!(pbx.entries("alice")[0].contact, "phone:");
    pbx.configure(|options| options.on_the_phone = None);
    assert_eq!(pbx.entries("alice")[0].contact, "im:");
}
