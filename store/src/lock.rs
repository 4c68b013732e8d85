//! The lock that keeps a second process off the database.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::error::{Fault, OpenError};

/// How often a lock is tried again.
const LOOKS: u32 = 10;

/// How long it is waited in between.
const LOOK: Duration = Duration::from_millis(50);

/// Holds the lock file of a database until it is dropped or the process ends.
///
/// The file itself stays: removing it would let two processes lock two files of the same name.
#[derive(Debug)]
pub(crate) struct FileLock(#[expect(dead_code, reason = "it is held, never read")] File);

impl FileLock {
    /// Takes `FILE.lock`. Waits half a second at most: a predecessor may be about to end, and a program that somebody
    /// starts holds for a moment what its parent held.
    pub(crate) fn take(database: &Path) -> Result<Self, OpenError> {
        let mut lock = database.as_os_str().to_owned();
        lock.push(".lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .map_err(|error| Fault::of_file(&error).at(database.display()))?;
        let mut looks = LOOKS;
        let mut taken = file.try_lock();
        while let (Err(TryLockError::WouldBlock), 1..) = (&taken, looks) {
            std::thread::sleep(LOOK);
            looks -= 1;
            taken = file.try_lock();
        }
        match taken {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                database: database.display().to_string(),
                lock: lock.into(),
            }),
            Err(TryLockError::Error(error)) => Err(Fault::of_file(&error).at(database.display())),
        }
    }
}
