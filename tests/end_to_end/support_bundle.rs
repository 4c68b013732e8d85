//! What can be handed to whoever is asked for help, and that nothing secret stands anywhere.

use serde_json::{Value, json};

use crate::world::World;

/// Everything that can be read.
const ROUTES: [&str; 17] = [
    "/livez",
    "/readyz",
    "/metrics",
    "/api/v1/status",
    "/api/v1/overview",
    "/api/v1/users",
    "/api/v1/users/anna",
    "/api/v1/users/anna/timeline",
    "/api/v1/matching/preview?pbx=h323&microsoft=mail",
    "/api/v1/actors",
    "/api/v1/subscriptions",
    "/api/v1/sessions",
    "/api/v1/settings",
    "/api/v1/audit",
    "/api/v1/diagnosis",
    "/api/v1/log?limit=1000",
    "/api/v1/support-bundle",
];

const FLAGS: [&str; 8] = [
    "App",
    "Database",
    "HTTP client",
    "TLS",
    "TCP",
    "App WebSocket",
    "Config",
    "Webserver",
];

/// A world in which much has happened, with every trace flag opened as far as it goes.
fn eventful_world() -> World {
    let world = World::of(&["anna", "bert"]).start();
    let levels: serde_json::Map<String, Value> = FLAGS
        .iter()
        .map(|flag| ((*flag).to_owned(), "trace".into()))
        .collect();
    let answer = world.put(
        "/api/v1/log/levels",
        &json!({"levels": levels, "users": ["anna"]}),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.until_synchronised(2);
    world.choose_at_pbx("anna", "busy");
    world.until_user("anna", "set in teams", |anna| !anna["set_in_teams"].is_null());
    let patched = world.patch("/api/v1/settings", &json!({"pbx.password": "another:password"}));
    assert_eq!(patched.status, 200, "{}", patched.text());
    let refused = world.patch("/api/v1/settings", &json!({"sync.read": "password canary"}));
    assert_eq!(refused.status, 422, "{}", refused.text());
    world.post("/api/v1/actors/token-refresh/restart");
    world.post("/api/v1/subscriptions/renew");
    world.until_synchronised(2);
    world
}

#[test]
fn no_route_and_no_record_tells_a_secret_however_far_the_log_is_opened() {
    let world = eventful_world();
    for route in ROUTES {
        let answer = world.get(route);
        assert!(
            answer.status == 200,
            "{route}: {} {}",
            answer.status,
            answer.text()
        );
        world.assert_nothing_secret_in(&answer.text());
        assert!(!answer.text().contains("another:password"), "{route}");
    }
    assert!(!world.log().contains("another:password"));
    // and the log is searched when the world ends
}

#[test]
fn the_bundle_helps_without_naming_anybody() {
    let world = eventful_world();
    let answer = world.get("/api/v1/support-bundle");
    let file = answer.header("content-disposition").unwrap_or_default();
    assert!(file.starts_with("attachment"), "{file}");
    let bundle = answer.json();
    for part in [
        "status",
        "diagnosis",
        "settings",
        "actors",
        "overview",
        "subscriptions",
        "sessions",
        "log",
    ] {
        let size = bundle[part].to_string().len();
        assert!(size > 50, "{part}: {}", bundle[part]);
    }
    assert_eq!(bundle["users_by_reason"]["synchronised"], 2, "{bundle}");
    let text = answer.text().to_lowercase();
    assert!(text.contains("person-"), "somebody is spoken of");
    for user in world.get("/api/v1/users").json()["items"].as_array().unwrap() {
        for name in ["h323", "cn", "teams_id", "teams_name"] {
            let Some(name) = user[name].as_str().map(str::to_lowercase) else {
                continue;
            };
            let at = text.find(&name).unwrap_or_default();
            let around: String = text.chars().skip(at.saturating_sub(80)).take(200).collect();
            assert!(!text.contains(&name), "{name} is named: {around}");
        }
    }
    assert!(!text.contains("presence1@"), "the communication user is named");
}

#[test]
fn every_trace_flag_has_something_to_tell() {
    let world = eventful_world();
    let log = world.get("/api/v1/log?limit=1000&level=trace").json();
    let records = log["items"].as_array().unwrap();
    for (flag, message) in [
        ("App", "decided:"),
        ("Database", "the database was asked"),
        ("HTTP client", "microsoft answered"),
        ("TCP", "a connection was opened"),
        ("App WebSocket", "a message went to the pbx"),
        ("Webserver", "a request was answered"),
    ] {
        let found = records
            .iter()
            .any(|record| record["message"].as_str().unwrap().starts_with(message));
        assert!(found, "{flag}: {message}");
    }
}

#[test]
fn whoever_is_traced_is_followed_through_decision_and_write() {
    let world = World::of(&["anna", "bert"])
        .settings("[log]\nlevel = \"info\"")
        .start();
    world.until_synchronised(2);
    let answer = world.put("/api/v1/log/levels", &json!({"users": ["Anna"], "for": "10m"}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    for user in ["anna", "bert"] {
        world.choose_at_pbx(user, "busy");
        world.until_seen_in_teams(user, "Busy", "Busy");
    }
    world.wait_until("the answer to a write in the log", || {
        let log = world.get("/api/v1/log?text=a+write+was+answered");
        !log.json()["items"].as_array().unwrap().is_empty()
    });
    let log = world.get("/api/v1/log?limit=1000&level=trace").json();
    let told: Vec<&Value> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["level"] == "debug")
        .collect();
    for message in ["decided:", "a write was answered"] {
        let found = told
            .iter()
            .any(|record| record["message"].as_str().unwrap().starts_with(message));
        assert!(found, "{message}: {told:#?}");
    }
    assert!(
        told.iter().all(|record| record["fields"]["user"] == "anna"),
        "nobody else is followed: {told:#?}"
    );
}

#[test]
fn a_sign_in_code_is_not_in_the_bundle() {
    let world = World::of(&["anna"])
        .settings("[[microsoft.communication_users]]\nusername = 'presence1@contoso.example'\nsign_in = 'device-code'\n")
        .start();
    world.until_light("authentication", "sign_in_required");
    let code = || {
        world
            .cloud()
            .pending_sign_ins()
            .first()
            .map(|pending| pending.user_code.clone())
    };
    world.wait_until("a code in the light", || {
        let status = world.get("/api/v1/status").text();
        code().is_some_and(|code| status.contains(&code))
    });
    let (bundle, code) = (world.get("/api/v1/support-bundle").text(), code().unwrap());
    assert!(!bundle.contains(&code), "the code is told");
    assert!(bundle.contains("with the code (secret)"));
}
