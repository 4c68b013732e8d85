//! The protocol as a PBX sees it: scripted messages in, what is sent and told out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs
)]

mod alien_calls;
mod approach;
mod courtesies;
mod endurance;
mod entries;
mod introduction;
mod licenses;
mod lines;
mod login;
mod presences;
mod stage;
mod unallowed;
mod user_sessions;
mod users;
