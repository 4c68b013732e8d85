//! The app inside the PBX's client (myApps): whoever has logged in sees his own state, administrators the lights, too.
//!
//! ```text
//! page (http::app_page) -> /pbx: anteroom, login -> attendance -> Visitors <- one look a second (serve)
//! ```
//!
//! A person's session begins like a PBX's, with a login that the PBX has signed, and is of another kind from then on: it
//! reaches no actor, changes nothing, and is counted by itself. What it is told comes from one look for all of them.

pub(crate) mod attendance;
mod visitors;

pub use visitors::Visitors;
pub(crate) use visitors::{Seat, Visitor};
