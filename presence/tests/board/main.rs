//! The board, at its door: each rule by itself, and all of them together over random lives.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr
)]

mod chance;
mod conduct;
mod invariants;
mod life;
mod notes_life;
mod oracle;
mod pbx_world;
mod property;
mod rules;
mod sabotage;
mod stage;
mod teams_world;
