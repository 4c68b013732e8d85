//! Settings over the API: read with their origin, changed while the connector runs, and audited.

use serde_json::{Value, json};

use crate::world::{Answer, World};

fn setting(world: &World, key: &str) -> Value {
    let settings = world.get("/api/v1/settings?limit=1000").json();
    let items = settings["items"].as_array().unwrap();
    items
        .iter()
        .find(|item| item["key"] == key)
        .cloned()
        .unwrap_or_default()
}

/// The number of each actor's run, by name.
fn runs(world: &World) -> Vec<(String, u64)> {
    let run = |actor: &Value| {
        (
            actor["name"].as_str().unwrap().to_owned(),
            actor["run"].as_u64().unwrap(),
        )
    };
    world.actors().iter().map(run).collect()
}

/// Who has been restarted since.
fn restarted_since(world: &World, before: &[(String, u64)]) -> Vec<String> {
    let later = runs(world);
    let newer = later
        .iter()
        .filter(|(name, run)| before.iter().any(|(known, old)| known == name && old < run));
    newer.map(|(name, _)| name.clone()).collect()
}

fn is_problem(answer: &Answer, status: u16, code: &str, hint: &str) {
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (status, &json!(code)),
        "{}",
        answer.text()
    );
    assert!(
        answer.json()["detail"].as_str().unwrap().contains(hint),
        "{}",
        answer.text()
    );
}

#[test]
fn every_setting_is_told_with_its_origin_and_no_secret() {
    let world = World::of(&["anna"]).start();
    let master = setting(&world, "pbx.master");
    assert_eq!(
        (&master["value"], &master["origin"]),
        (&json!("pbx-main"), &json!("file"))
    );
    assert_eq!(setting(&world, "timers.on_the_phone")["origin"], "default");
    assert_eq!(setting(&world, "management.token")["value"], "********");
    assert_eq!(setting(&world, "public.tls_certificate")["value"], Value::Null);
    assert_eq!(
        setting(&world, "microsoft.communication_users.0.username")["value"],
        "presence1@contoso.example"
    );
}

#[test]
fn a_changed_mapping_holds_at_once_and_restarts_the_board_alone() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "Busy");
    world.wait_until("busy is shown", || world.user("anna")["shown_at_pbx"] == "busy");
    let before = runs(&world);
    let answer = world.patch(
        "/api/v1/settings",
        &json!({"mapping": {"teams_to_pbx": {"Busy": "dnd"}}}),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["concerns"], json!(["presence-sync"]));
    world.wait_until("the new row holds", || {
        world.user("anna")["shown_at_pbx"] == "dnd"
    });
    assert_eq!(restarted_since(&world, &before), ["presence-sync"]);
    let row = setting(&world, "mapping.teams_to_pbx.Busy");
    assert_eq!((&row["value"], &row["origin"]), (&json!("dnd"), &json!("stored")));
}

#[test]
fn a_stored_setting_outlives_a_restart_and_is_taken_back() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let rule = json!({"matching.microsoft": "mailNickname", "matching.pbx": "h323"});
    assert_eq!(world.patch("/api/v1/settings", &rule).status, 200);
    world.kill();
    world.start_again();
    assert_eq!(setting(&world, "matching.microsoft")["value"], "mailNickname");
    let back = json!({"matching": {"microsoft": null, "pbx": null}});
    assert_eq!(world.patch("/api/v1/settings", &back).status, 200);
    assert_eq!(setting(&world, "matching.microsoft")["origin"], "default");
    world.until_synchronised(1);
}

#[test]
fn what_cannot_be_is_refused_as_a_whole() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let before = runs(&world);
    let patch = |body: &Value| world.patch("/api/v1/settings", body);
    is_problem(
        &patch(&json!({"sync": {"reed": "polling"}})),
        422,
        "invalid_settings",
        "sync.read",
    );
    is_problem(
        &patch(&json!({"sync": {"read": "telepathy"}})),
        422,
        "invalid_settings",
        "polling",
    );
    is_problem(
        &patch(&json!({"timers": {"sweep": "1m", "on_the_phone": "5h"}})),
        422,
        "invalid_settings",
        "2h",
    );
    is_problem(
        &patch(&json!({"pbx": {"password": "********"}})),
        422,
        "invalid_settings",
        "mask",
    );
    is_problem(
        &patch(&json!({"database": {"url": "sqlite:other.db"}})),
        409,
        "not_storable",
        "database.url",
    );
    is_problem(&patch(&json!({})), 400, "bad_request", "matching");
    is_problem(
        &patch(&json!({"sync.read": "polling", "sync": {"read": "hybrid"}})),
        400,
        "bad_request",
        "given twice",
    );
    assert_eq!(setting(&world, "timers.sweep")["origin"], "default");
    assert!(restarted_since(&world, &before).is_empty());
    let viewer = world.ask_as_viewer("PATCH", "/api/v1/settings").unwrap();
    assert_eq!(viewer.status, 403);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let wrong = json!({
        "timers": {"sweep": "soon", "sweeep": "5m"},
        "sync": {"read": "telepathy"},
        "synk": {"direction": "both"},
        "matching": 5,
        "pbx": {"password": "********"},
    });
    let words = [
        "timers.sweep is no duration",
        "timers.sweeep is unknown; the nearest valid key is timers.sweep",
        "sync.read is none of the allowed words",
        "synk.direction is unknown; the nearest valid key is sync.direction",
        "matching is a section, not a value",
        "pbx.password is the mask",
    ];
    let answer = world.patch("/api/v1/settings", &wrong);
    for word in words {
        is_problem(&answer, 422, "invalid_settings", word);
    }
    // a key that cannot be set here at all decides what kind of refusal it is, and the rest is told all the same
    let mut wrong = wrong;
    wrong["database"] = json!({"url": "sqlite:other.db"});
    let answer = world.patch("/api/v1/settings", &wrong);
    for word in words
        .iter()
        .chain(&["database.url says where stored settings are kept"])
    {
        is_problem(&answer, 409, "not_storable", word);
    }
    assert_eq!(setting(&world, "timers.sweep")["origin"], "default");
}

#[test]
fn the_environment_has_the_last_word() {
    let world = World::of(&["anna"])
        .environment("CONNECTOR__SYNC__READ", "hybrid")
        .start();
    let answer = world.patch("/api/v1/settings", &json!({"sync": {"read": "polling"}}));
    is_problem(&answer, 409, "set_by_environment", "CONNECTOR__SYNC__READ");
    let read = setting(&world, "sync.read");
    assert_eq!(
        (&read["origin"], &read["variable"]),
        (&json!("environment"), &json!("CONNECTOR__SYNC__READ"))
    );
}

#[test]
fn who_decided_upon_older_settings_must_decide_again() {
    let world = World::of(&["anna"]).start();
    let etag = world.get("/api/v1/settings").header("etag").unwrap().to_owned();
    let change = |sweep: &str, etag: &str| {
        world.patch_if("/api/v1/settings", &json!({"timers": {"sweep": sweep}}), etag)
    };
    let first = change("1m", &etag);
    assert_eq!(first.status, 200, "{}", first.text());
    is_problem(&change("2m", &etag), 412, "stale", "read them anew");
    let newer = first.header("etag").unwrap().to_owned();
    assert_eq!(change("2m", &newer).status, 200);
}

#[test]
fn the_audit_tells_who_changed_what_from_what_to_what() {
    let world = World::of(&["anna"]).start();
    world.patch("/api/v1/settings", &json!({"matching": {"microsoft": "mail"}}));
    world.patch(
        "/api/v1/settings",
        &json!({"pbx": {"password": "another-secret-password"}}),
    );
    world.post("/api/v1/actors/presence-sweep/restart");
    let audit = world.get("/api/v1/audit");
    assert!(!audit.text().contains("another-secret-password"));
    let audit = audit.json();
    let told: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["what"].clone())
        .collect();
    assert_eq!(
        told,
        [
            "restart of actor presence-sweep",
            "pbx.password",
            "matching.microsoft"
        ]
    );
    let change = &audit["items"][2];
    assert_eq!(
        (&change["before"], &change["after"]),
        (&json!("\"displayName\""), &json!("\"mail\""))
    );
    assert!(
        change["who"]
            .as_str()
            .unwrap()
            .starts_with("administrator from 127.0.0.1")
    );
    assert!(change["at"].is_string());
}

#[test]
fn a_changed_token_opens_at_once_and_the_old_one_does_not() {
    let world = World::of(&["anna"]).start();
    let answer = world.patch(
        "/api/v1/settings",
        &json!({"management": {"viewer_token": "another-viewer-token"}}),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let with = |token: &str| {
        let bearer = format!("Bearer {token}");
        world
            .ask_with("GET", "/api/v1/status", &[("Authorization", &bearer)])
            .status
    };
    assert_eq!(with("another-viewer-token"), 200);
    assert_eq!(with("viewer-0123456789"), 401);
}

#[test]
fn another_matching_rule_is_tried_before_it_is_applied() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let preview = |query: &str| world.get(&format!("/api/v1/matching/preview?{query}"));
    let other = preview("pbx=h323&microsoft=displayName&strip_domain=false");
    assert_eq!(other.status, 200, "{}", other.text());
    let other = other.json();
    assert_eq!(
        (&other["counts"]["losses"], &other["counts"]["gains"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(
        (&other["now"]["matched"], &other["then"]["matched"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(preview("").json()["unchanged"], 2);
    assert_eq!(world.status()["users"]["matched"], 2);
    is_problem(&preview("microsoft=shoeSize"), 400, "bad_request", "displayName");
    is_problem(
        &preview("strip_domain=maybe"),
        400,
        "bad_request",
        "true or false",
    );
}
