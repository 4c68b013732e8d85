//! Codes and reasons that nothing else here provokes; `tests/documentation.rs` holds the whole set to these tests.

use std::time::Duration;

use m365_simulator::microsoft::{Family, Fault, Times};

use crate::world::World;

#[test]
fn a_communication_user_who_never_signed_in_is_said_by_the_light_of_the_subscription_too() {
    let world = World::of(&["anna"])
        .settings("[[microsoft.communication_users]]\nusername = 'presence1@contoso.example'\nsign_in = 'device-code'\n")
        .start();
    world.until_light("presence_subscription", "not_signed_in");
    let detail = world.status()["lights"]["presence_subscription"]["detail"].to_string();
    assert!(detail.contains("authentication"), "{detail}");
}

#[test]
fn a_subscription_that_hears_nothing_is_deaf_until_it_hears_again() {
    let world = World::of(&["anna"])
        .settings("timers.sweep = '2s'")
        .cloud(|cloud| {
            cloud.adjust(|knobs| {
                knobs.delivery.drop = 1.0;
                knobs.refuse_presence_delete = true;
                knobs.refuse_presence_delete_in_beta = true;
            });
        })
        .start();
    world.until_synchronised(1);
    // what the read that opens the subscription shows proves nothing, so it takes a second change
    for (pair, shown) in [(("Busy", "InAMeeting"), "meeting"), (("Busy", "Busy"), "busy")] {
        world.in_teams("anna", pair.0, pair.1);
        world.until_shown_at_pbx("anna", shown);
    }
    world.wait_for(Duration::from_secs(60), "the light with deaf", || {
        world.status()["lights"]["presence_subscription"]["code"] == "deaf"
    });
    world.cloud().adjust(|knobs| knobs.delivery.drop = 0.0);
    world.in_teams("anna", "Away", "Away");
    world.until_shown_at_pbx("anna", "away");
    world.until_light("presence_subscription", "ok");
}

#[test]
fn whose_presence_teams_does_not_tell_is_said_to_be_unknown_until_it_does() {
    let world = World::of(&["anna"])
        .cloud(|cloud| cloud.inject(Some(Family::PresenceRead), Fault::Closed, Times::Always))
        .start();
    world.until_user("anna", "without a known presence", |anna| {
        anna["reason"] == "presence_unknown" && anna["licensed"] == true
    });
    world.cloud().clear_faults(None);
    world.until_synchronised(1);
    assert!(world.user("anna")["reason"].is_null());
}

#[test]
fn whoever_is_excluded_is_left_alone_and_told_so() {
    let world = World::of(&["anna", "bert"])
        .settings("matching.exclude = ['bert']")
        .start();
    world.until_synchronised(1);
    let bert = world.user("bert");
    assert_eq!(bert["reason"], "excluded");
    let explanation = bert["explanation"].as_str().unwrap();
    assert!(explanation.contains("matching"), "{explanation}");
}
