//! The supervisor: an actor that starts others, hears of their ends and decides what follows.
//!
//! It is itself a supervised actor: its own end is its parent's business. *Wakes on* the end of a run, the end of a
//! pause, an order, the watchdog's timer. *Ends* when its restart intensity is spent, or by order; either way its
//! children end first, in reverse order of their start.
//!
//! Its children outlive its runs, with their mailboxes: a new run starts all of them again, in order.

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
use super::departure::{Departure, end_in_order};
use super::exit::{End, ExitReason};
use super::intensity::{Intensity, Window};
use super::journal::Subject;
use super::orders::{Admit, Arrival, InjectPanic, Remove, Restart, Shutdown};
use super::panics::guarded;
use super::register::{InvalidName, Register};
use super::roster::{Children, Roster};
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
    pub(super) children: Children,
    pub(super) nursery: Nursery,
}

/// A supervisor in one run. Its public face is [`super::SupervisorSpec`] and [`super::TreeHandle`].
pub struct Supervisor {
    dependencies: Dependencies,
    roster: Roster,
    window: Window,
    pauses: u64,
    closing: Closing,
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
            roster: Roster::new(Rc::clone(&dependencies.children), dependencies.strategy),
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
        for child in self.roster.all() {
            self.start(&child, ctx);
        }
        let period = self.dependencies.surroundings.settings.watchdog_period;
        ctx.run_interval(period, |actor, _| actor.end_what_hangs());
    }

    fn stopping(&mut self, ctx: &mut Self::Context) -> Running {
        match self.closing {
            Closing::Ended => return Running::Stop,
            Closing::Ending => return Running::Continue,
            Closing::Open => self.closing = Closing::Ending,
        }
        let runs = self.roster.take_runs(&self.roster.all());
        ctx.wait(end_in_order(runs).into_actor(self).map(|departures, actor, ctx| {
            actor.note(&departures);
            actor.mark_all_ended();
            actor.closing = Closing::Ended;
            ctx.stop();
        }));
        Running::Continue
    }
}

impl Supervised for Supervisor {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        self.mark_all_ended();
        *self = Self::new(self.dependencies.clone());
    }
}

impl Handler<Restart> for Supervisor {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, message: Restart, _ctx: &mut Self::Context) -> Self::Result {
        let affected = self.roster.meant_by(&message.name);
        if let Some(leader) = affected.first() {
            leader.forgive();
        }
        let runs = self.roster.take_runs(&affected);
        AtomicResponse::new(Box::pin(end_in_order(runs).into_actor(self).map(
            move |departures, actor, ctx| {
                actor.note(&departures);
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
        if let Some(run) = self.roster.run_of(&message.name) {
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
            // an earlier order under the same name has taken it in already
            return AtomicResponse::new(Box::pin(actix::fut::ready(Ok(()))));
        };
        let replaced = if message.replaces {
            self.roster.take_out(spec.name())
        } else {
            None
        };
        let (replaced, runs) = replaced.unzip();
        let ending = end_in_order(runs.unwrap_or_default()).into_actor(self);
        AtomicResponse::new(Box::pin(ending.map(move |departures, actor, ctx| {
            actor.strike(replaced, departures, ctx);
            let child = spec.plant(&actor.dependencies.surroundings, Some(ctx.post()))?;
            actor.roster.add(Rc::clone(&child));
            actor.start(&child, ctx);
            Ok(())
        })))
    }
}

impl Handler<Remove> for Supervisor {
    type Result = AtomicResponse<Self, bool>;

    fn handle(&mut self, message: Remove, _ctx: &mut Self::Context) -> Self::Result {
        let (removed, runs) = self.roster.take_out(&message.name).unzip();
        let existed = removed.is_some();
        let ending = end_in_order(runs.unwrap_or_default()).into_actor(self);
        AtomicResponse::new(Box::pin(ending.map(move |departures, actor, ctx| {
            actor.strike(removed, departures, ctx);
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
        let (number, ended, of_child) = (run.number, run.ended(), Rc::downgrade(child));
        self.roster.set_running(child, run);
        ctx.spawn(ended.into_actor(self).map(move |end, actor, ctx| {
            // a child that was removed, or whose run was ended by order, is not heard any more
            if let Some(child) = of_child
                .upgrade()
                .filter(|child| actor.roster.is_running(child, number))
            {
                actor.judge(&child, number, &end, ctx);
            }
        }));
    }

    /// Judges the end of a run that ended by itself, and lets the child and those that build on it pause.
    fn judge(&mut self, child: &Rc<Child>, number: u64, end: &End, ctx: &mut Context<Self>) {
        self.roster.take_runs(std::slice::from_ref(child));
        let verdict = child.judge(end, &self.dependencies.policy);
        self.register().end(child.name(), number, end);
        let is_spent = verdict.counts && self.window.is_spent_by_failure(Instant::now());
        child
            .subject(number)
            .ended(end, (!is_spent).then_some(verdict.pause));
        if is_spent {
            self.give_up(child, end, ctx);
            return;
        }
        self.pauses += 1;
        let affected = self.roster.affected_by(child.name());
        let runs = self.roster.take_runs(&affected);
        for follower in &affected {
            self.roster.set_paused(follower, child.name(), self.pauses);
        }
        let (leader, pause, reason) = (Rc::clone(child), self.pauses, end.reason.to_string());
        ctx.wait(
            end_in_order(runs)
                .into_actor(self)
                .map(move |departures, actor, ctx| {
                    actor.note(&departures);
                    actor.pause(&leader, pause, verdict.pause, &reason, ctx);
                }),
        );
    }

    fn pause(&self, leader: &Child, number: u64, pause: Pause, reason: &str, ctx: &mut Context<Self>) {
        let until = chrono::Utc::now() + pause.length();
        for child in self.roster.led_by(leader.name()) {
            let is_leader = child.name() == leader.name();
            let of_follower = || format!("it builds on {}, which ended: {reason}", leader.name());
            let reason = if is_leader {
                reason.to_owned()
            } else {
                of_follower()
            };
            let state = match pause {
                Pause::Held(_) => NodeState::Held {
                    probe_at: until,
                    reason,
                },
                Pause::Wait(_) | Pause::None => NodeState::Waiting { until, reason },
            };
            self.register().set_state(child.name(), state);
        }
        let leader = leader.name().to_owned();
        ctx.run_later(pause.length(), move |actor, ctx| {
            if actor.roster.is_in_pause(&leader, number) {
                actor.resume(&leader, ctx);
            }
        });
    }

    fn resume(&mut self, leader: &str, ctx: &mut Context<Self>) {
        for child in self.roster.led_by(leader) {
            self.start(&child, ctx);
        }
    }

    fn give_up(&self, child: &Child, end: &End, ctx: &mut Context<Self>) {
        let Intensity { restarts, window } = self.dependencies.intensity;
        let (name, seconds) = (child.name(), window.as_secs());
        let reason = format!(
            "more than {restarts} failures in {seconds} s, {name} last: {}",
            end.reason
        );
        Subject {
            actor: &self.dependencies.name,
            run: 0,
            streak: 0,
        }
        .escalated(&reason);
        ctx.end(ExitReason::bug(reason));
    }

    fn end_what_hangs(&self) {
        let patience = self.dependencies.surroundings.settings.watchdog_patience;
        let now = Instant::now();
        for child in self
            .roster
            .all()
            .iter()
            .filter(|child| child.is_hanging(patience, now))
        {
            if let Some(run) = self.roster.run_of(child.name()) {
                let seconds = patience.as_secs();
                run.kill(ExitReason::bug(format_args!(
                    "no answer to the watchdog within {seconds} s"
                )));
            }
        }
    }

    fn take_from_nursery(&self, name: &str) -> Option<ChildSpec> {
        let mut nursery = self.dependencies.nursery.borrow_mut();
        let position = nursery.iter().position(|spec| spec.name() == name)?;
        nursery.remove(position)
    }

    /// Forgets a removed child; who waited for it starts.
    fn strike(&mut self, removed: Option<Rc<Child>>, departures: Vec<Departure>, ctx: &mut Context<Self>) {
        self.note(&departures);
        drop(departures);
        let Some(child) = removed else { return };
        self.register().strike(child.name());
        self.resume(child.name(), ctx);
        // its destructor is the actor's code
        let _dropped = guarded(move || drop(child));
    }

    fn note(&self, departures: &[Departure]) {
        for Departure { child, run, end } in departures {
            self.register().end(child.name(), *run, end);
            child.subject(*run).ended(end, None);
        }
    }

    fn mark_all_ended(&self) {
        for child in self.roster.all() {
            self.register().set_state(child.name(), NodeState::Ended);
        }
    }

    fn register(&self) -> &Register {
        &self.dependencies.surroundings.register
    }
}
