//! A call in Teams as a call of ours at the PBX: busy for callers, never taken for a call of the user's, never left
//! behind.

use std::time::Duration;

use m365_simulator::pbx::Cut;
use serde_json::json;

use crate::world::{MASTER, Plan, World};

const BUSY_FOR_CALLERS: &str = "pbx.teams_calls = 'alien-call'";

const SLAVE: &str = "pbx-branch";

fn anna() -> Plan {
    World::of(&["anna"]).settings(BUSY_FOR_CALLERS)
}

fn until_alien_calls(world: &World, pbx: &str, h323: &str, number: usize) {
    world.wait_until(&format!("{number} alien calls of {h323}"), || {
        world.pbx(pbx).alien_calls(h323) == number
    });
}

/// Anna talks in Teams, and the PBX has a call of ours for it.
fn talks(world: &World) {
    world.in_teams("anna", "Busy", "InACall");
    until_alien_calls(world, MASTER, "anna", 1);
}

fn ends(world: &World) {
    world.in_teams("anna", "Available", "Available");
    until_alien_calls(world, MASTER, "anna", 0);
}

/// Restarts an actor and waits until the new run is there.
fn restart(world: &World, actor: &str) {
    let runs = || {
        let actors = world.actors();
        let found = actors.iter().find(|item| item["name"] == actor).cloned();
        found.unwrap()["run"].clone()
    };
    let before = runs();
    assert_eq!(world.post(&format!("/api/v1/actors/{actor}/restart")).status, 202);
    world.wait_until("a new run", || runs() != before);
}

/// For a while one call of ours stands, no other, and nothing is written to Teams for somebody who only talks there.
fn stands_alone(world: &World, mark: u64) {
    world.stay_quiet(Duration::from_secs(2));
    assert_eq!(world.master().alien_calls("anna"), 1);
    nothing_came_back(world, mark);
}

fn nothing_came_back(world: &World, mark: u64) {
    world.stay_quiet(Duration::from_secs(1));
    let writes = world.teams_writes("anna", mark);
    assert!(writes.is_empty(), "our own call came back: {writes:?}");
}

#[test]
fn a_call_in_teams_makes_the_user_busy_at_the_pbx_and_does_not_come_back() {
    let world = anna().start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    talks(&world);
    world.until_user("anna", "on the phone by a call of ours", |user| {
        let explanation = user["explanation"].as_str().unwrap_or_default();
        let busy = explanation.contains("callers find the user busy");
        user["shown_at_pbx"] == "on-the-phone" && user["alien_call"] == true && busy
    });
    assert!(
        world.shown_at_pbx("anna").is_empty(),
        "our call shows the same as an entry would"
    );
    stands_alone(&world, mark);
    ends(&world);
    nothing_came_back(&world, mark);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    assert_eq!(world.master().alien_calls("anna"), 0, "a meeting is no call");
}

#[test]
fn beside_our_call_a_call_of_the_users_is_still_seen() {
    let world = anna().start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    talks(&world);
    let call = world.call("anna");
    world.wait_until("the session in teams", || {
        !world.teams_writes("anna", mark).is_empty()
    });
    world.in_teams("anna", "Available", "Available");
    until_alien_calls(&world, MASTER, "anna", 0);
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.master().end(call);
    world.until_seen_in_teams("anna", "Available", "Available");
}

#[test]
fn a_lost_connection_takes_our_call_with_it_and_the_next_one_puts_it_on_again() {
    let world = anna().start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    talks(&world);
    world.master().rest();
    until_alien_calls(&world, MASTER, "anna", 0);
    world.master().resume();
    until_alien_calls(&world, MASTER, "anna", 1);
    stands_alone(&world, mark);
    world.master().rest();
    world.in_teams("anna", "Available", "Available");
    world.master().resume();
    world.until_synchronised(1);
    world.until_user("anna", "nothing shown", |user| user["alien_call"] == false);
    nothing_came_back(&world, mark);
    assert_eq!(world.master().alien_calls("anna"), 0);
}

#[test]
fn an_orderly_end_and_a_kill_leave_no_call_behind() {
    let world = anna().start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    talks(&world);
    assert!(world.terminate());
    until_alien_calls(&world, MASTER, "anna", 0);
    world.start_again();
    until_alien_calls(&world, MASTER, "anna", 1);
    world.kill();
    until_alien_calls(&world, MASTER, "anna", 0);
    world.in_teams("anna", "Available", "Available");
    world.start_again();
    world.until_synchronised(1);
    nothing_came_back(&world, mark);
    assert_eq!(world.master().alien_calls("anna"), 0);
}

#[test]
fn a_restart_of_either_actor_keeps_one_call_and_ends_it_in_time() {
    let world = anna().start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    talks(&world);
    for actor in ["presence-sync", "pbx-session-pbx-main"] {
        restart(&world, actor);
        world.until_synchronised(1);
        until_alien_calls(&world, MASTER, "anna", 1);
        stands_alone(&world, mark);
    }
    restart(&world, "presence-sync");
    ends(&world);
    nothing_came_back(&world, mark);
}

#[test]
fn without_the_checkmark_an_entry_stands_in_and_the_diagnosis_names_the_remedy() {
    let world = anna()
        .pbxs(|options| options.apis.retain(|api| api != "PbxImpersonation"))
        .start();
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "InACall");
    world.until_shown_at_pbx("anna", "on-the-phone");
    let explanation = world.user("anna")["explanation"].to_string();
    assert!(explanation.contains("Impersonation"), "{explanation}");
    let diagnosis = world.get("/api/v1/diagnosis").json();
    let items = diagnosis["items"].as_array().unwrap().clone();
    let finding = items
        .iter()
        .find(|item| item["check"] == "calls of Teams at pbx-main");
    let finding = finding.unwrap();
    assert_eq!(finding["outcome"], "warn", "{finding}");
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("Impersonation") && remedy.contains("m365"),
        "{remedy}"
    );
    world
        .master()
        .configure(|options| options.apis.push("PbxImpersonation".to_owned()));
    world.master().cut(Cut::Close);
    until_alien_calls(&world, MASTER, "anna", 1);
    world.until_shown_at_pbx("anna", "");
}

#[test]
fn our_call_stands_where_its_user_lives_and_an_entry_while_that_pbx_is_away() {
    let world = World::of(&[])
        .slave(SLAVE, &["bert"])
        .settings(BUSY_FOR_CALLERS)
        .start();
    world.until_synchronised(1);
    world.in_teams("bert", "Busy", "InACall");
    until_alien_calls(&world, SLAVE, "bert", 1);
    world.pbx(SLAVE).rest();
    until_alien_calls(&world, SLAVE, "bert", 0);
    world.until_shown_at_pbx("bert", "on-the-phone");
    world.pbx(SLAVE).resume();
    until_alien_calls(&world, SLAVE, "bert", 1);
    world.until_shown_at_pbx("bert", "");
}

#[test]
fn who_changes_the_setting_sees_it_at_once() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "InACall");
    world.until_shown_at_pbx("anna", "on-the-phone");
    assert_eq!(world.master().alien_calls("anna"), 0, "an entry is the default");
    let set = |word: &str| {
        let patch = json!({"pbx": {"teams_calls": word}});
        assert_eq!(world.patch("/api/v1/settings", &patch).status, 200);
    };
    set("alien-call");
    until_alien_calls(&world, MASTER, "anna", 1);
    world.until_shown_at_pbx("anna", "");
    set("entry");
    until_alien_calls(&world, MASTER, "anna", 0);
    world.until_shown_at_pbx("anna", "on-the-phone");
}

#[test]
fn a_dialled_pbx_that_leaves_it_unanswered_shows_an_entry() {
    let world = anna()
        .pbxs(|options| options.apis.retain(|api| api != "PbxImpersonation"))
        .dialled(MASTER)
        .start();
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "InACall");
    world.until_shown_at_pbx("anna", "on-the-phone");
    world.in_teams("anna", "Available", "Available");
    world.until_shown_at_pbx("anna", "");
}

#[test]
fn a_connection_that_may_do_it_more_surely_takes_our_calls_over() {
    const API_OBJECT: &str = "microsoft365-api";
    let world = anna()
        .object(API_OBJECT, |_| ())
        .dialled(MASTER)
        .prepare(|world| world.object(API_OBJECT).rest())
        .start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    talks(&world);
    world.object(API_OBJECT).resume();
    world.wait_until("two connections", || {
        let sessions = world.get("/api/v1/sessions").json();
        sessions["items"][0]["connections"]
            .as_array()
            .is_some_and(|connections| connections.len() == 2)
    });
    world.stay_quiet(Duration::from_secs(2));
    until_alien_calls(&world, MASTER, "anna", 1);
    stands_alone(&world, mark);
    ends(&world);
}
