//! Brings a database to the schema of this build.

use diesel::backend::Backend;
use diesel::connection::{Connection, SimpleConnection};
use diesel::migration::{Migration, MigrationSource};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::{SqliteConnection, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::database::Database;
use crate::error::{Fault, OpenError};
use crate::transfer;

/// The migrations that this build knows, in each database's words.
const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Fails where no migration was ever run.
const EVER_RUN: &str = "SELECT version FROM __diesel_schema_migrations LIMIT 1";

/// Finds the table of the migrations that were run.
const HAS_TABLES: &str = "SELECT 1 FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')";

/// Runs what is pending; refuses a database that has migrations which this build does not know, and one that lacks a
/// table or a column afterwards.
pub(crate) fn run(database: &mut Database, name: &str) -> Result<(), OpenError> {
    match database {
        Database::Sqlite(connection) => run_on(connection, SQLITE, name),
        Database::Postgres(connection) => run_on(connection, POSTGRES, name),
    }?;
    check_whole(database, name)
}

/// Refuses a database that lacks a table or a column of this build.
pub(crate) fn check_whole(database: &mut Database, name: &str) -> Result<(), OpenError> {
    match transfer::look(database) {
        Ok(()) => Ok(()),
        Err(DieselError::DatabaseError(DatabaseErrorKind::Unknown, information))
            if lacks(information.message()) =>
        {
            Err(OpenError::NotWhole {
                database: name.to_owned(),
                detail: information.message().to_owned(),
            })
        }
        Err(error) => Err(Fault::from(error).at(name)),
    }
}

/// Whether a database's words say that a table or a column is missing.
fn lacks(text: &str) -> bool {
    ["no such table", "no such column", "does not exist"]
        .iter()
        .any(|words| text.contains(words))
}

/// What a database needs before it fits this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nothing,
    /// All tables.
    Everything,
    /// The tables of an older build are to be changed.
    Change,
}

/// What an SQLite file needs.
pub(crate) fn need(connection: &mut SqliteConnection, name: &str) -> Result<Need, OpenError> {
    let pending = pending_on(connection, &SQLITE, name)?;
    let applied = connection.applied_migrations();
    let applied = applied.map_err(|error| cause(error).at(name))?;
    Ok(match (pending, applied.len()) {
        (0, _) => Need::Nothing,
        (_, 0) => Need::Everything,
        _ => Need::Change,
    })
}

/// Reverts, newest first, every migration after the one that an older build knows as its newest; answers which.
pub(crate) fn revert(database: &mut Database, name: &str, to: &str) -> Result<Vec<String>, OpenError> {
    match database {
        Database::Sqlite(connection) => revert_on(connection, &SQLITE, name, to),
        Database::Postgres(connection) => revert_on(connection, &POSTGRES, name, to),
    }
}

fn revert_on<DB: Backend>(
    connection: &mut impl MigrationHarness<DB>,
    migrations: &EmbeddedMigrations,
    name: &str,
    to: &str,
) -> Result<Vec<String>, OpenError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| cause(error).at(name);
    pending_on(connection, migrations, name)?;
    let applied = connection.applied_migrations().map_err(failed)?;
    let known: Vec<Box<dyn Migration<DB>>> = migrations.migrations().map_err(failed)?;
    let mut surplus: Vec<_> = known
        .into_iter()
        .map(|migration| (migration.name().version().as_owned(), migration))
        .filter(|(version, _)| applied.contains(version) && version.to_string().as_str() > to)
        .collect();
    surplus.sort_by(|(one, _), (other, _)| other.cmp(one));
    let mut reverted = Vec::new();
    for (version, migration) in surplus {
        connection.revert_migration(&*migration).map_err(failed)?;
        log::info!(version:%; "took a migration of the database back");
        reverted.push(version.to_string());
    }
    Ok(reverted)
}

/// The migrations of this build, oldest first.
pub(crate) fn known() -> Vec<String> {
    versions::<diesel::sqlite::Sqlite>(&SQLITE).unwrap_or_default()
}

fn versions<DB: Backend>(
    migrations: &EmbeddedMigrations,
) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    let known: Vec<Box<dyn Migration<DB>>> = migrations.migrations()?;
    let mut known: Vec<String> = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    known.sort();
    Ok(known)
}

/// Refuses a database that has other migrations than this build; changes nothing.
pub(crate) fn check(database: &mut Database, name: &str) -> Result<(), OpenError> {
    let pending = match database {
        // asking for what was applied would make the table, which a file that is only looked into does not take
        Database::Sqlite(connection) => match connection.batch_execute(EVER_RUN) {
            Ok(()) => pending_on(connection, &SQLITE, name),
            Err(_no_such_table) => Ok(1),
        },
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
    let known = versions::<DB>(migrations).map_err(failed)?;
    let applied = connection.applied_migrations().map_err(failed)?;
    let mut unknown: Vec<String> = applied.iter().map(ToString::to_string).collect();
    unknown.retain(|version| !known.contains(version));
    if !unknown.is_empty() {
        unknown.sort();
        return Err(OpenError::Newer {
            database: name.to_owned(),
            unknown,
            newest: known.into_iter().max().unwrap_or_default(),
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
