//! How long each hop of a transition took, counted in buckets: from the listener to the other side's answer.

use serde::Serialize;
use utoipa::ToSchema;

/// Upper bounds of the buckets, in seconds; what takes longer counts in none of them.
pub const BOUNDS: [f64; 12] = [
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// One hop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct HopTime {
    /// How many were measured.
    pub count: u64,
    /// Seconds that they took altogether.
    pub seconds: f64,
    /// How many fall between a bound and the one before it; the bounds are 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
    /// 0.1, 0.25, 0.5, 1, 5 and 30 seconds.
    pub buckets: [u64; BOUNDS.len()],
}

impl HopTime {
    /// Counts one.
    pub(super) fn observe(&mut self, milliseconds: f64) {
        let seconds = milliseconds / 1_000.0;
        self.count += 1;
        self.seconds += seconds;
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound);
        if let Some(count) = bucket.and_then(|bucket| self.buckets.get_mut(bucket)) {
            *count += 1;
        }
    }
}

/// Every hop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct HopTimes {
    /// From the public listener, or from the begin of a read, to the board.
    pub received_to_opened: HopTime,
    /// From there to the decision.
    pub opened_to_decided: HopTime,
    /// From the decision to the moment when the write left.
    pub decided_to_written: HopTime,
    /// From there to the other side's answer.
    pub written_to_confirmed: HopTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_falls_into_the_bucket_of_the_bound_that_it_does_not_exceed() {
        let mut hop = HopTime::default();
        for milliseconds in [0.5, 1.0, 1.1, 40_000.0] {
            hop.observe(milliseconds);
        }
        assert_eq!((hop.count, hop.buckets[0], hop.buckets[1]), (4, 2, 1));
        assert_eq!(hop.buckets.iter().sum::<u64>(), 3, "beyond the last bound");
        assert!((hop.seconds - 40.002_6).abs() < 1e-9);
    }
}
