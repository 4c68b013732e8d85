//! What an actor is made of, exchangeable between two of its runs.

use std::cell::RefCell;
use std::rc::Rc;

/// The dependencies of an actor's next run. Clones are the same fitting: whoever wires the tree keeps one, exchanges
/// what is in it when settings change, and orders a restart; the run that goes on meanwhile keeps what it has.
#[derive(Debug)]
pub struct Fitting<Dependencies>(Rc<RefCell<Dependencies>>);

impl<Dependencies: Clone> Fitting<Dependencies> {
    /// Makes a fitting with the dependencies of the first run.
    pub fn new(dependencies: Dependencies) -> Self {
        Self(Rc::new(RefCell::new(dependencies)))
    }

    /// The dependencies of the next run.
    pub fn current(&self) -> Dependencies {
        self.0.borrow().clone()
    }

    /// Exchanges the dependencies of the next run.
    pub fn exchange(&self, dependencies: Dependencies) {
        *self.0.borrow_mut() = dependencies;
    }
}

impl<Dependencies> Clone for Fitting<Dependencies> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<Dependencies: Clone> From<Dependencies> for Fitting<Dependencies> {
    fn from(dependencies: Dependencies) -> Self {
        Self::new(dependencies)
    }
}
