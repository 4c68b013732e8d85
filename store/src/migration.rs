//! Brings a database to the schema of this build.

use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_query;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::database::Database;
use crate::error::{Fault, OpenError};

/// The migrations that this build knows, in each database's words.
const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Finds the table of the migrations that were run.
const HAS_TABLES: &str = "SELECT 1 FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')";

/// Runs what is pending; refuses a database that has migrations which this build does not know.
pub(crate) fn run(database: &mut Database, name: &str) -> Result<(), OpenError> {
    match database {
        Database::Sqlite(connection) => run_on(connection, SQLITE, name),
        Database::Postgres(connection) => run_on(connection, POSTGRES, name),
    }
}

/// Refuses a database that has other migrations than this build; changes nothing.
pub(crate) fn check(database: &mut Database, name: &str) -> Result<(), OpenError> {
    let pending = match database {
        Database::Sqlite(connection) => pending_on(connection, &SQLITE, name),
        // asking for what was applied would make the table, perhaps at once with the active instance
        Database::Postgres(connection) => match connection.execute_returning_count(&sql_query(HAS_TABLES)) {
            Ok(0) => Ok(1),
            Ok(_) => pending_on(connection, &POSTGRES, name),
            Err(error) => Err(Fault::from(error).at(name)),
        },
    };
    match pending? {
        0 => Ok(()),
        _ => Err(OpenError::Outdated {
            database: name.to_owned(),
        }),
    }
}

fn run_on<DB: Backend>(
    connection: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
    name: &str,
) -> Result<(), OpenError> {
    pending_on(connection, &migrations, name)?;
    let run = connection.run_pending_migrations(migrations);
    for version in run.map_err(|error| cause(error).at(name))? {
        log::info!(version:%; "migrated the database");
    }
    Ok(())
}

/// How many migrations are still to be run.
fn pending_on<DB: Backend>(
    connection: &mut impl MigrationHarness<DB>,
    migrations: &EmbeddedMigrations,
    name: &str,
) -> Result<usize, OpenError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| cause(error).at(name);
    let known: Vec<Box<dyn Migration<DB>>> = migrations.migrations().map_err(failed)?;
    let known: Vec<String> = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = connection.applied_migrations().map_err(failed)?;
    let mut unknown: Vec<String> = applied.iter().map(ToString::to_string).collect();
    unknown.retain(|version| !known.contains(version));
    if !unknown.is_empty() {
        unknown.sort();
        return Err(OpenError::Newer {
            database: name.to_owned(),
            unknown,
        });
    }
    Ok(known.len().saturating_sub(applied.len()))
}

fn cause(error: Box<dyn std::error::Error + Send + Sync>) -> Fault {
    match error.downcast::<diesel::result::Error>() {
        Ok(error) => Fault::from(*error),
        Err(error) => Fault::Other {
            detail: error.to_string(),
        },
    }
}
