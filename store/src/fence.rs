//! The fence before everything that is written: open as long as this instance is known to be the active one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use m365_presence::tenure::{BootTime, Permit};
use rustix::time::{ClockId, clock_gettime};

/// Whether this instance may write at this moment; clones are the same fence, on any thread.
#[derive(Clone, Debug)]
pub struct Fence(Arc<AtomicU64>);

impl Fence {
    /// Makes a fence that is always open: nobody shares this database.
    pub fn open() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }

    /// Makes a fence that is closed until it is opened.
    pub(crate) fn closed() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }

    /// Opens it until this time, or closes it when that is over already.
    pub(crate) fn open_until(&self, time: BootTime) {
        let nanoseconds = u64::try_from(time.since_start().as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanoseconds, Ordering::Release);
    }
}

impl Permit for Fence {
    fn is_granted(&self) -> bool {
        let until = BootTime::new(Duration::from_nanos(self.0.load(Ordering::Acquire)));
        boot_time() < until
    }
}

/// The time since the machine was started, on the clock that no stop of the process and no sleep of the machine halts.
pub(crate) fn boot_time() -> BootTime {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or_default();
    BootTime::new(Duration::new(seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_open_until_its_time() {
        assert!(Fence::open().is_granted());
        let fence = Fence::closed();
        assert!(!fence.is_granted());
        fence.open_until(boot_time().after(Duration::from_secs(60)));
        assert!(fence.clone().is_granted());
        fence.open_until(boot_time());
        assert!(!fence.is_granted());
    }
}
