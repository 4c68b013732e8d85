//! Time as Graph sees it.
//!
//! Expiries that Graph grants are points on Graph's clock; the machine's own clock may be wrong by minutes (a known
//! fault of the original). So every decision takes its `now` from a [`Clock`] that is corrected by the `Date` headers
//! of Graph's answers.

use chrono::{DateTime, TimeDelta, Utc};

/// Tells Graph's time, as well as it is known.
pub trait Clock {
    /// The present time on Graph's clock.
    fn now(&self) -> DateTime<Utc>;

    /// Graph's clock minus the machine's clock; positive when the machine is slow. `None` before the first answer.
    fn offset(&self) -> Option<TimeDelta>;

    /// Takes in one measurement: the `Date` header of an answer and the machine's time in the middle between request
    /// and answer. `Date` has a resolution of one second.
    fn measured(&self, date: DateTime<Utc>, local_middle: DateTime<Utc>);

    /// The machine's own time, uncorrected.
    fn local(&self) -> DateTime<Utc>;
}
