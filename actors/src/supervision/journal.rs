//! The supervisor's log: one record per start, end and escalation, always with the same fields, at one target.
//!
//! The record of an end carries the verdict, so the log reads as a story: what ended, why, where, and what follows.

use std::time::Duration;

use log::Level;

use super::exit::{End, ExitKind};
use super::verdict::Pause;

/// The target of all records.
pub const TARGET: &str = "supervisor";

/// Whose record it is.
pub(super) struct Subject<'a> {
    pub(super) actor: &'a str,
    pub(super) run: u64,
    pub(super) streak: u32,
}

impl Subject<'_> {
    pub(super) fn started(&self) {
        let Self { actor, run, .. } = self;
        self.write(
            Level::Info,
            "start",
            "start",
            Duration::ZERO,
            format_args!("{actor} started, run {run}"),
        );
    }

    pub(super) fn ended(&self, end: &End, pause: Option<Pause>) {
        let Self { actor, .. } = self;
        let level = match end.reason.kind() {
            ExitKind::Bug => Level::Error,
            ExitKind::Lost | ExitKind::Refused => Level::Warn,
            ExitKind::Ordered => Level::Info,
        };
        let place = end.place.to_string();
        let reason = end.reason.to_string();
        let wait = pause.map(Pause::length).unwrap_or_default();
        let seconds = wait.as_secs_f64();
        match pause {
            Some(Pause::None) => {
                self.write(
                    level,
                    &reason,
                    &place,
                    wait,
                    format_args!("{actor} ended: {reason}; restart at once"),
                );
            }
            Some(Pause::Wait(_)) => {
                let message = format_args!("{actor} ended: {reason}; restart in {seconds:.1} s");
                self.write(level, &reason, &place, wait, message);
            }
            Some(Pause::Held(_)) => {
                let minutes = wait.as_secs() / 60;
                let message = format_args!("{actor} ended: {reason}; held, probe in {minutes} min");
                self.write(level, &reason, &place, wait, message);
            }
            None => self.write(
                level,
                &reason,
                &place,
                wait,
                format_args!("{actor} ended: {reason}"),
            ),
        }
    }

    pub(super) fn escalated(&self, reason: &str) {
        let Self { actor, .. } = self;
        let message = format_args!("{actor} gives up: {reason}");
        self.write(Level::Error, reason, "escalation", Duration::ZERO, message);
    }

    pub(super) fn overstayed(&self, grace: Duration) {
        let Self { actor, .. } = self;
        let seconds = grace.as_secs_f64();
        let message = format_args!("{actor} did not stop within {seconds:.1} s and is broken off");
        self.write(Level::Warn, "ordered", "stop", Duration::ZERO, message);
    }

    fn write(
        &self,
        level: Level,
        reason: &str,
        place: &str,
        wait: Duration,
        message: std::fmt::Arguments<'_>,
    ) {
        log::log!(
            target: TARGET, level,
            actor = self.actor, run = self.run, reason = reason, place = place, streak = self.streak,
            wait = wait.as_secs_f64();
            "{message}"
        );
    }
}
