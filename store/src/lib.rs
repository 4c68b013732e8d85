#![doc = include_str!("../README.md")]

mod error;
mod key;
mod lock;
mod migration;
mod queries;
mod rows;
mod schema;
mod seal;
mod sealed;
mod sqlite;
mod writer;

pub use error::{Fault, OpenError};
pub use key::{EncryptionKey, KeyError, KeySource};
pub use sqlite::SqliteStore;
