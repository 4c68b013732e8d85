//! Whose Teams presence is read when.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod calls;
mod life;
mod tempo;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use m365_presence::cadence::{Cadence, Call, Reading, Tempo, Watch};
use m365_presence::identity::TeamsId;
use m365_presence::teams::{Source, TeamsObservation, TeamsPresence};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn user(number: usize) -> TeamsId {
    TeamsId::new(format!("user{number:05}"))
}

fn users(count: usize) -> BTreeSet<TeamsId> {
    (0..count).map(user).collect()
}

fn shows(user: &TeamsId, activity: &str) -> TeamsObservation {
    TeamsObservation {
        note: None,
        user: user.clone(),
        presence: TeamsPresence::new("Busy", activity),
        sequence: None,
        source: Source::Read {
            begun_at: chrono::DateTime::UNIX_EPOCH,
        },
    }
}

/// A reader whose calls are answered at once.
struct Desk {
    cadence: Cadence,
    now: Instant,
}

impl Desk {
    fn new(reading: Reading, sweep: Duration, count: usize, watch: Watch) -> Self {
        let mut cadence = Cadence::new(Tempo::new(reading, sweep));
        cadence.set_users(&users(count), |_| watch);
        Self {
            cadence,
            now: Instant::now(),
        }
    }

    /// Takes out and answers every call that must leave by now.
    fn read(&mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        while let Some(call) = self.cadence.take_call(self.now) {
            calls.push(call);
        }
        for call in &calls {
            self.cadence.answered(call, &[], self.now);
        }
        calls
    }

    /// Lets time pass and answers the calls that become due, each at its time.
    fn pass(&mut self, time: Duration) -> Vec<(Instant, Call)> {
        let end = self.now + time;
        let mut calls = Vec::new();
        while let Some(due) = self.cadence.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let now = self.now;
            calls.extend(self.read().into_iter().map(|call| (now, call)));
        }
        self.now = end;
        calls
    }

    /// How often a user was read while time passed.
    fn reads_of(&mut self, user: &TeamsId, time: Duration) -> usize {
        let calls = self.pass(time);
        calls.iter().filter(|(_, call)| call.users.contains(user)).count()
    }

    /// Lets a user's Teams client show something, as the next read shows it.
    fn show(&mut self, user: &TeamsId, activity: &str) {
        let call = Call {
            users: vec![user.clone()],
            ordered: BTreeSet::new(),
            begun_at: self.now,
        };
        self.cadence.answered(&call, &[shows(user, activity)], self.now);
        self.cadence.note_changes([user], self.now);
    }
}
