//! A child of a supervisor: what stays the same over its runs.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::exit::End;
use super::gate::Gate;
use super::journal::Subject;
use super::register::Register;
use super::run::{Run, Runnable};
use super::spec::Settings;
use super::verdict::{Policy, Verdict, streak_after, verdict};
use super::vitals::Vitals;

/// What all supervisors of a tree share.
pub(super) struct Surroundings {
    pub(super) settings: Settings,
    pub(super) register: Arc<Register>,
}

/// One child, over all its runs.
pub(super) struct Child {
    gate: Arc<Gate>,
    runnable: Runnable,
    vitals: Option<Rc<Vitals>>,
    grace: Option<Duration>,
    streak: Cell<u32>,
    last_wait: Cell<Duration>,
}

impl Child {
    /// Makes a child; without `vitals` the watchdog passes it by, without `grace` its stop has no bound of its own.
    pub(super) fn new(
        gate: Arc<Gate>,
        runnable: Runnable,
        vitals: Option<Rc<Vitals>>,
        grace: Option<Duration>,
    ) -> Self {
        Self {
            gate,
            runnable,
            vitals,
            grace,
            streak: Cell::new(0),
            last_wait: Cell::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.gate.name()
    }

    /// Begins the next run.
    pub(super) fn begin(self: &Rc<Self>, register: &Arc<Register>) -> Run {
        register.count_restart(self.name());
        let number = register.begin(self.name());
        let (child, register) = (Rc::clone(self), Arc::clone(register));
        self.runnable.begin(number, move || {
            register.set_running(child.name());
            child.subject(number).started();
        })
    }

    /// Judges the end of a run.
    pub(super) fn judge(&self, end: &End, policy: &Policy) -> Verdict {
        let streak = streak_after(self.streak.get(), end.uptime, self.last_wait.get(), policy);
        let judged = verdict(&end.reason, streak, policy, fastrand::f64());
        self.streak.set(streak.saturating_add(1));
        self.last_wait.set(judged.pause.length());
        judged
    }

    /// Forgets the failures: somebody ordered a fresh start.
    pub(super) fn forgive(&self) {
        self.streak.set(0);
        self.last_wait.set(Duration::ZERO);
    }

    /// Ends a run: asks, waits for the grace period, breaks it off.
    pub(super) async fn end(&self, run: &Run) -> End {
        run.stop();
        let Some(grace) = self.grace else {
            return run.ended().await;
        };
        if let Ok(end) = tokio::time::timeout(grace, run.ended()).await {
            return end;
        }
        self.subject(run.number).overstayed(grace);
        run.kill(super::ExitReason::Ordered);
        run.ended().await
    }

    /// Says whether the present run has taken no message for longer than the patience of the watchdog.
    pub(super) fn is_hanging(&self, patience: Duration, now: Instant) -> bool {
        let barred_since = self.vitals.as_ref().and_then(|vitals| vitals.barred_since());
        barred_since.is_some_and(|since| now.duration_since(since) >= patience)
    }

    pub(super) fn subject(&self, run: u64) -> Subject<'_> {
        Subject {
            actor: self.name(),
            run,
            streak: self.streak.get(),
        }
    }
}
