//! The cloud's own clock: the machine's, moved by an offset that a test chooses. Every `Date` header, token life and
//! subscription expiry follows it; what only the cloud itself measures (presence timeouts, retries) follows the machine's
//! monotonic clock, divided by the time scale.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// Tells the time in the cloud.
#[derive(Clone, Copy, Debug)]
pub(super) struct CloudClock {
    /// How far the cloud's clock is ahead of the machine's.
    pub(super) offset: TimeDelta,
    /// How many seconds of the cloud's inner waiting pass in one real second.
    pub(super) scale: f64,
}

impl CloudClock {
    /// Returns the time in the cloud.
    pub(super) fn now(&self) -> DateTime<Utc> {
        Utc::now()
            .checked_add_signed(self.offset)
            .unwrap_or_else(Utc::now)
    }

    /// Returns how long a wait of the cloud's own takes in reality.
    pub(super) fn scaled(&self, wait: Duration) -> Duration {
        if self.scale > 0.0 {
            wait.div_f64(self.scale)
        } else {
            wait
        }
    }
}

/// Formats a time as the `Date` header wants it.
pub(super) fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Formats a time as the token endpoint writes it in errors.
pub(super) fn entra_time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Formats a time as Graph writes `innerError.date`: seconds, without a zone.
pub(super) fn error_time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Formats a time as Graph writes properties: UTC, with `Z`.
pub(super) fn graph_time(time: DateTime<Utc>) -> String {
    if time.timestamp_subsec_nanos() == 0 {
        return time.to_rfc3339_opts(SecondsFormat::Secs, true);
    }
    ticks(time) + "Z"
}

/// Formats a time as notifications write it: seven fractional digits and an offset.
pub(super) fn offset_time(time: DateTime<Utc>) -> String {
    ticks(time) + "+00:00"
}

fn ticks(time: DateTime<Utc>) -> String {
    format!(
        "{}.{:07}",
        time.format("%Y-%m-%dT%H:%M:%S"),
        time.timestamp_subsec_nanos() / 100
    )
}

/// Reads a lifetime in ISO 8601 (`PT5M`, `P1D`, `PT1H30M`), or `None` when it is none.
pub(super) fn iso_duration(text: &str) -> Option<Duration> {
    let body = text.strip_prefix('P')?;
    let (days, time) = body.split_once('T').unwrap_or((body, ""));
    let mut seconds = 0_u64;
    for (part, units) in [
        (days, [('W', 604_800), ('D', 86_400), ('S', 0)]),
        (time, [('H', 3600), ('M', 60), ('S', 1)]),
    ] {
        let mut digits = String::new();
        for letter in part.chars() {
            if letter.is_ascii_digit() {
                digits.push(letter);
                continue;
            }
            let (_, weight) = units
                .iter()
                .find(|(unit, weight)| *unit == letter && *weight > 0)?;
            seconds = seconds.checked_add(digits.parse::<u64>().ok()?.checked_mul(*weight)?)?;
            digits.clear();
        }
        if !digits.is_empty() {
            return None;
        }
    }
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read_as_iso_8601_writes_them() {
        let seconds = |text| iso_duration(text).map(|life| life.as_secs());
        assert_eq!(seconds("PT5M"), Some(300));
        assert_eq!(seconds("PT1H30M5S"), Some(5405));
        assert_eq!(seconds("P1DT1H"), Some(90_000));
        assert_eq!(seconds("P7D"), Some(604_800));
        for bad in ["", "P", "PT", "5M", "PT5", "PTM5", "P5H", "PT5D", "PT0S"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_are_written_in_the_shapes_of_the_wire() {
        let time: DateTime<Utc> = "2026-09-14T10:00:00.1234567Z".parse().unwrap();
        assert_eq!(graph_time(time), "2026-09-14T10:00:00.1234567Z");
        assert_eq!(offset_time(time), "2026-09-14T10:00:00.1234567+00:00");
        assert_eq!(http_date(time), "Mon, 14 Sep 2026 10:00:00 GMT");
        assert_eq!(entra_time(time), "2026-09-14 10:00:00Z");
    }
}
