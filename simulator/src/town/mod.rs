//! People who live: they change their Teams state, telephone, go to lunch, leave and come back.
//!
//! [`Life`] decides who does what and when, as a pure function of a seed and the number of people: the same seed gives
//! the same day. [`Town`] lets that day pass in real time on a thread of its own and carries it out through two ports,
//! one for the people's Teams clients and one for their phones: [`CloudClients`] is the former for the simulated Microsoft
//! cloud, [`PbxPhones`] the latter for simulated PBXs. What happened is counted by kind in the [`Tally`], so that a test can
//! say what must have been seen.

mod act;
mod clients;
mod day;
mod life;
mod names;
mod person;
mod phones;
mod tally;

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

pub use act::{ACTIVITIES, Act, CallAct, Kind, PREFERABLE, PhoneAct, TeamsAct, TeamsState};
pub use clients::CloudClients;
pub use life::{Happening, Life};
pub use person::{Person, people};
pub use phones::PbxPhones;
pub use tally::Tally;

/// The Teams clients of all people.
pub trait TeamsClients: Send {
    /// Lets a person's client do something.
    fn act(&mut self, person: &Person, act: TeamsAct);
}

/// The phones and PBX clients of all people.
pub trait Phones: Send {
    /// Lets a person do something at the PBX.
    fn act(&mut self, person: &Person, act: PhoneAct);
}

/// A town whose people live until it is dropped.
pub struct Town {
    tally: Tally,
    closing: Arc<Closing>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Closing {
    closed: Mutex<bool>,
    told: Condvar,
}

impl Town {
    /// Lets people live, `pace` times as fast as in reality (at least once).
    ///
    /// # Errors
    /// The system refused a thread.
    pub fn start(
        people: Vec<Person>,
        seed: u64,
        pace: u32,
        mut teams: impl TeamsClients + 'static,
        mut phones: impl Phones + 'static,
    ) -> std::io::Result<Self> {
        let (tally, closing) = (Tally::default(), Arc::new(Closing::default()));
        let (counting, ending) = (tally.clone(), Arc::clone(&closing));
        let day = move || {
            let started = Instant::now();
            for Happening { at, person, act } in Life::new(seed, people.len()) {
                if ending.is_told_before(started + at / pace.max(1)) {
                    return;
                }
                let Some(person) = people.get(person) else {
                    continue;
                };
                match act {
                    Act::Teams(act) => teams.act(person, act),
                    Act::Phone(act) => phones.act(person, act),
                }
                counting.count(act.kind());
            }
        };
        let thread = Builder::new().name("town".to_owned()).spawn(day)?;
        Ok(Self {
            tally,
            closing,
            thread: Some(thread),
        })
    }

    /// Returns the counts of what has happened so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        *self.closing.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.closing.told.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has already told so.
            thread.join().ok();
        }
    }
}

impl Closing {
    /// Waits until a time; returns early with true when the town is closed.
    fn is_told_before(&self, time: Instant) -> bool {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let left: Duration = time.saturating_duration_since(Instant::now());
        let waited = self.told.wait_timeout_while(closed, left, |closed| !*closed);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
