//! Runs that are ended by their supervisor.

use std::rc::Rc;

use super::child::Child;
use super::exit::End;
use super::run::Run;

/// Runs to be ended, in the order of their start.
pub(super) type Runs = Vec<(Rc<Child>, Run)>;

/// A run that was ended.
pub(super) struct Departure {
    pub(super) child: Rc<Child>,
    pub(super) run: u64,
    pub(super) end: End,
}

/// Ends runs one after the other, the last one first.
pub(super) async fn end_in_order(runs: Runs) -> Vec<Departure> {
    let mut departures = Vec::with_capacity(runs.len());
    for (child, run) in runs.into_iter().rev() {
        let end = child.end(&run).await;
        departures.push(Departure {
            child,
            run: run.number,
            end,
        });
    }
    departures
}
