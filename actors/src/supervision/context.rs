//! The context of a supervised actor: actix's own, plus an exit reason, a count, and a note of what is being done.

use std::collections::HashSet;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use actix::dev::{AsyncContextParts, ContextParts};
use actix::fut::{ActorFuture, ActorStreamExt};
use actix::utils::{IntervalFunc, TimerFunc};
use actix::{Actor, ActorContext, ActorState, Addr, AsyncContext, SpawnHandle};

use super::SupervisedActor;
use super::exit::{ExitReason, Place, Step};
use super::post::{Entrance, Post};
use super::vitals::{Bar, Vitals};

/// The context of a supervised actor; everything of [`actix::Context`] works in it.
///
/// Handlers may answer at once, with a `ResponseActFuture`, an `AtomicResponse` or a `ResponseFuture`. The last one is
/// spawned by actix outside of the actor: it outlives the run, and a panic in it only leaves its asker unanswered.
pub struct Context<A: Actor<Context = Self> + SupervisedActor> {
    parts: ContextParts<A>,
    entrance: Arc<Entrance<A>>,
    vitals: Rc<Vitals>,
    exit: Option<(ExitReason, Place)>,
    step: Step,
    cancelled: HashSet<SpawnHandle>,
}

impl<A: SupervisedActor> Context<A> {
    pub(super) fn new(parts: ContextParts<A>, entrance: Arc<Entrance<A>>) -> Self {
        Self {
            parts,
            entrance,
            vitals: Rc::default(),
            exit: None,
            step: Step::Start,
            cancelled: HashSet::new(),
        }
    }

    /// Ends this run for a reason; the supervisor decides what follows. The first reason of a run stands.
    #[track_caller]
    pub fn end(&mut self, reason: ExitReason) {
        if self.exit.is_none() {
            self.exit = Some((reason, Place::at(self.step, Location::caller())));
        }
        self.parts.stop();
    }

    /// Returns the actor's own post.
    pub fn post(&self) -> Post<A> {
        Post::new(Arc::clone(&self.entrance))
    }

    /// Returns the actor's name.
    pub fn name(&self) -> &str {
        self.entrance.gate.name()
    }

    pub(super) fn count_out(&self) {
        self.entrance.gate.leave();
    }

    pub(super) fn step(&self) -> Step {
        self.step
    }

    pub(super) fn set_step(&mut self, step: Step) {
        self.step = step;
    }

    pub(super) fn vitals(&self) -> Rc<Vitals> {
        Rc::clone(&self.vitals)
    }

    pub(super) fn take_exit(&mut self) -> Option<(ExitReason, Place)> {
        self.exit.take()
    }

    /// Forgets what belonged to the run that ended.
    pub(super) fn forget_run(&mut self) {
        self.exit = None;
        self.cancelled.clear();
        self.step = Step::Start;
    }

    fn spawn_as<F>(&mut self, step: Step, future: F) -> SpawnHandle
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        self.parts.spawn(Spawned {
            step,
            bar: None,
            future: Some(Box::pin(future)),
        })
    }
}

/// A future of the context, with what it is noted as while it is polled.
struct Spawned<A: SupervisedActor> {
    step: Step,
    bar: Option<Bar>,
    future: Option<Pin<Box<dyn ActorFuture<A, Output = ()>>>>,
}

impl<A: SupervisedActor> ActorFuture<A> for Spawned<A> {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut Context<A>,
        task: &mut task::Context<'_>,
    ) -> Poll<()> {
        let this = self.get_mut();
        let is_cancelled =
            this.bar.is_none() && !ctx.cancelled.is_empty() && ctx.cancelled.remove(&ctx.parts.curr_handle());
        let Some(future) = this.future.as_mut().filter(|_| !is_cancelled) else {
            this.future = None;
            return Poll::Ready(());
        };
        ctx.step = this.step;
        future.as_mut().poll(actor, ctx, task)
    }
}

impl<A: SupervisedActor> ActorContext for Context<A> {
    fn stop(&mut self) {
        self.parts.stop();
    }

    fn terminate(&mut self) {
        self.parts.terminate();
    }

    fn state(&self) -> ActorState {
        self.parts.state()
    }
}

impl<A: SupervisedActor> AsyncContext<A> for Context<A> {
    /// Returns actix's address, which goes past the bound and the count of the mailbox; prefer [`Context::post`].
    fn address(&self) -> Addr<A> {
        self.parts.address()
    }

    fn spawn<F>(&mut self, future: F) -> SpawnHandle
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        self.spawn_as(Step::Future, future)
    }

    fn wait<F>(&mut self, future: F)
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        let bar = Some(Bar::new(&self.vitals));
        self.parts.wait(Spawned {
            step: self.step,
            bar,
            future: Some(Box::pin(future)),
        });
    }

    fn waiting(&self) -> bool {
        self.parts.waiting()
    }

    /// Cancels a future of this run.
    ///
    /// actix's own list of cancelled handles survives a stop in the same handler and then hits the first timers of the
    /// next run (0.13.5), so the list is kept here and forgotten with the run.
    fn cancel_future(&mut self, handle: SpawnHandle) -> bool {
        self.cancelled.insert(handle);
        // one more pass over the futures finds the cancelled one
        self.spawn_as(self.step, actix::fut::ready(()));
        true
    }

    fn run_later<F>(&mut self, after: Duration, step: F) -> SpawnHandle
    where
        F: FnOnce(&mut A, &mut Self) + 'static,
    {
        self.spawn_as(Step::Timer, TimerFunc::new(after, step))
    }

    fn run_interval<F>(&mut self, every: Duration, step: F) -> SpawnHandle
    where
        F: FnMut(&mut A, &mut Self) + 'static,
    {
        self.spawn_as(Step::Timer, IntervalFunc::new(every, step).finish())
    }

    fn run_interval_at<F>(&mut self, first: tokio::time::Instant, every: Duration, step: F) -> SpawnHandle
    where
        F: FnMut(&mut A, &mut Self) + 'static,
    {
        self.spawn_as(Step::Timer, IntervalFunc::new_at(first, every, step).finish())
    }
}

impl<A: SupervisedActor> AsyncContextParts<A> for Context<A> {
    fn parts(&mut self) -> &mut ContextParts<A> {
        &mut self.parts
    }
}
