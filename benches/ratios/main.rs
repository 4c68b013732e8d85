//! Figures that matter only beside each other: a supervised mailbox against a bare actix one, how matching grows, and
//! encrypted notifications against the bare RSA decryption that each of them costs.
//!
//! The two sides of a ratio are measured in turn, many times, and their medians compared, so that whatever else the machine
//! does falls on both. Without `--bench`, as in `cargo test`, nothing is done.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    missing_docs
)]

mod growth;
mod mailbox;
mod opening;
#[path = "../populace/mod.rs"]
mod populace;
#[path = "../post/mod.rs"]
mod post;

use std::time::Duration;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| figure | measured | ratio | expected |");
    println!("|---|---:|---:|---:|");
    mailbox::measure();
    growth::measure();
    opening::measure();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
