//! A further instance of the connector, beside the world's own.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use toml::Table;

use super::api::{Answer, ask, bearer};
use super::child::{Child, program};
use super::plan::{TOKEN, overlay};
use super::{World, ports};

/// A running instance.
pub struct Instance {
    child: Child,
    configuration: PathBuf,
    environment: Vec<(String, String)>,
    public: String,
    management: String,
}

impl World {
    /// Starts a further instance with the configuration of the world's own, these settings laid over, and addresses of
    /// its own; answers as soon as it does.
    pub fn join(&self, name: &str, settings: &str) -> Instance {
        let (public, management) = (ports::free(), ports::free());
        let folder = self.folder().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut all: Table = std::fs::read_to_string(self.configuration_file())
            .unwrap()
            .parse()
            .unwrap();
        let addresses = format!("public.listen = \"{public}\"\nmanagement.listen = \"{management}\"");
        overlay(&mut all, addresses.parse().unwrap());
        overlay(&mut all, settings.parse().unwrap());
        let file = folder.join("connector.toml");
        std::fs::write(&file, all.to_string()).unwrap();
        let child = Child::serve(&[], &file, &self.environment, &folder, &self.log_file());
        let gateway = self.gateway.as_ref().expect("a world behind a gateway");
        gateway.add(&public);
        let instance = Instance {
            child,
            configuration: file,
            environment: self.environment.clone(),
            public,
            management,
        };
        self.wait_until("livez of a further instance", || {
            instance.get("/livez").is_some_and(|answer| answer.status == 200)
        });
        instance
    }

    /// Asks this instance from now on, in place of the world's own.
    pub fn administer(&self, instance: &Instance) {
        self.management.set(instance.management.clone().leak());
    }
}

impl Instance {
    /// Asks its management listener as administrator; `None` when it does not answer.
    pub fn get(&self, path: &str) -> Option<Answer> {
        self.ask("GET", path)
    }

    /// Asks its management listener as administrator with any method.
    pub fn ask(&self, method: &str, path: &str) -> Option<Answer> {
        ask(
            &self.management,
            method,
            path,
            &[("Authorization", &bearer(TOKEN))],
            b"",
        )
    }

    /// Asks its public listener.
    pub fn ask_public(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        ask(&self.public, method, path, headers, body).expect("an answer")
    }

    /// What its `/readyz` says is missing.
    pub fn missing(&self) -> Option<Vec<String>> {
        let missing = self.get("/readyz")?.json()["missing"].clone();
        serde_json::from_value(missing).ok()
    }

    /// Whether its `/readyz` answers 200.
    pub fn is_ready(&self) -> bool {
        self.get("/readyz").is_some_and(|answer| answer.status == 200)
    }

    /// Runs the program's command beside it, with its configuration.
    pub fn run(&self, command: &str) -> Output {
        program(&[])
            .args([command, "--config"])
            .arg(&self.configuration)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .output()
            .unwrap()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        self.child.signal(name);
    }

    /// Resident memory in KiB.
    pub fn resident_memory(&self) -> u64 {
        self.child.resident_memory()
    }

    /// Waits until it ends by itself, and answers its exit code.
    pub fn exit_code(self) -> Option<i32> {
        self.child.exit_code()
    }

    /// Ends it by SIGTERM; answers whether its exit code was 0.
    pub fn terminate(self) -> bool {
        self.child.terminate()
    }
}

/// Longer than a takeover (10 s) on a busy machine.
pub const TAKEOVER: Duration = Duration::from_secs(60);
