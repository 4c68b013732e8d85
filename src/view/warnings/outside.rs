//! What lies outside of the connector: whether Microsoft can be reached at all, and whether this machine's clock is right.

use chrono::TimeDelta;
use m365_graph::{GraphClock, LostHost, Reach};
use m365_presence::light::WarningCode;

use super::Warning;

/// A clock that is wrong by more than this is worth a word.
const TOLERATED: TimeDelta = TimeDelta::minutes(1);

/// A look outside.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// The hosts that are out of reach.
    pub lost_hosts: Vec<LostHost>,
    /// Microsoft's clock minus this machine's, once it is known.
    pub clock_offset: Option<TimeDelta>,
}

impl Outside {
    /// Looks.
    pub fn look(reach: &Reach, clock: &GraphClock) -> Self {
        Self {
            lost_hosts: reach.lost_hosts(),
            clock_offset: clock.machine_offset(),
        }
    }
}

pub(super) fn warnings(outside: &Outside) -> impl Iterator<Item = Warning> {
    let lost = outside.lost_hosts.iter().map(|lost| Warning {
        // begin and end stand there already, once each
        logged: true,
        ..Warning::new(
            WarningCode::OutOfReach,
            lost.name,
            &format!(
                "{} is out of reach since {} UTC: {}",
                lost.name,
                lost.since.format("%Y-%m-%d %H:%M:%S"),
                lost.cause
            ),
        )
    });
    lost.chain(outside.clock_offset.and_then(clock))
}

fn clock(offset: TimeDelta) -> Option<Warning> {
    (offset.abs() > TOLERATED).then(|| {
        let seconds = offset.num_seconds().abs();
        let side = if offset > TimeDelta::zero() {
            "behind"
        } else {
            "ahead of"
        };
        let cause = format!(
            "this machine's clock is {} min {} s {side} microsoft's",
            seconds / 60,
            seconds % 60
        );
        Warning::new(WarningCode::ClockOff, "", &cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(outside: &Outside) -> Vec<String> {
        warnings(outside).map(|warning| warning.detail).collect()
    }

    #[test]
    fn a_clock_is_told_to_be_wrong_above_a_minute_and_in_which_direction() {
        for (seconds, expected) in [
            (0, None),
            (60, None),
            (-60, None),
            (600, Some("10 min 0 s behind microsoft's")),
            (-75, Some("1 min 15 s ahead of microsoft's")),
        ] {
            let details = details(&Outside {
                clock_offset: Some(TimeDelta::seconds(seconds)),
                ..Outside::default()
            });
            match expected {
                None => assert!(details.is_empty(), "{details:?}"),
                Some(expected) => assert!(details[0].contains(expected), "{details:?}"),
            }
        }
    }

    #[test]
    fn each_host_that_is_out_of_reach_is_named_with_its_cause() {
        let lost = |name| LostHost {
            name,
            since: chrono::DateTime::UNIX_EPOCH,
            cause: "no connection".to_owned(),
        };
        let details = details(&Outside {
            lost_hosts: vec![lost("microsoft graph"), lost("microsoft's sign-in service")],
            clock_offset: None,
        });
        assert_eq!(details.len(), 2);
        assert!(
            details[0]
                .starts_with("microsoft graph is out of reach since 1970-01-01 00:00:00 UTC: no connection"),
            "{details:?}"
        );
    }
}
