//! Key pairs without any cryptography: `key-1`, `key-2` and so on.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use m365_presence::ports::{KeyError, KeyPairs, NotificationKey};
use m365_presence::secret::Secret;
use tokio::time::sleep;

use super::journal::Journal;

/// The private key that does not parse.
pub const DAMAGED: &str = "damaged";

pub struct Ring {
    journal: Journal,
    pub known: RefCell<BTreeSet<String>>,
    /// Keys that notifications have named.
    pub named: RefCell<BTreeSet<String>>,
    /// How long a key takes to make.
    pub delay: Cell<Duration>,
    /// Whether the cryptography fails.
    pub fails: Cell<bool>,
    made: Cell<u32>,
}

impl Ring {
    pub fn new(journal: Journal) -> Self {
        Self {
            journal,
            known: RefCell::default(),
            named: RefCell::default(),
            delay: Cell::new(Duration::from_millis(300)),
            fails: Cell::new(false),
            made: Cell::new(0),
        }
    }

    /// Lets the next made key have another number than those of an earlier scene.
    pub fn begin_after(&self, number: u32) {
        self.made.set(number);
    }
}

/// A key as the store keeps it.
pub fn key(id: &str, private_key: &str, created_at: DateTime<Utc>) -> NotificationKey {
    NotificationKey {
        id: id.to_owned(),
        certificate: Vec::new(),
        private_key: Secret::new(private_key),
        created_at,
    }
}

impl KeyPairs for Ring {
    fn make(&self, now: DateTime<Utc>) -> LocalBoxFuture<'_, Result<NotificationKey, KeyError>> {
        Box::pin(async move {
            sleep(self.delay.get()).await;
            if self.fails.get() {
                return Err(KeyError::NotMade {
                    cause: "no entropy".to_owned(),
                });
            }
            self.made.set(self.made.get() + 1);
            let id = format!("key-{}", self.made.get());
            self.journal.note(format!("ring: make {id}"));
            Ok(key(&id, "private", now))
        })
    }

    fn take_in(&self, key: &NotificationKey) -> Result<(), KeyError> {
        if key.private_key.expose() == DAMAGED {
            return Err(KeyError::Damaged {
                id: key.id.clone(),
                cause: "its private key is not readable",
            });
        }
        self.known.borrow_mut().insert(key.id.clone());
        Ok(())
    }

    fn forget(&self, id: &str) {
        self.journal.note(format!("ring: forget {id}"));
        self.known.borrow_mut().remove(id);
    }

    fn take_named(&self) -> BTreeSet<String> {
        self.named.take()
    }
}
