//! The PBX side: a large table, a loud PBX beside quiet ones, and many PBXs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::connector::Connector;
use crate::latency::{milliseconds, percentile};
use crate::mebibytes;
use crate::table::Table;
use crate::world::{Citizen, World};

const USERS: usize = 10_000;
const ACCOUNTS: usize = 16;
const MANY_PBXS: usize = 50;

/// Changes a second of the loud PBX, and for how long.
const LOUD: u32 = 1_000;
const LOUD_FOR: Duration = Duration::from_secs(60);

/// How many users of the loud PBX change in turn: each of them every five seconds.
const LOUD_USERS: usize = 5_000;

const OWN: &str = "tel:";
const PATIENCE: Duration = Duration::from_secs(180);

/// A change that has not reached Teams in this time is counted as missing.
const LOST_AFTER: Duration = Duration::from_secs(20);

pub fn measure(with_log: bool, table: &mut Table) {
    one_pbx(with_log, table);
    loud_pbx(with_log, table);
    many_pbxs(with_log, table);
}

/// 10,000 users of one PBX: replicated, licensed, subscribed.
fn one_pbx(with_log: bool, table: &mut Table) {
    let name = format!("{USERS} users of one PBX");
    let world = World::build(USERS, ACCOUNTS);
    let connector = Connector::start(&world, with_log);
    wait(|| connector.get("/livez"));
    std::thread::sleep(Duration::from_secs(2));
    let before = connector.resident();
    let spent = connector.processor_time();
    world.connect_pbxs(1);
    let begun = Instant::now();
    let session = || session(&connector, 0);
    let replicated =
        wait(|| (session()["users"] == USERS && session()["users_complete"] == true).then_some(()));
    table.note(
        &name,
        "replicated after",
        seconds(replicated.then(|| begun.elapsed())),
    );
    let licensed = wait(|| {
        let status = connector.get("/api/v1/status")?;
        (status["users"]["licensed"] == USERS).then_some(())
    });
    table.note(
        &name,
        "license-checked after",
        seconds(licensed.then(|| begun.elapsed())),
    );
    let told = wait(|| (session()["told"] == USERS).then_some(()));
    table.note(
        &name,
        "presence of everybody told after",
        seconds(told.then(|| begun.elapsed())),
    );
    let all = session();
    table.note(
        &name,
        "messages received from the PBX",
        all["frames_received"].to_string(),
    );
    table.note(&name, "messages sent to the PBX", all["frames_sent"].to_string());
    let spent = connector.processor_time() - spent;
    table.note(
        &name,
        "processor time until then",
        format!("{:.1} s", spent.as_secs_f64()),
    );
    table.note(&name, "resident memory before the PBX dialled", mebibytes(before));
    std::thread::sleep(Duration::from_secs(5));
    table.note(
        &name,
        "resident memory afterwards",
        mebibytes(connector.resident()),
    );
}

/// One PBX tells 1,000 changes a second for a minute, beside one with little to tell.
fn loud_pbx(with_log: bool, table: &mut Table) {
    let world = World::build(USERS, ACCOUNTS);
    let connector = Connector::start(&world, with_log);
    world.connect_pbxs(2);
    if connector.wait_until_synchronised(USERS, PATIENCE).is_none() {
        table.note("a loud PBX", "start to all synchronised", "never".to_owned());
        return;
    }
    let quiet = world.residents(1);
    let mut alone = latencies(&world, &quiet, || false, 40);
    row(table, "a quiet PBX alone", &mut alone);
    for (what, says) in [
        ("that concern Teams", as_choice as Says),
        ("that concern nobody", as_chat as Says),
    ] {
        loud(&world, &connector, what, says, table);
    }
}

type Says = fn(&World, &Citizen, usize);

/// The user chooses something else at the phone.
fn as_choice(world: &World, citizen: &Citizen, round: usize) {
    let activity = if round.is_multiple_of(2) { "busy" } else { "" };
    world.pbx(0).set_presence(&citizen.h323, OWN, activity, "");
}

/// The user's chat client comes or goes.
fn as_chat(world: &World, citizen: &Citizen, round: usize) {
    world.pbx(0).set_chat(&citizen.h323, round.is_multiple_of(2), "");
}

fn loud(world: &World, connector: &Connector, what: &str, says: Says, table: &mut Table) {
    let name = format!("a PBX with {LOUD} changes a second {what}");
    let residents = world.residents(0);
    let users = residents.get(..LOUD_USERS.min(residents.len())).unwrap();
    let quiet = world.residents(1);
    let over = AtomicBool::new(false);
    let deepest = AtomicUsize::new(0);
    let before = session(connector, 0)["frames_received"]
        .as_u64()
        .unwrap_or_default();
    let spent = connector.processor_time();
    let (mut times, said) = std::thread::scope(|scope| {
        let speaker = scope.spawn(|| {
            let begun = Instant::now();
            let mut said = 0_u32;
            while begun.elapsed() < LOUD_FOR {
                let number = said as usize;
                says(world, users[number % users.len()], number / users.len());
                said += 1;
                let due = begun + Duration::from_secs(1) * said / LOUD;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            over.store(true, Ordering::Relaxed);
            said
        });
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                deepest.fetch_max(depth(connector), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(250));
            }
        });
        let times = latencies(world, &quiet, || over.load(Ordering::Relaxed), usize::MAX);
        (times, speaker.join().unwrap())
    });
    let heard = session(connector, 0)["frames_received"]
        .as_u64()
        .unwrap_or_default()
        - before;
    let spent = connector.processor_time() - spent;
    table.note(&name, "changes told", said.to_string());
    table.note(&name, "messages taken in when it fell silent", heard.to_string());
    table.note(
        &name,
        "most messages in any mailbox",
        deepest.load(Ordering::Relaxed).to_string(),
    );
    table.note(
        &name,
        "processor time",
        format!("{:.0} %", spent.as_secs_f64() / LOUD_FOR.as_secs_f64() * 100.0),
    );
    row(table, &format!("a quiet PBX beside {name}"), &mut times);
    let begun = Instant::now();
    let drained = wait(|| {
        let status = connector.get("/api/v1/overview")?;
        (status["presence_sync"]["teams_waiting"] == 0).then_some(())
    });
    table.note(
        &name,
        "writes to Teams drained after",
        seconds(drained.then(|| begun.elapsed())),
    );
    table.note(&name, "resident memory", mebibytes(connector.resident()));
}

/// Fifty PBXs with 10,000 users.
fn many_pbxs(with_log: bool, table: &mut Table) {
    let name = format!("{USERS} users of {MANY_PBXS} PBXs");
    let world = World::build(USERS, ACCOUNTS);
    let connector = Connector::start(&world, with_log);
    world.connect_pbxs(MANY_PBXS);
    let took = connector.wait_until_synchronised(USERS, PATIENCE);
    table.note(&name, "start to all synchronised", seconds(took));
    let up = wait(|| {
        let status = connector.get("/api/v1/status")?;
        let sessions = status["sessions"].as_array()?.clone();
        let up = sessions.iter().filter(|session| session["state"] == "up").count();
        (up == MANY_PBXS).then_some(())
    });
    table.note(
        &name,
        "all PBXs up after",
        seconds(up.then(|| connector.started().elapsed())),
    );
    std::thread::sleep(Duration::from_secs(5));
    table.note(&name, "resident memory", mebibytes(connector.resident()));
    let residents = world.residents(MANY_PBXS - 1);
    let mut times = latencies(&world, &residents, || false, 40);
    row(table, &format!("the last of {MANY_PBXS} PBXs"), &mut times);
}

/// How long a user's choice at the phone takes to Teams, one after the other, until it is over or enough are measured.
fn latencies(world: &World, citizens: &[&Citizen], over: impl Fn() -> bool, enough: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for citizen in citizens.iter().cycle() {
        if over() || times.len() >= enough {
            break;
        }
        let busy = world.seen_in_teams(citizen).availability == "Busy";
        let activity = if busy { "" } else { "busy" };
        let begun = Instant::now();
        world.pbx(0).set_presence(&citizen.h323, OWN, activity, "");
        while (world.seen_in_teams(citizen).availability == "Busy") == busy {
            if begun.elapsed() > LOST_AFTER {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        times.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(50));
    }
    times
}

fn row(table: &mut Table, name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    for percent in [50, 99] {
        let figure = format!("choice at the phone to Teams, p{percent} of {}", times.len());
        table.note(name, &figure, milliseconds(percentile(times, percent)));
    }
}

/// A PBX as `GET /api/v1/sessions` shows it.
fn session(connector: &Connector, place: usize) -> Value {
    let name = if place == 0 {
        "pbx-main".to_owned()
    } else {
        format!("pbx-branch-{place}")
    };
    let sessions = connector.get("/api/v1/sessions?limit=1000").unwrap_or_default();
    let found = sessions["items"].as_array().and_then(|items| {
        let mut items = items.iter();
        items.find(|session| session["pbx"] == name.as_str()).cloned()
    });
    found.unwrap_or_default()
}

/// The deepest mailbox.
fn depth(connector: &Connector) -> usize {
    let actors = connector.get("/api/v1/actors?limit=1000").unwrap_or_default();
    let depths = actors["items"].as_array().into_iter().flatten();
    let depths = depths.filter_map(|actor| actor["mailbox_depth"].as_u64());
    depths.max().unwrap_or_default() as usize
}

/// Looks until there is something, or patience ends; tells whether there was.
fn wait<T>(mut look: impl FnMut() -> Option<T>) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if look().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(
        || "never".to_owned(),
        |time| format!("{:.1} s", time.as_secs_f64()),
    )
}
