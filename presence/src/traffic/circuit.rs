//! Whether a host is out of reach, and who may ask it then.
//!
//! One answer that fails says little: a single endpoint may be ill, one user's record broken, one connection cut. The
//! host itself counts as out of reach after three failures in a row, without any answer between them, when it could not
//! be connected with, or said nothing at all, or the failures concern more than one family of endpoints. From then on
//! one request at a time is let through as a probe, and any answer to it ends the outage. Everybody else is told when
//! the next probe may leave; who comes while a probe is under way may await its verdict.

use std::time::{Duration, Instant};

use super::Outage;

/// So many failures in a row make an outage.
const ENOUGH: u32 = 3;

/// A host that is lost again within this time was not really back.
const STEADY: Duration = Duration::from_secs(60);

/// What a request without a usable answer tells about its host. `F` is the family of its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure<F> {
    /// Nobody could be connected with: DNS, refusal, TLS.
    NoConnection,
    /// Nothing came in time.
    Silence(F),
    /// The connection broke, or what came is what failing servers send.
    NoAnswer(F),
}

/// Whether a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Pass,
    /// It may, and decides for all.
    Probe,
    /// A probe is under way; without a verdict the next one may leave after this time.
    Follow(Duration),
    /// It may not; the next probe leaves after this time.
    Wait(Duration),
}

/// What is worth telling about a host, once each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It is out of reach.
    Lost,
    /// It is reached again.
    Reached {
        /// How long it was not.
        lasted: Duration,
        /// Requests that were let through meanwhile.
        probes: u32,
    },
    /// It is out of reach again so soon that no more is told until it stays within reach.
    Unsteady,
    /// It has stayed within reach for a minute after it had not for a while.
    Steady {
        /// How long it came and went.
        lasted: Duration,
        /// How often it was lost.
        interruptions: u32,
    },
}

/// The state of a host.
#[derive(Debug)]
pub struct Circuit<F> {
    breadth: usize,
    failures: u32,
    families: Vec<F>,
    /// Whether a failure concerns the host whatever was asked for.
    mute: bool,
    answered_at: Option<Instant>,
    open: Option<Open>,
    flapping: Flapping,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    outage: Outage,
    next_probe: Instant,
    under_way: u32,
    probes: u32,
}

#[derive(Debug, Default)]
struct Flapping {
    reached_at: Option<Instant>,
    since: Option<Instant>,
    interruptions: u32,
    told: bool,
}

impl<F: Copy + PartialEq> Circuit<F> {
    /// Begins within reach. Failures of a host that does speak count when they concern at least
    /// `breadth` families.
    pub fn new(breadth: usize) -> Self {
        Self {
            breadth,
            failures: 0,
            families: Vec::new(),
            mute: false,
            answered_at: None,
            open: None,
            flapping: Flapping::default(),
        }
    }

    /// Decides on a request that wants to leave, and notes a probe as under way.
    pub fn admit(&mut self, now: Instant, chance: f64) -> Admission {
        let Some(open) = &mut self.open else {
            return Admission::Pass;
        };
        let wait = open.next_probe.saturating_duration_since(now);
        if wait.is_zero() {
            open.next_probe = now + open.outage.fail(now, chance);
            open.under_way += 1;
            open.probes += 1;
            Admission::Probe
        } else if open.under_way > 0 {
            Admission::Follow(wait)
        } else {
            Admission::Wait(wait)
        }
    }

    /// When the next probe may leave, while the host is out of reach.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let open = self.open.as_ref()?;
        Some(open.next_probe.saturating_duration_since(now))
    }

    /// Since when the host is out of reach, if so.
    pub fn lost_since(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.since)
    }

    /// When the host was reached again last.
    pub fn reached_at(&self) -> Option<Instant> {
        self.flapping.reached_at
    }

    /// Notes that a probe ended without an answer.
    pub fn probe_ended(&mut self) {
        if let Some(open) = &mut self.open {
            open.under_way = open.under_way.saturating_sub(1);
        }
    }

    /// Notes an answer of the host, whatever it says.
    pub fn answered(&mut self, now: Instant) -> Option<News> {
        self.failures = 0;
        self.families.clear();
        self.mute = false;
        self.answered_at = Some(now);
        if let Some(open) = self.open.take() {
            self.flapping.reached_at = Some(now);
            return (!self.flapping.told).then(|| News::Reached {
                lasted: now.saturating_duration_since(open.since),
                probes: open.probes,
            });
        }
        self.flapping.steady(now)
    }

    /// Notes a request without a usable answer. One that had left before the host was reached again tells nothing.
    pub fn failed(
        &mut self,
        left_at: Instant,
        failure: Failure<F>,
        now: Instant,
        chance: f64,
    ) -> Option<News> {
        if self.open.is_some() || self.flapping.reached_at.is_some_and(|at| left_at < at) {
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        match failure {
            Failure::NoConnection => self.mute = true,
            // whoever has answered somebody else meanwhile is slow or ill in one place only
            Failure::Silence(_) if self.answered_at.is_none_or(|at| at <= left_at) => self.mute = true,
            Failure::Silence(family) | Failure::NoAnswer(family) => {
                if !self.families.contains(&family) {
                    self.families.push(family);
                }
            }
        }
        let broad = self.mute || self.families.len() >= self.breadth;
        if self.failures < ENOUGH || !broad {
            return None;
        }
        let mut outage = Outage::default();
        let next_probe = now + outage.fail(now, chance);
        self.open = Some(Open {
            since: now,
            outage,
            next_probe,
            under_way: 0,
            probes: 0,
        });
        self.flapping.lost(now)
    }
}

impl Flapping {
    fn lost(&mut self, now: Instant) -> Option<News> {
        let soon = |at: Instant| now.saturating_duration_since(at) < STEADY;
        if !self.reached_at.is_some_and(soon) {
            *self = Self::default();
            self.since = Some(now);
            self.interruptions = 1;
            return Some(News::Lost);
        }
        self.interruptions += 1;
        let first = !std::mem::replace(&mut self.told, true);
        first.then_some(News::Unsteady)
    }

    fn steady(&mut self, now: Instant) -> Option<News> {
        let reached_at = self.reached_at.filter(|_| self.told)?;
        if now.saturating_duration_since(reached_at) < STEADY {
            return None;
        }
        self.told = false;
        Some(News::Steady {
            lasted: reached_at.saturating_duration_since(self.since?),
            interruptions: self.interruptions,
        })
    }
}
