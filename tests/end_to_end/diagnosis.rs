//! What an administrator is told who asks what is wrong.

use std::process::Command;

use serde_json::Value;

use crate::world::World;

fn items(told: &Value) -> Vec<Value> {
    told["items"].as_array().cloned().unwrap_or_default()
}

fn diagnosis(world: &World) -> Vec<Value> {
    items(&world.get("/api/v1/diagnosis").json())
}

fn found<'a>(items: &'a [Value], check: &str) -> &'a Value {
    let found = items
        .iter()
        .find(|item| item["check"].as_str().unwrap().contains(check));
    found.unwrap_or_else(|| panic!("nothing of {check} in {items:#?}"))
}

/// Runs the doctor beside the world; answers its exit code and what it writes.
fn doctor(world: &World, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_m365-connector"))
        .env_clear()
        .arg("doctor")
        .arg("--config")
        .arg(world.configuration_file())
        .args(arguments)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn a_sound_installation_passes_every_check() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let items = diagnosis(&world);
    let failed: Vec<_> = items.iter().filter(|item| item["outcome"] == "fail").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for check in [
        "configuration",
        "database",
        "disk space",
        "clock",
        "name of the public address",
        "validation of the notification address",
        "validation of the lifecycle address",
        "sign-in of the app registration",
        "directory of Microsoft",
        "presence subscription of",
        "connection of the master PBX",
        "App object at pbx-main",
        "matching",
        "licenses",
    ] {
        assert_ne!(found(&items, check)["outcome"], "fail", "{check}");
    }
    let validation = found(&items, "validation of the notification address");
    assert_eq!(validation["outcome"], "pass", "{validation:#}");
}

#[test]
fn an_address_that_leads_elsewhere_is_told_with_its_cause() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let elsewhere = format!("http://{}", world.management());
    let patch = serde_json::json!({"public": {"url": elsewhere}});
    assert_eq!(world.patch("/api/v1/settings", &patch).status, 200);
    let items = diagnosis(&world);
    let validation = found(&items, "validation of the notification address");
    assert_eq!(validation["outcome"], "fail");
    assert!(
        validation["cause"].as_str().unwrap().contains("App Platform"),
        "{validation:#}"
    );
    assert!(
        validation["remedy"].as_str().unwrap().contains("case"),
        "{validation:#}"
    );
}

#[test]
fn the_doctor_asks_the_running_instance() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let (code, text) = doctor(&world, &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("connection of the master PBX: "), "{text}");
    assert!(text.contains("0 failed"), "{text}");
    let (code, json) = doctor(&world, &["--json"]);
    let told: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, items(&told).is_empty()), (0, false));
}

#[test]
fn the_doctor_signs_in_himself_where_nothing_runs() {
    let world = World::of(&["anna"]).start();
    world.terminate();
    let (_, text) = doctor(&world, &[]);
    assert!(
        text.contains("sign-in of the app registration: signed in"),
        "{text}"
    );
    assert!(text.contains("nobody answers at 127.0.0.1"), "{text}");
    world.reconfigure("[microsoft]\nclient_secret = \"another secret than the right one\"");
    let (code, text) = doctor(&world, &[]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("FAILED   sign-in of the app registration: wrong_client_secret"),
        "{text}"
    );
    assert!(text.contains("Certificates & secrets"), "{text}");
    assert!(!text.contains("another secret"), "{text}");
}
