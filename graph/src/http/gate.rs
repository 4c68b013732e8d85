//! The door of one host: who may ask it while it is out of reach, and whose turn it is while it answers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use m365_presence::clock::Clock;
use m365_presence::traffic::{Admission, Circuit, Failure, News, Ticket, Turns, Urgency};
use tokio::sync::Notify;
use tokio::time::Instant as Time;

use super::Unanswered;
use super::patience::Family;
use super::reach::{Host, LostHost, Reach};

/// Requests to one host that may be under way at a time.
const PLACES: usize = 24;

/// One host's door.
pub(super) struct Gate {
    host: Host,
    state: RefCell<State>,
    /// Wakes whoever waits: a place is free, a probe has ended, the host is lost or reached.
    changed: Notify,
    reach: Reach,
    clock: Rc<dyn Clock>,
}

struct State {
    circuit: Circuit<Family>,
    turns: Turns,
}

impl Gate {
    /// The door of Graph, whose endpoints may be ill one by one.
    pub(super) fn of_graph(reach: Reach, clock: Rc<dyn Clock>) -> Self {
        Self::new(Host::Graph, 2, reach, clock)
    }

    /// The door of the sign-in service, where nearly everything is one endpoint.
    pub(super) fn of_sign_in(reach: Reach, clock: Rc<dyn Clock>) -> Self {
        Self::new(Host::SignIn, 1, reach, clock)
    }

    fn new(host: Host, breadth: usize, reach: Reach, clock: Rc<dyn Clock>) -> Self {
        let state = State {
            circuit: Circuit::new(breadth),
            turns: Turns::new(PLACES),
        };
        Self {
            host,
            state: RefCell::new(state),
            changed: Notify::new(),
            reach,
            clock,
        }
    }

    /// Waits for a place, or for the verdict of a probe that is under way.
    pub(super) async fn enter(&self, urgency: Urgency) -> Result<Pass<'_>, Unanswered> {
        let queued = Queued {
            gate: self,
            ticket: self.state.borrow_mut().turns.queue(urgency),
        };
        let mut followed = false;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let admission = self.state.borrow_mut().circuit.admit(now(), fastrand::f64());
            match admission {
                Admission::Pass => {
                    if self.state.borrow_mut().turns.take(queued.ticket) {
                        return Ok(Pass::new(self, false));
                    }
                    changed.await;
                }
                Admission::Probe => {
                    log::debug!("a probe leaves for {}", self.host.name());
                    return Ok(Pass::new(self, true));
                }
                Admission::Follow(wait) if !followed => {
                    followed = true;
                    let _verdict_or_next_probe = tokio::time::timeout(wait, changed).await;
                }
                Admission::Follow(wait) | Admission::Wait(wait) => {
                    return Err(Unanswered::Unreachable {
                        detail: format!("{} is out of reach", self.host.name()),
                        retry_after: wait,
                        left: false,
                    });
                }
            }
        }
    }

    /// When the host is asked again, while it is out of reach.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.state.borrow().circuit.wait(now())
    }

    /// Resolves some time after the host was reached again, for a request that had left before.
    pub(super) async fn overtaken(&self, left_at: Instant, grace: Duration) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let reached_at = self.state.borrow().circuit.reached_at();
            if reached_at.is_some_and(|reached_at| left_at < reached_at) {
                break;
            }
            changed.await;
        }
        tokio::time::sleep(grace).await;
    }

    /// Tells what is new, once each, to the log and to whoever looks.
    fn tell(&self, news: Option<News>, cause: &str) {
        let lost = self.state.borrow().circuit.lost_since().is_some();
        self.reach.note(self.host, lost, || LostHost {
            name: self.host.name(),
            since: self.clock.now(),
            cause: cause.to_owned(),
        });
        let host = self.host.name();
        match news {
            None => {}
            Some(News::Lost) => log::warn!(
                "{host} is out of reach: {cause}; it is asked again every few seconds until it answers"
            ),
            Some(News::Reached { lasted, probes }) => log::info!(
                lasted:? = lasted, probes = probes;
                "{host} is within reach again after {:.1} s", lasted.as_secs_f64()
            ),
            Some(News::Unsteady) => {
                log::warn!("{host} comes and goes: {cause}; no more is told until it stays for a minute")
            }
            Some(News::Steady {
                lasted,
                interruptions,
            }) => log::info!(
                lasted:? = lasted, interruptions = interruptions;
                "{host} stays within reach after {interruptions} interruptions in {:.0} s", lasted.as_secs_f64()
            ),
        }
    }
}

/// A place in the queue that is given back when nobody wants it any more.
struct Queued<'a> {
    gate: &'a Gate,
    ticket: Ticket,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.gate.state.borrow_mut().turns.withdraw(self.ticket);
        self.gate.changed.notify_waiters();
    }
}

/// The right to be under way; whoever drops it without a word was not answered, for a reason of the asker's own.
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    probe: bool,
    left_at: Instant,
}

impl<'a> Pass<'a> {
    fn new(gate: &'a Gate, probe: bool) -> Self {
        Self {
            gate,
            probe,
            left_at: now(),
        }
    }

    /// When the request left.
    pub(super) fn left_at(&self) -> Instant {
        self.left_at
    }

    /// Notes that the host has answered.
    pub(super) fn answered(&mut self) {
        let news = self.gate.state.borrow_mut().circuit.answered(now());
        self.gate.tell(news, "");
    }

    /// Notes that the host has not answered.
    pub(super) fn failed(&mut self, failure: Failure<Family>, cause: &str) {
        let news = {
            let mut state = self.gate.state.borrow_mut();
            state
                .circuit
                .failed(self.left_at, failure, now(), fastrand::f64())
        };
        self.gate.tell(news, cause);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        {
            let mut state = self.gate.state.borrow_mut();
            if self.probe {
                state.circuit.probe_ended();
            } else {
                state.turns.leave();
            }
        }
        self.gate.changed.notify_waiters();
    }
}

fn now() -> Instant {
    Time::now().into_std()
}
