//! A connector that is started anew within a running subscription goes on where it was.

use m365_simulator::microsoft::Family;
use uuid::Uuid;

use crate::world::World;

/// The one presence subscription.
fn subscription(world: &World) -> Uuid {
    let found = world.cloud().subscriptions();
    let presences: Vec<_> = found.iter().filter(|found| found.is_presence()).collect();
    assert_eq!(presences.len(), 1, "at most one lives per communication user");
    presences[0].id
}

fn adopts_and_misses_nothing(end: impl Fn(&World)) {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let before = subscription(&world);
    for (round, (availability, activity, shown)) in
        [("Busy", "InAMeeting", "meeting"), ("Away", "Away", "away")]
            .into_iter()
            .enumerate()
    {
        let mark = world.cloud_mark();
        end(&world);
        world.in_teams("anna", availability, activity);
        world.choose_at_pbx("bert", if round == 0 { "dnd" } else { "" });
        world.start_again();
        world.until_shown_at_pbx("anna", shown);
        let seen = if round == 0 { "DoNotDisturb" } else { "Available" };
        world.until_seen_in_teams("bert", seen, seen);
        world.until_synchronised(2);
        assert_eq!(subscription(&world), before, "the subscription was adopted");
        let requests = world.requests(Family::SubscriptionWrite, mark);
        let renewed = format!("PATCH /v1.0/subscriptions/{before}");
        assert!(requests.contains(&(renewed, Some(200))), "{requests:?}");
        assert!(
            requests.iter().all(|(_, status)| *status != Some(409)),
            "{requests:?}"
        );
        assert!(
            requests.iter().all(|(what, _)| !what.starts_with("POST")),
            "{requests:?}"
        );
    }
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
}

#[test]
fn after_an_orderly_end_it_adopts_its_subscription_and_misses_nothing() {
    adopts_and_misses_nothing(|world| assert!(world.terminate()));
}

#[test]
fn after_a_kill_it_adopts_its_subscription_and_misses_nothing() {
    adopts_and_misses_nothing(World::kill);
}

#[test]
fn a_subscription_that_vanished_meanwhile_is_made_anew() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let before = subscription(&world);
    assert!(world.terminate());
    world.cloud().remove_subscription(before, None);
    world.start_again();
    world.until_synchronised(1);
    assert_ne!(subscription(&world), before);
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
}
