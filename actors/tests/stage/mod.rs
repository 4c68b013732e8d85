//! The stage of the actors' tests: all actors, wired as in the service, before scripted worlds.
//!
//! The worlds live on the actors' thread, keep a state, and write every request into one [`Journal`], so that a test can
//! assert what was asked for, how often, and in which order. Time is paused and passes with `sleep` only.
#![allow(dead_code, reason = "no test needs all of the stage")]

pub mod clock;
pub mod entra;
pub mod graph;
pub mod house;
pub mod journal;
pub mod opener;
pub mod pbx;
pub mod people;
pub mod ring;
pub mod shelf;
pub mod sign_in;
pub mod subscriptions;

use std::time::Duration;

/// Lets this much time pass; everything that falls due meanwhile happens.
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
