//! Brings a database to the schema of this build.

use std::path::Path;

use diesel::migration::{Migration, MigrationSource};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::{Fault, OpenError};
use crate::queries::Database;

/// The migrations that this build knows.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");

/// Runs what is pending; refuses a database that has migrations which this build does not know.
pub(crate) fn run(database: &mut Database, path: &Path) -> Result<(), OpenError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| cause(error).at(path);

    let known: Vec<Box<dyn Migration<Sqlite>>> = MIGRATIONS.migrations().map_err(failed)?;
    let known: Vec<String> = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let mut unknown: Vec<String> = database
        .applied_migrations()
        .map_err(failed)?
        .iter()
        .map(ToString::to_string)
        .collect();
    unknown.retain(|version| !known.contains(version));
    if !unknown.is_empty() {
        unknown.sort();
        return Err(OpenError::Newer {
            database: path.to_owned(),
            unknown,
        });
    }

    for version in database.run_pending_migrations(MIGRATIONS).map_err(failed)? {
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
