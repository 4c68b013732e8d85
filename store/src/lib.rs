#![doc = include_str!("../README.md")]

mod backup;
mod database;
mod error;
mod fence;
mod file;
mod key;
mod lock;
mod look;
mod migration;
mod postgres;
mod queries;
mod restore;
mod rows;
mod schema;
mod seal;
mod sealed;
mod sql;
mod steady;
mod timeline;
mod transfer;
mod unlock;
mod writer;

pub use backup::{BackedUp, BackupError, Location, back_up};
pub use error::{Fault, OpenError};
pub use fence::Fence;
pub use key::{EncryptionKey, KeyError, KeySource};
pub use look::{Look, look};
pub use postgres::{AddressError, Candidacy, PostgresAddress, StandingBy};
pub use restore::{RestoreError, Restored, downgrade, restore};
pub use sql::SqlStore;
pub use steady::{Condition, SteadyStore, StoreHealth};
