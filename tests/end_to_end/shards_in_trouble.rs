//! Shards that hear nothing, or that must wait: the others work on, and nobody is missed.

use m365_simulator::microsoft::{Control, Subscription};
use serde_json::Value;

use crate::world::World;

/// So many users fill a shard.
const FULL: usize = 650;

/// The presence subscription of a communication user, by the user's number.
fn of_account(cloud: &Control, world: &World, number: usize) -> Option<Subscription> {
    let account = world.account_id(number);
    let found = cloud.subscriptions().into_iter();
    found
        .filter(Subscription::is_presence)
        .find(|one| one.creator == account)
}

/// How the API tells a shard.
fn shard(world: &World, number: usize) -> Value {
    let items = world.get("/api/v1/subscriptions").json();
    let mut found = items["items"].as_array().unwrap().iter();
    let shard = found.find(|item| item["shard"] == number);
    shard.cloned().unwrap_or_default()
}

#[test]
fn only_the_shard_that_hears_nothing_is_made_anew_and_its_users_are_not_missed() {
    let names: Vec<String> = (0..=FULL).map(|number| format!("user{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::of(&names)
        .accounts(2)
        .settings("timers.sweep = '3s'")
        .start();
    world.until_synchronised(names.len() as u64);
    let number_of = |name: &&&str| world.user(name)["shard_number"] == 2;
    let alone = *names.iter().rev().find(number_of).unwrap();
    let other = *names.iter().find(|name| !number_of(name)).unwrap();
    let ids = || [1, 2].map(|number| of_account(&world.cloud(), &world, number).map(|one| one.id));
    let before = ids();
    let mute = before[1].unwrap();
    world.cloud().adjust(|knobs| {
        knobs.delivery.mute.insert(mute);
    });
    world.in_teams(alone, "Busy", "InAMeeting");
    world.in_teams(other, "Busy", "InAMeeting");
    world.until_shown_at_pbx(alone, "meeting");
    world.until_shown_at_pbx(other, "meeting");
    world.wait_until("shard 2 to be made anew", || {
        let now = ids()[1];
        now.is_some() && now != before[1]
    });
    assert_eq!(ids()[0], before[0], "shard 1 is left alone");
    world.wait_until("the miss to be counted", || shard(&world, 2)["missed"] == 1);
    assert_eq!(shard(&world, 1)["missed"], 0);
    assert_eq!(world.status()["reading"]["missed"], 1);
    // what the new one tells ends the doubt
    world.in_teams(alone, "Away", "Away");
    world.until_shown_at_pbx(alone, "away");
    world.wait_until("everybody to be covered", || {
        world.status()["reading"]["covered"] == names.len()
    });
}

#[test]
fn what_graph_does_not_delete_is_waited_for_and_nobody_is_missed_meanwhile() {
    for read in ["hybrid", "subscription"] {
        let world = World::of(&["anna"])
            .settings(&format!("sync.read = '{read}'"))
            .start();
        world.until_synchronised(1);
        world.cloud().adjust(|knobs| {
            knobs.refuse_presence_delete = true;
            knobs.refuse_presence_delete_in_beta = true;
        });
        let before = of_account(&world.cloud(), &world, 1).unwrap();
        // another user means another subscription
        world.add_person("bert", crate::world::MASTER);
        world.until_light("presence_subscription", "waiting_for_expiry");
        let detail = world.status()["lights"]["presence_subscription"]["detail"].to_string();
        let until = before.expires.format("%Y-%m-%dT%H:%M").to_string();
        assert!(detail.contains(&until), "{detail} names {until}");
        for user in ["anna", "bert"] {
            world.in_teams(user, "Busy", "InAMeeting");
        }
        // the sweep of five minutes would come too late
        world.until_shown_at_pbx("bert", "meeting");
        world.until_shown_at_pbx("anna", "meeting");
        world.wait_until("readiness", || world.get("/readyz").status == 200);
        let item = world.user("bert");
        let explanation = item["explanation"].as_str().unwrap();
        assert!(explanation.contains("read in bulk until"), "{explanation}");
        world.kill();
        world.in_teams("bert", "Away", "Away");
        world.start_again();
        world.until_shown_at_pbx("bert", "away");
        world.until_light("presence_subscription", "waiting_for_expiry");
        assert_eq!(of_account(&world.cloud(), &world, 1).unwrap().id, before.id);
    }
}
