//! What an administrator sees of a write to Teams: accepted is not yet shown.

use m365_simulator::microsoft::{ErrorBody, Family, Fault, RetryAfter, Times};

use crate::world::World;

fn until_claim(world: &World, h323: &str, state: &str) -> String {
    world.until_user(h323, &format!("a claim that is {state}"), |user| {
        user["teams_claim_state"] == state
    });
    world.user(h323)["explanation"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_without_a_teams_session_is_seen_as_such_until_a_client_signs_in() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.in_teams("anna", "Offline", "Offline");
    world.until_user("anna", "signed out", |anna| anna["teams_signed_in"] == false);
    world.choose_at_pbx("anna", "dnd");
    let explanation = until_claim(&world, "anna", "no_session");
    assert!(explanation.contains("no teams session"), "{explanation}");
    assert_eq!(world.seen_in_teams("anna").availability, "Offline");
    assert_eq!(world.user("anna")["set_in_teams"], "DoNotDisturb/DoNotDisturb");
    world.in_teams("anna", "Available", "Available");
    until_claim(&world, "anna", "shown");
    assert_eq!(world.user("anna")["teams_signed_in"], true);
}

#[test]
fn a_choice_that_the_user_overrides_in_teams_is_told_as_overridden() {
    let world = World::of(&["anna"]).settings("timers.sweep = '1s'").start();
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "dnd");
    until_claim(&world, "anna", "shown");
    world.choose_in_teams("anna", "Away", "Away");
    let explanation = until_claim(&world, "anna", "overridden");
    assert!(explanation.contains("the user's own status"), "{explanation}");
    assert!(world.user("anna")["set_in_teams"].is_null());
}

#[test]
fn a_call_lifts_a_choice_and_may_itself_be_hidden() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "away");
    until_claim(&world, "anna", "shown");
    let call = world.call("anna");
    let explanation = until_claim(&world, "anna", "lifted");
    assert!(explanation.contains("away"), "{explanation}");
    world.choose_in_teams("anna", "BeRightBack", "BeRightBack");
    let explanation = until_claim(&world, "anna", "masked");
    assert!(explanation.contains("BeRightBack"), "{explanation}");
    world.master().end(call);
    until_claim(&world, "anna", "overridden");
    assert_eq!(world.seen_in_teams("anna").activity, "BeRightBack");
}

#[test]
fn a_refusal_of_graph_is_told_with_its_reason() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let refusal = Fault::Failed {
        status: 403,
        body: ErrorBody::Json,
        retry_after: RetryAfter::Silent,
    };
    world
        .cloud()
        .inject(Some(Family::PresenceWrite), refusal, Times::Always);
    world.choose_at_pbx("anna", "dnd");
    let explanation = until_claim(&world, "anna", "refused");
    assert!(explanation.contains("403"), "{explanation}");
    assert!(world.user("anna")["set_in_teams"].is_null());
}
