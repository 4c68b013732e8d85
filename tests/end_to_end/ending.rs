//! The connector ends, by order or by force, and leaves nothing behind that nobody ends.

use std::time::{Duration, Instant};

use crate::world::{LICENSE, World};

/// Anna is on the phone, Bert has chosen do-not-disturb at the PBX, Carl is in a meeting in Teams.
fn busy_world() -> World {
    let world = World::of(&["anna", "bert", "carl"]).start();
    world.until_synchronised(3);
    world.call("anna");
    world.choose_at_pbx("bert", "dnd");
    world.in_teams("carl", "Busy", "InAMeeting");
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("carl", "meeting");
    world
}

fn nothing_is_left(world: &World) -> bool {
    let app = world.app().client_id;
    let people = ["anna", "bert", "carl"];
    people.iter().all(|user| {
        let id = world.teams_id(user);
        world.cloud().app_session(id, app).is_none()
            && world.cloud().preferred(id).is_none()
            && world.shown_at_pbx(user).is_empty()
    })
}

#[test]
fn an_orderly_end_releases_everything_within_ten_seconds() {
    let world = busy_world();
    let asked = Instant::now();
    assert!(world.terminate(), "the exit code is 0");
    assert!(asked.elapsed() < Duration::from_secs(12));
    assert!(nothing_is_left(&world));
    world.start_again();
    world.until_seen_in_teams("anna", "Busy", "InACall");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("carl", "meeting");
}

#[test]
fn after_a_kill_everything_is_resumed() {
    let world = busy_world();
    world.kill();
    let mark = world.cloud_mark();
    world.start_again();
    world.until_synchronised(3);
    world.stay_quiet(Duration::from_secs(2));
    assert!(
        world.teams_writes("bert", mark).is_empty(),
        "what stands is not written again"
    );
    world.choose_at_pbx("bert", "");
    world.until_seen_in_teams("bert", "Available", "Available");
    world.in_teams("carl", "Available", "Available");
    world.until_shown_at_pbx("carl", "");
}

#[test]
fn what_is_over_when_it_comes_back_after_a_kill_is_cleared() {
    let world = busy_world();
    world.kill();
    world.master().remove_user("anna");
    world.master().withdraw("bert", LICENSE);
    world.master().withdraw("carl", LICENSE);
    world.start_again();
    world.wait_until("everything to be released", || {
        let app = world.app().client_id;
        let session = world.cloud().app_session(world.teams_id("anna"), app);
        let preferred = world.cloud().preferred(world.teams_id("bert"));
        session.is_none() && preferred.is_none() && world.shown_at_pbx("carl").is_empty()
    });
}

#[test]
fn an_end_does_not_wait_for_a_dead_cloud() {
    use m365_simulator::microsoft::{Fault, Times};
    let world = busy_world();
    world.cloud().inject(None, Fault::Closed, Times::Always);
    let asked = Instant::now();
    assert!(world.terminate());
    assert!(asked.elapsed() < Duration::from_secs(15));
}
