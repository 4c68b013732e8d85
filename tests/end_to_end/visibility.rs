//! What a PBX does not show of its users, and what an administrator is told to grant there.

use m365_simulator::pbx::Visibility;
use serde_json::Value;

use crate::world::World;

const NOTHING: Visibility = Visibility {
    presence: false,
    note: false,
    on_the_phone: false,
};

/// What is not visible of a user, by its name.
fn hidden(world: &World, h323: &str, what: &str) -> Option<Value> {
    let user = world.user(h323);
    let hidden = user["not_visible"].as_array().cloned().unwrap_or_default();
    hidden.into_iter().find(|hidden| hidden["what"] == what)
}

fn until_hidden(world: &World, h323: &str, what: &str) -> Value {
    world.wait_until(&format!("{what} of {h323} told as not visible"), || {
        hidden(world, h323, what).is_some()
    });
    hidden(world, h323, what).unwrap()
}

fn until_visible(world: &World, h323: &str) {
    world.until_user(h323, "everything visible", |user| {
        user["not_visible"].as_array().is_some_and(Vec::is_empty)
    });
}

fn says(hidden: &Value, member: &str, words: &[&str]) {
    let text = hidden[member].as_str().unwrap();
    for word in words {
        assert!(text.contains(word), "{word} in {text}");
    }
}

/// What a check of the diagnosis says.
fn finding(world: &World, check: &str) -> Value {
    let diagnosis = world.get("/api/v1/diagnosis").json();
    let items = diagnosis["items"].as_array().unwrap().clone();
    let found = items.iter().find(|item| item["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {items:?}")).clone()
}

#[test]
fn whose_presence_nobody_may_see_is_told_with_the_right_that_is_missing() {
    let world = World::of(&["anna", "bert"])
        .prepare(|world| {
            world
                .master()
                .update_user("bert", |bert| bert.visibility = NOTHING)
        })
        .start();
    world.until_user("anna", "synchronised", |anna| anna["synchronised"] == true);
    let presence = until_hidden(&world, "bert", "presence");
    says(
        &presence,
        "remedy",
        &["Presence", "m365", "PBX > Objects > bert > Visibility"],
    );
    world.until_user("bert", "the PBX's own word for it", |bert| {
        let explanation = bert["explanation"].as_str().unwrap_or_default();
        bert["reason"] == "presence_unknown" && explanation.contains("no visibility allows")
    });
    let finding = finding(&world, "visibility of presence at pbx-main");
    assert_eq!(finding["outcome"], "warn", "{finding}");
    says(&finding, "remedy", &["Visibility", "not_visible=presence"]);
    let listed = world.get("/api/v1/users?not_visible=presence").json();
    let listed: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["h323"].clone())
        .collect();
    assert_eq!(listed, ["bert"]);
    let answer = world.ask("GET", "/api/v1/users?not_visible=shoes").unwrap();
    assert_eq!(answer.status, 400);
    world
        .master()
        .update_user("bert", |bert| bert.visibility = Visibility::FULL);
    world.until_synchronised(2);
    until_visible(&world, "bert");
}

#[test]
fn an_entry_of_ours_that_the_pbx_does_not_show_tells_of_hidden_entries() {
    let world = World::of(&["anna"])
        .prepare(|world| {
            world
                .master()
                .update_user("anna", |anna| anna.visibility.presence = false);
        })
        .start();
    world.until_synchronised(1);
    until_visible(&world, "anna");
    world.in_teams("anna", "Busy", "Busy");
    let entries = until_hidden(&world, "anna", "entries");
    says(
        &entries,
        "remedy",
        &["grant Presence to m365", "PBX > Objects > anna > Visibility"],
    );
    assert_eq!(finding(&world, "visibility of entries")["outcome"], "warn");
    world
        .master()
        .update_user("anna", |anna| anna.visibility = Visibility::FULL);
    until_visible(&world, "anna");
}

#[test]
fn whose_calls_the_line_states_leave_out_is_told_until_an_entry_tells_of_one() {
    let world = World::of(&["anna", "bert"])
        .prepare(|world| {
            world
                .master()
                .update_user("bert", |bert| bert.accesses_app = false)
        })
        .start();
    world.until_synchronised(2);
    let calls = until_hidden(&world, "bert", "on_the_phone");
    says(
        &calls,
        "remedy",
        &["access to the App", "PBX > Objects > bert > Apps", "On the phone"],
    );
    let explanation = world.user("bert")["explanation"].to_string();
    assert!(
        explanation.contains("whether the user is on the phone"),
        "{explanation}"
    );
    assert_eq!(
        finding(&world, "visibility of calls at pbx-main")["outcome"],
        "warn"
    );
    until_visible(&world, "anna");
    let call = world.call("bert");
    world.until_seen_in_teams("bert", "Busy", "InACall");
    until_visible(&world, "bert");
    world.master().end(call);
    assert_eq!(
        finding(&world, "visibility of calls at pbx-main")["outcome"],
        "pass"
    );
}

#[test]
fn without_rcc_the_checkmark_is_named() {
    let world = World::of(&["anna"])
        .pbxs(|options| options.apis.retain(|api| api != "RCC"))
        .start();
    world.until_synchronised(1);
    let calls = until_hidden(&world, "anna", "on_the_phone");
    says(&calls, "cause", &["may not use RCC"]);
    says(&calls, "remedy", &["checkmark RCC", "m365"]);
}
