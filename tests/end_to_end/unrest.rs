//! Whatever happens on the way, both sides agree in the end.

use m365_simulator::microsoft::{ErrorBody, Fault, RetryAfter, Times};
use m365_simulator::pbx::Cut;

use crate::world::World;

const TEAMS: [(&str, &str, &str); 6] = [
    ("Available", "Available", ""),
    ("Away", "Away", "away"),
    ("Busy", "Busy", "busy"),
    ("Busy", "InAMeeting", "meeting"),
    ("DoNotDisturb", "Presenting", "on-the-phone"),
    ("DoNotDisturb", "DoNotDisturb", "dnd"),
];

const PBX: [(&str, &str); 5] = [
    ("", "Available"),
    ("busy", "Busy"),
    ("dnd", "DoNotDisturb"),
    ("away", "Away"),
    ("lunch", "BeRightBack"),
];

/// Lets three people change in Teams and three at the PBX, with something going wrong now and then.
fn ends_in_agreement(seed: u64, world: World, trouble: impl Fn(&World, &mut fastrand::Rng)) {
    let (movers, callers) = (["anna", "bert", "carl"], ["dora", "emil", "fritz"]);
    world.until_synchronised(6);
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut shown, mut seen) = ([""; 3], ["Available"; 3]);
    for _ in 0..60 {
        let (who, pause) = (rng.usize(0..3), rng.u64(0..80));
        if rng.bool() {
            let (availability, activity, at_pbx) = TEAMS[rng.usize(0..TEAMS.len())];
            world.in_teams(movers[who], availability, activity);
            shown[who] = at_pbx;
        } else {
            let (activity, in_teams) = PBX[rng.usize(0..PBX.len())];
            world.choose_at_pbx(callers[who], activity);
            seen[who] = in_teams;
        }
        trouble(&world, &mut rng);
        world.stay_quiet(std::time::Duration::from_millis(pause));
    }
    world.cloud().clear_faults(None);
    for who in 0..3 {
        world.until_shown_at_pbx(movers[who], shown[who]);
        world.until_seen_in_teams(callers[who], seen[who], seen[who]);
    }
    for who in 0..3 {
        assert_eq!(
            world.shown_at_pbx(callers[who]),
            "",
            "what we set in teams is no news"
        );
        assert!(
            world.teams_writes(movers[who], 0).is_empty(),
            "what we show at the pbx is no news"
        );
    }
}

const PEOPLE: [&str; 6] = ["anna", "bert", "carl", "dora", "emil", "fritz"];

#[test]
fn when_notifications_come_late_twice_in_the_wrong_order_or_never() {
    let world = World::of(&PEOPLE)
        .settings("timers.sweep = '2s'")
        .cloud(|cloud| {
            cloud.adjust(|knobs| {
                knobs.delivery.jitter = std::time::Duration::from_millis(400);
                knobs.delivery.duplicate = 0.3;
                knobs.delivery.reorder = 0.3;
                knobs.delivery.drop = 0.2;
            });
        })
        .start();
    ends_in_agreement(1, world, |_, _| {});
}

#[test]
fn when_pbx_connections_break() {
    let world = World::of(&PEOPLE).start();
    ends_in_agreement(2, world, |world, rng| {
        if rng.u8(0..12) == 0 {
            world
                .master()
                .cut(if rng.bool() { Cut::Close } else { Cut::Abort });
        }
    });
}

#[test]
fn when_graph_fails_now_and_then() {
    let world = World::of(&PEOPLE).start();
    let failed = Fault::Failed {
        status: 503,
        body: ErrorBody::Empty,
        retry_after: RetryAfter::Silent,
    };
    ends_in_agreement(3, world, move |world, rng| {
        if rng.u8(0..6) == 0 {
            let fault = if rng.bool() {
                failed.clone()
            } else {
                Fault::AnswerLost
            };
            world.cloud().inject(None, fault, Times::Next(1));
        }
    });
}

#[test]
fn when_actors_are_restarted_at_work() {
    let world = World::of(&PEOPLE).start();
    let actors = [
        "presence-sync",
        "presence-sweep",
        "webhook-intake",
        "user-sync",
        "pbx-session-pbx-main",
    ];
    ends_in_agreement(4, world, move |world, rng| {
        if rng.u8(0..8) == 0 {
            let name = actors[rng.usize(0..actors.len())];
            world.post(&format!("/api/v1/actors/{name}/restart"));
        }
    });
}

#[test]
fn when_the_connector_is_killed_at_work() {
    let world = World::of(&PEOPLE).start();
    ends_in_agreement(5, world, |world, rng| {
        if rng.u8(0..15) == 0 {
            world.kill();
            world.start_again();
        }
    });
}
