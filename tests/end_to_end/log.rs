//! The log over the API: read, and made more talkative for a while.

use serde_json::{Value, json};

use crate::world::{Answer, World};

fn items(answer: &Answer) -> Vec<Value> {
    answer.json()["items"].as_array().cloned().unwrap()
}

/// A world whose log has the level of an ordinary installation.
fn ordinary_world() -> World {
    World::of(&["anna"]).settings("[log]\nlevel = \"info\"").start()
}

fn level_of(world: &World, flag: &str) -> Value {
    let levels = world.get("/api/v1/log/levels").json();
    let flags = levels["flags"].as_array().unwrap();
    flags.iter().find(|known| known["flag"] == flag).unwrap()["level"].clone()
}

#[test]
fn the_recent_log_is_paged_newest_first_and_filtered() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let first = world.get("/api/v1/log?limit=2");
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let second = world.get(&format!("/api/v1/log?limit=2&cursor={cursor}"));
    let ids: Vec<u64> = items(&first)
        .iter()
        .chain(&items(&second))
        .map(|item| item["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
    let supervised = items(&world.get("/api/v1/log?text=supervisor&level=info"));
    assert!(
        supervised.iter().any(|item| item["target"] == "supervisor"),
        "{supervised:#?}"
    );
    assert!(items(&world.get("/api/v1/log?level=error")).is_empty());
}

#[test]
fn a_trace_flag_opens_its_part_of_the_log_and_falls_back_by_itself() {
    let world = ordinary_world();
    world.until_synchronised(1);
    let answer = world.put(
        "/api/v1/log/levels",
        &json!({"levels": {"HTTP client": "debug", "app": "trace"}, "for": "3s"}),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(level_of(&world, "HTTP client"), "debug");
    assert_eq!(level_of(&world, "App"), "trace");
    assert_eq!(level_of(&world, "Database"), "info");
    world.post("/api/v1/subscriptions/renew");
    world.wait_until("requests to microsoft stand in the log", || {
        let records = items(&world.get("/api/v1/log?text=microsoft+answered"));
        records.iter().any(|record| record["level"] == "debug")
    });
    world.wait_until("the levels are back", || {
        level_of(&world, "HTTP client") == "info"
    });
}

#[test]
fn levels_that_are_none_are_refused_with_what_is_possible() {
    let world = ordinary_world();
    for (body, hint) in [
        (json!({"levels": {"Apps": "debug"}}), "App WebSocket"),
        (json!({"levels": {"App": "loud"}}), "trace"),
        (json!({"levels": {"App": "debug"}, "for": "soon"}), "10m"),
        (json!({"levels": {"App": "debug"}, "for": "0s"}), "10m"),
        (json!({"level": {"App": "debug"}}), "levels"),
        (json!(["App"]), "expected a map"),
    ] {
        let answer = world.put("/api/v1/log/levels", &body);
        assert_eq!(answer.status, 400, "{body} {}", answer.text());
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(hint),
            "{}",
            answer.text()
        );
    }
    assert_eq!(level_of(&world, "App"), "info");
    let viewer = world.ask_as_viewer("PUT", "/api/v1/log/levels").unwrap();
    assert_eq!(viewer.status, 403);
}
