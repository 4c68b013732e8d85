//! One connection type for both databases, so that the statements are written once.

#![expect(
    unreachable_pub,
    reason = "diesel derives the connection's inner types, and writes them so"
)]

use diesel::prelude::*;

use crate::postgres::PostgresConnection;

/// A connection to either database. A statement on it is spelt in the database's own dialect.
#[derive(diesel::MultiConnection)]
#[expect(clippy::large_enum_variant, reason = "a process has a few of them")]
pub enum Database {
    /// A file.
    Sqlite(SqliteConnection),
    /// A server.
    Postgres(PostgresConnection),
}
