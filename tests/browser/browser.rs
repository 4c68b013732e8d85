//! A browser at one width, fresh and without a way out.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::cdp::Cdp;
use thirtyfour::common::capabilities::desiredcapabilities::Capabilities;
use thirtyfour::session::handle::SessionHandle;
use thirtyfour::{DesiredCapabilities, WebDriver};
use tokio::runtime::Runtime;

use crate::driver::Driver;
use crate::watch::Watch;

const CHROMIUM: &str = "/usr/bin/chromium";

/// Nothing but this machine is found by name or address, and the browser asks for nothing on its own account.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--window-size=1366,900",
];

/// The screens at which every journey is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    Desktop,
    Phone,
}

impl Screen {
    pub const ALL: [Self; 2] = [Self::Desktop, Self::Phone];
}

/// A running browser.
pub struct Browser {
    // in this order they end
    session: Option<WebDriver>,
    runtime: Runtime,
    _driver: Driver,
    _profile: TempDir,
    pub(crate) watch: Watch,
    name: String,
}

impl Browser {
    /// Starts one; its pictures bear the journey's name.
    pub fn start(journey: &str, screen: Screen) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let driver = Driver::start();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let session = runtime
            .block_on(WebDriver::new(
                driver.url().as_str(),
                capabilities(&profile, screen),
            ))
            .unwrap_or_else(|error| panic!("{CHROMIUM}: {error}; `.ci/run browser` installs it"));
        Self {
            session: Some(session),
            runtime,
            _driver: driver,
            _profile: profile,
            watch: Watch::default(),
            name: format!("{journey}-{screen:?}").to_lowercase(),
        }
    }

    /// Shows an address.
    pub fn open(&self, address: &str) {
        self.run(self.session().goto(address)).unwrap();
    }

    /// Runs a script in the page, and answers what it returns.
    pub fn evaluate(&self, script: &str, arguments: Vec<Value>) -> Value {
        let answer = self.run(self.session().execute(script, arguments));
        answer
            .unwrap_or_else(|error| panic!("{script}: {error}"))
            .json()
            .clone()
    }

    /// Runs a script that answers by its last argument, a function.
    pub fn evaluate_later(&self, script: &str, arguments: Vec<Value>) -> Value {
        let answer = self.run(self.session().execute_async(script, arguments));
        answer
            .unwrap_or_else(|error| panic!("{script}: {error}"))
            .json()
            .clone()
    }

    /// Gives the browser an order in its own protocol.
    pub fn order(&self, method: &str, parameters: &Value) -> Value {
        let answer = self.run(Cdp::new(Arc::clone(self.session())).send_raw(method, parameters));
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Prefers dark colours, or light ones.
    pub fn prefer_dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.order("Emulation.setEmulatedMedia", &features);
    }

    /// Keeps a picture of what is shown, below the folder of what is built.
    pub fn picture(&self, name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{}-{name}.png", self.name).replace(' ', "-"));
        self.run(self.session().screenshot(&file)).ok();
        file
    }

    pub(crate) fn session(&self) -> &Arc<SessionHandle> {
        self.session.as_ref().expect("a browser runs").handle()
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

fn capabilities(profile: &TempDir, screen: Screen) -> Capabilities {
    let folder = format!("--user-data-dir={}", profile.path().display());
    let arguments: Vec<&str> = FLAGS.iter().copied().chain([folder.as_str()]).collect();
    let mut options = json!({"binary": CHROMIUM, "args": arguments});
    if screen == Screen::Phone {
        options["mobileEmulation"] = json!({"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2.0, "touch": true, "mobile": true}});
    }
    let mut capabilities: Capabilities = DesiredCapabilities::chrome().into();
    capabilities.set("goog:chromeOptions", options).unwrap();
    let all = json!({"browser": "ALL", "performance": "ALL"});
    capabilities.set("goog:loggingPrefs", all).unwrap();
    capabilities
}

impl Drop for Browser {
    fn drop(&mut self) {
        let complaints = self.complaints();
        if std::thread::panicking() {
            eprintln!(
                "{}\nthe page complains of {complaints:?}\na picture: {}",
                self.whole_text(),
                self.picture("failed").display()
            );
        }
        if let Some(session) = self.session.take() {
            self.runtime.block_on(session.quit()).ok();
        }
        if !std::thread::panicking() {
            assert!(complaints.is_empty(), "{}: {complaints:#?}", self.name);
        }
    }
}
