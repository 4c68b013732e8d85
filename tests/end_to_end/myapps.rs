//! The app inside the PBX's client: everybody sees himself, administrators the lights, and nobody anybody else.

use std::time::Duration;

use m365_simulator::pbx::{AppWindow, User, Visit};
use serde_json::{Value, json};

use crate::hostile_socket::Socket;
use crate::world::{LICENSE, LONG_PATIENCE, MASTER, OWN, World, long_name};

const APP: &str = "innovaphone-microsoft365";
const ADMINISTRATORS_APP: &str = "innovaphone-microsoft365admin";
const PATIENCE: Duration = Duration::from_secs(45);

fn open(world: &World, visit: Visit) -> AppWindow {
    world.master().open_app(visit).unwrap()
}

/// Opens the app as its page does: logs in and subscribes.
fn subscribed(world: &World, visit: Visit) -> AppWindow {
    let window = open(world, visit);
    let result = hears(&window, "AppLoginResult");
    assert_eq!(result["ok"], true, "{result}");
    window.say(&json!({"mt": "SubscribeState", "api": "Microsoft365", "src": "mine"}));
    window
}

fn administrator(user: &str) -> Visit {
    Visit {
        app: Some(ADMINISTRATORS_APP.to_owned()),
        ..Visit::of(user)
    }
}

fn hears(window: &AppWindow, mt: &str) -> Value {
    let heard = window.hears(|message| message["mt"] == mt, PATIENCE);
    heard.unwrap_or_else(|| panic!("no {mt} came"))
}

/// Waits for a state that is as wanted, now or later.
fn shows(window: &AppWindow, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let fits = |message: &Value| message["mt"] == "State" && wanted(&message["state"]);
    let heard = window.hears(fits, PATIENCE);
    let state = heard.unwrap_or_else(|| panic!("never shown: {what}"));
    assert_eq!(
        (&state["api"], &state["src"]),
        (&json!("Microsoft365"), &json!("mine"))
    );
    state["state"].clone()
}

fn everything_heard(window: &AppWindow) -> String {
    let frames = window.journal().select(|_| true);
    let texts: Vec<String> = frames.iter().map(|frame| frame.message.to_string()).collect();
    texts.join("\n")
}

fn client_sessions(world: &World) -> u64 {
    world.status()["client_sessions"].as_u64().unwrap()
}

#[test]
fn somebody_sees_himself_and_every_change_at_once() {
    let world = World::of(&["anna", "bert"])
        .settings("sync.notes = 'pbx-to-teams'")
        .start();
    world.until_synchronised(2);
    let window = subscribed(&world, Visit::of("anna"));
    let state = shows(&window, "anna", |state| state["user"]["synchronised"] == true);
    let user = &state["user"];
    assert_eq!(state["known"], "known");
    assert_eq!(user["note_in_teams"], Value::Null);
    assert_eq!(user["h323"], "anna");
    assert_eq!(user["teams_name"], long_name("anna"));
    assert_eq!((&user["pbx"], &user["licensed"]), (&json!(MASTER), &json!(true)));
    assert_eq!(user["reason"], Value::Null);
    world.in_teams("anna", "Busy", "InAMeeting");
    shows(&window, "the meeting on both sides, by teams", |state| {
        let user = &state["user"];
        user["teams_presence"] == "Busy/InAMeeting"
            && user["shown_at_pbx"] == "meeting"
            && user["decided_by"] == "teams"
    });
    world.choose_at_pbx("anna", "dnd");
    shows(&window, "the choice at the pbx, in teams, by the pbx", |state| {
        let user = &state["user"];
        user["pbx_presence"] == "dnd"
            && user["teams_presence"] == "DoNotDisturb/DoNotDisturb"
            && user["teams_claim_state"] == "shown"
            && user["decided_by"] == "pbx"
    });
    world.choose_in_teams("anna", "Away", "Away");
    shows(&window, "the later choice in teams", |state| {
        state["user"]["teams_claim_state"] == "overridden" && state["user"]["decided_by"] == "teams"
    });
    world.master().set_presence("anna", OWN, "dnd", "back at 3");
    shows(&window, "the note at the pbx, in teams", |state| {
        state["user"]["note_in_teams"] == "shown" && state["user"]["teams_claim_state"] == "overridden"
    });
    assert!(!everything_heard(&window).contains("back at 3"));
}

#[test]
fn nobody_sees_anybody_else_or_what_is_the_administrators() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let window = subscribed(&world, Visit::of("anna"));
    shows(&window, "anna", |state| state["user"]["synchronised"] == true);
    world.in_teams("bert", "Busy", "InAMeeting");
    world.until_shown_at_pbx("bert", "meeting");
    world.in_teams("anna", "Away", "Away");
    let state = shows(&window, "anna away", |state| {
        state["user"]["shown_at_pbx"] == "away"
    });
    assert_eq!(state["administrator"], false);
    let heard = everything_heard(&window);
    for foreign in ["bert", "Bert", "presence1@", "\"lights\"", "\"explanation\""] {
        assert!(!heard.contains(foreign), "{foreign} in {heard}");
    }
}

#[test]
fn who_may_open_the_administrators_app_sees_the_lights_with_cause_and_remedy() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let window = subscribed(&world, administrator("anna"));
    let state = shows(&window, "three green lights", |state| {
        let lights = state["lights"].as_object();
        lights
            .is_some_and(|lights| lights.len() == 3 && lights.values().all(|light| light["state"] == "green"))
    });
    assert_eq!(
        (&state["administrator"], &state["user"]["h323"]),
        (&json!(true), &json!("anna"))
    );
    world.master().rest();
    let state = shows(&window, "the red light", |state| {
        state["lights"]["master_pbx"]["code"] == "not_connected"
    });
    let detail = state["lights"]["master_pbx"]["detail"].as_str().unwrap();
    assert!(detail.contains(MASTER), "{detail}");
}

#[test]
fn an_administrator_by_name_comes_and_goes_with_the_setting() {
    let world = World::of(&["anna", "bert"])
        .settings("pbx.administrators = [\"ANNA\"]")
        .start();
    let anna = subscribed(&world, Visit::of("anna"));
    let bert = subscribed(&world, Visit::of("bert"));
    shows(&anna, "anna's lights", |state| state["lights"].is_object());
    shows(&bert, "bert", |state| state["user"]["synchronised"] == true);
    assert!(!everything_heard(&bert).contains("\"lights\""));
    let body = json!({"pbx.administrators": ["bert"]}).to_string();
    let headers = [
        ("Authorization", "Bearer administrator-0123456789"),
        ("Content-Type", "application/json"),
    ];
    let path = "/api/v1/settings";
    let answer = crate::world::ask(world.management(), "PATCH", path, &headers, body.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    shows(&bert, "bert's lights", |state| state["lights"].is_object());
    let mark = anna.journal().mark();
    world.in_teams("anna", "Away", "Away");
    let later = anna
        .journal()
        .wait_since(mark, |frame| frame.mt() == "State", PATIENCE)
        .unwrap();
    assert_eq!(later.message["state"]["administrator"], false);
}

#[test]
fn without_a_license_somebody_is_let_in_and_sees_what_is_missing() {
    let world = World::of(&["anna"])
        .settings("timers.presence_subscription = \"2s\"")
        .prepare(|world| {
            world.add_to_pbx("carl", MASTER);
            world.add_to_teams("carl");
        })
        .start();
    world.until_user("carl", "no license", |carl| carl["reason"] == "no_license");
    let window = subscribed(&world, Visit::of("carl"));
    let login = window.journal().select(|frame| frame.is_sent("AppLogin"));
    assert_eq!(login[0].message["info"]["unlicensed"], true);
    let state = shows(&window, "the missing license", |state| {
        state["user"]["reason"] == "no_license"
    });
    assert_eq!(
        (&state["license"], &state["user"]["licensed"]),
        (&json!(LICENSE), &json!(false))
    );
    for hidden in ["teams_presence", "pbx_presence", "decided_by", "why"] {
        assert_eq!(state["user"][hidden], Value::Null, "{hidden}");
    }
    // what the connector learns afterwards is newer than the login
    world.master().assign("carl", LICENSE);
    shows(&window, "the license at work", |state| {
        state["user"]["synchronised"] == true
    });
}

#[test]
fn in_test_mode_everybody_counts_as_licensed() {
    let world = World::of(&[])
        .pbxs(|options| options.test_mode = true)
        .prepare(|world| {
            world.add_to_pbx("carl", MASTER);
            world.add_to_teams("carl");
        })
        .start();
    world.until_synchronised(1);
    let window = subscribed(&world, Visit::of("carl"));
    shows(&window, "carl", |state| state["user"]["synchronised"] == true);
}

#[test]
fn a_wrong_signature_is_refused_and_moves_no_light() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    // nobody is connected, so that a refused PBX would be the light's cause
    world.master().rest();
    world.until_light("master_pbx", "not_connected");
    let wrong = Visit {
        password: Some("another".to_owned()),
        ..Visit::of("anna")
    };
    let window = open(&world, wrong);
    let result = hears(&window, "AppLoginResult");
    assert_eq!(
        (&result["ok"], &result["error"]),
        (&json!(false), &json!("wrong password"))
    );
    assert!(window.is_closed_within(PATIENCE));
    let foreign = Visit {
        app: Some("innovaphone-users".to_owned()),
        ..Visit::of("anna")
    };
    let window = open(&world, foreign);
    assert_eq!(hears(&window, "AppLoginResult")["error"], "unknown app");
    let status = world.status();
    assert_eq!(status["refused_logins"]["user_client"], 2);
    assert_eq!(status["refused_logins"]["wrong_password"], Value::Null);
    assert_eq!(status["lights"]["master_pbx"]["code"], "not_connected");
}

#[test]
fn a_person_never_passes_for_a_pbx() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    for unmarked in [false, true] {
        let visit = Visit {
            unmarked,
            ..Visit::of("anna")
        };
        let window = subscribed(&world, visit);
        shows(&window, "anna", |state| state["user"]["h323"] == "anna");
        window.say(&json!({"mt": "PbxInfo", "pbx": MASTER, "domain": "example.com", "apis": ["PbxApi"]}));
        window.say(
            &json!({"mt": "ReplicateDel", "src": "users", "api": "PbxTableUsers", "columns": {"guid": "x"}}),
        );
        window.say(&json!({"mt": "KeepAlive"}));
        hears(&window, "KeepAliveResult");
        let sessions = world.get("/api/v1/sessions").json();
        assert_eq!(sessions["items"][0]["connections"].as_array().unwrap().len(), 1);
    }
    assert_eq!(world.master().logins(), 1);
    world.until_synchronised(2);
}

#[test]
fn sessions_of_people_are_counted_by_themselves() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let windows =
        [Visit::of("anna"), Visit::of("bert"), administrator("bert")].map(|visit| subscribed(&world, visit));
    world.wait_until("three sessions", || client_sessions(&world) == 3);
    assert_eq!(world.status()["sessions"].as_array().unwrap().len(), 1);
    assert!(
        world
            .get("/metrics")
            .text()
            .contains("m365_connector_client_sessions 3")
    );
    drop(windows);
    world.wait_until("no session", || client_sessions(&world) == 0);
}

#[test]
fn a_ninth_window_of_one_person_takes_the_place_of_the_first() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let windows: Vec<_> = (0..9)
        .map(|_| {
            let window = subscribed(&world, Visit::of("anna"));
            shows(&window, "anna", |state| state["user"]["h323"] == "anna");
            window
        })
        .collect();
    assert!(windows[0].is_closed_within(PATIENCE));
    assert!(windows[1..].iter().all(AppWindow::is_open));
    assert_eq!(client_sessions(&world), 8);
}

#[test]
fn a_silent_session_is_given_up_and_a_quiet_one_stays() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let quiet = subscribed(&world, Visit::of("bert"));
    let deaf = Visit {
        deaf: true,
        ..Visit::of("anna")
    };
    let deaf = subscribed(&world, deaf);
    assert!(deaf.is_closed_within(LONG_PATIENCE));
    assert!(quiet.is_open());
    world.in_teams("bert", "Away", "Away");
    shows(&quiet, "bert away", |state| {
        state["user"]["shown_at_pbx"] == "away"
    });
}

#[test]
fn a_flood_from_somebodys_window_ends_its_session_and_disturbs_nobody() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let bert = subscribed(&world, Visit::of("bert"));
    let flooding = subscribed(&world, Visit::of("anna"));
    for _ in 0..500 {
        flooding.say(&json!({"mt": "KeepAlive"}));
    }
    assert!(flooding.is_closed_within(PATIENCE));
    world.in_teams("bert", "Away", "Away");
    shows(&bert, "bert away", |state| {
        state["user"]["shown_at_pbx"] == "away"
    });
}

#[test]
fn a_stranger_with_a_login_learns_that_he_is_not_known() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    // somebody of another type than the users who are replicated
    world.master().add_user(User {
        pseudo: "vm".to_owned(),
        ..User::new("mailbox", "Mailbox", MASTER)
    });
    let window = subscribed(&world, Visit::of("mailbox"));
    let state = shows(&window, "the stranger", |state| state["known"] == "unknown");
    assert_eq!(state["user"], Value::Null);
}

#[test]
fn while_the_users_are_not_known_that_is_said_and_the_rest_follows() {
    let world = World::of(&["anna"]).build();
    world.master().rest();
    world.start_again();
    let window = subscribed(&world, Visit::of("anna"));
    shows(&window, "the start", |state| state["known"] == "starting");
    world.master().resume();
    shows(&window, "anna", |state| state["user"]["synchronised"] == true);
}

#[test]
fn a_page_of_another_build_is_sent_to_the_present_one_and_finds_its_files_and_its_websocket_there() {
    let world = World::of(&["anna"]).start();
    let window = open(&world, Visit::of("anna"));
    let url = hears(&window, "CheckBuildResult")["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = url.strip_prefix(&format!("http://{}", world.public())).unwrap();
    let (path, query) = path.split_once('?').unwrap();
    assert_eq!(query, "lang=en&scheme=light");
    let folder = path.strip_suffix(&format!("/{APP}.htm")).unwrap();
    let get = |path: &str| world.ask_public("GET", path, &[], b"").unwrap();
    for folder in ["/pbx", folder, "/pbx/0815aF"] {
        for app in [APP, ADMINISTRATORS_APP] {
            let page = get(&format!("{folder}/{app}.htm?name=m365&title=Microsoft%20365"));
            assert_eq!(
                (page.status, page.header("content-type").unwrap()),
                (200, "text/html; charset=utf-8")
            );
            let icon = get(&format!("{folder}/{app}.png"));
            assert!(icon.body.starts_with(b"\x89PNG"), "{}", icon.status);
            for reference in page.text().split("\"").filter(|text| text.starts_with("myapps/")) {
                assert_eq!(get(&format!("{folder}/{reference}")).status, 200, "{reference}");
            }
        }
        for absent in [
            "users.htm",
            "users.png",
            "myapps/none.js",
            "myapps/..%2Fapp_page.rs",
        ] {
            let answer = get(&format!("{folder}/{absent}"));
            assert_eq!((answer.status, answer.body.len()), (404, 0), "{absent}");
        }
        assert!(Socket::open_at(world.public(), folder).is_some(), "{folder}");
    }
}

#[test]
fn the_page_may_be_framed_and_may_load_nothing_from_elsewhere() {
    let world = World::of(&[]).start();
    let page = world
        .ask_public("GET", &format!("/pbx/{APP}.htm"), &[], b"")
        .unwrap();
    let policy = page.header("content-security-policy").unwrap();
    let websocket = format!("connect-src 'self' ws://{};", world.public());
    for part in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "frame-ancestors http: https:",
        websocket.as_str(),
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert_eq!(page.header("x-frame-options"), None);
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert!(!page.text().contains("http"), "nothing of another host is named");
    for name in ["app", "client", "connection", "dom", "texts", "view"] {
        let script = world
            .ask_public("GET", &format!("/pbx/myapps/{name}.js"), &[], b"")
            .unwrap();
        assert_eq!(script.status, 200, "{name}");
    }
    let head = world
        .ask_public("HEAD", &format!("/pbx/{APP}.htm"), &[], b"")
        .unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
}
