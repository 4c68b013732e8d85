//! How Microsoft's servers are treated: what leaves first, how much may leave, and who asks while nobody answers.
//!
//! All requests of all actors share one way out (`m365_graph`), which carries these rules out:
//!
//! * [`Urgency`] and [`Turns`]: where only a few requests may be under way, the more urgent ones leave first.
//! * [`Window`]: a documented limit is kept ahead instead of being run into.
//! * [`Circuit`]: a host that is out of reach is asked by one probe at a time.
//! * [`Outage`]: how long to wait before the next attempt of something that fails.
//!
//! Times are points on a monotonic clock and come in as values, as does chance: a number from 0 to 1.

mod circuit;
mod outage;
mod turns;
mod window;

pub use circuit::{Admission, Circuit, Failure, News};
pub use outage::Outage;
pub use turns::{Ticket, Turns, Urgency};
pub use window::{Limit, Window};
