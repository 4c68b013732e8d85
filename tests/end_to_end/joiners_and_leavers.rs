//! People join, are renamed, move and leave on either side while the connector runs.

use m365_simulator::pbx::User;

use crate::world::{LICENSE, MASTER, World, call_at};

#[test]
fn a_user_who_joins_teams_is_synchronised() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.add_to_pbx("bert", MASTER);
    world.master().assign("bert", LICENSE);
    world.until_user("bert", "without a match", |bert| bert["reason"] == "no_match");
    world.add_to_teams("bert");
    world.until_synchronised(2);
    world.in_teams("bert", "Busy", "InAMeeting");
    world.until_shown_at_pbx("bert", "meeting");
}

#[test]
fn a_user_who_joins_the_pbx_is_synchronised() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.add_to_teams("bert");
    world.in_teams("bert", "Busy", "InAMeeting");
    // the license comes with the configuration template of the new user
    world.add_to_pbx("bert", MASTER);
    world.master().assign("bert", LICENSE);
    world.post("/api/v1/subscriptions/renew");
    world.until_synchronised(2);
    world.until_shown_at_pbx("bert", "meeting");
}

#[test]
fn a_user_renamed_in_teams_leaves_and_comes_back() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    let rename = |name: &str| {
        let name = name.to_owned();
        world
            .cloud()
            .change_user(world.teams_id("anna"), |user| user.display_name = Some(name));
    };
    rename("Somebody Else");
    world.until_shown_at_pbx("anna", "");
    // the mail address still names her, which makes the stranger a near miss
    world.until_user("anna", "only nearly a match", |anna| {
        anna["reason"] == "near_miss"
    });
    rename("Anna Example");
    world.until_synchronised(2);
    world.until_shown_at_pbx("anna", "busy");
}

#[test]
fn a_user_renamed_at_the_pbx_leaves_and_comes_back() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    let rename = |name: &str| {
        let name = name.to_owned();
        world.master().update_user("anna", |user| user.cn = name);
    };
    rename("Somebody Else");
    world.until_seen_in_teams("anna", "Available", "Available");
    rename("Anna Example");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
}

#[test]
fn a_user_deleted_in_teams_leaves_nothing_at_the_pbx() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    for (user, permanently) in [("anna", false), ("bert", true)] {
        world.in_teams(user, "Busy", "Busy");
        world.until_shown_at_pbx(user, "busy");
        world.cloud().remove_user(world.teams_id(user), permanently);
        world.until_shown_at_pbx(user, "");
        world.until_user(user, "without a match", |item| item["reason"] == "no_match");
    }
}

#[test]
fn a_user_deleted_at_the_pbx_leaves_nothing_in_teams() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.master().remove_user("anna");
    world.until_seen_in_teams("anna", "Available", "Available");
    world.wait_until("anna to be gone", || world.user("anna").is_null());
}

#[test]
fn a_user_who_moves_to_another_pbx_is_followed_there() {
    let world = World::of(&["anna"]).slave("pbx-south", &["sarah"]).start();
    world.until_synchronised(2);
    world.call("anna");
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world
        .master()
        .update_user("anna", |user| user.loc = "pbx-south".to_owned());
    world.until_seen_in_teams("anna", "Available", "Available");
    world.until_user("anna", "at the new home", |anna| {
        anna["pbx"] == "pbx-south" && anna["synchronised"] == true
    });
    let call = call_at(world.pbx("pbx-south"), "anna");
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.pbx("pbx-south").end(call);
    world.until_seen_in_teams("anna", "Available", "Available");
    world.in_teams("anna", "Away", "Away");
    world.until_shown_at_pbx("anna", "away");
}

#[test]
fn two_of_the_same_name_are_nobody() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    world
        .master()
        .add_user(User::new("anna2", "Anna Example", MASTER));
    world.until_user("anna", "ambiguous", |anna| anna["reason"] == "ambiguous");
    world.until_shown_at_pbx("anna", "");
    world.master().remove_user("anna2");
    world.until_shown_at_pbx("anna", "busy");
}
