//! The parts, each on its own: what one mapping, one step of the board, one matching, one notification and one frame cost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs
)]

mod board;
mod frames;
mod mapping;
mod matching;
mod notification;
#[path = "../populace/mod.rs"]
mod populace;
#[path = "../post/mod.rs"]
mod post;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    parts,
    mapping::measure,
    board::measure,
    matching::measure,
    frames::measure,
    notification::measure,
);
criterion_main!(parts);
