//! The page as an administrator sees it: Debian's Chromium, through WebDriver, before a real connector in a simulated
//! world.
//!
//! Every journey is made at a desktop's width and at a phone's. A [`browser::Browser`] lets nothing leave this machine,
//! and its end checks what must hold in every journey: the page has asked no other host for anything, and has
//! complained of nothing, a breach of its content security policy included. A journey that fails leaves a picture.
//!
//! `.ci/run browser` installs what this needs (chromium, chromedriver, axe-core) and runs it; where something is missing
//! here, that is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    missing_docs
)]

mod accessibility;
mod actors;
mod browser;
mod changes;
mod driver;
mod gestures;
mod keyboard;
mod log;
mod not_synchronised;
mod pause;
mod restart;
mod settings;
mod sign_in;
mod watch;
#[allow(
    dead_code,
    unused_imports,
    reason = "the world of the end-to-end tests, of which this needs a part"
)]
#[path = "../end_to_end/world/mod.rs"]
mod world;
