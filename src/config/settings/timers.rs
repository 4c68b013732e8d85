//! `[timers]`: the periods.

use std::time::Duration;

use super::sync::{Needs, Read};
use crate::config::problem::Refusal;
use crate::config::reader::Reader;

/// INTERFACE: timers accept every duration from 1 s.
const SHORTEST: Duration = Duration::from_secs(1);

/// Longest life of a presence subscription (graph.md 3.1).
const PRESENCE_SUBSCRIPTION: Duration = Duration::from_mins(60);

/// Longest life of a subscription to users (graph.md 3.1: 41,760 minutes).
const USER_SUBSCRIPTION: Duration = Duration::from_mins(41_760);

/// Graph's longest lease is 4 h (graph.md 5.2), and each lease outlasts the renewal.
const ON_THE_PHONE: Duration = Duration::from_hours(2);

/// A key must be replaced before a year is over, also when the process rests for some days at its end.
const NOTIFICATION_KEY: Duration = Duration::from_hours(350 * 24);

/// When polling, the sweep is all that there is (INTERFACE 2).
const POLLING_SWEEP: &str = "10s";

/// The periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// License check, then renewal of the presence subscriptions; 1 s to 60 min.
    pub presence_subscription: Duration,
    /// Renewal of the subscription to users; 1 s to 29 days.
    pub user_subscription: Duration,
    /// Renewal of the on-the-phone lease in Teams; 1 s to 2 h.
    pub on_the_phone: Duration,
    /// Full comparison, or polling; at least 1 s.
    pub sweep: Duration,
    /// How long an encryption key of notifications is used for new content; 1 s to 350 days.
    pub notification_key: Duration,
}

pub(super) fn read(reader: &mut Reader, needs: Needs) -> Option<Timers> {
    let up_to = |longest| move |text: &str| duration(text, longest);
    let presence = reader.parsed("timers.presence_subscription", up_to(PRESENCE_SUBSCRIPTION));
    let user = reader.parsed("timers.user_subscription", up_to(USER_SUBSCRIPTION));
    let on_the_phone = reader.parsed("timers.on_the_phone", up_to(ON_THE_PHONE));
    let default = (needs.read == Read::Polling).then_some(POLLING_SWEEP);
    let sweep = reader.parsed_or("timers.sweep", default, up_to(Duration::MAX));
    let notification_key = reader.parsed("timers.notification_key", up_to(NOTIFICATION_KEY));
    Some(Timers {
        presence_subscription: presence?,
        user_subscription: user?,
        on_the_phone: on_the_phone?,
        sweep: sweep?,
        notification_key: notification_key?,
    })
}

fn duration(text: &str, longest: Duration) -> Result<Duration, Refusal> {
    let unreadable = "is no duration: write a number with its unit, e.g. 90s, 10m or 1h 30m";
    let duration = humantime::parse_duration(text).map_err(|_| Refusal::from(unreadable))?;
    if duration < SHORTEST {
        return Err("is shorter than 1s".into());
    }
    if duration > longest {
        return Err(format!("is longer than {}", humantime::format_duration(longest)).into());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_from_one_second_to_the_longest_are_taken() {
        let longest = Duration::from_hours(2);
        for (text, seconds) in [
            ("1s", 1),
            ("2s", 2),
            ("10m", 600),
            ("1h 30m", 5400),
            ("1h30m", 5400),
            ("2h", 7200),
        ] {
            assert_eq!(
                duration(text, longest),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for text in [
            "0s",
            "0",
            "999ms",
            "",
            "5",
            "-1s",
            "ten",
            "2h 1s",
            "99999999999999999y",
            "1m x",
        ] {
            assert!(duration(text, longest).is_err(), "{text}");
        }
    }
}
