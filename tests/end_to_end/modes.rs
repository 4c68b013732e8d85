//! What the settings of synchronisation change: polling, and one direction only.

use std::time::Duration;

use crate::world::World;

const POLLING: &str = "sync.read = 'polling'\ntimers.sweep = '1s'";

#[test]
fn polling_needs_neither_a_public_url_nor_a_communication_user() {
    let world = World::of(&["anna"])
        .without_public_url()
        .settings(POLLING)
        .start();
    world.until_synchronised(1);
    let light = world.status()["lights"]["presence_subscription"].clone();
    assert_eq!(
        (&light["state"], &light["code"]),
        (&"green".into(), &"polling".into())
    );
    world.wait_until("readiness", || world.get("/readyz").status == 200);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.in_teams("anna", "Available", "Available");
    world.until_shown_at_pbx("anna", "");
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.choose_at_pbx("anna", "");
    world.until_seen_in_teams("anna", "Available", "Available");
    assert!(world.cloud().subscriptions().is_empty());
}

#[test]
fn subscriptions_alone_show_changes_without_a_sweep() {
    let world = World::of(&["anna"])
        .settings("sync.read = 'subscription'")
        .start();
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
}

#[test]
fn a_sweep_finds_what_no_notification_told() {
    let world = World::of(&["anna"])
        .settings("timers.sweep = '1s'")
        .cloud(|cloud| cloud.adjust(|knobs| knobs.delivery.drop = 1.0))
        .start();
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
}

#[test]
fn from_teams_to_the_pbx_only() {
    let world = World::of(&["anna"])
        .settings("sync.direction = 'teams-to-pbx'")
        .start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    world.choose_at_pbx("anna", "dnd");
    world.call("anna");
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.stay_quiet(Duration::from_secs(2));
    assert!(world.teams_writes("anna", mark).is_empty());
}

#[test]
fn from_the_pbx_to_teams_only() {
    let world = World::of(&["anna"])
        .settings("sync.direction = 'pbx-to-teams'")
        .start();
    world.until_synchronised(1);
    let mark = world.pbx_mark();
    world.in_teams("anna", "Busy", "InAMeeting");
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.stay_quiet(Duration::from_secs(2));
    assert!(world.entry_writes("anna", mark).is_empty());
}

#[test]
fn a_direction_that_is_closed_releases_what_it_had_set() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.choose_at_pbx("anna", "dnd");
    world.in_teams("bert", "Busy", "InAMeeting");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("bert", "meeting");
    world.kill();
    world.reconfigure("sync.direction = 'teams-to-pbx'");
    world.start_again();
    world.until_seen_in_teams("anna", "Available", "Available");
    assert_eq!(world.shown_at_pbx("bert"), "meeting");
    world.kill();
    world.reconfigure("sync.direction = 'pbx-to-teams'");
    world.start_again();
    world.until_shown_at_pbx("bert", "");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
}
