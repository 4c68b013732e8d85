//! Opening an SQLite file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use rustix::fs::{Access, StatVfsMountFlags};

use crate::error::{Fault, OpenError};

/// Set on the connection before anything else. Five seconds bridge an administrator's look with another program.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                       PRAGMA foreign_keys = ON;";

/// Makes sure that the file exists, readable by its owner only, and returns its one true path: two spellings or a
/// symbolic link must not lead to two locks.
pub(crate) fn create(path: &Path) -> Result<PathBuf, OpenError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .and_then(|_file| fs::canonicalize(path))
        .map_err(|error| Fault::of_file(&error).at(path.display()))
}

/// Tells whether a connector could write a file, which need not be there yet, and make others beside it.
pub(crate) fn may_be_written(path: &Path) -> Result<(), Fault> {
    let may = |path: &Path, access| {
        rustix::fs::access(path, access).map_err(|error| Fault::of_file(&io::Error::from(error)))
    };
    may(folder_of(path), Access::WRITE_OK | Access::EXEC_OK)?;
    match may(path, Access::READ_OK | Access::WRITE_OK) {
        Err(Fault::MissingDirectory) => Ok(()),
        told => told,
    }
}

/// Connects, and looks the whole file through for damage.
pub(crate) fn connect(path: &Path) -> Result<SqliteConnection, Fault> {
    let unusable = || Fault::Other {
        detail: "its path is not UTF-8".to_owned(),
    };
    let name = path.to_str().ok_or_else(unusable)?;
    let mut database = establish(name)?;
    database.batch_execute(PRAGMAS)?;
    check(&mut database)?;
    Ok(database)
}

/// Connects to read only, whoever else has the file open, and looks it through for damage.
pub(crate) fn look_into(path: &Path) -> Result<SqliteConnection, Fault> {
    let file = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Fault::Missing,
        _ => Fault::of_file(&error),
    })?;
    if !file.is_file() {
        return Err(Fault::NotAFile);
    }
    match look_at(&uri(path)) {
        // SQLite wants to write beside a file even to read it, unless it is told that nobody ever writes there
        Err(Fault::NotWritable) if is_still(path) => look_at(&format!("{}&immutable=1", uri(path))),
        looked => looked,
    }
}

fn look_at(name: &str) -> Result<SqliteConnection, Fault> {
    let mut database = establish(name)?;
    database.batch_execute("PRAGMA busy_timeout = 5000")?;
    check(&mut database)?;
    Ok(database)
}

/// Whether a file stands on a volume that takes no writes, and is whole without its write-ahead log.
fn is_still(path: &Path) -> bool {
    let logged = fs::metadata(named(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let volume = rustix::fs::statvfs(path);
    !logged && volume.is_ok_and(|volume| volume.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// A path as SQLite reads it from an address that forbids writing.
fn uri(path: &Path) -> String {
    let escaped: String = path
        .as_os_str()
        .as_bytes()
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                char::from(*byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("file:{escaped}?mode=ro")
}

/// Connects to what has this name.
pub(crate) fn establish(name: &str) -> Result<SqliteConnection, Fault> {
    SqliteConnection::establish(name).map_err(|error| match error {
        ConnectionError::BadConnection(text) => Fault::of_text(&text),
        other => Fault::Other {
            detail: other.to_string(),
        },
    })
}

fn check(database: &mut SqliteConnection) -> Result<(), Fault> {
    let verdict: String = diesel::dsl::sql::<Text>("PRAGMA quick_check(1)").get_result(database)?;
    if verdict != "ok" {
        return Err(Fault::Damaged { detail: verdict });
    }
    Ok(())
}

/// A path with something appended.
pub(crate) fn named(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes sure that what was renamed in the folder of a file stays so after a power failure.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path)).and_then(|folder| folder.sync_all())
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
