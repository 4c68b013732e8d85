//! Writes that an administrator holds back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::World;

fn held(user: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let receipts = user["held_back"].as_array().into_iter().flatten();
    receipts
        .map(|receipt| (word(&receipt["side"]), word(&receipt["brake"])))
        .collect()
}

fn set(world: &World, key: &str, value: &Value) {
    let answer = world.patch("/api/v1/settings", &json!({key: value}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["concerns"], json!(["presence-sync"]));
}

fn warned(world: &World) -> bool {
    let status = world.status();
    let warnings = status["warnings"].as_array().unwrap().iter();
    warnings
        .map(|warning| &warning["code"])
        .any(|code| code == "writes_held_back")
}

#[test]
fn in_shadow_everything_is_decided_and_shown_and_nothing_is_written_until_it_ends() {
    let world = World::of(&["anna", "bert"])
        .settings("[sync]\nshadow = true")
        .start();
    world.until_synchronised(2);
    let mark = world.cloud().journal().mark();
    world.choose_at_pbx("anna", "busy");
    world.choose_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    let shadow = |side: &str| (side.to_owned(), "shadow".to_owned());
    world.until_user("anna", "decided for teams", |anna| {
        held(anna) == [shadow("teams")]
    });
    world.until_user("bert", "decided for the pbx", |bert| {
        held(bert) == [shadow("pbx")]
    });
    let anna = world.user("anna");
    assert_eq!(anna["teams_claim_state"], "shadow");
    assert!(
        anna["explanation"].as_str().unwrap().contains("sync.shadow"),
        "{anna}"
    );
    assert!(warned(&world));
    world.stay_quiet(Duration::from_secs(1));
    world.until_teams_writes("anna", mark, &[]);
    assert_eq!(world.shown_at_pbx("bert"), "");
    set(&world, "sync.shadow", &json!(false));
    world.until_seen_in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("bert", "dnd");
    assert!(!warned(&world));
}

#[test]
fn a_paused_user_is_left_as_he_is_and_caught_up_with_afterwards() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.choose_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("anna", "dnd");
    set(&world, "sync.paused_users", &json!(["Anna"]));
    world.until_synchronised(2);
    world.choose_in_teams("anna", "Busy", "Busy");
    world.choose_in_teams("bert", "Busy", "Busy");
    world.until_shown_at_pbx("bert", "busy");
    let paused = [("pbx".to_owned(), "paused".to_owned())];
    world.until_user("anna", "paused", |anna| held(anna) == paused);
    assert_eq!(world.shown_at_pbx("anna"), "dnd", "what stands stays");
    world.kill();
    world.start_again();
    world.until_user("anna", "paused after a restart, too", |anna| held(anna) == paused);
    assert_eq!(world.shown_at_pbx("anna"), "dnd");
    set(&world, "sync.paused_users", &json!([]));
    world.until_shown_at_pbx("anna", "busy");
}

#[test]
fn a_paused_direction_rests_while_the_other_goes_on_and_an_orderly_end_waits_for_nothing() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.choose_at_pbx("anna", "busy");
    world.until_seen_in_teams("anna", "Busy", "Busy");
    set(&world, "sync.paused_directions", &json!(["pbx-to-teams"]));
    world.until_synchronised(2);
    world.choose_at_pbx("anna", "");
    world.choose_in_teams("bert", "Busy", "Busy");
    world.until_shown_at_pbx("bert", "busy");
    world.until_user("anna", "paused", |anna| {
        held(anna) == [("teams".to_owned(), "paused".to_owned())]
    });
    assert!(world.terminate());
    assert!(
        world.log().contains(
            "1 of 2 presences, messages, entries and calls that were set are released; 1 stays because an administrator \
             holds their writes back"
        ),
        "the end waits for what may be released only, and says so"
    );
    assert_eq!(world.shown_at_pbx("bert"), "");
    world.start_again();
    set_when_ready(&world);
    world.until_seen_in_teams("anna", "Available", "Available");
}

fn set_when_ready(world: &World) {
    world.until_synchronised(2);
    set(world, "sync.paused_directions", &json!([]));
}

#[test]
fn words_that_are_no_direction_are_refused_with_what_is_possible() {
    let world = World::of(&["anna"]).start();
    let answer = world.patch(
        "/api/v1/settings",
        &json!({"sync.paused_directions": ["sideways"]}),
    );
    assert_eq!(answer.status, 422);
    let text = answer.text();
    assert!(
        text.contains("sideways") && text.contains("pbx-to-teams"),
        "{text}"
    );
}
