//! A connector that finds the world, or its own configuration, changed when it starts again.

use m365_simulator::microsoft::Subscription;
use uuid::Uuid;

use crate::world::World;

/// The presence subscriptions, of which every communication user has one at most.
fn presences(world: &World) -> Vec<Subscription> {
    let found = world.cloud().subscriptions().into_iter();
    let presences: Vec<_> = found.filter(Subscription::is_presence).collect();
    let mut creators: Vec<Uuid> = presences.iter().map(|one| one.creator).collect();
    creators.sort_unstable();
    creators.dedup();
    assert_eq!(creators.len(), presences.len(), "one per communication user");
    presences
}

/// The one presence subscription of a communication user.
fn of_account(world: &World, number: usize) -> Option<Subscription> {
    let account = world.account_id(number);
    presences(world).into_iter().find(|one| one.creator == account)
}

/// Presence flows by notifications, not only by reads.
fn is_told(world: &World, user: &str) {
    for (availability, activity, shown) in [("Busy", "InAMeeting", "meeting"), ("Away", "Away", "away")] {
        world.in_teams(user, availability, activity);
        world.until_shown_at_pbx(user, shown);
    }
    let overview = world.overview();
    let told = overview["webhook_intake"]["presence"].as_u64().unwrap();
    let hints = overview["webhook_intake"]["hints"].as_u64().unwrap();
    assert!(told + hints > 0, "notifications arrive");
}

#[test]
fn with_other_users_it_replaces_its_subscription() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let before = of_account(&world, 1).unwrap().id;
    world.kill();
    world.add_person("bert", crate::world::MASTER);
    world.in_teams("anna", "Away", "Away");
    world.start_again();
    world.until_synchronised(2);
    world.until_shown_at_pbx("anna", "away");
    world.wait_until("another subscription", || {
        of_account(&world, 1).is_some_and(|one| one.id != before)
    });
    is_told(&world, "bert");
}

#[test]
fn under_another_public_address_it_replaces_its_subscription() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.kill();
    let (_, port) = world.public().split_once(':').unwrap();
    let url = format!("http://localhost:{port}");
    world.reconfigure(&format!("public.url = '{url}'"));
    world.start_again();
    world.until_synchronised(1);
    world.wait_until("the new address at graph", || {
        of_account(&world, 1).is_some_and(|one| one.notification_url.starts_with(&url))
    });
    is_told(&world, "anna");
}

#[test]
fn with_its_accounts_in_another_order_it_touches_nothing() {
    let world = World::of(&["anna"]).accounts(2).start();
    world.until_synchronised(1);
    let before = presences(&world)[0].id;
    world.kill();
    world.carry_by(&[2, 1]);
    world.start_again();
    world.until_synchronised(1);
    is_told(&world, "anna");
    let after = presences(&world);
    assert_eq!((after.len(), after[0].id), (1, before));
    assert_eq!(world.user("anna")["shard_number"], 2);
}

#[test]
fn without_an_account_it_carries_its_users_by_the_others_and_polls_the_rest() {
    let names: Vec<String> = (0..651).map(|number| format!("user{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::of(&names).accounts(2).start();
    world.until_synchronised(651);
    world.kill();
    world.carry_by(&[2]);
    for name in &names[..3] {
        world.in_teams(name, "Away", "Away");
    }
    world.start_again();
    world.until_synchronised(651);
    for name in &names[..3] {
        world.until_shown_at_pbx(name, "away");
    }
    let unplaced = |name: &&&str| world.user(name)["shard"].is_null();
    let alone = names.iter().rev().find(unplaced).unwrap();
    world.in_teams(alone, "Busy", "InAMeeting");
    world.until_shown_at_pbx(alone, "meeting");
    // and back again: the removed account's subscription lives on at graph
    world.kill();
    world.carry_by(&[1, 2]);
    world.start_again();
    world.until_synchronised(651);
    world.wait_until("nobody without a place", || {
        world.status()["reading"]["overflow"] == 0
    });
    presences(&world);
    is_told(&world, names[0]);
}

#[test]
fn without_its_database_it_takes_the_place_of_its_former_self() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let before = of_account(&world, 1).unwrap().id;
    world.kill();
    world.lose_database();
    world.in_teams("anna", "Away", "Away");
    world.start_again();
    world.until_synchronised(1);
    world.until_shown_at_pbx("anna", "away");
    assert_ne!(of_account(&world, 1).unwrap().id, before);
    is_told(&world, "anna");
}

#[test]
fn one_second_timers_keep_everybody_served_over_restarts() {
    let timers = "sweep presence_subscription user_subscription on_the_phone";
    let seconds: Vec<String> = timers
        .split(' ')
        .map(|timer| format!("timers.{timer} = '1s'"))
        .collect();
    let world = World::of(&["anna", "bert"]).settings(&seconds.join("\n")).start();
    world.until_synchronised(2);
    let before = of_account(&world, 1).unwrap().id;
    for shown in ["meeting", "away"] {
        world.kill();
        let pair = if shown == "away" {
            ("Away", "Away")
        } else {
            ("Busy", "InAMeeting")
        };
        world.in_teams("anna", pair.0, pair.1);
        world.start_again();
        world.until_shown_at_pbx("anna", shown);
        world.until_synchronised(2);
    }
    world.call("bert");
    world.until_seen_in_teams("bert", "Busy", "InACall");
    assert_eq!(of_account(&world, 1).unwrap().id, before);
}
