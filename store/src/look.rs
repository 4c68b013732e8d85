//! Looking at a database without changing anything, also while a connector uses it.

use crate::backup::Location;
use crate::database::Database;
use crate::error::{Fault, OpenError};
use crate::file;
use crate::key::KeySource;
use crate::migration;
use crate::postgres::Server;
use crate::transfer;
use crate::unlock::prove;

/// What a database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing yet: the first start makes the tables.
    Nothing,
    /// The tables of an older build: the next start brings them up to date.
    Outdated,
    /// So many rows, and the key opens its secrets.
    Rows(i64),
}

/// Looks whether a connector could work with a database: whether it is there, may be written, is whole, not of a newer build,
/// and opened by the key. Blocks while it does, and not on a thread of a runtime.
///
/// # Errors
/// Cause and remedy, as a start would tell them.
pub fn look(at: &Location, key: &KeySource) -> Result<Look, OpenError> {
    let name = at.to_string();
    let failed = |fault: Fault| fault.at(&name);
    let (_server, mut database) = match at {
        Location::File(path) => match file::look_into(path) {
            Ok(connection) => {
                file::may_be_written(path).map_err(failed)?;
                (None, Database::Sqlite(connection))
            }
            Err(Fault::Missing) => {
                file::may_be_written(path).map_err(failed)?;
                return Ok(Look::Nothing);
            }
            Err(fault) => return Err(failed(fault)),
        },
        Location::Server(address) => {
            let server = Server::new(address).map_err(failed)?;
            let connection = server.connect().map_err(failed)?;
            (Some(server), Database::Postgres(connection))
        }
    };
    match migration::check(&mut database, &name).and_then(|()| migration::check_whole(&mut database, &name)) {
        Ok(()) => {}
        Err(OpenError::Outdated { .. }) => return Ok(Look::Outdated),
        Err(error) => return Err(error),
    }
    match prove(&mut database, &name, key) {
        Ok(_cipher) => {}
        Err(OpenError::Outdated { .. }) => return Ok(Look::Outdated),
        Err(error) => return Err(error),
    }
    let rows = transfer::count(&mut database).map_err(|error| failed(error.into()))?;
    Ok(Look::Rows(rows))
}
