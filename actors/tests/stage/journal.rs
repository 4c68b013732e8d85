//! What the worlds were asked for, in order.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::time::Instant;

/// One journal for all worlds of a scene; clones share it.
#[derive(Clone, Default)]
pub struct Journal(Rc<RefCell<Vec<(Instant, String)>>>);

impl Journal {
    pub fn note(&self, line: impl Into<String>) {
        self.0.borrow_mut().push((Instant::now(), line.into()));
    }

    /// Forgets what happened so far.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// All lines that begin so.
    pub fn lines(&self, beginning: &str) -> Vec<String> {
        let lines = self.0.borrow();
        let matching = lines.iter().filter(|(_, line)| line.starts_with(beginning));
        matching.map(|(_, line)| line.clone()).collect()
    }

    pub fn count(&self, beginning: &str) -> usize {
        self.lines(beginning).len()
    }

    /// Asserts that the first line that begins with `earlier` stands before the first one that begins with `later`.
    #[track_caller]
    pub fn assert_order(&self, earlier: &str, later: &str) {
        let (first, second) = (self.position(earlier), self.position(later));
        assert!(
            first.is_some() && second.is_some() && first < second,
            "{earlier:?} must come before {later:?}: {:#?}",
            self.lines("")
        );
    }

    /// Seconds between neighbouring lines that begin so.
    pub fn gaps(&self, beginning: &str) -> Vec<f64> {
        let lines = self.0.borrow();
        let times: Vec<Instant> = lines
            .iter()
            .filter(|(_, line)| line.starts_with(beginning))
            .map(|(at, _)| *at)
            .collect();
        times
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_secs_f64())
            .collect()
    }

    fn position(&self, beginning: &str) -> Option<usize> {
        self.0
            .borrow()
            .iter()
            .position(|(_, line)| line.starts_with(beginning))
    }
}
