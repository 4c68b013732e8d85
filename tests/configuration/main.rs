//! What an administrator sees of the configuration, through the real binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod annotated;
mod certificates;
mod dial;
mod environment;
mod healthcheck;
mod microsoft;
mod names;
mod pbx;
mod program;
mod values;
