//! Figures of several instances, printed for a reader:
//! `cargo test --test end_to_end -- --ignored --nocapture standby_figures`.

use std::time::{Duration, Instant};

use crate::cable::Cable;
use crate::database::kept_at;
use crate::postgres::Postgres;
use crate::standby_resumes::{Crowd, Written, cut_off, is_active, stop_and_resume};
use crate::world::{Instance, TAKEOVER, World};

const ROUNDS: usize = 20;

/// What happens to the active instance.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// It is killed.
    Kill,
    /// It is stopped, and goes on when another one is active.
    Stop,
    /// Its database is out of reach, and it runs on.
    Cut,
}

/// A blow hits the active instance, time and again, while many people do something; the next one takes over. Answers how
/// long that took each time, in order, and the most that the former one wrote since.
fn takeovers(blow: Blow) -> (Vec<Duration>, Written) {
    let server = Postgres::shared();
    let url = server.new_database();
    let crowd = Crowd::new();
    let world = crowd.world(&url);
    let join = |round: usize| {
        let cable = Cable::to(server.port());
        let behind = url.replace(&format!(":{}/", server.port()), &format!(":{}/", cable.port()));
        let instance = world.join(&round.to_string(), &format!("database.url = \"{behind}\""));
        (instance, cable)
    };
    let (mut active, mut cable) = join(0);
    world.kill();
    world.wait_for(TAKEOVER, "another instance to be active", || is_active(&active));
    let mut times = Vec::new();
    let mut most = Written::default();
    for round in 1..=ROUNDS {
        let (next, its_cable) = join(round);
        let mut standbys = vec![next];
        world.stay_quiet(Duration::from_millis(1_500));
        // every moment of the half second in which the writes leave
        let after = Duration::from_millis(u64::try_from(round * 137 % 500).unwrap());
        let (time, next, written) = match blow {
            Blow::Kill => {
                crowd.stir(&world);
                world.stay_quiet(after);
                kill(&world, active, standbys.remove(0))
            }
            Blow::Stop => stop_and_resume(&world, &crowd, active, after, &mut standbys),
            Blow::Cut => cut_off(&world, &crowd, (active, &cable), after, &mut standbys),
        };
        crowd.until_shown(&world);
        times.push(time);
        most.teams = most.teams.max(written.teams);
        most.entries = most.entries.max(written.entries);
        (active, cable) = (next, its_cable);
    }
    times.sort_unstable();
    (times, most)
}

fn kill(world: &World, active: Instance, next: Instance) -> (Duration, Instance, Written) {
    let begun = Instant::now();
    active.signal("KILL");
    world.wait_for(TAKEOVER, "another instance to be active", || is_active(&next));
    (begun.elapsed(), next, Written::default())
}

#[test]
#[ignore = "prints figures, and takes minutes"]
fn takeover_after_kills_stops_and_cuts() {
    println!(
        "| {ROUNDS} takeovers | median | longest | most presences that left afterwards | most entries |"
    );
    println!("|---|---:|---:|---:|---:|");
    for blow in [Blow::Kill, Blow::Stop, Blow::Cut] {
        let (times, most) = takeovers(blow);
        println!(
            "| {blow:?} | {:.1} s | {:.1} s | {} | {} |",
            times[ROUNDS / 2].as_secs_f64(),
            times[ROUNDS - 1].as_secs_f64(),
            most.teams,
            most.entries
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
