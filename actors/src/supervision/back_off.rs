//! How long to wait before the next attempt.

use std::time::Duration;

use thiserror::Error;

/// A wait that doubles with every attempt in a row up to a bound, shortened by jitter so that a crowd does not return in step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackOff {
    first: Duration,
    longest: Duration,
    jitter: f64,
}

/// Why a back-off cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidBackOff {
    /// A first wait of zero would turn a failing actor into a busy loop.
    #[error("the first wait is zero")]
    Zero,
    /// The bound is below the first wait.
    #[error("the longest wait is shorter than the first")]
    Shrinking,
    /// The jitter is not between 0 and 1.
    #[error("the jitter is not between 0 and 1")]
    Jitter,
}

impl BackOff {
    /// Bugs: 1 s doubling to 60 s, a fifth of it jitter (DESIGN 4).
    pub const BUG: Self = Self {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
        jitter: 0.2,
    };

    /// Lost connections: half a second doubling to 30 s, a fifth of it jitter (DESIGN 4).
    pub const LOST: Self = Self {
        first: Duration::from_millis(500),
        longest: Duration::from_secs(30),
        jitter: 0.2,
    };

    /// Connections to a PBX that we dial: 1 s doubling to 60 s, as the vendor's own clients do (pbx.md 1.7), a fifth of it
    /// jitter.
    pub const DIAL: Self = Self {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
        jitter: 0.2,
    };

    /// Makes a back-off. `jitter` is the part of a wait, 0 to 1, by which it may be shortened.
    ///
    /// # Errors
    ///
    /// When `first` is zero, `longest` is below `first`, or `jitter` is outside 0 to 1.
    pub fn new(first: Duration, longest: Duration, jitter: f64) -> Result<Self, InvalidBackOff> {
        if first.is_zero() {
            return Err(InvalidBackOff::Zero);
        }
        if longest < first {
            return Err(InvalidBackOff::Shrinking);
        }
        if !(0.0..=1.0).contains(&jitter) {
            return Err(InvalidBackOff::Jitter);
        }
        Ok(Self {
            first,
            longest,
            jitter,
        })
    }

    /// Returns the wait after `streak` earlier failures in a row; `chance`, 0 to 1, says how much of the jitter is taken.
    pub fn wait(&self, streak: u32, chance: f64) -> Duration {
        let doubled = self
            .first
            .saturating_mul(2_u32.saturating_pow(streak))
            .min(self.longest);
        doubled.mul_f64(1.0 - self.jitter * chance.clamp(0.0, 1.0))
    }

    /// Returns the bound.
    pub fn longest(&self) -> Duration {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn back_off() -> impl Strategy<Value = BackOff> {
        (1_u64..100_000, 0_u64..1_000_000, 0.0..=1.0).prop_map(|(first, more, jitter)| {
            let first = Duration::from_millis(first);
            BackOff::new(first, first + Duration::from_millis(more), jitter).unwrap()
        })
    }

    proptest! {
        #[test]
        fn a_wait_never_exceeds_the_bound(back_off in back_off(), streak: u32, chance in 0.0..=1.0) {
            prop_assert!(back_off.wait(streak, chance) <= back_off.longest);
        }

        #[test]
        fn a_longer_streak_never_waits_less(back_off in back_off(), streak in 0_u32..1000, chance in 0.0..=1.0) {
            prop_assert!(back_off.wait(streak, chance) <= back_off.wait(streak + 1, chance));
        }

        #[test]
        fn jitter_only_shortens(back_off in back_off(), streak in 0_u32..100, chance in 0.0..=1.0) {
            let least = back_off.wait(streak, 0.0).mul_f64(1.0 - back_off.jitter);
            let wait = back_off.wait(streak, chance);
            prop_assert!(wait <= back_off.wait(streak, 0.0));
            prop_assert!(wait + Duration::from_nanos(10) >= least);
        }

        #[test]
        fn the_wait_doubles_until_the_bound(first in 1_u64..1000, streak in 0_u32..16) {
            let first = Duration::from_millis(first);
            let back_off = BackOff::new(first, first * 4096, 0.0).unwrap();
            prop_assert_eq!(back_off.wait(streak, 0.5), first * 2_u32.pow(streak.min(12)));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        assert_eq!(
            BackOff::new(Duration::ZERO, minute, 0.1),
            Err(InvalidBackOff::Zero)
        );
        assert_eq!(BackOff::new(minute, second, 0.1), Err(InvalidBackOff::Shrinking));
        assert_eq!(BackOff::new(second, minute, 1.1), Err(InvalidBackOff::Jitter));
        assert_eq!(BackOff::new(second, minute, -0.1), Err(InvalidBackOff::Jitter));
        assert_eq!(
            BackOff::new(second, minute, f64::NAN),
            Err(InvalidBackOff::Jitter)
        );
    }
}
