//! The cast of the supervision tests: an actor that gets into trouble as its script says, and keeps a diary.
#![allow(dead_code, reason = "every test file uses its part of the cast")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use actix::fut::ready;
use actix::{Actor, AsyncContext, AtomicResponse, Handler, Message, Running, Supervised, WrapFuture};
use m365_actors::supervision::{ChildSpec, Context, ExitReason, Post, Seat};

/// How an actor gets into trouble.
#[derive(Clone, Debug)]
pub enum Trouble {
    Panic,
    End(ExitReason),
    Hang,
    Stop,
}

/// When it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Rebuild,
    Start,
    Future,
    Timer,
}

pub fn error() -> Trouble {
    Trouble::End(ExitReason::bug("out of order"))
}

/// What happened, in order.
#[derive(Clone, Default)]
pub struct Diary(Rc<RefCell<Vec<String>>>);

impl Diary {
    pub fn write(&self, entry: impl Into<String>) {
        self.0.borrow_mut().push(entry.into());
    }

    /// Takes out what was written.
    pub fn read(&self) -> Vec<String> {
        self.0.take()
    }
}

/// The troubles of the next runs; a run without one is fine.
pub type Script = Rc<RefCell<VecDeque<Option<(When, Trouble)>>>>;

#[derive(Clone)]
pub struct Dependencies {
    pub name: String,
    pub diary: Diary,
    pub script: Script,
    pub farewell: Option<Duration>,
}

pub struct Player {
    dependencies: Dependencies,
    trouble: Option<(When, Trouble)>,
    counted: u64,
    said_farewell: bool,
}

impl Player {
    pub fn new(dependencies: Dependencies) -> Self {
        let trouble = dependencies.script.borrow_mut().pop_front().flatten();
        Self {
            dependencies,
            trouble,
            counted: 0,
            said_farewell: false,
        }
    }

    fn get_into(&mut self, trouble: Trouble, ctx: &mut Context<Self>) {
        match trouble {
            Trouble::Panic => panic!("beside itself"),
            Trouble::End(reason) => ctx.end(reason),
            Trouble::Hang => ctx.wait(std::future::pending().into_actor(self)),
            Trouble::Stop => actix::ActorContext::stop(ctx),
        }
    }
}

impl Actor for Player {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.dependencies
            .diary
            .write(format!("{} started", self.dependencies.name));
        let Some((when, trouble)) = self.trouble.clone() else {
            return;
        };
        match when {
            When::Rebuild => {}
            When::Start => self.get_into(trouble, ctx),
            When::Future => {
                ctx.spawn(actix::fut::ActorFutureExt::map(
                    ready(()),
                    |(), actor: &mut Self, ctx| {
                        actor.get_into(trouble, ctx);
                    },
                ));
            }
            When::Timer => {
                ctx.run_later(Duration::from_millis(10), |actor, ctx| {
                    actor.get_into(trouble, ctx)
                });
            }
        }
    }

    fn stopping(&mut self, ctx: &mut Self::Context) -> Running {
        let Some(farewell) = self.dependencies.farewell.filter(|_| !self.said_farewell) else {
            return Running::Stop;
        };
        self.said_farewell = true;
        ctx.run_later(farewell, |_, ctx| actix::ActorContext::stop(ctx));
        Running::Continue
    }

    fn stopped(&mut self, _ctx: &mut Self::Context) {
        self.dependencies
            .diary
            .write(format!("{} stopped", self.dependencies.name));
    }
}

impl Supervised for Player {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.dependencies.clone());
        if matches!(self.trouble, Some((When::Rebuild, _))) {
            self.trouble = None;
            panic!("cannot rebuild");
        }
    }
}

/// Gets the actor into trouble in its handler.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Provoke(pub Trouble);

impl Handler<Provoke> for Player {
    type Result = ();

    fn handle(&mut self, message: Provoke, ctx: &mut Self::Context) {
        self.get_into(message.0, ctx);
    }
}

/// Counts, in the state of the run.
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Count;

impl Handler<Count> for Player {
    type Result = u64;

    fn handle(&mut self, _message: Count, _ctx: &mut Self::Context) -> u64 {
        self.counted += 1;
        self.counted
    }
}

/// Bars the mailbox for a while.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Work(pub Duration);

impl Handler<Work> for Player {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, message: Work, _ctx: &mut Self::Context) -> Self::Result {
        AtomicResponse::new(Box::pin(tokio::time::sleep(message.0).into_actor(self)))
    }
}

/// Answers after a while, without barring the mailbox.
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Ponder(pub Duration);

impl Handler<Ponder> for Player {
    type Result = actix::ResponseActFuture<Self, u64>;

    fn handle(&mut self, message: Ponder, _ctx: &mut Self::Context) -> Self::Result {
        let pondered = tokio::time::sleep(message.0).into_actor(self);
        Box::pin(actix::fut::ActorFutureExt::map(pondered, |(), actor, _| {
            actor.counted
        }))
    }
}

/// A seated player, with its post and its script.
pub struct Role {
    pub post: Post<Player>,
    pub script: Script,
    seat: Seat<Player>,
    name: String,
    farewell: Option<Duration>,
}

impl Role {
    pub fn new(name: &str) -> Self {
        Self::with_capacity(name, 16)
    }

    pub fn with_capacity(name: &str, capacity: usize) -> Self {
        let seat = Seat::with_capacity(name, capacity);
        Self {
            post: seat.post(),
            script: Script::default(),
            seat,
            name: name.to_owned(),
            farewell: None,
        }
    }

    /// Lets the next runs get into trouble, one after the other.
    pub fn scripted(self, troubles: impl IntoIterator<Item = Option<(When, Trouble)>>) -> Self {
        self.script.borrow_mut().extend(troubles);
        self
    }

    /// Lets the player take its time to stop.
    pub fn with_farewell(mut self, farewell: Duration) -> Self {
        self.farewell = Some(farewell);
        self
    }

    pub fn cast(self, diary: &Diary) -> (Post<Player>, ChildSpec) {
        let dependencies = Dependencies {
            name: self.name,
            diary: diary.clone(),
            script: self.script,
            farewell: self.farewell,
        };
        (self.post, self.seat.occupy(Player::new(dependencies)))
    }
}

pub const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Cancels a timer and stops in the same handler.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CancelAndStop;

impl Handler<CancelAndStop> for Player {
    type Result = ();

    #[allow(
        clippy::disallowed_methods,
        reason = "what this does to the next run is the matter of a test"
    )]
    fn handle(&mut self, _message: CancelAndStop, ctx: &mut Self::Context) {
        let timer = ctx.run_later(Duration::from_secs(1), |_, _| panic!("cancelled in vain"));
        ctx.cancel_future(timer);
        ctx.end(ExitReason::bug("stopped after a cancellation"));
    }
}
