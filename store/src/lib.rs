#![doc = include_str!("../README.md")]

mod database;
mod error;
mod fence;
mod file;
mod key;
mod lock;
mod migration;
mod postgres;
mod queries;
mod rows;
mod schema;
mod seal;
mod sealed;
mod sql;
mod steady;
mod timeline;
mod unlock;
mod writer;

pub use error::{Fault, OpenError};
pub use fence::Fence;
pub use key::{EncryptionKey, KeyError, KeySource};
pub use postgres::{AddressError, Candidacy, PostgresAddress, StandingBy};
pub use sql::SqlStore;
pub use steady::{Condition, SteadyStore, StoreHealth};
