//! What the watchdog knows of a running actor.
//!
//! The watchdog asks one question: does the actor still take messages out of its mailbox? An actor takes them whenever
//! it is polled, unless a future that it waits for (`ctx.wait`, an `AtomicResponse`) bars the mailbox. A ping through
//! the mailbox would be unanswered exactly as long as such a future lasts, so that is what is measured, without a
//! message that every actor would have to answer and that would stand in line behind the others.

use std::cell::Cell;
use std::rc::Rc;

use tokio::time::Instant;

/// Whether the mailbox of an actor is open.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    bars: Cell<u32>,
    barred_since: Cell<Option<Instant>>,
}

/// Keeps a mailbox barred while it lives.
#[derive(Debug)]
pub(super) struct Bar(Rc<Vitals>);

impl Vitals {
    /// Returns since when no message has been taken out.
    pub(super) fn barred_since(&self) -> Option<Instant> {
        self.barred_since.get()
    }
}

impl Bar {
    pub(super) fn new(vitals: &Rc<Vitals>) -> Self {
        if vitals.bars.get() == 0 {
            vitals.barred_since.set(Some(Instant::now()));
        }
        vitals.bars.set(vitals.bars.get().saturating_add(1));
        Self(Rc::clone(vitals))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let left = self.0.bars.get().saturating_sub(1);
        self.0.bars.set(left);
        if left == 0 {
            self.0.barred_since.set(None);
        }
    }
}
