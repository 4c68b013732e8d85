//! What can be wrong with the database, told so that an administrator knows what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use m365_presence::ports::StoreError;

use crate::key::KeyError;

/// What is wrong with the database file. Each text continues the words "the database FILE" with cause and remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The directory that should hold it is missing.
    #[error("has no directory to be in; create the directory and let the service's user write there")]
    MissingDirectory,
    /// There is no such file.
    #[error("does not exist; correct its path")]
    Missing,
    /// There is something else at its path, for example a directory.
    #[error("is not a file; correct database.url")]
    NotAFile,
    /// The service's user may not write it.
    #[error("cannot be written; give the service's user write access to the file and its directory")]
    NotWritable,
    /// The volume takes no writes from anybody.
    #[error(
        "is on a volume that is mounted read-only; mount it writable, or name another place in database.url"
    )]
    ReadOnlyVolume,
    /// The disk is full.
    #[error("cannot grow because the disk is full; free some space there")]
    Full,
    /// The file holds something else.
    #[error("is not an SQLite database; correct database.url or move the file away")]
    NotADatabase,
    /// The file was an SQLite database once.
    #[error("is damaged ({detail}); restore it from a backup, or move it away to start anew")]
    Damaged {
        /// SQLite's finding.
        detail: String,
    },
    /// The server does not answer.
    #[error(
        "cannot be reached ({detail}); check that PostgreSQL runs there, and host, port and firewall on the way"
    )]
    Unreachable {
        /// The cause in the words of whoever told it.
        detail: String,
    },
    /// The user or the password is wrong.
    #[error("refuses the user name or the password; correct them in database.url, or give database.password")]
    WrongPassword,
    /// The server's `pg_hba.conf` has no place for us.
    #[error("does not let this user in from here ({detail}); add a line for it to the server's pg_hba.conf")]
    NotAdmitted {
        /// The server's words.
        detail: String,
    },
    /// The server has no database of that name.
    #[error("does not exist; create it with CREATE DATABASE, or correct its name in database.url")]
    NoSuchDatabase,
    /// The server takes no further connection.
    #[error("has no connection left; raise the server's max_connections, or end who holds so many")]
    NoRoom,
    /// TLS with the server fails.
    #[error("cannot be reached by TLS ({detail}); check sslmode and sslrootcert in database.url")]
    Tls {
        /// The cause in the words of whoever told it.
        detail: String,
    },
    /// The user may not do what is needed.
    #[error("does not let its user work ({detail}); make the user the database's owner")]
    NoRight {
        /// The server's words.
        detail: String,
    },
    /// The server takes no writes.
    #[error("takes no writes, for it is a replica or set read-only; name the primary server in database.url")]
    ReadOnlyServer,
    /// The server is too old.
    #[error("runs on PostgreSQL {version}; use version 14 or newer")]
    TooOld {
        /// Its version.
        version: String,
    },
    /// Another program holds it.
    #[error("is locked by another program; end the program that has it open")]
    Busy,
    /// Anything else that the system or SQLite tells.
    #[error("failed ({detail}); look at its disk and restart the service")]
    Other {
        /// The cause in the words of whoever told it.
        detail: String,
    },
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it: end that one, or give this one another file.
    #[error(
        "the database {} is in use: another connector holds {}; end it, or give this one its own database",
        database,
        lock.display()
    )]
    InUse {
        /// The database.
        database: String,
        /// The lock file, which may be left behind without harm.
        lock: PathBuf,
    },
    /// The database was written by a newer build: run that one, have it take the tables back, or restore a backup.
    #[error(
        "the database {} was written by a newer build (unknown migrations: {}); run that build, or take the tables back \
         with that build's `m365-connector downgrade --to {}`, or restore the backup made before its update",
        database, unknown.join(", "), newest
    )]
    Newer {
        /// The database.
        database: String,
        /// The migrations that this build does not know.
        unknown: Vec<String>,
        /// The newest one that it knows.
        newest: String,
    },
    /// The key is readable, but is not the one that the database was created with.
    #[error(
        "{key} does not open the secrets in the database {database}; give the key that the database was created \
         with. If that key is lost, move the database and the key away to start anew. That loses the client states \
         (subscriptions are created anew), the sign-ins by device code (each communication user must sign in again), \
         the notification keys, and the record of what was set: entries at the PBX stay until they are set again"
    )]
    WrongKey {
        /// The database.
        database: String,
        /// Where the key came from, e.g. "the key file connector.db.key".
        key: String,
    },
    /// The tables are those of an older build, or there are none yet; whoever opens it to write brings them up to date.
    #[error(
        "the database {database} was written by an older build, and is brought up to date by the active instance"
    )]
    Outdated {
        /// The database.
        database: String,
    },
    /// The migrations that were run and the tables do not fit: part of the database was lost or changed by hand.
    #[error(
        "the database {database} is not whole ({detail}), though its migrations were run; restore a backup, or move it away \
         to start anew"
    )]
    NotWhole {
        /// The database.
        database: String,
        /// What is missing, in the database's words.
        detail: String,
    },
    /// Another instance was elected while this one opened the database.
    #[error(
        "the database {database} was taken over by another instance; this one ends, start it again to stand by"
    )]
    TakenOver {
        /// The database.
        database: String,
    },
    /// The key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The file is unusable.
    #[error("the database {database} {fault}")]
    Unusable {
        /// The database.
        database: String,
        /// Why.
        fault: Fault,
    },
}

impl Fault {
    /// Whether it may pass without anybody doing something about this instance.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NoRoom)
    }

    /// Classifies what the file system says about a file that should be opened or created.
    pub(crate) fn of_file(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::MissingDirectory,
            io::ErrorKind::IsADirectory => Self::NotAFile,
            io::ErrorKind::PermissionDenied => Self::NotWritable,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnlyVolume,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Other {
                detail: error.to_string(),
            },
        }
    }

    /// Classifies what SQLite says. diesel passes on its text without its code, so the text decides; these texts have
    /// been the same since SQLite 3.0.
    pub(crate) fn of_text(text: &str) -> Self {
        let detail = text.to_owned();
        match text {
            "database or disk is full" => Self::Full,
            "attempt to write a readonly database" | "unable to open database file" => Self::NotWritable,
            "file is not a database" => Self::NotADatabase,
            "database disk image is malformed" => Self::Damaged { detail },
            "database is locked" | "database table is locked" => Self::Busy,
            // PostgreSQL's words, in the language that its administrators leave it in
            _ if text.starts_with("permission denied") => Self::NoRight { detail },
            _ if text.contains("No space left on device") => Self::Full,
            _ => Self::Other { detail },
        }
    }

    /// Makes the error of opening.
    pub(crate) fn at(self, database: impl fmt::Display) -> OpenError {
        OpenError::Unusable {
            database: database.to_string(),
            fault: self,
        }
    }
}

impl From<DieselError> for Fault {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, information) => {
                Self::Unreachable {
                    detail: information.message().to_owned(),
                }
            }
            DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => Self::ReadOnlyServer,
            DieselError::DatabaseError(_, information) => Self::of_text(information.message()),
            // A rollback that fails too says less than the error that asked for it.
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            other => Self::Other {
                detail: other.to_string(),
            },
        }
    }
}

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The database refused.
    #[error("{0}")]
    Database(Fault),
    /// Another instance is the active one.
    #[error("was taken over by another instance, nothing is written any more")]
    TakenOver,
    /// A row holds what this build cannot have written.
    #[error(
        "holds an unknown {what} in table {table}; restore a backup, or remove that row while the service is stopped"
    )]
    Row {
        /// Where.
        table: &'static str,
        /// The column's meaning.
        what: &'static str,
    },
    /// A secret does not decrypt.
    #[error(
        "holds a secret in table {table} that the key does not open; restore the database together with its key, or \
         remove that row while the service is stopped to have the secret made anew"
    )]
    Sealed {
        /// Where.
        table: &'static str,
    },
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Database(error.into())
    }
}

impl Failure {
    /// Makes the port's error.
    pub(crate) fn at(&self, database: &str) -> StoreError {
        StoreError {
            detail: format!("the database {database} {self}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_the_file_system_has_its_remedy() {
        for (kind, fault) in [
            (io::ErrorKind::NotFound, Fault::MissingDirectory),
            (io::ErrorKind::NotADirectory, Fault::MissingDirectory),
            (io::ErrorKind::IsADirectory, Fault::NotAFile),
            (io::ErrorKind::PermissionDenied, Fault::NotWritable),
            (io::ErrorKind::ReadOnlyFilesystem, Fault::ReadOnlyVolume),
            (io::ErrorKind::StorageFull, Fault::Full),
        ] {
            assert_eq!(Fault::of_file(&kind.into()), fault, "{kind}");
        }
    }

    #[test]
    fn a_read_only_database_names_file_and_remedy() {
        let failure = Failure::Database(Fault::of_text("attempt to write a readonly database"));
        assert_eq!(
            failure.at("connector.db").to_string(),
            "the database connector.db cannot be written; give the service's user write access to the file and its \
             directory"
        );
    }
}
