//! Opening an SQLite file.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

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

/// Connects, and looks the whole file through for damage.
pub(crate) fn connect(path: &Path) -> Result<SqliteConnection, Fault> {
    let unusable = || Fault::Other {
        detail: "its path is not UTF-8".to_owned(),
    };
    let name = path.to_str().ok_or_else(unusable)?;
    let mut database = SqliteConnection::establish(name).map_err(|error| match error {
        ConnectionError::BadConnection(text) => Fault::of_text(&text),
        other => Fault::Other {
            detail: other.to_string(),
        },
    })?;
    database.batch_execute(PRAGMAS)?;
    let verdict: String = diesel::dsl::sql::<Text>("PRAGMA quick_check(1)").get_result(&mut database)?;
    if verdict != "ok" {
        return Err(Fault::Damaged { detail: verdict });
    }
    Ok(database)
}
