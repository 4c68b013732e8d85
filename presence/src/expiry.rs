//! How near the end of something is that must be renewed in time: a secret, a certificate, a stored sign-in.

use chrono::{DateTime, TimeDelta, Utc};

/// An end is near from this time before it on.
const NEAR: TimeDelta = TimeDelta::days(30);

/// An end is very near from this time before it on.
const VERY_NEAR: TimeDelta = TimeDelta::days(7);

/// A refresh token that is not used for this long ends; every use begins it anew (graph.md 1.2).
pub const UNUSED_REFRESH_TOKEN: TimeDelta = TimeDelta::days(90);

/// How near an end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// Within 30 days.
    Near,
    /// Within 7 days.
    VeryNear,
    /// It was.
    Over,
}

/// Tells how near an end is; `None` while it is far.
pub fn nearness(end: DateTime<Utc>, now: DateTime<Utc>) -> Option<Nearness> {
    match end - now {
        left if left <= TimeDelta::zero() => Some(Nearness::Over),
        left if left <= VERY_NEAR => Some(Nearness::VeryNear),
        left if left <= NEAR => Some(Nearness::Near),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_draws_near_in_three_steps() {
        let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
        for (days, expected) in [
            (400, None),
            (31, None),
            (30, Some(Nearness::Near)),
            (8, Some(Nearness::Near)),
            (7, Some(Nearness::VeryNear)),
            (1, Some(Nearness::VeryNear)),
            (0, Some(Nearness::Over)),
            (-9, Some(Nearness::Over)),
        ] {
            assert_eq!(nearness(now + TimeDelta::days(days), now), expected, "{days}");
        }
    }
}
