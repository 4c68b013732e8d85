//! Every actor may be restarted or die at work, and both sides are in step again soon after.

use serde_json::Value;

use crate::world::{Demo, World};

const ACTORS: [&str; 7] = [
    "token-refresh",
    "user-sync",
    "license-check",
    "presence-subscription",
    "presence-sweep",
    "webhook-intake",
    "presence-sync",
];

fn actor<'a>(actors: &'a [Value], name: &str) -> &'a Value {
    let found = actors.iter().find(|actor| actor["name"] == name);
    found.unwrap_or_else(|| panic!("no actor is called {name}"))
}

#[test]
fn every_actor_restarts_by_order_without_losing_a_change() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let states = ["busy", "dnd", "away", "lunch"].iter().cycle();
    for (name, state) in ACTORS.into_iter().chain(["pbx-session-pbx-main"]).zip(states) {
        let before = actor(&world.actors(), name)["run"].as_u64().unwrap();
        let answer = world.post(&format!("/api/v1/actors/{name}/restart"));
        assert_eq!(answer.status, 202, "{name}");
        world.in_teams("anna", "Busy", "InAMeeting");
        world.choose_at_pbx("bert", state);
        world.until_shown_at_pbx("anna", "meeting");
        let seen = match *state {
            "busy" => "Busy",
            "dnd" => "DoNotDisturb",
            "away" => "Away",
            _ => "BeRightBack",
        };
        world.until_seen_in_teams("bert", seen, seen);
        world.in_teams("anna", "Available", "Available");
        world.until_shown_at_pbx("anna", "");
        let actors = world.actors();
        assert!(actor(&actors, name)["run"].as_u64().unwrap() > before, "{name}");
        assert_eq!(actor(&actors, name)["restarts"]["bug"], 0, "{name}");
    }
    world.until_synchronised(2);
    assert_eq!(world.post("/api/v1/actors/nobody/restart").status, 404);
}

#[test]
fn outside_the_demo_nobody_can_make_an_actor_panic() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    assert_eq!(world.post("/api/v1/faults/presence-sync/panic").status, 404);
    assert_eq!(actor(&world.actors(), "presence-sync")["restarts"]["bug"], 0);
}

#[test]
fn an_actor_that_panics_at_work_comes_back_and_everybody_is_in_step_again() {
    let demo = Demo::start(20);
    demo.until_synchronised(20);
    for name in ACTORS
        .into_iter()
        .chain(["pbx-session-pbx-main", "pbx-session-pbx-branch-1"])
    {
        let before = actor(&demo.actors(), name)["restarts"]["bug"].as_u64().unwrap();
        assert_eq!(
            demo.post(&format!("/api/v1/faults/{name}/panic")).status,
            202,
            "{name}"
        );
        demo.wait_until(&format!("{name} to have ended by a bug"), || {
            actor(&demo.actors(), name)["restarts"]["bug"].as_u64().unwrap() > before
        });
        demo.wait_until(&format!("{name} to run again"), || {
            actor(&demo.actors(), name)["state"] == "running"
        });
        demo.until_synchronised(20);
    }
    let log = demo.log();
    for name in ACTORS {
        let end = format!("{name} ended: bug");
        assert!(log.contains(&end), "the supervisor's log tells of {name}");
    }
}
