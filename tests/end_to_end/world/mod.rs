//! A world for one test: a cloud, PBXs, and the connector between them as a process of its own.
//!
//! [`Plan`] says who lives there and how the connector is configured, [`World`] runs it. The people are moved through the
//! simulators' own handles ([`World::cloud`], [`World::pbx`]), what the connector says is asked over its API, and what it
//! did is read from the journals of both sides.
//!
//! Dropping a world checks what must hold in every test: no actor ended by a bug, nothing panicked, and nothing secret
//! stands in the log. A test that fails prints the last status and the log.

mod api;
mod child;
mod demo;
mod gateway;
mod graph_writes;
mod instance;
mod leaks;
mod listening;
mod people;
mod plan;
mod ports;
mod volume;
mod waiting;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use m365_simulator::microsoft::{App, Control, MicrosoftCloud, Tenant};
use m365_simulator::pbx::Pbx;
use tempfile::TempDir;
use uuid::Uuid;

pub use api::{Answer, ask};
pub use demo::Demo;
pub use instance::{Instance, TAKEOVER};
pub use people::{call_at, long_name};
pub use plan::{ACCOUNT_PASSWORD, CLIENT_SECRET, Plan};
pub use volume::Volume;
pub use waiting::LONG_PATIENCE;

use child::{Child, program};
use gateway::Gateway;
use listening::Listening;

/// Our contact at the PBX.
pub const OURS: &str = "teams:";

/// Where users set their own presence at the PBX.
pub const OWN: &str = "tel:";

/// The license that the connector asks for.
pub const LICENSE: &str = "App(innovaphone-microsoft365)";

/// The master PBX.
pub const MASTER: &str = "pbx-main";

/// A running world.
pub struct World {
    child: RefCell<Option<Child>>,
    pbxs: Vec<Pbx>,
    objects: HashMap<String, Pbx>,
    listening: Vec<Listening>,
    teams_ids: RefCell<HashMap<String, Uuid>>,
    app: App,
    tenant: Tenant,
    cloud: MicrosoftCloud,
    gateway: Option<Gateway>,
    management: Cell<&'static str>,
    public: String,
    environment: Vec<(String, String)>,
    through: RefCell<Vec<String>>,
    folder: TempDir,
}

impl World {
    /// Plans a world whose people exist on both sides, hold the license and live at the master PBX.
    pub fn of(people: &[&str]) -> Plan {
        Plan::new(people)
    }

    /// The cloud's controls.
    pub fn cloud(&self) -> Control {
        self.cloud.control()
    }

    /// The tenant of everybody.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The connector's app registration.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The master PBX.
    pub fn master(&self) -> &Pbx {
        self.pbx(MASTER)
    }

    /// A PBX by name.
    pub fn pbx(&self, name: &str) -> &Pbx {
        let found = self.pbxs.iter().find(|pbx| pbx.name() == name);
        found.unwrap_or_else(|| panic!("no pbx is called {name}"))
    }

    /// The master PBX as it dials with a second App object.
    pub fn object(&self, name: &str) -> &Pbx {
        &self.objects[name]
    }

    /// The endpoint of a PBX that is dialled.
    pub fn endpoint(&self, name: &str) -> &Listening {
        let found = self.listening.iter().find(|listening| listening.name() == name);
        found.unwrap_or_else(|| panic!("{name} does not listen"))
    }

    /// Host and port of the public listener.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Host and port of the management listener.
    pub fn management(&self) -> &'static str {
        self.management.get()
    }

    /// The log of all runs.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Overlays the configuration of the next start with TOML.
    pub fn reconfigure(&self, text: &str) {
        plan::reconfigure(&self.configuration_file(), text);
    }

    /// Replaces a text of the configuration of the next start.
    pub fn edit(&self, old: &str, new: &str) {
        let file = self.configuration_file();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(old), "{old} in {text}");
        std::fs::write(&file, text.replacen(old, new, 1)).unwrap();
    }

    /// Has the next start carry presence by these communication users, by their numbers and in this order.
    pub fn carry_by(&self, accounts: &[usize]) {
        self.reconfigure(&plan::accounts(accounts));
    }

    /// Removes the database while the connector is down.
    pub fn lose_database(&self) {
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            if path.to_string_lossy().contains("connector.db") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// Ends the connector by SIGTERM and waits for its end; answers whether its exit code was 0.
    pub fn terminate(&self) -> bool {
        self.child
            .borrow_mut()
            .take()
            .expect("no connector runs")
            .terminate()
    }

    /// Ends the connector by SIGKILL.
    pub fn kill(&self) {
        self.child.borrow_mut().take().expect("no connector runs").kill();
    }

    /// Starts the connector again, with the same configuration, database and ports.
    pub fn start_again(&self) {
        self.start_with(&[]);
    }

    /// Starts the connector with these variables more in its environment.
    pub fn start_with(&self, variables: &[(&str, &str)]) {
        assert!(self.child.borrow().is_none(), "the connector runs already");
        let more = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Vec<_> = self.environment.iter().cloned().chain(more).collect();
        let child = Child::serve(
            &self.through.borrow(),
            &self.configuration_file(),
            &environment,
            self.folder.path(),
            &self.log_file(),
        );
        *self.child.borrow_mut() = Some(child);
        self.wait_until("livez", || {
            self.ask("GET", "/livez")
                .is_some_and(|answer| answer.status == 200)
        });
    }

    /// Has these words run the program from now on; they replace themselves by it.
    pub fn run_through(&self, words: Vec<String>) {
        *self.through.borrow_mut() = words;
    }

    /// Runs the program's command beside the connector, with its configuration and in its folder.
    pub fn run(&self, arguments: &[&str]) -> Output {
        program(&self.through.borrow())
            .args(arguments)
            .arg("--config")
            .arg(self.configuration_file())
            .env_clear()
            .envs(self.environment.iter().cloned())
            .current_dir(self.folder())
            .output()
            .unwrap()
    }

    /// Resident memory of the connector, in KiB.
    pub fn resident_memory(&self) -> u64 {
        let child = self.child.borrow();
        child.as_ref().expect("no connector runs").resident_memory()
    }

    /// Where configuration, database and log stand.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn configuration_file(&self) -> PathBuf {
        self.folder.path().join("connector.toml")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("connector.log")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_what_happened();
            return;
        }
        if let Some(child) = self.child.get_mut().take() {
            child.kill();
        }
        let log = self.log();
        let bug = |line: &&str| line.contains(" error supervisor: ") || line.contains("panicked at");
        let bugs: Vec<_> = log.lines().filter(bug).collect();
        assert!(bugs.is_empty(), "actors ended by bugs:\n{}", bugs.join("\n"));
        self.assert_nothing_secret_in(&log);
    }
}
