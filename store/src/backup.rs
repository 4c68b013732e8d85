//! Backing a database up into a file, while others use it.
//!
//! A backup is an SQLite file with the rows as they stand in the database, whichever that is: secrets stay encrypted, and
//! the key is not in it unless it stands in the database itself.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::database::Database;
use crate::error::{Fault, OpenError};
use crate::file;
use crate::migration;
use crate::postgres::{PostgresAddress, Server, term};
use crate::transfer;

/// Begins a transaction that sees one moment of a server's database.
const ONE_MOMENT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// Where a database is.
#[derive(Clone, Debug)]
pub enum Location {
    /// An SQLite file.
    File(PathBuf),
    /// A database of a PostgreSQL server.
    Server(Box<PostgresAddress>),
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(address) => write!(f, "{address}"),
        }
    }
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of that name already; a backup replaces nothing.
    #[error("{} exists already, and a backup replaces nothing; give another name", .0.display())]
    Exists(PathBuf),
    /// The database's tables are those of another build.
    #[error(
        "the database {0} has the tables of an older build; back it up with that build, or start this one once to bring \
         it up to date"
    )]
    Outdated(String),
    /// The backup cannot be written.
    #[error("the backup {} {fault}", path.display())]
    Target {
        /// The file.
        path: PathBuf,
        /// Why.
        fault: Fault,
    },
    /// The database cannot be read.
    #[error(transparent)]
    Source(#[from] OpenError),
}

/// What was backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether the key that opens its secrets is in it.
    pub holds_key: bool,
}

/// Writes everything that a database holds at this moment into a new file, which only its owner can read. A connector may
/// run meanwhile. Blocks while it does, and not on a thread of a runtime.
///
/// # Errors
/// Cause and remedy; there is no file then.
pub fn back_up(from: &Location, to: &Path) -> Result<BackedUp, BackupError> {
    let target = |error: &io::Error| BackupError::Target {
        path: to.to_owned(),
        fault: Fault::of_file(error),
    };
    // reserves the name: of two backups at once, one is told
    match create_new(to) {
        Ok(_file) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists(to.to_owned()));
        }
        Err(error) => return Err(target(&error)),
    }
    let part = file::named(to, ".part");
    let written = write(from, &part).and_then(|()| {
        let put = File::open(&part).and_then(|file| file.sync_all());
        let put = put.and_then(|()| fs::rename(&part, to));
        put.and_then(|()| file::sync_folder(to))
            .map_err(|error| target(&error))
    });
    match written.and_then(|()| look_at(to)) {
        Ok(done) => Ok(done),
        Err(error) => {
            for file in [&part, to] {
                // what is not there needs no removal
                let _gone = fs::remove_file(file);
            }
            Err(error)
        }
    }
}

fn write(from: &Location, part: &Path) -> Result<(), BackupError> {
    // what a backup that was killed has left
    let _gone = fs::remove_file(part);
    match from {
        Location::File(path) => {
            let name = path.display();
            let mut connection = file::look_into(path).map_err(|fault| fault.at(name))?;
            copy_file(&mut connection, part).map_err(|fault| target_of(part, fault))
        }
        Location::Server(address) => {
            let name = address.to_string();
            let failed = |fault: Fault| BackupError::Source(fault.at(&name));
            let server = Server::new(address).map_err(failed)?;
            let mut source = Database::Postgres(server.connect().map_err(failed)?);
            match migration::check(&mut source, &name) {
                Err(OpenError::Outdated { database }) => return Err(BackupError::Outdated(database)),
                checked => checked?,
            }
            create_new(part).map_err(|error| target_of(part, Fault::of_file(&error)))?;
            let at_target = |fault| target_of(part, fault);
            let mut target = Database::Sqlite(file::connect(part).map_err(at_target)?);
            migration::run(&mut target, &part.display().to_string())?;
            let copied = source.transaction(|source| {
                source.batch_execute(ONE_MOMENT)?;
                target.transaction(|target| transfer::copy(source, target))
            });
            copied.map_err(|error| at_target(error.into()))?;
            term::forget(&mut target).map_err(|error| at_target(error.into()))?;
            target
                .batch_execute("PRAGMA journal_mode = DELETE")
                .map_err(|error| at_target(error.into()))
        }
    }
}

/// Names the backup in its own name, not in that of the part.
fn target_of(part: &Path, fault: Fault) -> BackupError {
    BackupError::Target {
        path: part.with_extension(""),
        fault,
    }
}

/// Copies a file's database as it stands at this moment into a file that does not exist yet.
pub(crate) fn copy_file(connection: &mut SqliteConnection, to: &Path) -> Result<(), Fault> {
    create_new(to).map_err(|error| Fault::of_file(&error))?;
    let path = to.to_str().ok_or_else(|| Fault::Other {
        detail: "its path is not UTF-8".to_owned(),
    })?;
    let copied = diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(path)
        .execute(connection);
    copied.map(drop).map_err(Fault::from)
}

fn look_at(backup: &Path) -> Result<BackedUp, BackupError> {
    let failed = |fault| BackupError::Target {
        path: backup.to_owned(),
        fault,
    };
    let connection = file::look_into(backup).map_err(failed)?;
    let key = crate::unlock::has_drawn_key(&mut Database::Sqlite(connection));
    let bytes = fs::metadata(backup).map_err(|error| failed(Fault::of_file(&error)))?;
    Ok(BackedUp {
        bytes: bytes.len(),
        holds_key: key.unwrap_or(false),
    })
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}
