//! How many notifications a second are accepted, and how many are applied, when they come as fast as they can.
//!
//! The simulated cloud signs and seals what it sends on the same processors, so that the true figures are higher.

use std::time::{Duration, Instant};

use chrono::Utc;
use m365_simulator::microsoft::Kind;

use crate::connector::Connector;
use crate::table::Table;
use crate::world::World;

/// How many users change.
const USERS: usize = 1_000;

/// What each of them shows in turn: fewer states than entries of a user may be written at once, the last one shown by
/// nobody before.
const STATES: [&str; 10] = [
    "DoNotDisturb",
    "Busy",
    "DoNotDisturb",
    "Busy",
    "DoNotDisturb",
    "Busy",
    "DoNotDisturb",
    "Busy",
    "DoNotDisturb",
    "Away",
];

/// What the PBX shows in the end.
const LAST: &str = "away";

/// The burst is given up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets many users change at once, again and again, until the PBX shows the last state of each.
pub fn measure(name: &str, world: &World, connector: &Connector, table: &mut Table) {
    let users = world
        .citizens()
        .get(..USERS)
        .expect("the world has enough citizens");
    let (began, began_at) = (Instant::now(), Utc::now());
    let spent = connector.processor_time();
    for state in STATES {
        for citizen in users {
            world.change(citizen, state);
        }
    }
    while world.shown(LAST) < users.len() {
        if began.elapsed() > PATIENCE {
            table.note(name, "burst applied", format!("not within {PATIENCE:?}"));
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let spent = connector.processor_time() - spent;
    let entries = world.entries_since(began);
    let last_frame = entries.values().flatten().max().copied().unwrap_or(began);
    let deliveries = world
        .control()
        .journal()
        .select(|entry| entry.kind == Kind::Delivery && entry.succeeded() && entry.at >= began_at);
    let notifications: usize = deliveries.iter().map(|delivery| delivery.users.len()).sum();
    let last_answer = deliveries.iter().map(|delivery| delivery.at).max();
    let accepting = last_answer.map_or(Duration::MAX, |at| (at - began_at).to_std().unwrap_or_default());
    let per_second = |time: Duration| format!("{:.0}", notifications as f64 / time.as_secs_f64());
    let figure = |what: &str| format!("notifications {what} a second, {notifications} at once");
    table.note(name, &figure("accepted"), per_second(accepting));
    table.note(name, &figure("applied"), per_second(last_frame - began));
    table.note(
        name,
        "processor time per notification in the burst",
        format!("{:.2} ms", spent.as_secs_f64() * 1_000.0 / notifications as f64),
    );
}
