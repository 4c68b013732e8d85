//! Figures of several instances, printed for a reader:
//! `cargo test --test end_to_end -- --ignored --nocapture standby_figures`.

use std::time::{Duration, Instant};

use crate::database::kept_at;
use crate::postgres::Postgres;
use crate::world::{Instance, TAKEOVER, World};

const ROUNDS: usize = 20;

fn until_active(world: &World, instance: &Instance) {
    world.wait_for(TAKEOVER, "another instance to be active", || {
        // a standby knows no actors
        let actors = instance.get("/api/v1/actors");
        actors.is_some_and(|actors| {
            actors.json()["items"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        })
    });
}

/// The active instance gets a signal, time and again; the next one takes over.
fn takeovers(signal: &str) -> (Duration, Duration) {
    let world = kept_at(World::of(&["anna"]), &Postgres::shared().new_database())
        .behind_gateway()
        .start();
    world.until_synchronised(1);
    let mut active = world.join("0", "");
    world.kill();
    until_active(&world, &active);
    let mut times = Vec::new();
    for round in 1..=ROUNDS {
        let next = world.join(&round.to_string(), "");
        world.stay_quiet(Duration::from_millis(1_500));
        let begun = Instant::now();
        active.signal(signal);
        until_active(&world, &next);
        times.push(begun.elapsed());
        active = next;
    }
    times.sort_unstable();
    (times[ROUNDS / 2], times[ROUNDS - 1])
}

#[test]
#[ignore = "prints figures, and takes minutes"]
fn takeover_after_kills_and_stops() {
    println!("| {ROUNDS} takeovers | median | longest |");
    println!("|---|---:|---:|");
    for signal in ["KILL", "STOP"] {
        let (median, longest) = takeovers(signal);
        println!(
            "| SIG{signal} | {:.1} s | {:.1} s |",
            median.as_secs_f64(),
            longest.as_secs_f64()
        );
    }
}

#[test]
#[ignore = "prints figures"]
fn start_to_ready_and_memory_of_a_standby() {
    println!("| start to ready, one user | |");
    println!("|---|---:|");
    let started = |name: &str, world: World| {
        let begun = Instant::now();
        world.start_again();
        world.wait_until("ready", || world.get("/readyz").status == 200);
        println!("| {name} | {:.2} s |", begun.elapsed().as_secs_f64());
        world
    };
    drop(started("SQLite", World::of(&["anna"]).build()));
    let url = Postgres::shared().new_database();
    let world = started(
        "PostgreSQL",
        kept_at(World::of(&["anna"]), &url).behind_gateway().build(),
    );
    let standby = world.join("second", "");
    world.stay_quiet(Duration::from_secs(5));
    println!("| memory of a standby | {} KiB |", standby.resident_memory());
    println!("| memory of the active one | {} KiB |", world.resident_memory());
}
