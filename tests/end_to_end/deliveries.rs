//! Notifications in every legal shape are understood.

use m365_simulator::microsoft::{LifecycleEvent, LifecycleShape, TokenVersion};

use crate::world::World;

fn shown_whatever(alter: impl FnOnce(&mut m365_simulator::microsoft::Delivery) + 'static) {
    let world = World::of(&["anna"])
        .cloud(|cloud| cloud.adjust(|knobs| alter(&mut knobs.delivery)))
        .start();
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.in_teams("anna", "Available", "Available");
    world.until_shown_at_pbx("anna", "");
}

#[test]
fn with_a_token_of_the_first_version() {
    shown_whatever(|delivery| delivery.tokens = TokenVersion::V1);
}

#[test]
fn with_sequence_numbers_and_everything_optional() {
    shown_whatever(|delivery| {
        delivery.sequence_numbers = true;
        delivery.rich_extras = true;
    });
}

#[test]
fn one_by_one() {
    shown_whatever(|delivery| delivery.batch = 1);
}

/// The number of times that the one presence subscription was written.
fn writes(world: &World, mark: u64, method: &str) -> usize {
    let family = m365_simulator::microsoft::Family::SubscriptionWrite;
    let requests = world.requests(family, mark);
    requests
        .iter()
        .filter(|(what, status)| what.starts_with(method) && status.is_some_and(|status| status < 300))
        .count()
}

#[test]
fn lifecycle_notices_are_followed_in_both_shapes() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let presence = || {
        world
            .cloud()
            .subscriptions()
            .into_iter()
            .find(|found| found.is_presence())
    };
    for shape in [LifecycleShape::Documented, LifecycleShape::Observed] {
        let before = presence().unwrap().id;
        let mark = world.cloud_mark();
        world
            .cloud()
            .send_lifecycle(before, LifecycleEvent::ReauthorizationRequired, shape);
        world.wait_until("a renewal", || writes(&world, mark, "PATCH") == 1);
        world.cloud().remove_subscription(before, Some(shape));
        world.wait_until("a new subscription", || {
            presence().is_some_and(|found| found.id != before)
        });
        world.until_synchronised(1);
        world.in_teams("anna", "Busy", "InAMeeting");
        world.until_shown_at_pbx("anna", "meeting");
        world.in_teams("anna", "Available", "Available");
        world.until_shown_at_pbx("anna", "");
    }
}
