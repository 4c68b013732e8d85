use std::time::Duration;

use m365_simulator::pbx::{Cut, Distortion, Pbx, Way};
use serde_json::{Value, json};

use crate::{
    app::{App, PATIENCE, alice, bob},
    presence::subscribe,
    replication::start,
};

#[test]
fn long_messages_come_in_fragments_that_may_split_characters() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    pbx.inject(|faults| faults.fragment_above = Some(4096));
    pbx.send_text(&json!({"mt": "Unheard", "filler": "ü".repeat(4600)}).to_string());
    let (text, parts) = connection.receive_text();
    assert_eq!(parts, 3);
    assert!(text.contains("üü"));
}

#[test]
fn large_messages_and_floods_are_sent() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    pbx.send_large(60_000);
    assert!(connection.receive_text().0.len() > 60_000);
    pbx.flood(1000);
    connection.receive_where(|message| message["number"] == 999);
}

#[test]
fn the_login_can_break_off_at_any_message() {
    let app = App::start();
    let pbx = Pbx::start(app.options("master")).unwrap();
    app.logged_in();
    pbx.inject(|faults| faults.close_at_message = Some(2));
    pbx.cut(Cut::Close);
    let connection = app.accept();
    connection.receive_mt("AppChallenge");
    connection.send(json!({"mt": "AppChallengeResult", "challenge": "1"}));
    connection.wait_for_end();
    pbx.inject(|faults| faults.close_at_message = None);
    assert!(
        pbx.wait_for(
            |frame| frame.connection >= 2 && frame.is_sent("AppChallenge"),
            PATIENCE
        )
        .is_some()
    );
}

#[test]
fn the_replication_can_break_off_at_any_row() {
    let (_app, pbx, connection) = App::with_pbx([alice(), bob()]);
    pbx.inject(|faults| faults.close_at_row = Some(2));
    start(&connection, &["guid"], None);
    connection.request(json!({"mt": "ReplicateNext", "api": "PbxTableUsers", "src": "users"}));
    connection.send(json!({"mt": "ReplicateNext", "api": "PbxTableUsers", "src": "users"}));
    connection.wait_for_end();
}

#[test]
fn live_updates_can_interleave_with_the_pull_and_come_twice() {
    let (_app, pbx, connection) = App::with_pbx([alice(), bob()]);
    pbx.inject(|faults| {
        faults.interleaved_updates = true;
        faults.doubled_updates = true;
        faults.bare_deletes = true;
    });
    start(&connection, &["guid", "h323"], None);
    connection.send(json!({"mt": "ReplicateNext", "api": "PbxTableUsers", "src": "users"}));
    let kinds = [connection.receive_text().0, connection.receive_text().0];
    assert!(
        kinds[0].contains("ReplicateUpdate") && kinds[1].contains("ReplicateNextResult"),
        "{kinds:?}"
    );
    pbx.update_user("bob", |bob| bob.e164 = "299".to_owned());
    connection.receive_mt("ReplicateUpdate");
    connection.receive_mt("ReplicateUpdate");
    pbx.remove_user("bob");
    assert_eq!(
        connection.receive_mt("ReplicateDel")["columns"],
        json!({"guid": bob().guid})
    );
}

#[test]
fn a_replication_can_be_refused() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    pbx.inject(|faults| faults.replication_error = Some("no access".to_owned()));
    assert_eq!(start(&connection, &["guid"], None)["error"], "no access");
}

#[test]
fn members_can_be_missing_of_another_type_or_spelled_out() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    let distortion = |member: &str, value: Option<Value>| Distortion {
        mt: "PresenceState".to_owned(),
        member: member.to_owned(),
        value,
    };
    pbx.inject(|faults| {
        faults.distortions = vec![distortion("dn", None), distortion("up", Some(json!("yes")))];
        faults.presence_error = Some((9, "no".to_owned()));
        faults.numbers_as_text = true;
        faults.unknown_messages = true;
    });
    subscribe(&connection, "alice");
    connection.receive_mt("Unheard");
    let state = connection.receive_mt("PresenceState");
    assert!(state.get("dn").is_none());
    assert_eq!(state["up"], "yes");
    let answer =
        connection.request(json!({"mt": "SetPresence", "api": "PbxApi", "src": "s", "sip": "alice"}));
    assert_eq!(answer["error"], "9");
}

#[test]
fn requests_can_stay_unanswered_and_answers_can_be_late() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    pbx.inject(|faults| {
        faults.unanswered.insert("CheckAppLic".to_owned());
        faults.delay = Some(Duration::from_millis(300));
    });
    let asked = std::time::Instant::now();
    connection.send(
        json!({"mt": "CheckAppLic", "api": "PbxAdminApi", "src": "1", "h323": "alice", "lic": "App(x)"}),
    );
    connection.send(json!({"mt": "GetPbxConfig", "api": "PbxAdminApi", "src": "2"}));
    let (first, _) = connection.receive_text();
    assert!(first.contains("GetPbxConfigResult"), "{first}");
    assert!(asked.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_half_open_connection_neither_speaks_nor_ends_until_it_is_cut_for_good() {
    let (app, pbx, connection) = App::with_pbx([alice()]);
    pbx.cut(Cut::Silence);
    connection.send(json!({"mt": "KeepAlive"}));
    connection.ping();
    assert!(connection.is_quiet_for(Duration::from_millis(300)));
    pbx.cut(Cut::Abort);
    connection.wait_for_end();
    app.logged_in();
}

#[test]
fn a_forsaken_connection_stays_mute_while_the_pbx_dials_again() {
    let (app, pbx, forsaken) = App::with_pbx([alice()]);
    pbx.cut(Cut::Forsake);
    let connection = app.logged_in();
    forsaken.send(json!({"mt": "KeepAlive"}));
    assert!(forsaken.is_quiet_for(Duration::from_millis(300)));
    connection.send(json!({"mt": "KeepAlive"}));
    connection.receive_mt("KeepAliveResult");
}

#[test]
fn nonsense_is_survived_and_kept_in_the_journal() {
    let (_app, pbx, connection) = App::with_pbx([alice()]);
    for nonsense in [
        json!([1, 2]),
        json!("text"),
        json!({"mt": 7}),
        json!({"mt": "Strange", "api": "PbxApi"}),
    ] {
        connection.send(nonsense);
    }
    connection.request(json!({"mt": "GetPbxConfig", "api": "PbxAdminApi", "src": "1"}));
    assert_eq!(
        pbx.journal()
            .count(|frame| frame.way == Way::Received && frame.message == json!([1, 2])),
        1
    );
    assert!(
        pbx.wait_for(|frame| frame.is_received("Strange"), PATIENCE)
            .is_some()
    );
}
