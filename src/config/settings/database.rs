//! `[database]`: where state is kept.

use std::path::{Path, PathBuf};

use m365_presence::secret::Secret;
use m365_store::PostgresAddress;

use crate::config::problem::Refusal;
use crate::config::reader::Reader;

/// Where state is kept.
#[derive(Clone, Debug)]
pub struct Database {
    /// Which database.
    pub url: DatabaseUrl,
    /// Key for the secrets in it, as hexadecimal or base64 text; `None` for the generated one beside the database.
    pub key: Option<Secret>,
}

/// Which database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Box<PostgresAddress>),
}

pub(super) fn read(reader: &mut Reader) -> Option<Database> {
    let beside = reader.peek("database.password").map(Secret::new);
    let url = reader.parsed("database.url", |text| database_url(text, beside.as_ref()));
    let password = reader.secret("database.password");
    let key = reader.parsed("database.key", key);
    match &url {
        Some(DatabaseUrl::Sqlite(file)) => {
            check_folder(reader, file);
            if password.is_some() {
                let cause = "is not used, because database.url names a file";
                reader.warn(
                    "database.password",
                    cause,
                    "remove it, or name a PostgreSQL server",
                );
            }
        }
        Some(DatabaseUrl::Postgres(address)) => check_protection(reader, address, key.is_some()),
        None => {}
    }
    Some(Database { url: url?, key })
}

fn check_folder(reader: &mut Reader, file: &Path) {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let cause = format!("names a file in the folder {folder:?}, which does not exist here");
        let remedy = "create the folder, and let the connector's user write into it";
        reader.warn("database.url", cause, remedy);
    }
}

fn check_protection(reader: &mut Reader, address: &PostgresAddress, has_key: bool) {
    if address.is_exposed() {
        let cause = "lets anybody on the way read along, or answer in the server's place";
        let remedy =
            "append ?sslmode=verify-full, and &sslrootcert=FILE when the server's certificate is your own's";
        reader.warn("database.url", cause, remedy);
    }
    if !has_key {
        let cause = "is not given: the secrets in the database are encrypted with a key in the same database";
        let remedy =
            "draw one with 'openssl rand -hex 32' and give it to every instance, best as database.key_file";
        reader.warn("database.key", cause, remedy);
    }
}

fn database_url(text: &str, password: Option<&Secret>) -> Result<DatabaseUrl, Refusal> {
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        let address = PostgresAddress::parse(text, password);
        return address
            .map(|address| DatabaseUrl::Postgres(Box::new(address)))
            .map_err(|error| error.to_string().into());
    }
    let Some(file) = text.strip_prefix("sqlite:") else {
        return Err("begins neither with sqlite: nor with postgres://".into());
    };
    let file = file.strip_prefix("//").unwrap_or(file);
    match file {
        "" => Err("names no file behind sqlite:".into()),
        ":memory:" => Err(Refusal::with_remedy(
            "keeps nothing over a restart",
            "name a file: subscriptions and what was set in Teams must survive a restart",
        )),
        file if file.ends_with('/') => Err("names a folder: append the name of a file".into()),
        file => Ok(DatabaseUrl::Sqlite(PathBuf::from(file))),
    }
}

fn key(text: &str) -> Result<Secret, Refusal> {
    let key = text.trim();
    let hexadecimal = key.len() == 64 && key.chars().all(|c| c.is_ascii_hexdigit());
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
    if hexadecimal || (matches!(key.len(), 43 | 44) && key.chars().all(base64)) {
        Ok(Secret::new(key))
    } else {
        Err("has not the form of a key".into())
    }
}
