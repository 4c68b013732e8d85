//! The key pairs for resource data (graph.md 4.4).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;

use super::store::NotificationKey;

/// Why a key pair is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A stored one is damaged.
    #[error("notification key {id} is damaged: {cause}")]
    Damaged {
        /// Its id.
        id: String,
        /// Which part does not fit.
        cause: &'static str,
    },
    /// A new one could not be made.
    #[error("no notification key could be made: {cause}")]
    NotMade {
        /// What the cryptography says.
        cause: String,
    },
}

/// The key pairs that subscriptions may name and notifications are decrypted with.
pub trait KeyPairs {
    /// Makes a key pair, without taking it in: it must be stored before anything names it.
    fn make(&self, now: DateTime<Utc>) -> LocalBoxFuture<'_, Result<NotificationKey, KeyError>>;

    /// Takes a key pair in; from now on it can be named and decrypts.
    ///
    /// # Errors
    /// It is damaged.
    fn take_in(&self, key: &NotificationKey) -> Result<(), KeyError>;

    /// Forgets a key pair.
    fn forget(&self, id: &str);

    /// Takes out which keys genuine notifications have named since this was asked last.
    fn take_named(&self) -> BTreeSet<String>;
}
