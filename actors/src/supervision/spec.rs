//! What a tree is made of, before it is started.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::branch::{Branch, Nursery};
use super::child::{Child, Surroundings};
use super::gate::Gate;
use super::intensity::Intensity;
use super::occupant::Occupant;
use super::post::Post;
use super::register::InvalidName;
use super::run::Runnable;
use super::seat::Seat;
use super::snapshot::NodeKind;
use super::supervisor::{Dependencies, Supervisor};
use super::verdict::Policy;
use super::vitals::Vitals;

/// Who is restarted when a child ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The child alone.
    OneForOne,
    /// The child and all that were started after it: they build on it.
    RestForOne,
}

/// What holds for the whole tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How ends are answered.
    pub policy: Policy,
    /// How often the watchdog looks.
    pub watchdog_period: Duration,
    /// How long an actor may take no message before the watchdog ends its run.
    pub watchdog_patience: Duration,
    /// How long an actor may take to stop before it is broken off. A supervisor gets the time that its children need.
    pub grace: Duration,
}

impl Default for Settings {
    /// A look every 5 s, a patience of 30 s, 3 s of grace.
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            watchdog_period: Duration::from_secs(5),
            watchdog_patience: Duration::from_secs(30),
            grace: Duration::from_secs(3),
        }
    }
}

/// What a supervisor starts: a seated actor or another supervisor.
pub struct ChildSpec(Kind);

enum Kind {
    Worker {
        gate: Arc<Gate>,
        vitals: Rc<Vitals>,
        occupant: Rc<RefCell<dyn Occupant>>,
    },
    Supervisor(SupervisorSpec),
}

impl ChildSpec {
    pub(super) fn worker(gate: Arc<Gate>, vitals: Rc<Vitals>, occupant: Rc<RefCell<dyn Occupant>>) -> Self {
        Self(Kind::Worker {
            gate,
            vitals,
            occupant,
        })
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Worker { gate, .. } => gate.name(),
            Kind::Supervisor(spec) => spec.seat.name(),
        }
    }

    /// Enters it, and everything below it, into the register.
    pub(super) fn plant(
        self,
        surroundings: &Rc<Surroundings>,
        supervisor: Option<Post<Supervisor>>,
    ) -> Result<Rc<Child>, InvalidName> {
        match self.0 {
            Kind::Worker {
                gate,
                vitals,
                occupant,
            } => {
                surroundings
                    .register
                    .enter(NodeKind::Worker, Arc::clone(&gate), supervisor)?;
                let grace = Some(surroundings.settings.grace);
                Ok(Rc::new(Child::new(
                    gate,
                    Runnable::new(occupant),
                    Some(vitals),
                    grace,
                )))
            }
            Kind::Supervisor(spec) => spec.plant(surroundings, supervisor),
        }
    }
}

impl From<SupervisorSpec> for ChildSpec {
    fn from(spec: SupervisorSpec) -> Self {
        Self(Kind::Supervisor(spec))
    }
}

/// A supervisor and its children, in the order of their start.
pub struct SupervisorSpec {
    seat: Seat<Supervisor>,
    strategy: Strategy,
    intensity: Intensity,
    policy: Option<Policy>,
    children: Vec<ChildSpec>,
    nursery: Nursery,
}

impl SupervisorSpec {
    /// Describes a supervisor without children, with the default intensity.
    pub fn new(name: impl Into<String>, strategy: Strategy) -> Self {
        Self {
            seat: Seat::new(name),
            strategy,
            intensity: Intensity::default(),
            policy: None,
            children: Vec::new(),
            nursery: Rc::new(RefCell::new(VecDeque::new())),
        }
    }

    /// Adds a child, started after those before it.
    pub fn child(mut self, child: impl Into<ChildSpec>) -> Self {
        self.children.push(child.into());
        self
    }

    /// Sets how many failures are borne.
    pub fn intensity(mut self, intensity: Intensity) -> Self {
        self.intensity = intensity;
        self
    }

    /// Sets how ends are answered, where that differs from the tree's settings.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Returns a handle that adds and removes children at run time.
    pub fn branch(&self) -> Branch {
        Branch::new(self.seat.post(), Rc::clone(&self.nursery))
    }

    pub(super) fn post(&self) -> Post<Supervisor> {
        self.seat.post()
    }

    fn plant(
        self,
        surroundings: &Rc<Surroundings>,
        supervisor: Option<Post<Supervisor>>,
    ) -> Result<Rc<Child>, InvalidName> {
        let post = self.seat.post();
        let gate = self.seat.gate();
        surroundings
            .register
            .enter(NodeKind::Supervisor, Arc::clone(&gate), supervisor)?;
        let children = self
            .children
            .into_iter()
            .map(|child| child.plant(surroundings, Some(post.clone())));
        let children = children.collect::<Result<Vec<_>, _>>()?;
        let actor = Supervisor::new(Dependencies {
            name: post.name().to_owned(),
            strategy: self.strategy,
            intensity: self.intensity,
            policy: self.policy.unwrap_or(surroundings.settings.policy),
            surroundings: Rc::clone(surroundings),
            children: Rc::new(RefCell::new(children)),
            nursery: self.nursery,
        });
        let (_unwatched, occupant) = self.seat.seat_with_vitals(actor);
        let runnable = Runnable::new(occupant);
        // its stop takes as long as the stops of its children, each of which is bounded, and so is its watch
        Ok(Rc::new(Child::new(gate, runnable, None, None)))
    }
}
