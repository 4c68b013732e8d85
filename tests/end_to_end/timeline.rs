//! What happened to a user, and the order to look anew.

use m365_simulator::microsoft::Family;
use m365_simulator::pbx::Way;
use serde_json::Value;

use crate::world::{MASTER, World};

fn items(world: &World, h323: &str) -> Vec<Value> {
    let answer = world.get(&format!("/api/v1/users/{h323}/timeline"));
    assert_eq!(answer.status, 200);
    answer.json()["items"].as_array().unwrap().clone()
}

/// Waits for a transition whose only write is finished; answers it.
fn until_written(world: &World, h323: &str, side: &str, what: &str) -> Value {
    let fits = |item: &Value| {
        let write = &item["written"][0];
        write["side"] == side && write["what"] == what && write["outcome"] == "accepted"
    };
    world.wait_until(&format!("{what} in the timeline of {h323}"), || {
        items(world, h323).iter().any(fits)
    });
    items(world, h323).into_iter().find(fits).unwrap()
}

#[test]
fn a_change_is_told_from_the_notification_to_the_confirmed_write() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.in_teams("anna", "Busy", "InAMeeting");
    let item = until_written(&world, "anna", "pbx", "meeting");
    let seen = item["seen"].as_array().unwrap();
    assert!(
        seen.iter()
            .any(|seen| seen["where"] == "teams_notified" && seen["what"] == "Busy/InAMeeting"),
        "{item:#}"
    );
    assert!(item["decided"]["why"].as_str().unwrap().contains("InAMeeting"));
    for hop in [
        "received_to_opened",
        "opened_to_decided",
        "decided_to_written",
        "written_to_confirmed",
    ] {
        assert!(item["hops_ms"][hop].as_f64().unwrap() >= 0.0, "{hop}: {item:#}");
    }
    world.choose_at_pbx("anna", "dnd");
    let item = until_written(
        &world,
        "anna",
        "teams",
        "preferred DoNotDisturb/DoNotDisturb for 1440 min",
    );
    assert_eq!(item["seen"][0]["where"], "pbx_entry");
    assert!(items(&world, "bert").is_empty());
}

#[test]
fn the_timeline_is_a_list_like_every_other_and_outlives_the_process() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    for (choice, state) in [("dnd", "DoNotDisturb"), ("away", "Away"), ("busy", "Busy")] {
        world.choose_at_pbx("anna", choice);
        world.until_seen_in_teams("anna", state, state);
    }
    until_written(&world, "anna", "teams", "preferred Busy/Busy for 1440 min");
    let whole = items(&world, "anna");
    let first = world.get("/api/v1/users/anna/timeline?limit=1").json();
    assert_eq!(first["items"].as_array().unwrap().len(), 1);
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = world
        .get(&format!("/api/v1/users/anna/timeline?limit=1&cursor={cursor}"))
        .json();
    assert!(next["items"][0]["number"].as_i64().unwrap() < first["items"][0]["number"].as_i64().unwrap());
    assert_eq!(world.get("/api/v1/users/nobody/timeline").status, 404);
    assert_eq!(world.get("/api/v1/users/anna/timeline?cursor=x").status, 400);
    assert_eq!(
        world
            .ask_as_viewer("GET", "/api/v1/users/anna/timeline")
            .unwrap()
            .status,
        200
    );
    world.stay_quiet(std::time::Duration::from_secs(3));
    world.kill();
    world.start_again();
    world.until_synchronised(1);
    let numbers: Vec<i64> = items(&world, "anna")
        .iter()
        .map(|item| item["number"].as_i64().unwrap())
        .collect();
    let oldest = whole.last().unwrap()["number"].as_i64().unwrap();
    assert!(numbers.contains(&oldest), "{oldest} in {numbers:?}");
    assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]));
}

#[test]
fn a_resync_reads_both_sides_anew() {
    let world = World::of(&["anna"])
        .prepare(|world| {
            world.add_to_pbx("karl", MASTER);
            world.add_to_teams("karl");
        })
        .start();
    world.until_synchronised(1);
    let (cloud, pbx) = (world.cloud_mark(), world.pbx_mark());
    let answer = world.post("/api/v1/users/anna/resync");
    assert_eq!(answer.status, 202, "{}", answer.text());
    world.wait_until("a read of teams", || {
        !world.requests(Family::PresenceRead, cloud).is_empty()
    });
    let guid = world.master().user("anna").unwrap().guid;
    world.wait_until("a new subscription at the pbx", || {
        let asked = world.master().journal().select_since(pbx, |frame| {
            frame.way == Way::Received && frame.mt() == "SubscribePresence" && frame.text("src") == guid
        });
        !asked.is_empty()
    });
    world.wait_until("the order in the timeline", || {
        let items = items(&world, "anna");
        let mut seen = items.iter().flat_map(|item| item["seen"].as_array().unwrap());
        seen.any(|seen| seen["where"] == "order")
    });
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");

    assert_eq!(world.post("/api/v1/users/nobody/resync").status, 404);
    let refused = world.post("/api/v1/users/karl/resync");
    assert_eq!(refused.status, 409);
    assert_eq!(refused.json()["code"], "not_synchronised");
    assert!(refused.json()["detail"].as_str().unwrap().contains("no_license"));
    assert_eq!(
        world
            .ask_as_viewer("POST", "/api/v1/users/anna/resync")
            .unwrap()
            .status,
        403
    );
}
