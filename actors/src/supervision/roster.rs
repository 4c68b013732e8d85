//! Who the children of a supervisor are, and how each of them stands.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::child::Child;
use super::departure::Runs;
use super::run::Run;
use super::spec::Strategy;

/// The children in the order of their start; they outlive the runs of their supervisor.
pub(super) type Children = Rc<RefCell<Vec<Rc<Child>>>>;

/// The children of one run of a supervisor.
pub(super) struct Roster {
    children: Children,
    strategy: Strategy,
    standings: BTreeMap<String, Standing>,
}

enum Standing {
    Running(Run),
    /// It starts when this pause of its leader, which may be itself, is over.
    Paused {
        leader: String,
        pause: u64,
    },
}

impl Roster {
    pub(super) fn new(children: Children, strategy: Strategy) -> Self {
        Self {
            children,
            strategy,
            standings: BTreeMap::new(),
        }
    }

    pub(super) fn all(&self) -> Vec<Rc<Child>> {
        self.children.borrow().clone()
    }

    pub(super) fn add(&self, child: Rc<Child>) {
        self.children.borrow_mut().push(child);
    }

    pub(super) fn set_running(&mut self, child: &Child, run: Run) {
        self.standings
            .insert(child.name().to_owned(), Standing::Running(run));
    }

    pub(super) fn set_paused(&mut self, child: &Child, leader: &str, pause: u64) {
        let standing = Standing::Paused {
            leader: leader.to_owned(),
            pause,
        };
        self.standings.insert(child.name().to_owned(), standing);
    }

    /// The present run of a child.
    pub(super) fn run_of(&self, name: &str) -> Option<&Run> {
        match self.standings.get(name)? {
            Standing::Running(run) => Some(run),
            Standing::Paused { .. } => None,
        }
    }

    /// Whether this is a child, not just one of the same name, and its present run has this number.
    pub(super) fn is_running(&self, child: &Rc<Child>, number: u64) -> bool {
        let is_present = self.run_of(child.name()).is_some_and(|run| run.number == number);
        is_present
            && self
                .children
                .borrow()
                .iter()
                .any(|other| Rc::ptr_eq(other, child))
    }

    pub(super) fn is_in_pause(&self, name: &str, number: u64) -> bool {
        matches!(self.standings.get(name), Some(Standing::Paused { pause, .. }) if *pause == number)
    }

    /// The child of this name and, by strategy, those that build on it.
    pub(super) fn affected_by(&self, name: &str) -> Vec<Rc<Child>> {
        let children = self.children.borrow();
        let from_name_on = children.iter().skip_while(|child| child.name() != name).cloned();
        match self.strategy {
            Strategy::OneForOne => from_name_on.take(1).collect(),
            Strategy::RestForOne => from_name_on.collect(),
        }
    }

    /// Whom an order for this child restarts: it alone, as in OTP; one that waits with others goes on with all of them,
    /// because none of them may run before its leader.
    pub(super) fn meant_by(&self, name: &str) -> Vec<Rc<Child>> {
        match self.standings.get(name) {
            Some(Standing::Paused { leader, .. }) => self.affected_by(leader),
            _ => self.affected_by(name).into_iter().take(1).collect(),
        }
    }

    /// Those that wait for the pause of this one.
    pub(super) fn led_by(&self, name: &str) -> Vec<Rc<Child>> {
        let is_led = |child: &&Rc<Child>| match self.standings.get(child.name()) {
            Some(Standing::Paused { leader, .. }) => leader == name,
            _ => false,
        };
        self.children.borrow().iter().filter(is_led).cloned().collect()
    }

    /// Takes the runs of children out, so that their ends are not heard any more.
    pub(super) fn take_runs(&mut self, children: &[Rc<Child>]) -> Runs {
        let mut runs = Vec::new();
        for child in children {
            if let Some(Standing::Running(run)) = self.standings.remove(child.name()) {
                runs.push((Rc::clone(child), run));
            }
        }
        runs
    }

    /// Takes a child out for good, with its run if it has one.
    pub(super) fn take_out(&mut self, name: &str) -> Option<(Rc<Child>, Runs)> {
        let position = self
            .children
            .borrow()
            .iter()
            .position(|child| child.name() == name)?;
        let child = self.children.borrow_mut().remove(position);
        let runs = self.take_runs(std::slice::from_ref(&child));
        Some((child, runs))
    }
}
