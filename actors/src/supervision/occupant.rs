//! An actor on its seat, whatever its type: polled, stopped and rebuilt by its run.

use std::sync::Arc;
use std::task::{self, Poll};

use actix::Actor;
use actix::dev::{AsyncContextParts, ContextFut};
use futures_util::FutureExt;

use super::SupervisedActor;
use super::context::Context;
use super::exit::{ExitReason, Place, Step};
use super::gate::Gate;

/// What a run does with its actor. Every method may run the actor's code, so every call of it is guarded.
pub(super) trait Occupant {
    /// Polls the actor; the first poll of a run starts it.
    fn poll(&mut self, task: &mut task::Context<'_>) -> Poll<()>;

    /// Asks the actor to stop.
    fn stop(&mut self);

    /// Drops everything that the run held and rebuilds the actor from its dependencies; keeps the mailbox.
    fn rebuild(&mut self);

    /// Returns what the actor is doing.
    fn step(&mut self) -> Step;

    /// Takes the reason with which the actor ended itself.
    fn take_exit(&mut self) -> Option<(ExitReason, Place)>;
}

pub(super) struct Seated<A: SupervisedActor> {
    running: ContextFut<A, Context<A>>,
    gate: Arc<Gate>,
}

impl<A: SupervisedActor> Seated<A> {
    pub(super) fn new(running: ContextFut<A, Context<A>>, gate: Arc<Gate>) -> Self {
        Self { running, gate }
    }
}

impl<A> Occupant for Seated<A>
where
    A: Actor<Context = Context<A>> + SupervisedActor,
{
    fn poll(&mut self, task: &mut task::Context<'_>) -> Poll<()> {
        self.running.poll_unpin(task)
    }

    fn stop(&mut self) {
        self.running.ctx().set_step(Step::Stop);
        self.running.ctx().parts().stop();
    }

    fn rebuild(&mut self) {
        self.running.ctx().forget_run();
        self.running.ctx().set_step(Step::Restart);
        self.running.restart();
        self.running.ctx().set_step(Step::Start);
    }

    fn step(&mut self) -> Step {
        self.running.ctx().step()
    }

    fn take_exit(&mut self) -> Option<(ExitReason, Place)> {
        self.running.ctx().take_exit()
    }
}

impl<A: SupervisedActor> Drop for Seated<A> {
    fn drop(&mut self) {
        // dropping a future that is not terminated would poll it, and even start it
        self.running.ctx().parts().terminate();
        self.gate.close();
    }
}
