//! Tells the program which commit it was built from, and the number under which myApps loads its pages.
//!
//! Only a release asks git: a development build would be made anew after every commit. `M365_CONNECTOR_COMMIT` comes
//! before git, for builds where there is none; without either the program tells its version alone.

#![allow(clippy::print_stdout, reason = "a build script speaks with cargo by printing")]

use std::process::Command;

/// The variable that names the commit, when the build runs and for the program.
const COMMIT: &str = "M365_CONNECTOR_COMMIT";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    let told = std::env::var(COMMIT).ok().filter(|commit| !commit.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = told.or_else(|| is_release.then(ask_git).flatten());
    let version = env!("CARGO_PKG_VERSION");
    let release = match &commit {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    let commit = commit.unwrap_or_default();
    println!("cargo::rustc-env={COMMIT}={commit}");
    println!("cargo::rustc-env=M365_CONNECTOR_BUILD={}", build_number(&commit));
    println!("cargo::rustc-env=M365_CONNECTOR_RELEASE={release}");
}

/// What a component of a path must be to count as a build: hexadecimal digits alone (pbx.md 1.7). Two of each number of the
/// version, then the commit; a name that is no such digits is spelt in them.
fn build_number(commit: &str) -> String {
    let version = [
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    ];
    let version = version.map(|number| format!("{:02x}", number.parse::<u64>().unwrap_or_default()));
    let is_hexadecimal = commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let commit = match is_hexadecimal {
        true => commit.to_ascii_lowercase(),
        false => commit.bytes().map(|byte| format!("{byte:02x}")).collect(),
    };
    version.concat() + &commit
}

/// The commit that is checked out, in twelve digits.
fn ask_git() -> Option<String> {
    // the log of HEAD grows with every commit and every checkout, in worktrees too
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    if std::fs::exists(&log).unwrap_or(false) {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}
