//! Whose Teams presence is read when.
//!
//! One call of Graph reads 650 users (graph.md 5.1), and there may be 10,000 calls in 30 s (graph.md 6.3); so reading is
//! cheap, but not free. How soon a user is read again follows from two questions ([`Tempo`]):
//!
//! * *Does somebody tell us?* A user whom a live subscription watches is only compared, once a sweep, because a
//!   notification may be lost. Without periodic sweeps (`subscription`) not even that.
//! * *Is something going on?* Of all others, those who are on a call, or have changed just now, are read every few
//!   seconds. The longer somebody rests, the longer the pause, up to a bound that is never exceeded: no user is
//!   unobserved for longer than one sweep (DESIGN 12.4).
//!
//! A call is never sent half empty while there is somebody whom it could take along: [`Cadence::take_call`] fills it with
//! those who are due next. So the users of a small company are all read as often as the liveliest of them.
//!
//! An id that Graph refuses to read costs nobody else the observation: such a call is halved until the one is found.
//!
//! Times are [`std::time::Instant`]s, because a clock that is set must not move a period; here they are mere values.

mod full_sweep;
mod refused;
mod schedule;
mod tempo;

pub use full_sweep::FullSweep;
pub use refused::Refusal;
pub use schedule::{Cadence, Call, Counts};
pub use tempo::{Reading, Tempo, Watch};
