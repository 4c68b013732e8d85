//! PBX connections break and come back.

use m365_simulator::pbx::Cut;

use crate::world::{LONG_PATIENCE, MASTER, World, call_at};

fn state(world: &World, pbx: &str) -> String {
    let sessions = world.status()["sessions"].as_array().cloned().unwrap_or_default();
    let found = sessions.iter().find(|session| session["pbx"] == pbx);
    found.map_or_else(String::new, |session| {
        session["state"].as_str().unwrap().to_owned()
    })
}

fn works(world: &World) {
    world.until_synchronised(2);
    world.in_teams("anna", "Away", "Away");
    world.until_shown_at_pbx("anna", "away");
    world.choose_at_pbx("bert", "busy");
    world.until_seen_in_teams("bert", "Busy", "Busy");
}

#[test]
fn a_closed_connection_comes_back_with_everything_that_happened_meanwhile() {
    for cut in [Cut::Close, Cut::Abort] {
        let world = World::of(&["anna", "bert"]).start();
        world.until_synchronised(2);
        let logins = world.master().logins();
        world.choose_at_pbx("bert", "dnd");
        world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
        world.master().cut(cut);
        world.choose_at_pbx("bert", "");
        world.in_teams("anna", "Busy", "InAMeeting");
        world.until_shown_at_pbx("anna", "meeting");
        world.until_seen_in_teams("bert", "Available", "Available");
        assert!(world.master().logins() > logins, "{cut:?}");
        works(&world);
    }
}

#[test]
fn while_the_master_is_away_the_light_is_red_and_what_was_set_stays() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.choose_at_pbx("bert", "dnd");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    let mark = world.cloud_mark();
    world.master().rest();
    world.until_light("master_pbx", "not_connected");
    world.until_user("anna", "away", |anna| anna["reason"] == "pbx_away");
    let ready = world.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(
        ready.json()["missing"]
            .as_array()
            .unwrap()
            .contains(&"not_connected".into())
    );
    assert!(
        world.teams_writes("bert", mark).is_empty(),
        "what is unknown is not empty"
    );
    world.in_teams("anna", "Busy", "Busy");
    world.master().resume();
    world.until_shown_at_pbx("anna", "busy");
    assert!(world.teams_writes("bert", mark).is_empty());
    works(&world);
}

#[test]
fn a_half_open_connection_is_dropped() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.master().cut(Cut::Silence);
    world.wait_for(LONG_PATIENCE, "the silent session to be down", || {
        state(&world, MASTER) != "up"
    });
    world.master().cut(Cut::Abort);
    works(&world);
}

#[test]
fn a_pbx_that_dials_again_replaces_its_old_connection() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    for round in 2..5 {
        world.master().cut(Cut::Forsake);
        world.wait_until("the new connection", || world.master().logins() >= round);
    }
    works(&world);
    let sessions = world.status()["sessions"].as_array().unwrap().len();
    assert_eq!(sessions, 1);
}

#[test]
fn a_lost_slave_comes_back() {
    let world = World::of(&["anna", "bert"])
        .slave("pbx-south", &["sarah"])
        .start();
    world.until_synchronised(3);
    world.pbx("pbx-south").rest();
    world.wait_until("the slave to be down", || state(&world, "pbx-south") == "down");
    assert_eq!(state(&world, MASTER), "up");
    world.in_teams("sarah", "Busy", "Busy");
    world.pbx("pbx-south").resume();
    world.wait_until("the slave to be up", || state(&world, "pbx-south") == "up");
    world.until_shown_at_pbx("sarah", "busy");
    world.until_synchronised(3);
    world.in_teams("sarah", "Available", "Available");
    let call = call_at(world.pbx("pbx-south"), "sarah");
    world.until_seen_in_teams("sarah", "Busy", "InACall");
    world.pbx("pbx-south").end(call);
    world.until_seen_in_teams("sarah", "Available", "Available");
}

#[test]
fn a_call_that_ended_while_the_pbx_was_away_is_over_when_it_comes_back() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let call = world.call("anna");
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.master().rest();
    world.until_light("master_pbx", "not_connected");
    world.master().end(call);
    world.master().resume();
    world.until_seen_in_teams("anna", "Available", "Available");
}
