//! How long a change in Teams takes to the PBX, at a steady load.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use m365_simulator::microsoft::Kind;
use uuid::Uuid;

use crate::connector::Connector;
use crate::table::Table;
use crate::world::World;

/// Changes a second.
const RATE: u32 = 100;

/// How many changes.
const CHANGES: u32 = 2_000;

/// What a user shows in turn.
const STATES: [&str; 2] = ["Busy", "Available"];

/// Behind the last change everything has arrived after this long.
const SETTLED: Duration = Duration::from_secs(3);

/// Lets one user after the other change, and prints the time from the answer to the notification to the arrival of the
/// frame at the PBX, and the time from the change itself, in which the simulated cloud's signing and sealing are included.
pub fn measure(name: &str, world: &World, connector: &Connector, table: &mut Table) {
    let (began, began_at) = (Instant::now(), Utc::now());
    let spent = connector.processor_time();
    let mut changes: HashMap<&str, Vec<Instant>> = HashMap::new();
    for number in 0..CHANGES {
        let due = began + Duration::from_secs(1) * number / RATE;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let number = number as usize;
        let citizen = &world.citizens()[number % world.citizens().len()];
        changes.entry(&citizen.h323).or_default().push(Instant::now());
        let round = number / world.citizens().len();
        world.change(citizen, STATES[round % STATES.len()]);
    }
    let took = began.elapsed();
    let spent = connector.processor_time() - spent;
    std::thread::sleep(SETTLED);

    let accepted = accepted_since(world, began, began_at);
    let written = world.entries_since(began);
    let (mut from_acceptance, mut from_change, mut missing) = (Vec::new(), Vec::new(), 0);
    for citizen in world.citizens() {
        let Some(changes) = changes.get(citizen.h323.as_str()) else {
            continue;
        };
        for (number, changed) in changes.iter().enumerate() {
            let frame = written.get(&citizen.h323).and_then(|frames| frames.get(number));
            let answer = accepted
                .get(&citizen.teams)
                .and_then(|answers| answers.get(number));
            let (Some(frame), Some(answer)) = (frame, answer) else {
                missing += 1;
                continue;
            };
            from_change.push(frame.saturating_duration_since(*changed));
            from_acceptance.push(frame.saturating_duration_since(*answer));
        }
    }
    let rate = f64::from(CHANGES) / took.as_secs_f64();
    let load = format!("{rate:.0} changes a second");
    for (what, times, bound) in [
        ("notification accepted to frame", &mut from_acceptance, "< 10 ms"),
        ("change in teams to frame", &mut from_change, ""),
    ] {
        times.sort_unstable();
        table.row(
            name,
            &format!("{what}, p50 at {load}"),
            milliseconds(percentile(times, 50)),
            "",
        );
        table.row(
            name,
            &format!("{what}, p99 at {load}"),
            milliseconds(percentile(times, 99)),
            bound,
        );
    }
    table.row(
        name,
        &format!("changes without a frame at {load}"),
        missing.to_string(),
        "0",
    );
    let share = spent.as_secs_f64() / took.as_secs_f64();
    table.row(
        name,
        &format!("processor time at {load}"),
        format!("{:.1} %", share * 100.0),
        "",
    );
}

/// When the connector's answers to notifications arrived, by user, oldest first.
fn accepted_since(world: &World, began: Instant, began_at: DateTime<Utc>) -> HashMap<Uuid, Vec<Instant>> {
    let mut accepted: HashMap<Uuid, Vec<Instant>> = HashMap::new();
    let deliveries = world
        .control()
        .journal()
        .select(|entry| entry.kind == Kind::Delivery && entry.succeeded() && entry.at >= began_at);
    for delivery in deliveries {
        let at = began + (delivery.at - began_at).to_std().unwrap_or_default();
        for user in delivery.users {
            accepted.entry(user).or_default().push(at);
        }
    }
    accepted
}

pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or(Duration::MAX)
}

pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}
