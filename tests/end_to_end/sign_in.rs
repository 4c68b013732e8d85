//! Access tokens end and are revoked while the connector runs, and nobody notices.

use std::time::Duration;

use m365_simulator::microsoft::{Entry, Family};

use crate::world::World;

fn count(world: &World, mark: u64, wanted: impl Fn(&Entry) -> bool) -> usize {
    world.cloud().journal().select_since(mark, wanted).len()
}

#[test]
fn tokens_are_renewed_before_they_end() {
    let life = Duration::from_secs(5);
    let world = World::of(&["anna"])
        .settings("timers = { sweep = '1s', presence_subscription = '2s' }")
        .cloud(move |cloud| cloud.adjust(|knobs| knobs.token_life = Some(life)))
        .start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    let tokens = || {
        count(&world, mark, |entry| {
            entry.is_request(Family::Token) && entry.succeeded()
        })
    };
    world.wait_until("the third round of tokens", || tokens() >= 6);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    let rejected = count(&world, mark, |entry| entry.status == Some(401));
    assert_eq!(rejected, 0, "no request carried an ended token");
    assert_eq!(world.status()["lights"]["authentication"]["code"], "ok");
}

#[test]
fn a_revoked_token_is_replaced_once_and_the_write_arrives() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.cloud().revoke(world.app().service_principal);
    let mark = world.cloud_mark();
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    assert_eq!(count(&world, mark, |entry| entry.is_request(Family::Token)), 1);
    let refused = |entry: &Entry| entry.is_request(Family::PresenceWrite) && entry.status == Some(401);
    assert_eq!(count(&world, mark, refused), 1);
    assert_eq!(world.status()["lights"]["authentication"]["code"], "ok");
}

#[test]
fn a_revoked_token_of_the_communication_user_is_replaced() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let found = world.cloud().subscriptions();
    let presences = found.iter().find(|found| found.is_presence()).unwrap();
    world.cloud().revoke(presences.creator);
    let mark = world.cloud_mark();
    world.post("/api/v1/subscriptions/renew");
    let renewed = |entry: &Entry| {
        entry.is_request(Family::SubscriptionWrite)
            && entry.succeeded()
            && entry.what.ends_with(&presences.id.to_string())
    };
    world.wait_until("the renewal", || count(&world, mark, renewed) > 0);
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
}
