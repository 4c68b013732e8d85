//! How Microsoft's servers are treated: tables, and properties over random traffic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod circuit;
mod outage;
mod turns;
mod window;
