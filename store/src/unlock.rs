//! Finding the key that opens the secrets, and proving it.

use std::path::Path;

use m365_presence::secret::Secret;

use crate::database::Database;
use crate::error::{Fault, OpenError};
use crate::key::{EncryptionKey, KeyError, KeySource};
use crate::queries;
use crate::seal::{Cipher, Place};

/// The row of table `meta` that tells a wrong key.
const KEY_CHECK: &str = "key_check";

/// What that row holds, sealed.
const KEY_CHECK_TEXT: &str = "this is the right key";

/// Where that row stands.
const PLACE: Place<'static> = Place::new("meta", &[KEY_CHECK]);

/// The row of table `meta` that holds a drawn key: beside a server there is no file that every instance can read.
const DRAWN_KEY: &str = "key";

/// Fetches the key and proves it on the database of this name; a database without any proof yet gets one.
pub(crate) fn unlock(database: &mut Database, name: &str, source: &KeySource) -> Result<Cipher, OpenError> {
    let failed = |error: diesel::result::Error| Fault::from(error).at(name);
    let proof = queries::meta(database, KEY_CHECK).map_err(failed)?;
    let (key, told) = fetch(database, name, source, proof.is_some())?;
    let wrong = || wrong(name, &told);
    let cipher = Cipher::new(&key).map_err(|_unspecified| wrong())?;
    if let Some(proof) = proof {
        cipher.open(PLACE, &proof).map_err(|_sealed| wrong())?;
    } else {
        let proof = cipher.seal(PLACE, &Secret::new(KEY_CHECK_TEXT));
        let proof = proof.map_err(|_sealed| wrong())?;
        queries::add_meta(database, KEY_CHECK, &proof).map_err(failed)?;
    }
    Ok(cipher)
}

/// Fetches the key and proves it, without changing anything.
pub(crate) fn prove(database: &mut Database, name: &str, source: &KeySource) -> Result<Cipher, OpenError> {
    let failed = |error: diesel::result::Error| Fault::from(error).at(name);
    if queries::meta(database, KEY_CHECK).map_err(failed)?.is_none() {
        return Err(OpenError::Outdated {
            database: name.to_owned(),
        });
    }
    unlock(database, name, source)
}

/// Whether the key stands in the database itself.
pub(crate) fn has_drawn_key(database: &mut Database) -> diesel::QueryResult<bool> {
    Ok(queries::meta(database, DRAWN_KEY)?.is_some())
}

fn wrong(name: &str, told: &str) -> OpenError {
    OpenError::WrongKey {
        database: name.to_owned(),
        key: told.to_owned(),
    }
}

/// Fetches the key, and names it for a person.
fn fetch(
    database: &mut Database,
    name: &str,
    source: &KeySource,
    encrypted: bool,
) -> Result<(EncryptionKey, String), OpenError> {
    if let (KeySource::Beside, Database::Postgres(_)) = (source, &*database) {
        let key = drawn_key(database, name, encrypted)?;
        return Ok((key, "the key in its table meta".to_owned()));
    }
    let path = Path::new(name);
    Ok((source.fetch(path, encrypted)?, source.describe(path)))
}

/// Reads the key that was drawn for this database, or draws it; not for one whose secrets another key encrypts.
fn drawn_key(database: &mut Database, name: &str, encrypted: bool) -> Result<EncryptionKey, OpenError> {
    let failed = |error: diesel::result::Error| Fault::from(error).at(name);
    if let Some(text) = queries::meta(database, DRAWN_KEY).map_err(failed)? {
        return Ok(String::from_utf8_lossy(&text).parse()?);
    }
    if encrypted {
        return Err(KeyError::NotGiven {
            database: name.to_owned(),
        }
        .into());
    }
    let key = EncryptionKey::draw()?;
    queries::add_meta(database, DRAWN_KEY, key.hexadecimal().as_bytes()).map_err(failed)?;
    log::warn!(
        "the secrets in the database {name} are encrypted with a key that stands in the same database; give \
         database.key to keep them apart"
    );
    Ok(key)
}
