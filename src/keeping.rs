//! The commands that keep the database: backing it up, restoring it, and taking it back to an older build.

use m365_store::Location;

use crate::cli::{Backup, Downgrade, Restore};
use crate::config::{DatabaseUrl, Settings};
use crate::office::key_source;

/// Backs the database up, and says what was written.
///
/// # Errors
/// Cause and remedy.
pub fn back_up(settings: &Settings, backup: &Backup) -> anyhow::Result<String> {
    let done = m365_store::back_up(&location(settings), &backup.file)?;
    let key = if done.holds_key {
        "the key that opens its secrets stands in it: keep it as you would a password"
    } else {
        "the key that opens its secrets is not in it: keep that apart"
    };
    Ok(format!(
        "backed up {} into {} ({} bytes); {key}",
        location(settings),
        backup.file.display(),
        done.bytes
    ))
}

/// Restores a backup, and says what stands there now.
///
/// # Errors
/// Cause and remedy; the database is as it was then.
pub fn restore(settings: &Settings, restore: &Restore) -> anyhow::Result<String> {
    let (to, key) = (location(settings), key_source(settings)?);
    let restored = m365_store::restore(&restore.file, &to, &key, restore.replace)?;
    let kept = restored
        .kept
        .map(|kept| format!("; what stood there before is kept as {}", kept.display()));
    Ok(format!(
        "restored {} rows from {} into {to}{}",
        restored.rows,
        restore.file.display(),
        kept.unwrap_or_default()
    ))
}

/// Takes the database back to an older build, and says what was done.
///
/// # Errors
/// Cause and remedy.
pub fn downgrade(settings: &Settings, downgrade: &Downgrade) -> anyhow::Result<String> {
    let database = location(settings);
    let (reverted, kept) = m365_store::downgrade(&database, &downgrade.to)?;
    if reverted.is_empty() {
        return Ok(format!("{database} needs nothing taken back"));
    }
    let kept = kept.map(|kept| format!("; what stood there before is kept as {}", kept.display()));
    Ok(format!(
        "took {} back in {database}{}",
        reverted.join(", "),
        kept.unwrap_or_default()
    ))
}

/// Where the database is that the settings name.
pub(crate) fn location(settings: &Settings) -> Location {
    match &settings.database.url {
        DatabaseUrl::Sqlite(path) => Location::File(path.clone()),
        DatabaseUrl::Postgres(address) => Location::Server(address.clone()),
    }
}
