//! One run of an actor: from its start to its end, polled by the supervisor's own code.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll, Waker};

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::exit::{End, ExitReason, Place, Step};
use super::occupant::Occupant;
use super::panics::guarded;

/// Resolves with the end of a run, as often as it is cloned.
pub(super) type Ended = Shared<LocalBoxFuture<'static, End>>;

/// A run that was begun. Dropping it breaks the run off.
pub(super) struct Run {
    pub(super) number: u64,
    orders: Rc<Orders>,
    ended: Ended,
    task: AbortHandle,
}

/// What is run: the actor, and whether something of an earlier run is left in it.
#[derive(Clone)]
pub(super) struct Runnable {
    occupant: Rc<RefCell<dyn Occupant>>,
    needs_rebuild: Rc<Cell<bool>>,
}

impl Runnable {
    pub(super) fn new(occupant: Rc<RefCell<dyn Occupant>>) -> Self {
        Self {
            occupant,
            needs_rebuild: Rc::default(),
        }
    }

    /// Begins a run; `announce` is called when the actor has started.
    pub(super) fn begin(&self, number: u64, announce: impl FnOnce() + 'static) -> Run {
        let orders = Rc::<Orders>::default();
        let task = tokio::task::spawn_local(Course {
            runnable: self.clone(),
            orders: Rc::clone(&orders),
            began_at: Instant::now(),
            has_begun: false,
            stop_ordered: false,
            announce: Some(Box::new(announce)),
        });
        let abort = task.abort_handle();
        let ended = task.map(|end| {
            end.unwrap_or_else(|broken| End {
                reason: if broken.is_cancelled() {
                    ExitReason::Ordered
                } else {
                    ExitReason::bug(broken)
                },
                place: Place::of(Step::Stop),
                uptime: std::time::Duration::ZERO,
            })
        });
        Run {
            number,
            orders,
            ended: ended.boxed_local().shared(),
            task: abort,
        }
    }
}

impl Run {
    /// Asks the actor to stop; it may take its time.
    pub(super) fn stop(&self) {
        self.orders.give(Order::Stop);
    }

    /// Ends the run without asking the actor.
    pub(super) fn kill(&self, reason: ExitReason) {
        self.orders.give(Order::Kill(reason));
    }

    /// Makes the actor panic when it is polled next.
    pub(super) fn inject_panic(&self) {
        self.orders.fault.set(true);
        self.orders.wake();
    }

    pub(super) fn ended(&self) -> Ended {
        self.ended.clone()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Orders {
    pending: Cell<Option<Order>>,
    fault: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

enum Order {
    Stop,
    Kill(ExitReason),
}

impl Orders {
    fn give(&self, order: Order) {
        self.pending.set(Some(order));
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn register(&self, waker: &Waker) {
        let known = self.waker.take().filter(|known| known.will_wake(waker));
        self.waker.set(Some(known.unwrap_or_else(|| waker.clone())));
    }
}

/// The future of one run.
struct Course {
    runnable: Runnable,
    orders: Rc<Orders>,
    began_at: Instant,
    has_begun: bool,
    stop_ordered: bool,
    announce: Option<Box<dyn FnOnce()>>,
}

impl Future for Course {
    type Output = End;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<End> {
        let this = self.get_mut();
        this.orders.register(task.waker());
        let occupant = Rc::clone(&this.runnable.occupant);
        let mut occupant = occupant.borrow_mut();
        if !this.has_begun {
            this.has_begun = true;
            if this.runnable.needs_rebuild.replace(true)
                && let Err(caught) = guarded(|| occupant.rebuild())
            {
                return Poll::Ready(this.conclude(caught.reason(), caught.place(Step::Restart)));
            }
        }
        match this.orders.pending.take() {
            Some(Order::Stop) => {
                this.stop_ordered = true;
                occupant.stop();
            }
            Some(Order::Kill(reason)) => {
                let place = Place::of(occupant.step());
                return Poll::Ready(this.close(&mut *occupant, reason, place));
            }
            None => {}
        }
        let polled = guarded(|| {
            if this.orders.fault.take() {
                panic_by_order();
            }
            occupant.poll(task)
        });
        match polled {
            Ok(Poll::Pending) => {
                if let Some(announce) = this.announce.take() {
                    announce();
                }
                Poll::Pending
            }
            Ok(Poll::Ready(())) => {
                let (reason, place) = occupant
                    .take_exit()
                    .unwrap_or_else(|| this.exit_without_reason(occupant.step()));
                Poll::Ready(this.close(&mut *occupant, reason, place))
            }
            Err(caught) => {
                let place = caught.place(occupant.step());
                Poll::Ready(this.close(&mut *occupant, caught.reason(), place))
            }
        }
    }
}

impl Course {
    fn exit_without_reason(&self, step: Step) -> (ExitReason, Place) {
        if self.stop_ordered {
            (ExitReason::Ordered, Place::of(Step::Stop))
        } else {
            (ExitReason::bug("it stopped without a reason"), Place::of(step))
        }
    }

    /// Releases at once what the run held, connections and unanswered questions included: the next run may be far away.
    fn close(&mut self, occupant: &mut dyn Occupant, reason: ExitReason, place: Place) -> End {
        // a rebuild that fails here is tried again when the next run begins, and is that run's end then
        let is_rebuilt = guarded(|| occupant.rebuild()).is_ok();
        self.runnable.needs_rebuild.set(!is_rebuilt);
        self.conclude(reason, place)
    }

    fn conclude(&self, reason: ExitReason, place: Place) -> End {
        End {
            reason,
            place,
            uptime: self.began_at.elapsed(),
        }
    }
}

#[allow(clippy::panic, reason = "the fault of the demonstration must be a true panic")]
fn panic_by_order() -> ! {
    std::panic::panic_any("injected panic")
}
