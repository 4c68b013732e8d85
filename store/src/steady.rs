//! A store that goes on while its database is away.
//!
//! Whoever stores something must not stand still because a server restarts or a disk is full: presence matters now, what
//! is stored matters at the next start. So everything that must survive a restart is kept in memory as well. A write that
//! the database does not take in time counts as taken; the newest value of each key is written when the database is
//! back. Until then a crash loses what happened meanwhile, which the first failure tells in the log, and
//! [`StoreHealth`] to whoever asks.

mod condition;
mod kept;
mod memory;
mod port;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use chrono::Utc;
use m365_presence::ports::{Store, StoreError, Stored};
use tokio::sync::Notify;

pub use condition::{Condition, StoreHealth};
use memory::Memory;

/// A write that takes longer is not waited for: what follows it may be a phone call that others want to see.
const PATIENCE: Duration = Duration::from_secs(3);

/// Pause between two attempts to write what is kept.
const PAUSE: Duration = Duration::from_secs(1);

/// Stands before another store and answers for it while its database is away.
pub struct SteadyStore {
    inner: Rc<dyn Store>,
    memory: RefCell<Memory>,
    health: StoreHealth,
    fallen: Notify,
}

impl SteadyStore {
    /// Stands before a store.
    pub fn new(inner: Rc<dyn Store>) -> Self {
        Self {
            inner,
            memory: RefCell::default(),
            health: StoreHealth::default(),
            fallen: Notify::new(),
        }
    }

    /// How it is with the database, for whoever shows it.
    pub fn health(&self) -> StoreHealth {
        self.health.clone()
    }

    /// Writes what is kept whenever the database was away, for ever; whoever owns the store lets this run beside
    /// everything else.
    pub async fn tend(&self) {
        loop {
            self.fallen.notified().await;
            while self.health.is_away() {
                tokio::time::sleep(PAUSE).await;
                self.save_all().await;
            }
        }
    }

    /// Tries to write all that is kept; tells how many rows the database still lacks.
    pub async fn save_all(&self) -> usize {
        loop {
            let owed = self.memory.borrow().owed();
            if owed == 0 {
                break;
            }
            if let Err(error) = memory::save(&self.memory, &*self.inner).await {
                self.fall(&error.detail);
                return self.memory.borrow().owed();
            }
        }
        if let Some(since) = self.health.recover() {
            let seconds = (Utc::now() - since).num_seconds();
            log::info!(seconds; "the database takes everything again after {seconds} s, nothing is lost");
        }
        0
    }

    /// Waits for a write, unless the database is known to be away; `saved` notes that it was taken.
    async fn save<'a>(
        &self,
        write: impl FnOnce() -> Stored<'a, ()>,
        saved: impl FnOnce(&mut Memory),
    ) -> Result<(), StoreError> {
        if self.health.is_away() {
            self.health.owe(self.memory.borrow().owed());
            return Ok(());
        }
        match tokio::time::timeout(PATIENCE, write()).await {
            Ok(Ok(())) => saved(&mut self.memory.borrow_mut()),
            Ok(Err(error)) => self.fall(&error.detail),
            Err(_elapsed) => {
                self.fall("the database does not answer in time; look at its server, or at its disk")
            }
        }
        Ok(())
    }

    fn fall(&self, detail: &str) {
        let unsaved = self.memory.borrow().owed();
        if self.health.fail(detail, unsaved, Utc::now()) {
            log::debug!("{detail}");
            self.fallen.notify_one();
        }
    }
}
