//! What the connector wrote never comes back as a write, and nothing is written twice.

use std::time::Duration;

use crate::world::World;

const QUIET: Duration = Duration::from_secs(4);

/// Everything that could repeat itself does so within the quiet period.
const RESTLESS: &str = "timers = { sweep = '1s', presence_subscription = '2s', user_subscription = '2s' }";

#[test]
fn what_was_set_in_teams_never_comes_back_to_the_pbx() {
    let world = World::of(&["anna", "bert"]).settings(RESTLESS).start();
    world.until_synchronised(2);
    let (cloud, pbx) = (world.cloud_mark(), world.pbx_mark());
    world.choose_at_pbx("anna", "dnd");
    let call = world.call("bert");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.until_seen_in_teams("bert", "Busy", "InACall");
    world.stay_quiet(QUIET);
    assert_eq!(world.teams_writes("anna", cloud).len(), 1);
    assert_eq!(world.teams_writes("bert", cloud).len(), 1);
    world.choose_at_pbx("anna", "away");
    world.master().end(call);
    world.until_seen_in_teams("anna", "Away", "Away");
    world.until_seen_in_teams("bert", "Available", "Available");
    world.choose_at_pbx("anna", "");
    world.until_seen_in_teams("anna", "Available", "Available");
    world.stay_quiet(QUIET);
    assert_eq!(world.teams_writes("anna", cloud).len(), 3);
    assert_eq!(world.teams_writes("bert", cloud).len(), 2);
    for user in ["anna", "bert"] {
        let nothing: [&str; 0] = [];
        assert_eq!(
            world.entry_writes(user, pbx),
            nothing,
            "{user} was never anything in teams by itself"
        );
    }
}

#[test]
fn what_was_shown_at_the_pbx_never_comes_back_to_teams() {
    let world = World::of(&["anna"]).settings(RESTLESS).start();
    world.until_synchronised(1);
    let (cloud, pbx) = (world.cloud_mark(), world.pbx_mark());
    world.in_teams("anna", "Busy", "InACall");
    world.until_shown_at_pbx("anna", "on-the-phone");
    world.stay_quiet(QUIET);
    assert!(world.teams_writes("anna", cloud).is_empty());
    assert_eq!(world.entry_writes("anna", pbx), ["on-the-phone"]);
}

#[test]
fn the_same_news_told_again_is_no_news() {
    let world = World::of(&["anna"])
        .cloud(|cloud| cloud.adjust(|knobs| knobs.delivery.duplicate = 1.0))
        .start();
    world.until_synchronised(1);
    let pbx = world.pbx_mark();
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.in_teams("anna", "Busy", "InAMeeting");
    world.stay_quiet(Duration::from_secs(3));
    assert_eq!(world.entry_writes("anna", pbx), ["meeting"]);
}
