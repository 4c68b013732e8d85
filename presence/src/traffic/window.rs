//! A limit of so many requests in a time, kept by whoever would run into it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many units in any span of this length (graph.md 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub units: u32,
    /// In which time.
    pub period: Duration,
}

/// What was spent of a limit within its period.
///
/// The other side counts when a request *arrives*, which is some time after it left and before its answer came back.
/// So a request counts from its leaving until a whole period after its answer: whatever the ways take, no span of the
/// other side's clock holds more than the limit.
#[derive(Debug)]
pub struct Window {
    limit: Limit,
    under_way: u32,
    spent: VecDeque<(Instant, u32)>,
    spent_units: u32,
}

impl Window {
    /// Opens a window with nothing spent.
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            under_way: 0,
            spent: VecDeque::new(),
            spent_units: 0,
        }
    }

    /// Lets a request of this cost leave, or says how long it must wait at least. A cost beyond the whole limit counts
    /// as the whole limit.
    ///
    /// # Errors
    /// The wait, when the limit is spent; zero, when only requests that are under way stand against it.
    pub fn leave(&mut self, cost: u32, now: Instant) -> Result<(), Duration> {
        let period = self.limit.period;
        let over = |answered: Instant| now.saturating_duration_since(answered) >= period;
        while let Some((_, units)) = self.spent.pop_front_if(|(answered, _)| over(*answered)) {
            self.spent_units = self.spent_units.saturating_sub(units);
        }
        let cost = cost.min(self.limit.units);
        let used = self.under_way.saturating_add(self.spent_units);
        let mut free = self.limit.units.saturating_sub(used);
        if cost <= free {
            self.under_way = self.under_way.saturating_add(cost);
            return Ok(());
        }
        for (answered, units) in &self.spent {
            free = free.saturating_add(*units);
            if cost <= free {
                return Err((*answered + period).saturating_duration_since(now));
            }
        }
        Err(Duration::ZERO)
    }

    /// Notes that a request of this cost was answered, or given up.
    pub fn answered(&mut self, cost: u32, now: Instant) {
        let cost = cost.min(self.limit.units);
        self.under_way = self.under_way.saturating_sub(cost);
        self.spent.push_back((now, cost));
        self.spent_units = self.spent_units.saturating_add(cost);
    }

    /// Notes that a request of this cost did not leave after all.
    pub fn give_back(&mut self, cost: u32) {
        self.under_way = self.under_way.saturating_sub(cost.min(self.limit.units));
    }
}
