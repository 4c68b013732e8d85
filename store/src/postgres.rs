//! PostgreSQL: where it is, how to reach it, and a connection that the shared statements run on.

mod address;
mod certificates;
mod connection;
mod fault;
mod server;
mod thread;
mod tls;

pub use address::{AddressError, PostgresAddress};
pub(crate) use connection::PostgresConnection;
pub(crate) use server::Server;
