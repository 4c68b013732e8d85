//! PostgreSQL: where it is, how to reach it, and a connection that the shared statements run on.

mod address;
mod candidacy;
mod certificates;
mod connection;
mod election;
mod fault;
mod server;
pub(crate) mod term;
mod thread;
mod tls;

pub use address::{AddressError, PostgresAddress};
pub use candidacy::{Candidacy, StandingBy};
pub(crate) use connection::{PostgresConnection, Transactions};
pub(crate) use server::{Server, take_office};
