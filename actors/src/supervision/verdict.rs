//! What follows an end: a pure function of the reason, the streak and the policy.

use std::time::Duration;

use super::back_off::BackOff;
use super::exit::{ExitReason, Refusal};

/// How a supervisor answers ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Waits after bugs.
    pub bug: BackOff,
    /// Waits after losses.
    pub lost: BackOff,
    /// How often something that refuses is probed.
    pub probe: Duration,
    /// How often something that refuses a password is probed.
    pub password_probe: Duration,
    /// A run that lasted this long, and longer than the wait before it, ends the streak.
    ///
    /// The default is the longest wait, 60 s: an actor that fails a while after each start would otherwise be restarted
    /// after the shortest wait for ever.
    pub steady: Duration,
}

impl Default for Policy {
    /// The values of DESIGN 4.
    fn default() -> Self {
        Self {
            bug: BackOff::BUG,
            lost: BackOff::LOST,
            probe: Duration::from_secs(15 * 60),
            password_probe: Duration::from_secs(60 * 60),
            steady: Duration::from_secs(60),
        }
    }
}

/// When the next run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// At once.
    None,
    /// After this wait.
    Wait(Duration),
    /// Held: with an order, with changed settings, or with a probe after this period.
    Held(Duration),
}

impl Pause {
    /// Returns how long it lasts when nobody intervenes.
    pub fn length(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Wait(wait) | Self::Held(wait) => wait,
        }
    }
}

/// What follows an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// When the next run begins.
    pub pause: Pause,
    /// Whether the end counts against the restart intensity of the supervisor.
    pub counts: bool,
}

/// Judges an end after `streak` earlier failures in a row; `chance`, 0 to 1, feeds the jitter.
pub fn verdict(reason: &ExitReason, streak: u32, policy: &Policy, chance: f64) -> Verdict {
    match reason {
        ExitReason::Bug { .. } => Verdict {
            pause: Pause::Wait(policy.bug.wait(streak, chance)),
            counts: true,
        },
        ExitReason::Lost { .. } => Verdict {
            pause: Pause::Wait(policy.lost.wait(streak, chance)),
            counts: false,
        },
        ExitReason::Refused {
            refusal: Refusal::Plain,
            ..
        } => Verdict {
            pause: Pause::Held(policy.probe),
            counts: false,
        },
        ExitReason::Refused {
            refusal: Refusal::Password,
            ..
        } => Verdict {
            pause: Pause::Held(policy.password_probe),
            counts: false,
        },
        ExitReason::Ordered => Verdict {
            pause: Pause::None,
            counts: false,
        },
    }
}

/// Returns the streak with which an end is judged: none when the run before it was steady.
pub fn streak_after(streak: u32, uptime: Duration, last_wait: Duration, policy: &Policy) -> u32 {
    if uptime >= policy.steady.max(last_wait) {
        0
    } else {
        streak
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn every_reason_has_its_verdict() {
        let wait = |seconds| Pause::Wait(Duration::from_secs_f64(seconds));
        let held = |minutes| Pause::Held(MINUTE * minutes);
        let bug = ExitReason::bug("x");
        let lost = ExitReason::lost("x");
        let table = [
            (&bug, 0, 0.0, wait(1.0), true),
            (&bug, 1, 0.0, wait(2.0), true),
            (&bug, 5, 0.0, wait(32.0), true),
            (&bug, 6, 0.0, wait(60.0), true),
            (&bug, u32::MAX, 0.0, wait(60.0), true),
            (&bug, 6, 1.0, wait(48.0), true),
            (&lost, 0, 0.0, wait(0.5), false),
            (&lost, 1, 0.0, wait(1.0), false),
            (&lost, 6, 0.0, wait(30.0), false),
            (&lost, u32::MAX, 1.0, wait(24.0), false),
            (&ExitReason::refused("x"), 0, 0.5, held(15), false),
            (&ExitReason::refused("x"), 9, 0.5, held(15), false),
            (&ExitReason::wrong_password("x"), 0, 0.5, held(60), false),
            (&ExitReason::Ordered, 0, 0.5, Pause::None, false),
            (&ExitReason::Ordered, 9, 0.5, Pause::None, false),
        ];
        for (reason, streak, chance, pause, counts) in table {
            let judged = verdict(reason, streak, &Policy::default(), chance);
            assert_eq!(judged, Verdict { pause, counts }, "{reason} with streak {streak}");
        }
    }

    #[test]
    fn a_streak_ends_with_a_steady_run() {
        let policy = Policy::default();
        let second = Duration::from_secs(1);
        assert_eq!(streak_after(4, MINUTE - second, second, &policy), 4);
        assert_eq!(streak_after(4, MINUTE, second, &policy), 0);
        assert_eq!(streak_after(4, MINUTE, MINUTE * 15, &policy), 4);
        assert_eq!(streak_after(4, MINUTE * 15, MINUTE * 15, &policy), 0);
    }
}
