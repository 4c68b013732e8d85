//! What happens next with a subscription: each way step by step, and all of them against a model of Graph.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod conflict;
mod content;
mod life;
mod model;
mod samples;
mod trouble;
