//! What it costs to read everybody without subscriptions, and what a joiner disturbs with them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use m365_simulator::microsoft::{Family, Subscription};
use uuid::Uuid;

use crate::connector::Connector;
use crate::table::Table;
use crate::world::World;
use crate::{PATIENCE, REST, mebibytes};

/// How many users are polled.
pub const POLLED: usize = 10_000;

/// How many users fill ten communication users.
pub const SHARDED: usize = 6_500;

/// One call of Graph reads so many (graph.md 5.1).
const READ_LIMIT: usize = 650;

/// When polling, everybody is read once in this time.
const PERIOD: Duration = Duration::from_secs(10);

/// How many periods are watched.
const PERIODS: u32 = 3;

/// Users of one page of the list.
const PAGE: usize = 1_000;

/// Everybody is polled: no communication user, no public address.
pub fn sweep(with_log: bool, table: &mut Table) {
    let name = format!("{POLLED} users, polling");
    let world = World::polled(POLLED);
    let connector = Connector::start(&world, with_log);
    world.connect_pbxs(2);
    let Some(took) = connector.wait_until_synchronised(POLLED, PATIENCE) else {
        table.note(
            &name,
            "start to all synchronised",
            format!("not within {PATIENCE:?}"),
        );
        return;
    };
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    table.row(&name, "start to all synchronised", seconds(took), "");
    std::thread::sleep(REST);
    let (calls, spent) = (reads(&world), connector.processor_time());
    let watched = PERIOD * PERIODS;
    std::thread::sleep(watched);
    let calls = reads(&world) - calls;
    let spent = connector.processor_time() - spent;
    let sweep = connector.status().unwrap_or_default()["reading"]["full_sweep_seconds"]
        .as_f64()
        .unwrap_or(f64::NAN);
    let wanted = POLLED.div_ceil(READ_LIMIT).to_string();
    let per_sweep = calls as f64 / f64::from(PERIODS);
    table.row(&name, "calls of a full sweep", format!("{per_sweep:.1}"), &wanted);
    table.row(&name, "a full sweep", format!("{sweep:.2} s"), "< 10 s");
    table.row(
        &name,
        "calls in 30 s",
        calls.to_string(),
        "far below 10,000, Graph's limit",
    );
    let busy = spent.as_secs_f64() / watched.as_secs_f64();
    table.row(
        &name,
        "processor time while polling",
        format!("{:.1} %", busy * 100.0),
        "",
    );
    table.row(
        &name,
        "resident memory while polling",
        mebibytes(connector.resident()),
        "",
    );
    list(&name, &connector, table);
}

/// How soon a page of the list of users is there.
fn list(name: &str, connector: &Connector, table: &mut Table) {
    let mut cursor = String::new();
    let mut times = Vec::new();
    loop {
        let asked = Instant::now();
        let page = connector
            .get(&format!("/api/v1/users?limit={PAGE}{cursor}"))
            .unwrap_or_default();
        times.push(asked.elapsed());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let pages = times.len();
    let whole: Duration = times.iter().sum();
    let longest = times.into_iter().max().unwrap_or_default();
    table.row(
        name,
        &format!("the list of users in {pages} pages, the longest page"),
        format!("{:.0} ms, {:.0} ms", ms(whole), ms(longest)),
        "",
    );
}

/// Ten shards are full and the eleventh is empty; somebody joins, and somebody leaves.
pub fn reshard(with_log: bool, table: &mut Table) {
    let accounts = SHARDED.div_ceil(READ_LIMIT) + 1;
    let name = format!("{SHARDED} users, {accounts} communication users");
    let world = World::with_a_late_one(SHARDED + 1, accounts);
    let connector = Connector::start(&world, with_log);
    world.connect_pbxs(2);
    if connector.wait_until_synchronised(SHARDED, PATIENCE).is_none() {
        table.note(
            &name,
            "start to all synchronised",
            format!("not within {PATIENCE:?}"),
        );
        return;
    }
    let before = subscriptions(&world);
    let joined = Instant::now();
    world.let_the_late_one_join();
    let took = connector
        .wait_until_synchronised(SHARDED + 1, joined.elapsed() + PATIENCE)
        .map(|_| joined.elapsed());
    let after = subscriptions(&world);
    table.row(
        &name,
        "subscriptions touched when one joins",
        touched(&before, &after).to_string(),
        "1",
    );
    if let Some(took) = took {
        table.row(
            &name,
            "until the joiner is synchronised",
            format!("{:.1} s", took.as_secs_f64()),
            "",
        );
    }
    world.let_one_leave();
    connector.wait_until_synchronised(SHARDED, PATIENCE);
    std::thread::sleep(REST);
    table.row(
        &name,
        "subscriptions touched when one leaves",
        touched(&after, &subscriptions(&world)).to_string(),
        "1",
    );
}

/// The presence subscription of every communication user that carries one.
fn subscriptions(world: &World) -> BTreeMap<Uuid, Uuid> {
    let found = world.control().subscriptions().into_iter();
    let presences = found.filter(Subscription::is_presence);
    presences.map(|one| (one.creator, one.id)).collect()
}

/// How many communication users carry another subscription than before.
fn touched(before: &BTreeMap<Uuid, Uuid>, after: &BTreeMap<Uuid, Uuid>) -> usize {
    let gone = before.keys().filter(|account| !after.contains_key(account));
    let other = after
        .iter()
        .filter(|(account, id)| before.get(account) != Some(id));
    gone.count() + other.count()
}

fn reads(world: &World) -> u64 {
    world.control().count(Family::PresenceRead).succeeded
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
