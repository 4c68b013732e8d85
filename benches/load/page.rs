//! What the administrator's page costs: how long it loads, how long a change takes to every browser that watches, and
//! whether the synchronisation notices.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::connector::Connector;
use crate::latency;
use crate::table::Table;
use crate::world::{TOKEN, World};

const USERS: usize = 10_000;
const ACCOUNTS: usize = 16;
const BROWSERS: usize = 20;

/// How often the page is loaded, and how many changes are watched.
const TIMES: usize = 20;

const PATIENCE: Duration = Duration::from_secs(300);

/// Far longer than an event takes: they are told once a second.
const LATE: Duration = Duration::from_secs(20);

/// The page itself, and what its view of the users asks before anything is to be seen.
const LOADED: [&str; 22] = [
    "/",
    "/page/style.css",
    "/page/icon.svg",
    "/page/app.js",
    "/page/api.js",
    "/page/dom.js",
    "/page/sign_in.js",
    "/page/actors.js",
    "/page/diagnosis.js",
    "/page/log.js",
    "/page/overview.js",
    "/page/pause.js",
    "/page/pbxs.js",
    "/page/settings.js",
    "/page/subscriptions.js",
    "/page/user.js",
    "/page/users.js",
    "/api/v1/status",
    "/api/v1/users?limit=50",
    "/api/v1/users?limit=50&synchronised=false",
    "/api/v1/users?limit=50&search=an",
    "/api/v1/actors?limit=1000",
];

/// A browser that only listens.
struct Browser {
    events: Receiver<(Instant, String)>,
}

impl Browser {
    fn open(management: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(management).expect("the connector listens");
        let request = format!(
            "GET /api/v1/events?topics=status,users,actors,subscriptions,sessions,log HTTP/1.1\r\nHost: {management}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let (hear, events) = channel();
        // it ends with the connector
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if line.starts_with("data:") && hear.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        Self { events }
    }

    /// When it heard of a user since.
    fn heard_of(&self, h323: &str, since: Instant) -> Option<Instant> {
        let name = format!("\"h323\":\"{h323}\"");
        loop {
            let (at, event) = self.events.recv_timeout(LATE).ok()?;
            if at >= since && event.contains(&name) {
                return Some(at);
            }
        }
    }
}

/// Measures with no browser, and with all of them.
pub fn measure(with_log: bool, table: &mut Table) {
    let name = format!("{USERS} users, the page");
    let world = World::build(USERS, ACCOUNTS);
    let connector = Connector::start(&world, with_log);
    world.connect_pbxs(2);
    if connector.wait_until_synchronised(USERS, PATIENCE).is_none() {
        table.note(
            &name,
            "start to all synchronised",
            format!("not within {PATIENCE:?}"),
        );
        return;
    }
    latency::measure(&format!("{name}, no browser"), &world, &connector, table);
    calm(&world);
    let browsers: Vec<Browser> = (0..BROWSERS).map(|_| Browser::open(world.management())).collect();
    let crowd = format!("{name}, {BROWSERS} browsers");
    latency::measure(&crowd, &world, &connector, table);
    load(&crowd, world.management(), table);
    fan_out(&crowd, &world, &browsers, table);
}

/// Lets everybody show what he showed at first, so that the next changes are some.
fn calm(world: &World) {
    for citizen in world.citizens() {
        if world.seen_in_teams(citizen).availability == "Busy" {
            world.change(citizen, "Available");
        }
    }
    let begun = Instant::now();
    while world.shown("busy") > 0 {
        assert!(begun.elapsed() < PATIENCE, "not everybody is available again");
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Loads everything, one after the other, each over a connection of its own.
fn load(name: &str, management: SocketAddr, table: &mut Table) {
    let mut times: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let began = Instant::now();
            LOADED.iter().for_each(|path| fetch(management, path));
            began.elapsed()
        })
        .collect();
    note(name, "the page and its users loaded", &mut times, table);
}

fn fetch(management: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(management).expect("the connector listens");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {management}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = BufReader::new(stream);
    let mut first = String::new();
    answer.read_line(&mut first).unwrap();
    assert!(first.contains(" 200 "), "{path}: {first}");
    std::io::copy(&mut answer, &mut std::io::sink()).unwrap();
}

/// Lets one user after the other change, until the last browser has heard of it.
fn fan_out(name: &str, world: &World, browsers: &[Browser], table: &mut Table) {
    let mut to_the_last = Vec::new();
    let mut apart = Vec::new();
    for citizen in world.citizens().iter().rev().take(TIMES) {
        let changed = Instant::now();
        world.change(citizen, "DoNotDisturb");
        let heard: Option<Vec<Instant>> = browsers
            .iter()
            .map(|browser| browser.heard_of(&citizen.h323, changed))
            .collect();
        let heard = heard.unwrap_or_else(|| panic!("a browser heard nothing of {}", citizen.h323));
        let (first, last) = (heard.iter().min().unwrap(), heard.iter().max().unwrap());
        to_the_last.push(*last - changed);
        apart.push(*last - *first);
    }
    note(
        name,
        "change in teams to the last browser, told once a second",
        &mut to_the_last,
        table,
    );
    note(name, "first browser to last", &mut apart, table);
}

fn note(name: &str, what: &str, times: &mut [Duration], table: &mut Table) {
    times.sort_unstable();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let median = milliseconds(times[times.len() / 2]);
    let most = milliseconds(times[times.len() - 1]);
    table.note(name, what, format!("median {median:.1} ms, most {most:.1} ms"));
}
