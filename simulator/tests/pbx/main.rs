//! Simulated PBXs over real sockets, seen by an App service that is written from the reference alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    missing_docs
)]

mod app;
mod client;
mod endpoint;
mod estate;
mod faults;
mod licenses;
mod lines;
mod login;
mod presence;
mod replication;
