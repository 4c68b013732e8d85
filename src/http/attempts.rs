//! How often a wrong token may be tried from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong tokens that may be tried at once.
const BURST: u32 = 10;

/// One more may be tried after this time.
const RECOVERY: Duration = Duration::from_secs(6);

/// Addresses that are remembered; beyond, those that have recovered most are forgotten.
const MOST_ADDRESSES: usize = 10_000;

/// What was tried lately; clones are the same memory.
#[derive(Clone, Default)]
pub struct Attempts {
    failures: Arc<Mutex<HashMap<IpAddr, Instant>>>,
}

impl Attempts {
    /// How long nothing may be tried from this address, if so.
    pub fn barred(&self, address: IpAddr) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = failures.get(&address)?;
        let beyond = full_at.saturating_duration_since(Instant::now() + RECOVERY * (BURST - 1));
        (!beyond.is_zero()).then_some(beyond)
    }

    /// Notes a wrong token. What is kept is when the address will have recovered from all of its failures.
    pub fn failed(&self, address: IpAddr) {
        let now = Instant::now();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST_ADDRESSES {
            failures.retain(|_, full_at| *full_at > now);
        }
        if failures.len() >= MOST_ADDRESSES {
            failures.clear();
        }
        let full_at = failures.entry(address).or_insert(now);
        *full_at = (*full_at).max(now) + RECOVERY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_barred_after_ten_failures_and_the_others_are_not() {
        let attempts = Attempts::default();
        let (here, there) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        for _ in 0..BURST {
            assert_eq!(attempts.barred(here), None);
            attempts.failed(here);
        }
        let wait = attempts.barred(here).unwrap();
        assert!(wait <= RECOVERY, "{wait:?}");
        assert_eq!(attempts.barred(there), None);
    }
}
