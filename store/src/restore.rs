//! Restoring a backup, and taking the tables back to those of an older build: what is done while no connector runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::backup::{Location, copy_file};
use crate::database::Database;
use crate::error::{Fault, OpenError};
use crate::file;
use crate::key::KeySource;
use crate::lock::FileLock;
use crate::migration;
use crate::postgres::{PostgresAddress, Server, take_office, term};
use crate::transfer;
use crate::unlock::prove;

/// Why nothing was restored; the database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The database holds rows, and nobody said that they may go.
    #[error("the database {database} holds rows already; {remedy}")]
    NotEmpty {
        /// The database.
        database: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file is an SQLite database of somebody else.
    #[error("{} is no backup of this program; name a file that `m365-connector backup` has written", .0.display())]
    NoBackup(PathBuf),
    /// The backup cannot be read.
    #[error("the backup {} {fault}", path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// Why.
        fault: Fault,
    },
    /// The key that is configured is not the one of the backup.
    #[error(
        "{key} does not open the secrets in the backup {}; put the key there that belongs to the database that was backed \
         up",
        backup.display()
    )]
    WrongKey {
        /// The backup.
        backup: PathBuf,
        /// Where the key came from.
        key: String,
    },
    /// An instance is active on the server's database.
    #[error(
        "the database {0} is in use by an active connector; end all instances, and start them again afterwards"
    )]
    Active(String),
    /// This build knows no such migration.
    #[error("this build knows no migration {wanted}; it knows {}", known.join(", "))]
    UnknownVersion {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The database cannot be written.
    #[error(transparent)]
    Database(#[from] OpenError),
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Rows in the database.
    pub rows: i64,
    /// Where the file is kept that stood there before.
    pub kept: Option<PathBuf>,
}

/// Puts a backup in a database's place; `replace` permits that rows go which it holds. Migrates an older backup.
/// Blocks while it does, and not on a thread of a runtime.
///
/// # Errors
/// Cause and remedy; the database is as it was then.
pub fn restore(
    backup: &Path,
    to: &Location,
    key: &KeySource,
    replace: bool,
) -> Result<Restored, RestoreError> {
    let mut source = open(backup)?;
    match to {
        Location::File(path) => into_file(backup, &mut source, path, key, replace),
        Location::Server(address) => into_server(backup, &mut source, address, key, replace),
    }
}

/// Takes the tables back to those of a build whose newest migration is the given one, and answers what was taken back and
/// where a copy of the file is. Tables and columns that the older build does not know are lost.
/// Blocks while it does, and not on a thread of a runtime.
///
/// # Errors
/// Cause and remedy.
pub fn downgrade(database: &Location, to: &str) -> Result<(Vec<String>, Option<PathBuf>), RestoreError> {
    let known = migration::known();
    if !known.iter().any(|version| version == to) {
        return Err(RestoreError::UnknownVersion {
            wanted: to.to_owned(),
            known,
        });
    }
    let name = database.to_string();
    let failed = |fault: Fault| RestoreError::Database(fault.at(&name));
    match database {
        Location::File(path) => {
            let path = fs::canonicalize(path).map_err(|_missing| failed(Fault::Missing))?;
            let _lock = FileLock::take(&path)?;
            let mut connection = file::connect(&path).map_err(failed)?;
            let kept = keep_copy(&mut connection, &path, &format!("before-downgrade-to-{to}"))?;
            let reverted = migration::revert(&mut Database::Sqlite(connection), &name, to)?;
            Ok((reverted, Some(kept)))
        }
        Location::Server(address) => {
            let (_server, mut database) = in_office(address)?;
            let reverted = migration::revert(&mut database, &name, to)?;
            Ok((reverted, None))
        }
    }
}

/// Copies a file's database beside it, before something is done to it that cannot be taken back.
pub(crate) fn keep_copy(
    connection: &mut SqliteConnection,
    path: &Path,
    why: &str,
) -> Result<PathBuf, OpenError> {
    let kept = beside(path, why);
    copy_file(connection, &kept).map_err(|fault| {
        // half a copy is of no use
        let _gone = fs::remove_file(&kept);
        fault.at(kept.display())
    })?;
    Ok(kept)
}

fn beside(path: &Path, why: &str) -> PathBuf {
    file::named(
        path,
        &format!(".{why}-{}", Utc::now().format("%Y%m%dT%H%M%S%3fZ")),
    )
}

/// Opens a backup, and tells it from other files.
fn open(backup: &Path) -> Result<SqliteConnection, RestoreError> {
    let failed = |fault| RestoreError::Backup {
        path: backup.to_owned(),
        fault,
    };
    let mut source = match file::look_into(backup) {
        Ok(source) => source,
        Err(Fault::NotADatabase) => return Err(RestoreError::NoBackup(backup.to_owned())),
        Err(fault) => return Err(failed(fault)),
    };
    let ours = source.batch_execute("SELECT version FROM __diesel_schema_migrations; SELECT name FROM meta");
    ours.map_err(|_no_such_table| RestoreError::NoBackup(backup.to_owned()))?;
    Ok(source)
}

fn into_file(
    backup: &Path,
    source: &mut SqliteConnection,
    path: &Path,
    key: &KeySource,
    replace: bool,
) -> Result<Restored, RestoreError> {
    let failed = |error: &io::Error| RestoreError::Database(Fault::of_file(error).at(path.display()));
    let path = &whole(path).map_err(|error| failed(&error))?;
    let _lock = FileLock::take(path)?;
    if !replace && holds_rows(path) {
        return Err(RestoreError::NotEmpty {
            database: path.display().to_string(),
            remedy: "give --replace to put the backup in its place; the file is kept under another name",
        });
    }
    let part = file::named(path, ".part");
    // what a restoration that was killed has left
    let _gone = fs::remove_file(&part);
    let made = make(backup, source, &part, path, key);
    let swapped = made.and_then(|rows| {
        let kept = swap(&part, path).map_err(|error| failed(&error))?;
        Ok(Restored { rows, kept })
    });
    if swapped.is_err() {
        for suffix in ["", "-wal", "-shm"] {
            let _gone = fs::remove_file(file::named(&part, suffix));
        }
    }
    swapped
}

/// Makes the file that is to stand in the database's place, migrated and proved to open with the key.
fn make(
    backup: &Path,
    source: &mut SqliteConnection,
    part: &Path,
    path: &Path,
    key: &KeySource,
) -> Result<i64, RestoreError> {
    let failed = |fault: Fault| RestoreError::Database(fault.at(path.display()));
    copy_file(source, part).map_err(failed)?;
    let mut database = Database::Sqlite(file::connect(part).map_err(failed)?);
    migration::run(&mut database, &backup.display().to_string())?;
    let proved = prove(&mut database, &path.display().to_string(), key);
    proved.map_err(|error| of_backup(error, backup))?;
    let rows = transfer::count(&mut database).map_err(|error| failed(error.into()))?;
    let single = database.batch_execute("PRAGMA journal_mode = DELETE");
    single.map_err(|error| failed(error.into()))?;
    drop(database);
    let synced = fs::File::open(part).and_then(|file| file.sync_all());
    synced.map_err(|error| failed(Fault::of_file(&error)))?;
    Ok(rows)
}

/// Puts the new file in the old one's place. At every moment there is a whole database under the name, and the old one,
/// with what its write-ahead log holds, under another.
fn swap(part: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    let mut kept = None;
    if path.exists() {
        let name = beside(path, "before-restore");
        fs::hard_link(path, &name)?;
        let log = file::named(path, "-wal");
        if log.exists() {
            fs::rename(log, file::named(&name, "-wal"))?;
        }
        kept = Some(name);
    }
    let _gone = fs::remove_file(file::named(path, "-shm"));
    fs::rename(part, path)?;
    file::sync_folder(path)?;
    Ok(kept)
}

/// The one true path of a file that may not be there yet.
fn whole(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
            Ok(folder.join(path.file_name().unwrap_or_default()))
        }
        found => found,
    }
}

/// Whether something would be lost: a file that cannot be read counts as full.
fn holds_rows(path: &Path) -> bool {
    match fs::metadata(path) {
        Err(error) => error.kind() != io::ErrorKind::NotFound,
        Ok(file) if file.len() == 0 => false,
        Ok(_) => {
            let count = file::look_into(path).ok().and_then(|connection| {
                let mut database = Database::Sqlite(connection);
                transfer::count(&mut database).ok()
            });
            count != Some(0)
        }
    }
}

fn of_backup(error: OpenError, backup: &Path) -> RestoreError {
    match error {
        OpenError::WrongKey { key, .. } => RestoreError::WrongKey {
            backup: backup.to_owned(),
            key,
        },
        other => other.into(),
    }
}

/// Connects to a server's database in the active instance's place.
fn in_office(address: &PostgresAddress) -> Result<(Server, Database), RestoreError> {
    let name = address.to_string();
    let failed = |fault: Fault| RestoreError::Database(fault.at(&name));
    let server = Server::new(address).map_err(failed)?;
    let mut connection = server.connect().map_err(failed)?;
    if !take_office(&mut connection).map_err(|error| failed(error.into()))? {
        return Err(RestoreError::Active(name));
    }
    Ok((server, Database::Postgres(connection)))
}

fn into_server(
    backup: &Path,
    source: &mut SqliteConnection,
    address: &PostgresAddress,
    key: &KeySource,
    replace: bool,
) -> Result<Restored, RestoreError> {
    let name = address.to_string();
    let failed = |fault: Fault| RestoreError::Database(fault.at(&name));
    let (_server, mut database) = in_office(address)?;
    migration::run(&mut database, &name)?;
    let held = transfer::count(&mut database).map_err(|error| failed(error.into()))?;
    if held > 0 && !replace {
        return Err(RestoreError::NotEmpty {
            database: name,
            remedy: "back it up first if they are worth it, then give --replace to put the backup in their place",
        });
    }
    let mut source = in_memory(backup, source)?;
    let mut refused = None;
    let restored = database.transaction(|database| {
        let term = term::last(database)?;
        transfer::clear(database)?;
        transfer::copy(&mut source, database)?;
        term::set(database, term.saturating_add(1))?;
        if let Err(error) = prove(database, &name, key) {
            refused = Some(error);
            return Err(diesel::result::Error::RollbackTransaction);
        }
        transfer::count(database)
    });
    match (restored, refused) {
        (Ok(rows), _) => Ok(Restored { rows, kept: None }),
        (Err(_rolled_back), Some(error)) => Err(of_backup(error, backup)),
        (Err(error), None) => Err(failed(error.into())),
    }
}

/// Brings a backup to the tables of this build, without a file: there may be no folder to write to.
fn in_memory(backup: &Path, source: &mut SqliteConnection) -> Result<Database, RestoreError> {
    let failed = |fault| RestoreError::Backup {
        path: backup.to_owned(),
        fault,
    };
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // the two connections meet under a name of their own within this process
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("file:restored-{number}?mode=memory&cache=shared");
    let mut copy = Database::Sqlite(file::establish(&name).map_err(failed)?);
    let copied = diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(name);
    copied.execute(source).map_err(|error| failed(error.into()))?;
    migration::run(&mut copy, &backup.display().to_string())?;
    Ok(copy)
}
