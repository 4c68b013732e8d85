//! `[database]`: where state is kept.

use std::path::{Path, PathBuf};

use m365_presence::secret::Secret;

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
}

pub(super) fn read(reader: &mut Reader) -> Option<Database> {
    let url = reader.parsed("database.url", database_url);
    let key = reader.parsed("database.key", key);
    if let Some(DatabaseUrl::Sqlite(file)) = &url {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let cause = format!("names a file in the folder {folder:?}, which does not exist here");
            reader.warn(
                "database.url",
                cause,
                "create the folder, and let the connector's user write into it",
            );
        }
    }
    Some(Database { url: url?, key })
}

fn database_url(text: &str) -> Result<DatabaseUrl, Refusal> {
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        return Err(Refusal::with_remedy(
            "is a PostgreSQL address: PostgreSQL comes with a later version, this one keeps its state in SQLite",
            "use \"sqlite:/data/connector.db\" for now",
        ));
    }
    let Some(file) = text.strip_prefix("sqlite:") else {
        return Err("does not begin with sqlite:".into());
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
