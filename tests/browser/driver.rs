//! Debian's chromedriver as a process of one browser's own.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

const DRIVER: &str = "chromedriver";

/// What it says as soon as it listens, before the port.
const LISTENS: &str = "started successfully on port ";

/// A running chromedriver; it and the browsers that it has started end with this.
pub struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Starts it at a port of its own choice.
    pub fn start() -> Self {
        let mut process = Command::new(DRIVER)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{DRIVER}: {error}; `.ci/run browser` installs it"));
        let said = BufReader::new(process.stdout.take().unwrap());
        let port = said.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once(LISTENS)?;
            port.trim_end_matches('.').parse().ok()
        });
        let Some(port) = port else {
            process.kill().ok();
            panic!("{DRIVER} has ended without a word of its port");
        };
        Self { process, port }
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("kill -KILL -{}", self.process.id());
        Command::new("sh").args(["-c", &group]).status().ok();
        self.process.wait().ok();
    }
}
