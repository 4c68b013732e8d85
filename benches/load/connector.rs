//! The program under load: a child process, seen from the outside.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{TOKEN, World};

/// How often the status is asked for.
const GLANCE: Duration = Duration::from_millis(100);

/// The kernel counts processor time in this many ticks a second.
const TICKS: f64 = 100.0;

/// A running connector; dropping it ends the process.
pub struct Connector {
    child: Child,
    management: SocketAddr,
    started: Instant,
}

impl Connector {
    pub fn start(world: &World, with_log: bool) -> Self {
        let log = if with_log { Stdio::inherit() } else { Stdio::null() };
        let child = Command::new(env!("CARGO_BIN_EXE_m365-connector"))
            .env_clear()
            .arg("serve")
            .arg("--config")
            .arg(world.configuration())
            .current_dir(world.folder())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the connector starts");
        Self {
            child,
            management: world.management(),
            started: Instant::now(),
        }
    }

    /// How long after its start everybody was synchronised and every light green; `None` when it took too long.
    pub fn wait_until_synchronised(&self, users: usize, patience: Duration) -> Option<Duration> {
        while self.started.elapsed() < patience {
            let status = self.status().unwrap_or(Value::Null);
            let lights = ["master_pbx", "authentication", "presence_subscription"];
            let green = lights
                .iter()
                .all(|light| status["lights"][light]["state"] == "green");
            if green && status["users"]["synchronised"] == users {
                return Some(self.started.elapsed());
            }
            std::thread::sleep(GLANCE);
        }
        None
    }

    /// The status, when the connector answers.
    pub fn status(&self) -> Option<Value> {
        self.get("/api/v1/status")
    }

    /// What the management API answers, when it does.
    pub fn get(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(self.management).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n",
            self.management
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        serde_json::from_str(body).ok()
    }

    /// When it was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Resident memory in KiB.
    pub fn resident(&self) -> u64 {
        self.counted("VmRSS:")
    }

    /// The highest resident memory so far in KiB.
    pub fn highest_resident(&self) -> u64 {
        self.counted("VmHWM:")
    }

    /// Processor time of the whole process so far.
    pub fn processor_time(&self) -> Duration {
        let line = self.read("stat");
        // the name in parentheses may contain anything; user and system time are the 12th and 13th field behind it
        let (_, fields) = line.rsplit_once(')').unwrap();
        let ticks: f64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<f64>().unwrap())
            .sum();
        Duration::from_secs_f64(ticks / TICKS)
    }

    fn counted(&self, name: &str) -> u64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("the connector runs")
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        // it may have ended by itself
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
