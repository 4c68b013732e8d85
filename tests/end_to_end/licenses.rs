//! Only who holds the license is synchronised, and licenses come and go while the connector runs.

use crate::world::{LICENSE, World};

/// Licenses are checked before every renewal.
const OFTEN: &str = "timers.presence_subscription = '2s'";

#[test]
fn a_withdrawn_license_cleans_both_sides_and_a_granted_one_brings_them_back() {
    let world = World::of(&["anna", "bert", "carl"]).settings(OFTEN).start();
    world.until_synchronised(3);
    world.choose_at_pbx("anna", "dnd");
    world.in_teams("bert", "Busy", "InAMeeting");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("bert", "meeting");
    for user in ["anna", "bert"] {
        world.master().withdraw(user, LICENSE);
    }
    world.until_seen_in_teams("anna", "Available", "Available");
    world.until_shown_at_pbx("bert", "");
    for user in ["anna", "bert"] {
        world.until_user(user, "without a license", |item| {
            item["licensed"] == false && item["reason"] == "no_license"
        });
    }
    world.until_synchronised(1);
    for user in ["anna", "bert"] {
        world.master().assign(user, LICENSE);
    }
    world.until_synchronised(3);
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("bert", "meeting");
}

#[test]
fn nobody_with_a_license_is_said_by_the_light() {
    let world = World::of(&["anna"])
        .settings(OFTEN)
        .prepare(|world| world.master().withdraw("anna", LICENSE))
        .start();
    world.until_light("presence_subscription", "no_licensed_users");
    assert!(
        world
            .cloud()
            .subscriptions()
            .iter()
            .all(|subscription| !subscription.is_presence())
    );
    world.master().assign("anna", LICENSE);
    world.until_synchronised(1);
}

#[test]
fn the_license_of_a_longer_name_does_not_count() {
    let world = World::of(&["anna", "bert"])
        .prepare(|world| {
            world.master().withdraw("bert", LICENSE);
            world.master().assign("bert", "App(innovaphone-calendar)");
        })
        .start();
    world.until_synchronised(1);
    assert_eq!(world.user("bert")["reason"], "no_license");
}
