//! Microsoft's national clouds: what each has works, by the names that its tokens go by.

use m365_simulator::microsoft::{Family, Knobs};

use crate::world::World;

/// A world in a national cloud, which is polled.
fn in_the_cloud(cloud: &str, direction: &str) -> World {
    let settings = format!(
        "microsoft.cloud = '{cloud}'\n[sync]\nread = 'polling'\ndirection = '{direction}'\n[timers]\nsweep = '1s'"
    );
    World::of(&["anna"])
        .without_public_url()
        .settings(&settings)
        .cloud(|cloud| cloud.adjust(|knobs: &mut Knobs| knobs.enforce_limits = false))
        .start()
}

/// The scopes that tokens were asked for with.
fn scopes(world: &World) -> Vec<String> {
    let asked = world
        .cloud()
        .journal()
        .select(|entry| entry.is_request(Family::Token));
    let mut scopes: Vec<_> = asked
        .iter()
        .map(|entry| entry.detail["scope"].as_str().unwrap_or_default().to_owned())
        .collect();
    scopes.dedup();
    scopes
}

#[test]
fn both_us_government_clouds_keep_both_sides_in_step() {
    for (cloud, scope) in [
        ("us-gov-l4", "https://graph.microsoft.us/.default"),
        ("us-gov-l5", "https://dod-graph.microsoft.us/.default"),
    ] {
        let world = in_the_cloud(cloud, "both");
        world.until_synchronised(1);
        world.in_teams("anna", "Busy", "InAMeeting");
        world.until_shown_at_pbx("anna", "meeting");
        world.choose_at_pbx("anna", "dnd");
        world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
        assert_eq!(scopes(&world), [scope]);
        assert_eq!(
            world.status()["lights"]["presence_subscription"]["code"],
            "polling"
        );
    }
}

#[test]
fn the_chinese_cloud_is_read_and_never_written() {
    let world = in_the_cloud("china", "teams-to-pbx");
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "dnd");
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    assert_eq!(
        scopes(&world),
        ["https://microsoftgraph.chinacloudapi.cn/.default"]
    );
    assert_eq!(world.cloud().count(Family::PresenceWrite).requests, 0);
}
