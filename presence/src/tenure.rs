//! How long an instance may write: the rule by which one of several is active.
//!
//! The instances share a database, and in it a lock that belongs to a session. Whoever holds it is active. The server
//! gives the lock away when the session has been silent for five seconds, so its holder asks it something every second,
//! and writes only as long as the last answered question is fresh. What is measured is when the question *left*: from
//! then on the lock was held for five seconds at least, whatever happened to this process or its network meanwhile.
//!
//! An instance that has been alone for long may also write while the database is away: there is nobody who could have
//! taken its place, and presence matters more than what is stored of it.

use std::time::Duration;

/// The server gives the lock of a silent session away after this time.
pub const SILENCE: Duration = Duration::from_secs(5);

/// An answered question permits to write for this time since it left.
pub const FRESH: Duration = Duration::from_secs(3);

/// An attempt to reach the database that found nobody permits an instance that is alone to write for this time since it
/// began: long enough for the next attempt to end.
pub const UNDISTURBED: Duration = Duration::from_secs(5);

/// Who has seen no other instance for this time is alone: an update or a crash of another one takes less.
pub const SOLITUDE: Duration = Duration::from_secs(600);

/// A point in time on a clock that runs on while the process is stopped and while the machine sleeps: the time since the
/// machine was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(Duration);

impl BootTime {
    /// Makes a point from the time since the machine's start.
    pub fn new(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// The time since the machine's start.
    pub fn since_start(self) -> Duration {
        self.0
    }

    /// A later point.
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

/// What the holder of the lock knows of its right to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    permitted_until: BootTime,
    company: Company,
}

/// What the holder of the lock knows of other instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Company {
    /// Nothing yet: they must be reckoned with.
    Unknown,
    /// None has ever been seen.
    Never,
    /// One was seen last at this time.
    SeenAt(BootTime),
}

impl Tenure {
    /// Begins when the lock is held. `asked_at` is when it was asked for; for `others` see [`Self::confirm`].
    pub fn begin(asked_at: BootTime, others: Option<usize>) -> Self {
        let mut tenure = Self {
            permitted_until: BootTime::default(),
            company: Company::Unknown,
        };
        tenure.confirm(asked_at, others);
        tenure
    }

    /// The lock's session has answered what it was asked at this time, and has seen so many other instances; `None` when
    /// what it has seen may be the remains of one that is gone.
    pub fn confirm(&mut self, asked_at: BootTime, others: Option<usize>) {
        self.permitted_until = self.permitted_until.max(asked_at.after(FRESH));
        match (others, self.company) {
            (Some(1..), _) => self.company = Company::SeenAt(asked_at),
            (Some(0), Company::Unknown) => self.company = Company::Never,
            _ => {}
        }
    }

    /// An attempt to reach the database, begun at this time, has found nobody there.
    pub fn nobody_there(&mut self, tried_at: BootTime) {
        if self.is_alone(tried_at) {
            self.permitted_until = self.permitted_until.max(tried_at.after(UNDISTURBED));
        }
    }

    /// The time until which this instance may write.
    pub fn permitted_until(&self) -> BootTime {
        self.permitted_until
    }

    /// Whether no other instance has been there for long.
    pub fn is_alone(&self, now: BootTime) -> bool {
        match self.company {
            Company::Unknown => false,
            Company::Never => true,
            Company::SeenAt(seen) => now > seen.after(SOLITUDE),
        }
    }
}

/// Whether this instance may write to the outside world at this moment; asked as late as possible before each write.
pub trait Permit {
    /// Whether it may.
    fn is_granted(&self) -> bool;
}

/// The permit of an instance that has no rivals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Always;

impl Permit for Always {
    fn is_granted(&self) -> bool {
        true
    }
}
