//! Who is who, and why somebody is nobody.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod candidates;
mod list;
mod near_miss;
mod preview;
mod properties;
mod rule;
mod samples;
