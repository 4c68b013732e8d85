//! Two App objects of one PBX: the app's own and the API object beside it.

use serde_json::Value;

use crate::world::{MASTER, World, call_at};

const API_OBJECT: &str = "microsoft365-api";

/// The only PBX's connections, as `GET /api/v1/sessions` shows them.
fn connections(world: &World) -> Vec<Value> {
    let sessions = world.get("/api/v1/sessions").json();
    sessions["items"][0]["connections"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// Which App object serves an API.
fn server_of(world: &World, api: &str) -> String {
    let serves = |connection: &&Value| {
        let apis = connection["serves"].as_array().cloned().unwrap_or_default();
        apis.iter().any(|served| served == api)
    };
    let connections = connections(world);
    let found = connections.iter().find(serves);
    found.map_or_else(String::new, |connection| {
        connection["app_object"].as_str().unwrap().to_owned()
    })
}

fn works(world: &World) {
    world.until_synchronised(2);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.in_teams("anna", "Available", "Available");
    world.until_shown_at_pbx("anna", "");
    let call = world.call("bert");
    world.until_seen_in_teams("bert", "Busy", "InACall");
    world.master().end(call);
    world.until_seen_in_teams("bert", "Available", "Available");
}

#[test]
fn each_api_is_served_by_the_object_that_may_use_it() {
    let world = World::of(&["anna", "bert"])
        .pbxs(|options| {
            options
                .apis
                .retain(|api| api == "PbxApi" || api == "PbxImpersonation")
        })
        .object(API_OBJECT, |options| options.apis.retain(|api| api != "PbxApi"))
        .start();
    works(&world);
    assert_eq!(connections(&world).len(), 2);
    assert_eq!(server_of(&world, "PbxApi"), "m365");
    for api in ["PbxTableUsers", "PbxAdminApi", "RCC"] {
        assert_eq!(server_of(&world, api), API_OBJECT, "{api}");
    }
}

#[test]
fn when_one_object_is_lost_the_other_takes_over_and_gives_back() {
    let world = World::of(&["anna", "bert"]).object(API_OBJECT, |_| ()).start();
    works(&world);
    for lost in [world.master(), world.object(API_OBJECT)] {
        lost.rest();
        world.wait_until("one connection", || connections(&world).len() == 1);
        works(&world);
        lost.resume();
        world.wait_until("two connections", || connections(&world).len() == 2);
        works(&world);
    }
    let sessions = world.status()["sessions"].as_array().unwrap().len();
    assert_eq!(sessions, 1);
}

#[test]
fn what_the_other_object_may_not_use_is_missing_until_it_is_back() {
    let world = World::of(&["anna", "bert"])
        .pbxs(|options| options.apis.retain(|api| api == "PbxApi" || api == "RCC"))
        .object(API_OBJECT, |options| {
            options
                .apis
                .retain(|api| api.starts_with("PbxTable") || api.starts_with("PbxAdmin"))
        })
        .start();
    world.until_synchronised(2);
    let mark = world.cloud_mark();
    world.object(API_OBJECT).rest();
    world.until_light("master_pbx", "missing_api_right");
    let detail = world.status()["lights"]["master_pbx"]["detail"].to_string();
    assert!(detail.contains("TableUsers"), "{detail}");
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    assert!(
        world.teams_writes("bert", mark).is_empty(),
        "what is unknown is not empty"
    );
    world.object(API_OBJECT).resume();
    world.until_synchronised(2);
}

#[test]
fn a_second_object_in_either_direction_stands_beside_the_first() {
    let world = World::of(&["anna", "bert"])
        .object(API_OBJECT, |_| ())
        .dialled(MASTER)
        .start();
    works(&world);
    let connections = connections(&world);
    assert_eq!(connections.len(), 2);
    assert_eq!(world.object(API_OBJECT).logins(), 1);
    assert_eq!(world.master().admissions(), 1);
    assert_eq!(
        server_of(&world, "PbxApi"),
        API_OBJECT,
        "what is listed is surer than what is assumed"
    );
}

#[test]
fn a_checkmark_that_the_pbx_tells_of_on_the_same_connection_counts_at_once() {
    let world = World::of(&["anna", "bert"])
        .pbxs(|options| options.apis.retain(|api| api == "PbxApi" || api == "RCC"))
        .start();
    world.until_light("master_pbx", "missing_api_right");
    let apis = ["PbxAdminApi", "PbxApi", "PbxTableUsers", "RCC"];
    world
        .master()
        .configure(|options| options.apis = apis.map(str::to_owned).to_vec());
    let told = serde_json::json!({"mt": "PbxInfo", "domain": "example.com", "pbx": MASTER, "apis": apis});
    for _time in 0..2 {
        world.master().send_text(&told.to_string());
        works(&world);
    }
    world.until_light("master_pbx", "ok");
    assert_eq!(world.master().logins(), 1);
}

#[test]
fn a_slave_that_may_tell_of_calls_only_leaves_presence_to_the_master() {
    let world = World::of(&["anna"])
        .slave("pbx-south", &["sarah"])
        .pbxs(|options| {
            if options.name != MASTER {
                options.apis = vec!["RCC".to_owned()];
            }
        })
        .start();
    world.until_synchronised(2);
    world.in_teams("sarah", "Busy", "InAMeeting");
    world.until_shown_at_pbx("sarah", "meeting");
    world.in_teams("sarah", "Available", "Available");
    world.until_shown_at_pbx("sarah", "");
    let call = call_at(world.pbx("pbx-south"), "sarah");
    world.until_seen_in_teams("sarah", "Busy", "InACall");
    world.pbx("pbx-south").end(call);
    world.until_seen_in_teams("sarah", "Available", "Available");
    let warnings = world.status()["warnings"].to_string();
    assert!(warnings.contains("slave_pbx_missing_api_right"), "{warnings}");
}
