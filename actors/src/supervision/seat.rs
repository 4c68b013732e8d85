//! Where an actor will sit: made before anything starts, so that actors that know each other need no cells.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix::dev::{ContextFut, ContextParts, Mailbox, channel};

use super::SupervisedActor;
use super::context::Context;
use super::gate::Gate;
use super::occupant::{Occupant, Seated};
use super::post::{Entrance, Post};
use super::spec::ChildSpec;
use super::vitals::Vitals;

/// Messages that a mailbox holds when nothing else is said.
pub const DEFAULT_CAPACITY: usize = 1024;

/// The place of an actor in the tree: its name and its mailbox, before there is an actor.
pub struct Seat<A: SupervisedActor> {
    mailbox: Mailbox<A>,
    entrance: Arc<Entrance<A>>,
}

impl<A: SupervisedActor> Seat<A> {
    /// Makes a seat with a mailbox of [`DEFAULT_CAPACITY`] messages. Names are unique in the tree, without a slash.
    pub fn new(name: impl Into<String>) -> Self {
        Self::with_capacity(name, DEFAULT_CAPACITY)
    }

    /// Makes a seat with a mailbox of `capacity` messages, at least one.
    pub fn with_capacity(name: impl Into<String>, capacity: usize) -> Self {
        let gate = Arc::new(Gate::new(name.into(), capacity.max(1)));
        // no bound of its own: the gate is the bound
        let (sender, receiver) = channel::channel(0);
        Self {
            mailbox: Mailbox::new(receiver),
            entrance: Arc::new(Entrance { sender, gate }),
        }
    }

    /// Returns the post of the actor that will sit here. What it is sent before the start is handled after it.
    pub fn post(&self) -> Post<A> {
        Post::new(Arc::clone(&self.entrance))
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        self.entrance.gate.name()
    }

    /// Seats an actor: the result is what a supervisor starts.
    pub fn occupy(self, actor: A) -> ChildSpec {
        let gate = self.gate();
        let (vitals, occupant) = self.seat_with_vitals(actor);
        ChildSpec::worker(gate, vitals, occupant)
    }

    pub(super) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.entrance.gate)
    }

    pub(super) fn seat_with_vitals(self, actor: A) -> (Rc<Vitals>, Rc<RefCell<dyn Occupant>>) {
        let gate = self.gate();
        let parts = ContextParts::new(self.mailbox.sender_producer());
        let context = Context::new(parts, self.entrance);
        let vitals = context.vitals();
        (
            vitals,
            Rc::new(RefCell::new(Seated::new(
                ContextFut::new(context, actor, self.mailbox),
                gate,
            ))),
        )
    }
}
