//! Has the crate rebuilt when a migration changes, because they are embedded.

#![allow(clippy::print_stdout, reason = "cargo is told through standard output")]

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
