//! The demonstration as a process, with the page that it announces.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::api::{self, Answer};
use super::child::Child;
use super::waiting::{LOG_LINES, LOOK, PATIENCE};

/// A running demonstration.
pub struct Demo {
    child: RefCell<Option<Child>>,
    folder: TempDir,
    management: String,
    token: String,
}

impl Demo {
    /// Runs `demo` with so many people and waits for its announcement.
    pub fn start(users: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let users = users.to_string();
        let arguments = ["demo", "--users", users.as_str()];
        let child = Child::run(&arguments, folder.path(), &file("stdout"), &file("stderr"));
        let begun = Instant::now();
        let (management, token) = loop {
            let announcement = std::fs::read_to_string(file("stdout")).unwrap();
            if let Some(found) = page(&announcement) {
                break found;
            }
            assert!(begun.elapsed() < PATIENCE, "the demonstration announces no page");
            std::thread::sleep(LOOK);
        };
        Self {
            child: RefCell::new(Some(child)),
            folder,
            management,
            token,
        }
    }

    /// Reads something as administrator.
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path)
    }

    /// Orders something as administrator.
    pub fn post(&self, path: &str) -> Answer {
        self.ask("POST", path)
    }

    /// The actors of the supervision tree.
    pub fn actors(&self) -> Vec<Value> {
        self.get("/api/v1/actors").json()["items"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// Everything that was logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// Waits until everybody is synchronised and all lights are green.
    pub fn until_synchronised(&self, users: u64) {
        self.wait_until(
            &format!("three green lights and {users} synchronised users"),
            || {
                let status = self.get("/api/v1/status").json();
                let lights = status["lights"].as_object().cloned().unwrap_or_default();
                let green = lights.values().all(|light| light["state"] == "green");
                green && status["users"]["synchronised"] == users
            },
        );
    }

    /// Waits until a condition holds.
    pub fn wait_until(&self, what: &str, condition: impl Fn() -> bool) {
        self.wait_for(PATIENCE, what, condition);
    }

    /// Waits for a given time until a condition holds.
    pub fn wait_for(&self, patience: Duration, what: &str, condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < patience, "waited in vain for {what}");
            std::thread::sleep(LOOK * 4);
        }
    }

    /// Ends it by SIGTERM; answers whether the exit code was 0.
    pub fn end(&self) -> bool {
        self.child.borrow_mut().take().expect("it runs").terminate()
    }

    fn ask(&self, method: &str, path: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let answer = api::ask(&self.management, method, path, &[("Authorization", &bearer)], b"");
        answer.unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let tail = lines.len().saturating_sub(LOG_LINES);
            eprintln!("the end of the log:\n{}", lines[tail..].join("\n"));
        }
    }
}

/// Host and token of `http://HOST/#token=TOKEN`.
fn page(announcement: &str) -> Option<(String, String)> {
    let line = announcement
        .lines()
        .find(|line| line.trim().starts_with("page "))?;
    // the line may still be on its way
    announcement.contains("Ctrl-C").then_some(())?;
    let (host, token) = line.trim().strip_prefix("page ")?.trim().split_once("/#token=")?;
    Some((host.strip_prefix("http://")?.to_owned(), token.trim().to_owned()))
}
