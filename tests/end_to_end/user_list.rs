//! The list of users: everybody of either side, and why somebody is not synchronised.

use m365_simulator::microsoft::Plan;
use serde_json::Value;

use crate::world::{MASTER, World};

/// Anna and Bert are synchronised; everybody else lacks something.
fn world() -> World {
    let world = World::of(&["anna", "bert"])
        .prepare(|world| {
            world.add_to_pbx("unmatched", MASTER);
            world.add_to_teams("stranger");
            world.add_to_pbx("unlicensed", MASTER);
            world.add_to_teams("unlicensed");
            for (h323, change) in [("disabled", 0), ("guest", 1), ("planless", 2)] {
                world.add_person(h323, MASTER);
                world
                    .cloud()
                    .change_user(world.teams_id(h323), |user| match change {
                        0 => user.account_enabled = false,
                        1 => user.user_type = Some("Guest".to_owned()),
                        _ => user.plans = vec![Plan::teams("Suspended")],
                    });
            }
        })
        .start();
    world.until_synchronised(2);
    world
}

#[test]
fn names_everybody_with_the_reason_for_not_being_synchronised() {
    let world = world();
    let users = world.get("/api/v1/users").json();
    assert_eq!(users["next_cursor"], Value::Null);
    let items = users["items"].as_array().unwrap();
    for item in items {
        let explanation = item["explanation"].as_str().unwrap();
        assert!(!explanation.is_empty());
        assert_eq!(
            item["synchronised"].as_bool().unwrap(),
            item["reason"].is_null(),
            "{item}"
        );
    }
    for (h323, reason) in [
        ("unmatched", "no_match"),
        ("unlicensed", "no_license"),
        ("disabled", "account_disabled"),
        ("guest", "guest"),
        ("planless", "no_teams_license"),
    ] {
        let item = items.iter().find(|item| item["h323"] == h323).unwrap();
        assert_eq!(item["reason"], reason, "{item}");
    }
    let stranger = items
        .iter()
        .find(|item| item["teams_name"] == "Stranger Example")
        .unwrap();
    assert_eq!(stranger["h323"], Value::Null);
    assert_eq!(stranger["reason"], "no_match");
}

#[test]
fn shows_a_synchronised_user_with_both_sides() {
    let world = world();
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_user("anna", "shown as meeting", |anna| {
        anna["shown_at_pbx"] == "meeting"
    });
    let anna = world.user("anna");
    assert_eq!(anna["cn"], "Anna Example");
    assert_eq!(anna["pbx"], MASTER);
    assert_eq!(anna["teams_id"], world.teams_id("anna").to_string());
    assert_eq!(anna["teams_name"], "Anna Example");
    assert_eq!(anna["licensed"], true);
    assert_eq!(anna["synchronised"], true);
    assert_eq!(anna["reason"], Value::Null);
    assert_eq!(anna["shard"], "presence1@contoso.example");
    assert_eq!(anna["teams_presence"], "Busy/InAMeeting");
    world.choose_at_pbx("bert", "dnd");
    world.until_user("bert", "set in teams", |bert| bert["set_in_teams"].is_string());
    assert_eq!(world.user("bert")["pbx_presence"], "dnd");
    assert_eq!(world.get("/api/v1/users/nobody").status, 404);
}

#[test]
fn counts_what_it_lists() {
    let world = world();
    let users = world.status()["users"].clone();
    // eligible in Teams are Anna, Bert, the stranger, the unlicensed one and the communication user
    assert_eq!(users["teams"], 5, "{users}");
    assert_eq!(users["pbx"], 7, "{users}");
    assert_eq!(users["matched"], 3, "{users}");
    assert_eq!(users["licensed"], 2, "{users}");
    assert_eq!(users["synchronised"], 2, "{users}");
}

#[test]
fn is_read_page_by_page() {
    let world = world();
    let whole = world.get("/api/v1/users?limit=1000").json()["items"].clone();
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/api/v1/users?limit=2{cursor}")).json();
        let found = page["items"].as_array().unwrap();
        assert!((1..=2).contains(&found.len()));
        items.extend(found.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(Value::from(items), whole);
    assert_eq!(world.get("/api/v1/users?limit=0").status, 400);
    assert_eq!(world.get("/api/v1/users?limit=1000000").status, 200);
    assert_eq!(world.get("/api/v1/users?cursor=nonsense").status, 400);
}

#[test]
fn some_are_looked_for_by_name_reason_and_state() {
    let world = world();
    let names = |query: &str| -> Vec<String> {
        let answer = world.get(&format!("/api/v1/users?{query}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let items = answer.json()["items"].as_array().unwrap().clone();
        let name = |item: &Value| item["h323"].as_str().unwrap_or("-").to_owned();
        items.iter().map(name).collect()
    };
    assert_eq!(names("search=ANN"), ["anna"]);
    assert_eq!(names("reason=account_disabled&limit=1"), ["disabled"]);
    assert_eq!(names("synchronised=true"), ["anna", "bert"]);
    assert_eq!(names("synchronised=true&search=bert&reason="), ["bert"]);
    assert_eq!(names("pbx=nowhere"), Vec::<String>::new());
    let first = world.get("/api/v1/users?synchronised=true&limit=1").json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        names(&format!("synchronised=true&limit=1&cursor={cursor}")),
        ["bert"]
    );
    for wrong in ["reason=bored", "synchronised=perhaps"] {
        assert_eq!(
            world.get(&format!("/api/v1/users?{wrong}")).status,
            400,
            "{wrong}"
        );
    }
}
