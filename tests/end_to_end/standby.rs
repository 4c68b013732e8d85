//! Several instances on one PostgreSQL database: one is active, and another takes over.

use std::time::Duration;

use m365_simulator::microsoft::{Pair, Subscription};

use crate::database::kept_at;
use crate::postgres::Postgres;
use crate::world::{Instance, LONG_PATIENCE, Plan, TAKEOVER, World};

/// Two instances, of which the world's own is the active one; everybody is synchronised.
fn two(plan: Plan, users: u64) -> (World, Instance) {
    let url = Postgres::shared().new_database();
    let world = kept_at(plan, &url).behind_gateway().start();
    world.until_synchronised(users);
    let standby = world.join("second", "");
    assert_eq!(standby.missing().unwrap(), ["standby"]);
    assert_eq!(standby.get("/activez").unwrap().status, 503);
    // the active one must have seen that it is not alone any more
    world.stay_quiet(Duration::from_secs(2));
    (world, standby)
}

fn until_taken_over(world: &World, standby: &Instance) {
    world.wait_for(TAKEOVER, "the standby to be ready", || standby.is_ready());
    world.administer(standby);
}

#[test]
fn when_the_active_instance_dies_the_standby_goes_on_with_its_presence_and_its_claims() {
    let (world, standby) = two(World::of(&["anna", "bert", "carl"]), 3);
    let call = world.call("anna");
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.choose_at_pbx("bert", "dnd");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.in_teams("carl", "Busy", "InAMeeting");
    world.until_shown_at_pbx("carl", "meeting");
    let subscriptions = world.cloud().subscriptions();
    let (cloud, pbx) = (world.cloud_mark(), world.pbx_mark());

    world.kill();
    until_taken_over(&world, &standby);
    world.until_synchronised(3);
    let adopted = world.cloud().subscriptions();
    let ids = |all: &[Subscription]| {
        let mut ids: Vec<_> = all.iter().map(|one| one.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&adopted), ids(&subscriptions), "subscriptions are adopted");
    assert_eq!(world.seen_in_teams("anna"), Pair::new("Busy", "InACall"));
    assert_eq!(
        world.seen_in_teams("bert"),
        Pair::new("DoNotDisturb", "DoNotDisturb")
    );
    assert_eq!(world.shown_at_pbx("carl"), "meeting");
    let cleared = |h323: &str| {
        let writes = world.teams_writes(h323, cloud);
        writes.iter().any(|write| write.starts_with("clear"))
    };
    assert!(!cleared("anna") && !cleared("bert"), "nothing is taken back");
    assert!(!world.entry_writes("carl", pbx).contains(&String::new()));

    // what the first one set is known well enough to be taken back, and only that
    world.master().end(call);
    world.choose_at_pbx("bert", "");
    world.in_teams("carl", "Available", "Available");
    world.until_seen_in_teams("anna", "Available", "Available");
    world.until_seen_in_teams("bert", "Available", "Available");
    world.until_shown_at_pbx("carl", "");
}

#[test]
fn an_orderly_end_of_the_active_instance_takes_nothing_back() {
    let (world, standby) = two(World::of(&["bert"]), 1);
    world.choose_at_pbx("bert", "dnd");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    let mark = world.cloud_mark();
    assert!(world.terminate());
    until_taken_over(&world, &standby);
    world.until_synchronised(1);
    assert_eq!(
        world.seen_in_teams("bert"),
        Pair::new("DoNotDisturb", "DoNotDisturb")
    );
    assert_eq!(world.teams_writes("bert", mark), Vec::<String>::new());
    // and the one that ended comes back as a standby
    let third = world.join("third", "");
    world.administer(&third);
    assert_eq!(world.status()["lights"]["master_pbx"]["code"], "standby");
    assert!(standby.terminate());
}

#[test]
fn a_standby_says_so_and_leaves_everything_to_the_active_instance() {
    let (world, standby) = two(World::of(&["anna"]), 1);
    let checked = standby.run("healthcheck");
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(
        said.contains("standing by (503): another instance is active"),
        "{said}"
    );
    let proof = standby.ask_public("POST", "/graph/notifications?validationToken=a%20proof", &[], b"");
    assert_eq!((proof.status, proof.text()), (200, "a proof".to_owned()));
    for path in ["/graph/notifications", "/graph/lifecycle"] {
        let answer = standby.ask_public("POST", path, &[("Content-Type", "application/json")], b"{}");
        assert_eq!(answer.status, 503, "{path}: Microsoft repeats it");
    }
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ];
    let socket = standby.ask_public("GET", "/pbx/innovaphone-microsoft365", &upgrade, b"");
    assert_eq!(socket.status, 404, "an App URL without a build is not the PBX's");
    assert_eq!(standby.ask_public("GET", "/pbx", &upgrade, b"").status, 503);

    world.administer(&standby);
    assert_eq!(world.get("/livez").status, 200);
    let status = world.status();
    for light in ["master_pbx", "authentication", "presence_subscription"] {
        let light = &status["lights"][light];
        assert_eq!(
            (&light["state"], &light["code"]),
            (&"red".into(), &"standby".into())
        );
        assert!(
            light["detail"]
                .as_str()
                .unwrap()
                .contains("another instance is active")
        );
    }
    for list in ["users", "actors", "subscriptions", "sessions"] {
        let answer = world.get(&format!("/api/v1/{list}"));
        assert_eq!(
            (answer.status, &answer.json()["items"]),
            (200, &serde_json::json!([]))
        );
    }
    let unknown = world.get("/api/v1/users/anna");
    assert_eq!(
        (unknown.status, &unknown.json()["code"]),
        (503, &"standby".into())
    );
    for (method, path) in [
        ("POST", "/api/v1/subscriptions/renew"),
        ("PATCH", "/api/v1/settings"),
    ] {
        let refused = world.ask(method, path).unwrap();
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (409, &"standby".into()),
            "{path}"
        );
    }
    assert_eq!(
        world.ask_with("GET", "/api/v1/status", &[]).status,
        401,
        "nobody else is told"
    );
    assert!(world.get("/metrics").text().contains("code=\"standby\""));
    let events = world.get("/api/v1/events?topics=status");
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    assert!(
        events.text().contains("event: status\ndata: {"),
        "{}",
        events.text()
    );
}

#[test]
fn whoever_watches_the_page_of_a_standby_stays_signed_in_when_it_takes_over() {
    let (world, standby) = two(World::of(&["anna"]), 1);
    world.administer(&standby);
    let cookie = crate::page_sessions::signed_in(&world);
    let told = |path: &str| world.ask_with("GET", path, &[("Cookie", &cookie)]).status;
    assert_eq!((told("/api/v1/status"), told("/api/v1/overview")), (200, 503));
    world.kill();
    until_taken_over(&world, &standby);
    world.wait_for(LONG_PATIENCE, "the page", || told("/api/v1/overview") == 200);
}
