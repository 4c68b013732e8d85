//! The supervisor: Erlang/OTP's vocabulary and guarantees over actix, plus back-off.
//!
//! A panic in an actix actor kills just that actor, silently, and actix's own supervisor never restarts after one. So
//! the runs of an actor are polled here: the unwind is caught at the poll boundary, the end gets a reason and a place,
//! a supervisor judges it, and the next run begins on the same mailbox with a fresh state. What is guaranteed stands in
//! `docs/SUPERVISION.md`, why it is an own supervisor in `docs/adr/0001-own-supervisor.md`.
//!
//! A tree is made in three steps:
//!
//! 1. A [`Seat`] per actor. It has the name and the mailbox, so every actor can be given the posts of the others.
//! 2. [`Seat::occupy`] with the actor; [`SupervisorSpec`] puts children in the order of their start.
//! 3. [`start`] on the thread of an actix system. The [`TreeHandle`] orders and watches from any thread.
//!
//! ```
//! use actix::{Actor, Handler, Message, Supervised};
//! use m365_actors::supervision::{Context, Seat, Settings, Strategy, SupervisorSpec, start};
//!
//! #[derive(Default)]
//! struct Counter(u64);
//!
//! impl Actor for Counter {
//!     type Context = Context<Self>;
//! }
//!
//! impl Supervised for Counter {
//!     fn restarting(&mut self, _ctx: &mut Self::Context) {
//!         *self = Self::default();
//!     }
//! }
//!
//! #[derive(Message)]
//! #[rtype(result = "u64")]
//! struct Count;
//!
//! impl Handler<Count> for Counter {
//!     type Result = u64;
//!
//!     fn handle(&mut self, _message: Count, _ctx: &mut Self::Context) -> u64 {
//!         self.0 += 1;
//!         self.0
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! actix::System::new().block_on(async {
//!     let seat = Seat::new("counter");
//!     let counter = seat.post();
//!     let root = SupervisorSpec::new("root", Strategy::OneForOne).child(seat.occupy(Counter::default()));
//!     let tree = start(root, Settings::default())?;
//!     assert_eq!(counter.ask(Count).await?, 1);
//!     tree.shutdown().await;
//!     Ok(())
//! })
//! # }
//! ```

mod back_off;
mod branch;
mod child;
mod context;
mod departure;
mod exit;
mod fitting;
mod gate;
mod intensity;
mod journal;
mod letter;
mod occupant;
mod orders;
mod panics;
mod post;
mod register;
mod roster;
mod run;
mod seat;
mod snapshot;
mod spec;
#[cfg(feature = "test-support")]
pub mod stage;
mod supervisor;
mod tree;
mod verdict;
mod vitals;

pub use back_off::{BackOff, InvalidBackOff};
pub use branch::{Branch, NotAdmitted, RemoteBranch};
pub use context::Context;
pub use exit::{End, ExitKind, ExitReason, Place, Refusal, Step};
pub use fitting::Fitting;
pub use intensity::Intensity;
pub use journal::TARGET;
pub use post::{Gone, Post, Undelivered};
pub use register::InvalidName;
pub use seat::{DEFAULT_CAPACITY, Seat};
pub use snapshot::{LastEnd, NodeKind, NodeSnapshot, NodeState, Restarts};
pub use spec::{ChildSpec, Settings, Strategy, SupervisorSpec};
pub use tree::{OrderError, TreeHandle, start};
pub use verdict::{Pause, Policy, Verdict, streak_after, verdict};

/// An actor that can be supervised: it lives in a supervised [`Context`] and rebuilds itself in
/// [`actix::Supervised::restarting`], as a rule with `*self = Self::new(self.fitting.clone())`.
///
/// Every actor that fits has it.
pub trait SupervisedActor: actix::Actor<Context = Context<Self>> + actix::Supervised {}

impl<A: actix::Actor<Context = Context<A>> + actix::Supervised> SupervisedActor for A {}
