//! PostgreSQL as the connector's database, also while it is away.

use crate::postgres::{PASSWORD, Postgres};
use crate::world::{Plan, World};

/// A world whose connector keeps its state there.
pub fn kept_at(plan: Plan, url: &str) -> Plan {
    plan.settings(&format!(
        "[database]\nurl = \"{url}\"\nkey = \"{}\"",
        "5a".repeat(32)
    ))
}

fn condition(world: &World) -> String {
    world.status()["database"]["state"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn after_a_kill_the_next_start_goes_on_from_the_database() {
    let url = Postgres::shared().new_database();
    let world = kept_at(World::of(&["anna", "bert"]), &url).start();
    world.until_synchronised(2);
    world.choose_at_pbx("bert", "dnd");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    let before = world.cloud().subscriptions().len();
    world.kill();
    world.choose_at_pbx("bert", "");
    world.start_again();
    world.until_synchronised(2);
    world.until_seen_in_teams("bert", "Available", "Available");
    assert_eq!(
        world.cloud().subscriptions().len(),
        before,
        "subscriptions are adopted"
    );
    assert!(!world.log().contains(PASSWORD), "the password stands in the log");
}

#[test]
fn presence_goes_on_while_the_database_is_away_and_nothing_is_lost() {
    let mut server = Postgres::start(&[]);
    let url = server.new_database();
    let world = kept_at(World::of(&["anna", "bert", "carl"]), &url).start();
    world.until_synchronised(3);
    assert_eq!(condition(&world), "ok");

    server.stop();
    world.choose_at_pbx("bert", "dnd");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.choose_at_pbx("carl", "away");
    world.until_seen_in_teams("carl", "Away", "Away");
    world.choose_at_pbx("carl", "");
    world.until_seen_in_teams("carl", "Available", "Available");

    world.wait_until("the database to be told away", || condition(&world) == "away");
    let status = world.status();
    let warned = status["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["code"] == "database_away");
    let detail = warned.expect("a warning")["detail"].as_str().unwrap();
    assert!(
        detail.contains("cannot be reached") && detail.contains("kept in memory"),
        "{detail}"
    );
    assert!(status["database"]["unsaved"].as_u64().unwrap() > 0);
    let ready = world.get("/readyz");
    assert_eq!(
        (ready.status, &ready.json()["degraded"][0]),
        (200, &"database_away".into())
    );
    // an actor that is rebuilt meanwhile knows what the last run knew
    assert_eq!(world.post("/api/v1/actors/presence-sync/restart").status, 202);
    world.until_synchronised(3);
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");

    server.start_again();
    world.wait_until("the database to be told well", || condition(&world) == "ok");
    world.kill();
    world.choose_at_pbx("bert", "");
    world.start_again();
    world.until_seen_in_teams("bert", "Available", "Available");
    world.until_synchronised(3);
}

#[test]
fn an_orderly_end_without_the_database_takes_no_longer_than_any() {
    let mut server = Postgres::start(&[]);
    let url = server.new_database();
    let world = kept_at(World::of(&["anna"]), &url).start();
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    server.stop();
    assert!(world.terminate());
    assert_eq!(
        world.seen_in_teams("anna"),
        m365_simulator::microsoft::Pair::new("Available", "Available")
    );
}
