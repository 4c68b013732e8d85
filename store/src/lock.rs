//! The lock that keeps a second process off the database.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::{Fault, OpenError};

/// Holds the lock file of a database until it is dropped or the process ends.
///
/// The file itself stays: removing it would let two processes lock two files of the same name.
#[derive(Debug)]
pub(crate) struct FileLock(#[expect(dead_code, reason = "it is held, never read")] File);

impl FileLock {
    /// Takes `FILE.lock`, without waiting.
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
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                database: database.display().to_string(),
                lock: lock.into(),
            }),
            Err(TryLockError::Error(error)) => Err(Fault::of_file(&error).at(database.display())),
        }
    }
}
