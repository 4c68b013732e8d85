//! The supervisor: an actor that starts others, hears of their ends and decides what follows.
//!
//! It is itself a supervised actor: its own end is its parent's business. *Wakes on* the end of a run, the end of a
//! pause, an order, the watchdog's timer. *Ends* when its restart intensity is spent, or by order; either way its
//! children end first, in reverse order of their start.
//!
//! Its children outlive its runs, with their mailboxes: a new run starts all of them again, in order.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use actix::fut::ActorFutureExt;
use actix::{
    Actor, ActorContext, AsyncContext, AtomicResponse, Handler, MessageResult, Running, Supervised,
    WrapFuture,
};
use tokio::time::Instant;

use super::branch::Nursery;
use super::child::{Child, Surroundings};
use super::context::Context;
use super::departure::{Departure, Runs, end_in_order};
use super::exit::{End, ExitReason};
use super::intensity::{Intensity, Window};
use super::orders::{Admit, Arrival, InjectPanic, Remove, Restart, Shutdown};
use super::register::InvalidName;
use super::run::Run;
use super::snapshot::NodeState;
use super::spec::{ChildSpec, Strategy};
use super::verdict::{Pause, Policy};

/// What a supervisor is made of.
#[derive(Clone)]
pub(super) struct Dependencies {
    pub(super) name: String,
    pub(super) strategy: Strategy,
    pub(super) intensity: Intensity,
    pub(super) policy: Policy,
    pub(super) surroundings: Rc<Surroundings>,
    pub(super) roster: Rc<RefCell<Vec<Rc<Child>>>>,
    pub(super) nursery: Nursery,
}

/// A supervisor in one run. Its public face is [`super::SupervisorSpec`] and [`super::TreeHandle`].
pub struct Supervisor {
    dependencies: Dependencies,
    standings: BTreeMap<String, Standing>,
    window: Window,
    pauses: u64,
    closing: Closing,
}

/// How a child stands.
enum Standing {
    Running(Run),
    /// It starts when the pause of `leader`, which may be itself, is over.
    Paused {
        leader: String,
        pause: u64,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    Open,
    Ending,
    Ended,
}

impl Supervisor {
    pub(super) fn new(dependencies: Dependencies) -> Self {
        Self {
            standings: BTreeMap::new(),
            window: Window::new(dependencies.intensity),
            pauses: 0,
            closing: Closing::Open,
            dependencies,
        }
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let children = self.dependencies.roster.borrow().clone();
        for child in children {
            self.start(&child, ctx);
        }
        let settings = self.dependencies.surroundings.settings;
        ctx.run_interval(settings.watchdog_period, |actor, _| actor.end_what_hangs());
    }

    fn stopping(&mut self, ctx: &mut Self::Context) -> Running {
        match self.closing {
            Closing::Ended => return Running::Stop,
            Closing::Ending => return Running::Continue,
            Closing::Open => self.closing = Closing::Ending,
        }
        let children = self.dependencies.roster.borrow().clone();
        let runs = self.take_runs(&children);
        self.standings.clear();
        ctx.wait(
            end_in_order(runs)
                .into_actor(self)
                .map(move |departures, actor, ctx| {
                    actor.note_departures(&departures);
                    for child in children {
                        actor.set_state(child.name(), NodeState::Ended);
                    }
                    actor.closing = Closing::Ended;
                    ctx.stop();
                }),
        );
        Running::Continue
    }
}

impl Supervised for Supervisor {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        for child in self.dependencies.roster.borrow().iter() {
            self.set_state(child.name(), NodeState::Ended);
        }
        *self = Self::new(self.dependencies.clone());
    }
}

impl Handler<Restart> for Supervisor {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, message: Restart, _ctx: &mut Self::Context) -> Self::Result {
        let leader = match self.standings.get(&message.name) {
            Some(Standing::Paused { leader, .. }) => Some(leader.clone()),
            _ => None,
        };
        let affected = self.affected_by(leader.as_deref().unwrap_or(&message.name));
        for child in affected.iter().take(1) {
            child.forgive();
        }
        let runs = self.take_runs(&affected);
        AtomicResponse::new(Box::pin(end_in_order(runs).into_actor(self).map(
            move |departures, actor, ctx| {
                actor.note_departures(&departures);
                for child in affected {
                    actor.start(&child, ctx);
                }
            },
        )))
    }
}

impl Handler<InjectPanic> for Supervisor {
    type Result = ();

    fn handle(&mut self, message: InjectPanic, _ctx: &mut Self::Context) {
        if let Some(Standing::Running(run)) = self.standings.get(&message.name) {
            run.inject_panic();
        }
    }
}

impl Handler<Admit> for Supervisor {
    type Result = AtomicResponse<Self, Result<(), InvalidName>>;

    fn handle(&mut self, message: Admit, _ctx: &mut Self::Context) -> Self::Result {
        let spec = match message.arrival {
            Arrival::Made(make) => Some(make()),
            Arrival::InNursery(name) => self.take_from_nursery(&name),
        };
        let Some(spec) = spec else {
            // who put it there has given up since
            return AtomicResponse::new(Box::pin(actix::fut::ready(Ok(()))));
        };
        let replaced = if message.replaces {
            self.take_out(spec.name())
        } else {
            None
        };
        let (replaced, runs) = replaced.unzip();
        let ending = end_in_order(runs.unwrap_or_default()).into_actor(self);
        AtomicResponse::new(Box::pin(ending.map(move |departures, actor, ctx| {
            actor.strike(replaced, departures);
            let dependencies = &actor.dependencies;
            let child = spec.plant(&dependencies.surroundings, Some(ctx.post()))?;
            dependencies.roster.borrow_mut().push(Rc::clone(&child));
            actor.start(&child, ctx);
            Ok(())
        })))
    }
}

impl Handler<Remove> for Supervisor {
    type Result = AtomicResponse<Self, bool>;

    fn handle(&mut self, message: Remove, _ctx: &mut Self::Context) -> Self::Result {
        let (removed, runs) = self.take_out(&message.name).unzip();
        let existed = removed.is_some();
        let ending = end_in_order(runs.unwrap_or_default()).into_actor(self);
        AtomicResponse::new(Box::pin(ending.map(move |departures, actor, _| {
            actor.strike(removed, departures);
            existed
        })))
    }
}

impl Handler<Shutdown> for Supervisor {
    type Result = MessageResult<Shutdown>;

    fn handle(&mut self, _message: Shutdown, ctx: &mut Self::Context) -> Self::Result {
        ctx.end(ExitReason::Ordered);
        MessageResult(())
    }
}

impl Supervisor {
    fn start(&mut self, child: &Rc<Child>, ctx: &mut Context<Self>) {
        let run = child.begin(&self.dependencies.surroundings.register);
        let (name, number, ended) = (child.name().to_owned(), run.number, run.ended());
        self.standings.insert(name.clone(), Standing::Running(run));
        ctx.spawn(ended.into_actor(self).map(move |end, actor, ctx| {
            if let Some(child) = actor.running(&name, number) {
                actor.hear_end(&child, number, &end, ctx);
            }
        }));
    }

    /// The child whose present run has this number.
    fn running(&self, name: &str, number: u64) -> Option<Rc<Child>> {
        let Some(Standing::Running(run)) = self.standings.get(name) else {
            return None;
        };
        let roster = self.dependencies.roster.borrow();
        roster
            .iter()
            .find(|child| child.name() == name && run.number == number)
            .cloned()
    }

    /// Hears that a run ended by itself, and decides.
    fn hear_end(&mut self, child: &Rc<Child>, number: u64, end: &End, ctx: &mut Context<Self>) {
        let verdict = child.judge(end, &self.dependencies.policy);
        self.dependencies
            .surroundings
            .register
            .end(child.name(), number, end);
        child.subject(number).ended(end, Some(verdict.pause));
        if verdict.counts && self.window.is_spent_by_failure(Instant::now()) {
            self.escalate(child, end, ctx);
            return;
        }
        self.pauses += 1;
        let pause = self.pauses;
        let affected = self.affected_by(child.name());
        let runs = self.take_runs(&affected);
        for follower in &affected {
            let standing = Standing::Paused {
                leader: child.name().to_owned(),
                pause,
            };
            self.standings.insert(follower.name().to_owned(), standing);
        }
        let (leader, reason) = (Rc::clone(child), end.reason.to_string());
        if runs.is_empty() {
            self.pause(&leader, pause, verdict.pause, &reason, ctx);
            return;
        }
        ctx.wait(
            end_in_order(runs)
                .into_actor(self)
                .map(move |departures, actor, ctx| {
                    actor.note_departures(&departures);
                    actor.pause(&leader, pause, verdict.pause, &reason, ctx);
                }),
        );
    }

    /// Lets a leader and its followers pause, and starts them afterwards unless something else came first.
    fn pause(
        &mut self,
        leader: &Rc<Child>,
        number: u64,
        pause: Pause,
        reason: &str,
        ctx: &mut Context<Self>,
    ) {
        let over_at = chrono::Utc::now() + pause.length();
        for child in self.led_by(leader.name()) {
            let reason = if Rc::ptr_eq(&child, leader) {
                reason.to_owned()
            } else {
                format!("it builds on {}, which ended: {reason}", leader.name())
            };
            self.set_state(
                child.name(),
                match pause {
                    Pause::Held(_) => NodeState::Held {
                        probe_at: over_at,
                        reason,
                    },
                    Pause::Wait(_) | Pause::None => NodeState::Waiting {
                        until: over_at,
                        reason,
                    },
                },
            );
        }
        if pause == Pause::None {
            self.resume(leader.name(), number, ctx);
            return;
        }
        let leader = leader.name().to_owned();
        ctx.run_later(pause.length(), move |actor, ctx| {
            actor.resume(&leader, number, ctx)
        });
    }

    fn resume(&mut self, leader: &str, number: u64, ctx: &mut Context<Self>) {
        let is_due =
            matches!(self.standings.get(leader), Some(Standing::Paused { pause, .. }) if *pause == number);
        for child in self.led_by(leader).into_iter().filter(|_| is_due) {
            self.start(&child, ctx);
        }
    }

    fn escalate(&mut self, child: &Child, end: &End, ctx: &mut Context<Self>) {
        self.standings.remove(child.name());
        let Intensity { restarts, window } = self.dependencies.intensity;
        let (name, seconds) = (child.name(), window.as_secs());
        let reason = format!(
            "more than {restarts} failures in {seconds} s, the last of {name}: {}",
            end.reason
        );
        let subject = super::journal::Subject {
            actor: &self.dependencies.name,
            run: 0,
            streak: 0,
        };
        subject.escalated(&reason);
        ctx.end(ExitReason::bug(reason));
    }

    fn end_what_hangs(&self) {
        let patience = self.dependencies.surroundings.settings.watchdog_patience;
        let now = Instant::now();
        for child in self
            .dependencies
            .roster
            .borrow()
            .iter()
            .filter(|child| child.is_hanging(patience, now))
        {
            if let Some(Standing::Running(run)) = self.standings.get(child.name()) {
                let seconds = patience.as_secs();
                run.kill(ExitReason::bug(format_args!(
                    "no answer to the watchdog within {seconds} s"
                )));
            }
        }
    }

    /// The child of this name and, by strategy, those that build on it; in the order of their start.
    fn affected_by(&self, name: &str) -> Vec<Rc<Child>> {
        let roster = self.dependencies.roster.borrow();
        let from_name_on = roster.iter().skip_while(|child| child.name() != name).cloned();
        match self.dependencies.strategy {
            Strategy::OneForOne => from_name_on.take(1).collect(),
            Strategy::RestForOne => from_name_on.collect(),
        }
    }

    fn led_by(&self, name: &str) -> Vec<Rc<Child>> {
        let is_led = |child: &&Rc<Child>| matches!(self.standings.get(child.name()), Some(Standing::Paused { leader, .. }) if leader == name);
        self.dependencies
            .roster
            .borrow()
            .iter()
            .filter(is_led)
            .cloned()
            .collect()
    }

    /// Takes the running ones out of the standings, so that their ends are not heard any more.
    fn take_runs(&mut self, children: &[Rc<Child>]) -> Runs {
        let mut runs = Vec::new();
        for child in children {
            if let Some(Standing::Running(run)) = self.standings.remove(child.name()) {
                runs.push((Rc::clone(child), run));
            }
        }
        runs
    }

    /// Takes a child off the roster, with its run if it has one.
    fn take_out(&mut self, name: &str) -> Option<(Rc<Child>, Runs)> {
        let position = self
            .dependencies
            .roster
            .borrow()
            .iter()
            .position(|child| child.name() == name)?;
        let child = self.dependencies.roster.borrow_mut().remove(position);
        let runs = self.take_runs(std::slice::from_ref(&child));
        Some((child, runs))
    }

    fn take_from_nursery(&self, name: &str) -> Option<ChildSpec> {
        let mut nursery = self.dependencies.nursery.borrow_mut();
        let position = nursery.iter().position(|spec| spec.name() == name)?;
        nursery.remove(position)
    }

    /// Forgets a removed child.
    fn strike(&self, removed: Option<Rc<Child>>, departures: Vec<Departure>) {
        self.note_departures(&departures);
        drop(departures);
        let Some(child) = removed else { return };
        self.dependencies.surroundings.register.strike(child.name());
        // its destructor is the actor's code
        let _dropped = super::panics::guarded(move || drop(child));
    }

    fn note_departures(&self, departures: &[Departure]) {
        for Departure { child, run, end } in departures {
            self.dependencies
                .surroundings
                .register
                .end(child.name(), *run, end);
            child.subject(*run).ended(end, None);
        }
    }

    fn set_state(&self, name: &str, state: NodeState) {
        self.dependencies.surroundings.register.set_state(name, state);
    }
}
