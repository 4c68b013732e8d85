//! Brings a database to the schema of this build.

use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::database::Database;
use crate::error::{Fault, OpenError};

/// The migrations that this build knows, in each database's words.
const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Runs what is pending; refuses a database that has migrations which this build does not know.
pub(crate) fn run(database: &mut Database, name: &str) -> Result<(), OpenError> {
    match database {
        Database::Sqlite(connection) => run_on(connection, SQLITE, name),
        Database::Postgres(connection) => run_on(connection, POSTGRES, name),
    }
}

fn run_on<DB: Backend>(
    connection: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
    name: &str,
) -> Result<(), OpenError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| cause(error).at(name);

    let known: Vec<Box<dyn Migration<DB>>> = migrations.migrations().map_err(failed)?;
    let known: Vec<String> = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let mut unknown: Vec<String> = connection
        .applied_migrations()
        .map_err(failed)?
        .iter()
        .map(ToString::to_string)
        .collect();
    unknown.retain(|version| !known.contains(version));
    if !unknown.is_empty() {
        unknown.sort();
        return Err(OpenError::Newer {
            database: name.to_owned(),
            unknown,
        });
    }

    for version in connection.run_pending_migrations(migrations).map_err(failed)? {
        log::info!(version:%; "migrated the database");
    }
    Ok(())
}

fn cause(error: Box<dyn std::error::Error + Send + Sync>) -> Fault {
    match error.downcast::<diesel::result::Error>() {
        Ok(error) => Fault::from(*error),
        Err(error) => Fault::Other {
            detail: error.to_string(),
        },
    }
}
