//! How often one actor asks again for something that fails. Whether Microsoft as a whole is out of reach is decided in
//! one place for all actors, the way out of `m365_graph`; what it says about the time of the next attempt prevails.

use std::time::Duration;

use m365_presence::ports::GraphError;
use m365_presence::traffic;
use tokio::time::Instant;

/// Nothing is asked again sooner, so that no answer makes an actor spin.
const SHORTEST: Duration = Duration::from_millis(50);

/// A run of failures of one thing, from its first one on.
#[derive(Debug, Default)]
pub struct Outage {
    run: traffic::Outage,
    told: bool,
}

impl Outage {
    /// Notes a failure and says how long to wait: as long as the other side asked for, else by the rule of
    /// [`traffic::Outage`].
    pub fn fail(&mut self, asked: Option<Duration>) -> Duration {
        let planned = self.run.fail(Instant::now().into_std(), fastrand::f64());
        asked.unwrap_or(planned).max(SHORTEST)
    }

    /// Notes that Graph did not do `what`, and says how long to wait. The log tells it once, when it fails the second
    /// time in a row and nobody else tells the cause.
    pub fn fail_with(&mut self, error: &GraphError, what: &str) -> Duration {
        if self.run.failures() > 0 && !error.is_told() && !std::mem::replace(&mut self.told, true) {
            log::warn!("{what}: {error}");
        }
        self.fail(error.wait())
    }

    /// Notes that it answers again.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// Number of failures in a row.
    pub fn failures(&self) -> u32 {
        self.run.failures()
    }
}
