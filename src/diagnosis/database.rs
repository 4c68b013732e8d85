//! The database, and the room that is left for it.

use std::path::Path;

use m365_presence::ports::StoreError;
use m365_store::Look;

use super::Finding;
use crate::config::{Database, DatabaseUrl, Settings};
use crate::keeping::location;
use crate::office::key_source;

const SPACE: &str = "disk space for the database";

/// With less the disk is nearly full; SQLite alone needs a few.
const LITTLE: u64 = 200 * 1024 * 1024;

/// With less the next write may fail.
const NOTHING: u64 = 10 * 1024 * 1024;

/// Tells whether the store has answered.
pub(super) fn answered<T>(answer: Result<T, StoreError>) -> Finding {
    const CHECK: &str = "database";
    match answer {
        Ok(_) => Finding::pass(CHECK, "it answers"),
        Err(error) => Finding::fail(CHECK, "it does not answer")
            .because(error.to_string())
            .remedied_by("see the log; without it nothing survives a restart"),
    }
}

/// Tells whether a start would find the database as it should be. Blocks, and not on a thread of a runtime.
pub(super) fn look(settings: &Settings) -> Finding {
    const CHECK: &str = "database";
    let looked = key_source(settings).map(|key| m365_store::look(&location(settings), &key));
    match looked {
        Ok(Ok(Look::Nothing)) => Finding::pass(CHECK, "there is none yet; the first start makes it"),
        Ok(Ok(Look::Outdated)) => Finding::pass(CHECK, "the next start brings its tables up to date"),
        Ok(Ok(Look::Rows(rows))) => {
            Finding::pass(CHECK, format!("whole, with {rows} rows, and its key fits"))
        }
        Ok(Err(error)) => unusable(CHECK, &error.to_string()),
        Err(error) => unusable(CHECK, &format!("{error:#}")),
    }
}

/// Cause and remedy stand in one sentence, parted by a semicolon.
fn unusable(check: &str, sentence: &str) -> Finding {
    let finding = Finding::fail(check, "a start would end with an error");
    match sentence.split_once("; ") {
        Some((cause, remedy)) => finding.because(cause).remedied_by(remedy),
        None => finding.because(sentence),
    }
}

/// Tells how much room is left on the disk of a database file.
pub(super) fn space(database: &Database) -> Option<Finding> {
    let DatabaseUrl::Sqlite(path) = &database.url else {
        return None;
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            return Some(
                Finding::fail(SPACE, format!("{} cannot be looked at", folder.display()))
                    .because(error.to_string())
                    .remedied_by(
                        "check that the folder of database.url exists and belongs to the connector's user",
                    ),
            );
        }
    };
    let found = format!("{} MiB are free at {}", free / (1024 * 1024), folder.display());
    Some(match free {
        0..NOTHING => Finding::fail(SPACE, found)
            .because("the disk is full")
            .remedied_by("make room; until then nothing is kept over a restart"),
        NOTHING..LITTLE => Finding::warn(SPACE, found).remedied_by("make room soon"),
        _ => Finding::pass(SPACE, found),
    })
}
