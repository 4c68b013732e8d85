//! The configuration: a TOML file, overlaid by the environment, validated as a whole.
//!
//! A wrong configuration is the most frequent reason why a connector does not work, so this part is made to answer
//! like a patient colleague: it reports all problems at once, each with the key, what was found, what is allowed, an
//! example, and where in which portal the right value stands. Nothing is corrected silently.
//!
//! The way of a value: a [`Layer`] takes it from its source and resolves its name against the one catalogue of keys;
//! the layers are merged, later over earlier; each section of [`Settings`] reads its typed values from the result and
//! applies its rules. The origin of every effective value is kept. Secrets are masked in everything that leaves here
//! except for the [`Secret`](m365_presence::secret::Secret)s in the settings themselves.

mod address;
mod catalogue;
mod choice;
mod key_facts;
mod layer;
mod nearest;
mod path;
mod pem;
mod problem;
mod reader;
mod report;
mod settings;

use std::net::SocketAddr;
use std::path::Path;

pub use choice::Choice;
pub use key_facts::{KeyFacts, key_facts, single_keys};
pub use layer::{Layer, Origin};
pub use problem::{Problem, Severity};
pub use reader::Effective;
pub use settings::{
    AppCredential, AppRegistration, CommunicationUser, Database, DatabaseUrl, Dial, Direction, Format, Level,
    Logging, Management, Mapping, Matching, Microsoft, Notes, OnThePhone, Pbx, PinnedCertificate, Public,
    Read, Settings, SignIn, Sync, TeamsCalls, Timers, Tls,
};

use reader::Reader;

/// All sources of the configuration, in the order of their precedence: default < file < stored < environment.
#[derive(Clone, Default)]
pub struct Layers {
    /// The configuration file.
    pub file: Layer,
    /// What was changed at run time.
    pub stored: Layer,
    /// The environment.
    pub environment: Layer,
}

impl Layers {
    /// Reads the file, if any, and this process's environment.
    pub fn read(file: Option<&Path>) -> Self {
        Self {
            file: file.map(Layer::from_file).unwrap_or_default(),
            stored: Layer::default(),
            environment: Layer::from_environment(std::env::vars_os()),
        }
    }

    /// Validates everything.
    pub fn resolve(&self) -> Resolution {
        let mut reader = self.reader();
        let settings = settings::read(&mut reader);
        let Reader {
            effective, problems, ..
        } = reader;
        let sound = !problems.iter().any(Problem::is_error);
        Resolution {
            settings: settings.filter(|_| sound),
            effective,
            problems,
        }
    }

    /// Finds the address at which a running instance's management listener is reached from this machine, whatever
    /// the rest of the configuration says.
    ///
    /// # Errors
    /// What is wrong with `management.listen`.
    pub fn management_address(&self) -> Result<SocketAddr, Vec<Problem>> {
        let mut reader = self.reader();
        reader.problems.clear();
        match settings::management_listen(&mut reader) {
            Some(listen) => Ok(address::reached_from_here(listen)),
            None => Err(reader.problems),
        }
    }

    /// The environment variable that sets a key.
    pub fn environment_variable(&self, key: &str) -> Option<String> {
        self.environment.variable(key)
    }

    fn reader(&self) -> Reader {
        Reader::new([&self.file, &self.stored, &self.environment])
    }
}

/// What the configuration comes to.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The settings; `None` when a problem is an error.
    pub settings: Option<Settings>,
    /// Every value in force with its origin.
    pub effective: Vec<Effective>,
    /// Errors and warnings.
    pub problems: Vec<Problem>,
}

impl Resolution {
    /// Tells where a value comes from; `None` when it is not set and has no default.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.effective
            .iter()
            .find(|value| value.key == key)
            .map(|value| &value.origin)
    }
}
