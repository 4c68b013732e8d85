//! The load benchmark: the released program as a process of its own, between a simulated Microsoft cloud and two simulated
//! PBXs that live in this process. Everything passes real sockets on loopback.
//!
//! It prints a table and judges nothing: machines differ, and what is expected stands beside what was measured. Each
//! world is measured from the outside only: the status that an administrator reads, the frames that a PBX receives, the
//! resident memory that the kernel counts. Both simulated worlds take their share of the same processors.
//!
//! `cargo bench --bench load` measures all worlds, `cargo bench --bench load -- 1000` only the one with 1,000 users,
//! `cargo bench --bench load -- estate` only the PBX side: 10,000 users of one PBX, a loud PBX, and fifty PBXs;
//! `cargo bench --bench load -- page` only what the page costs; with `--log` the connector's log is shown. Without
//! `--bench`, as in `cargo test`, nothing is done.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    missing_docs
)]

mod burst;
mod connector;
mod estate;
mod latency;
mod page;
mod reading;
mod table;
mod world;

use std::time::Duration;

use m365_simulator::microsoft::Family;

use connector::Connector;
use table::Table;
use world::World;

/// One world to measure.
struct Plan {
    users: usize,
    accounts: usize,
    /// Whether presence flows after the start.
    flow: bool,
}

const PLANS: [Plan; 3] = [
    Plan {
        users: 1_000,
        accounts: 2,
        flow: true,
    },
    Plan {
        users: 5_000,
        accounts: 8,
        flow: false,
    },
    Plan {
        users: 10_000,
        accounts: 16,
        flow: true,
    },
];

/// The connector is given up when it has not synchronised everybody in this time.
const PATIENCE: Duration = Duration::from_secs(120);

/// Memory is read when the connector has been left alone for this long.
const REST: Duration = Duration::from_secs(5);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let with_log = arguments.iter().any(|argument| argument == "--log");
    let only = |name: &str| arguments.iter().any(|argument| argument == name);
    let (only_estate, only_page) = (only("estate"), only("page"));
    let chosen: Vec<usize> = arguments
        .iter()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let mut table = Table::new();
    for plan in PLANS {
        let everything = chosen.is_empty() && !only_estate && !only_page;
        if everything || chosen.contains(&plan.users) {
            measure(&plan, with_log, &mut table);
        }
    }
    if chosen.is_empty() && !only_page {
        estate::measure(with_log, &mut table);
    }
    if chosen.is_empty() && !only_estate {
        page::measure(with_log, &mut table);
    }
    if (chosen.is_empty() && !only_page) || chosen.contains(&reading::SHARDED) {
        reading::reshard(with_log, &mut table);
    }
    if (chosen.is_empty() && !only_page) || chosen.contains(&reading::POLLED) {
        reading::sweep(with_log, &mut table);
    }
    println!("\n{table}");
}

fn measure(plan: &Plan, with_log: bool, table: &mut Table) {
    let name = format!("{} users, {} communication users", plan.users, plan.accounts);
    let world = World::build(plan.users, plan.accounts);
    let connector = Connector::start(&world, with_log);
    world.connect_pbxs(2);
    let Some(took) = connector.wait_until_synchronised(plan.users, PATIENCE) else {
        table.note(
            &name,
            "start to all synchronised",
            format!("not within {PATIENCE:?}"),
        );
        return;
    };
    let expected = if plan.users == 5_000 { "< 20 s" } else { "" };
    table.row(
        &name,
        "start to all synchronised",
        format!("{:.1} s", took.as_secs_f64()),
        expected,
    );
    let spent = connector.processor_time();
    std::thread::sleep(REST);
    let idle = (connector.processor_time() - spent).as_secs_f64() / REST.as_secs_f64();
    let expected = match plan.users {
        1_000 => "< 64 MiB",
        5_000 => "< 400 MiB",
        _ => "",
    };
    table.row(
        &name,
        "resident memory at rest",
        mebibytes(connector.resident()),
        expected,
    );
    table.row(
        &name,
        "processor time at rest",
        format!("{:.1} %", idle * 100.0),
        "",
    );
    if plan.flow {
        latency::measure(&name, &world, &connector, table);
        burst::measure(&name, &world, &connector, table);
    }
    table.row(
        &name,
        "highest resident memory",
        mebibytes(connector.highest_resident()),
        "",
    );
    table.row(
        &name,
        "requests answered with 429",
        throttled(&world).to_string(),
        "0",
    );
}

fn throttled(world: &World) -> u64 {
    let families = [
        Family::Token,
        Family::Discovery,
        Family::Users,
        Family::PresenceRead,
        Family::PresenceWrite,
        Family::SubscriptionWrite,
        Family::SubscriptionRead,
        Family::SubscriptionList,
        Family::Batch,
    ];
    let control = world.control();
    families
        .into_iter()
        .map(|family| control.count(family).throttled)
        .sum()
}

pub(crate) fn mebibytes(kibibytes: u64) -> String {
    format!("{:.1} MiB", kibibytes as f64 / 1024.0)
}
