//! The connector as its users know it: the real binary between a simulated Microsoft cloud and simulated PBXs.
//!
//! Every test builds its own [`world`], changes something on one side and waits for what somebody would notice on the
//! other. Nothing waits for a moment in time: conditions are awaited with a wide margin, so a slow machine makes these
//! tests slow and not red.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs
)]

mod start;
mod world;
