//! Probes, and how the program begins and ends when something is in its way.

use std::net::TcpListener;
use std::process::Output;

use m365_simulator::microsoft::{ErrorBody, Fault, RetryAfter, Times};

use crate::world::World;

fn run(world: &World, command: &str) -> Output {
    world.run(&[command])
}

/// The program ends with a failure that is told in words, without a panic.
fn fails_with(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for word in words {
        assert!(text.contains(word), "'{word}' is missing in:\n{text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn readiness_names_what_is_missing_in_the_codes_of_the_lights() {
    let world = World::of(&["anna"]).build();
    world.master().rest();
    world.start_again();
    world.wait_until("only the pbx and what needs it to be missing", || {
        let ready = world.ask_with("GET", "/readyz", &[]);
        ready.status == 503 && ready.json()["missing"] == serde_json::json!(["starting", "starting"])
    });
    world.master().resume();
    world.wait_until("readiness", || {
        let ready = world.ask_with("GET", "/healthz", &[]);
        ready.status == 200 && ready.json()["missing"] == serde_json::json!([])
    });
}

#[test]
fn the_health_check_follows_readiness() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.wait_until("readiness", || world.get("/readyz").status == 200);
    let healthy = run(&world, "healthcheck");
    assert!(healthy.status.success(), "{healthy:?}");
    world.master().rest();
    world.until_light("master_pbx", "not_connected");
    fails_with(&run(&world, "healthcheck"), &["not_connected"]);
    assert!(world.terminate());
    fails_with(&run(&world, "healthcheck"), &["no answer"]);
}

#[test]
fn liveness_and_activity_do_not_depend_on_microsoft_or_a_pbx() {
    let gone = Fault::Failed {
        status: 503,
        body: ErrorBody::Empty,
        retry_after: RetryAfter::Silent,
    };
    let world = World::of(&["anna"])
        .cloud(move |cloud| cloud.inject(None, gone, Times::Always))
        .prepare(|world| world.master().rest())
        .start();
    world.until_light("authentication", "unreachable");
    let alive = world.ask_with("GET", "/livez", &[]);
    assert_eq!(alive.status, 200);
    let active = world.ask_with("GET", "/activez", &[]);
    assert_eq!(active.status, 200, "what arrives is for it all the same");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let world = World::of(&[]).build();
    let _taken = TcpListener::bind(world.public()).unwrap();
    fails_with(&run(&world, "serve"), &["public.listen", world.public()]);
}

#[test]
fn a_management_port_that_is_taken_is_named() {
    let world = World::of(&[]).build();
    let _taken = TcpListener::bind(world.management()).unwrap();
    fails_with(&run(&world, "serve"), &["management.listen", world.management()]);
}

#[test]
fn a_second_instance_does_not_share_the_database() {
    let world = World::of(&[]).start();
    fails_with(&run(&world, "serve"), &["connector.db"]);
    assert_eq!(world.get("/livez").status, 200);
}

#[test]
fn a_database_that_cannot_be_made_is_named() {
    let world = World::of(&[])
        .settings("database.url = \"sqlite:/proc/nowhere/connector.db\"")
        .build();
    fails_with(&run(&world, "serve"), &["/proc/nowhere"]);
}

#[test]
fn a_file_that_is_no_certificate_is_named() {
    let world = World::of(&[]).build();
    let file = world.configuration_file();
    let name = file.display();
    let text = std::fs::read_to_string(&file).unwrap();
    let files = format!("[public]\ntls_certificate = \"{name}\"\ntls_private_key = \"{name}\"\n");
    std::fs::write(&file, text.replace("[public]\n", &files)).unwrap();
    let output = run(&world, "serve");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("public.tls_certificate"), "{text}");
}

#[test]
fn an_order_to_end_is_followed_while_microsoft_is_silent() {
    let world = World::of(&["anna"])
        .cloud(|cloud| {
            let silent = Fault::Slow(std::time::Duration::from_secs(60));
            cloud.inject(None, silent, Times::Always);
        })
        .start();
    assert!(world.terminate(), "an orderly end");
}
