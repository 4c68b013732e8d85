//! The term of the active instance: a row of table `meta` that counts the elections.
//!
//! It fences the database itself. Each request of the active instance looks at the row with a shared lock first, and a
//! newly elected one changes it before it reads anything. So what a deposed instance writes is either finished before its
//! successor reads, or refused.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};

use super::connection::PostgresConnection;
use crate::database::Database;
use crate::queries;
use crate::schema::meta;

/// The row of table `meta`; a decimal number in clear.
const TERM: &str = "term";

/// Whether that session holds the lock of the active instance.
const HELD: &str = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 1295201845 \
                    AND objid = hashtext('active ' || current_schema())::oid AND objsubid = 2 AND granted \
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                    AND pid = $1) AS held";

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = Bool)]
    held: bool,
}

/// Counts an election, unless the session that won it has lost the lock since; returns the new term.
pub(crate) fn claim(database: &mut PostgresConnection, session: i32) -> QueryResult<Option<i64>> {
    database.transaction(|database| {
        let before: Option<Vec<u8>> = meta::table
            .find(TERM)
            .select(meta::value)
            .for_update()
            .first(database)
            .optional()?;
        let held: Held = diesel::sql_query(HELD)
            .bind::<Integer, _>(session)
            .get_result(database)?;
        if !held.held {
            return Ok(None);
        }
        let term = before.as_deref().map_or(0, number).saturating_add(1);
        let text = term.to_string().into_bytes();
        diesel::insert_into(meta::table)
            .values((meta::name.eq(TERM), meta::value.eq(&text)))
            .on_conflict(meta::name)
            .do_update()
            .set(meta::value.eq(&text))
            .execute(database)?;
        Ok(Some(term))
    })
}

/// Whether this term is still the last one, which it remains until the end of the transaction.
pub(crate) fn is_last(database: &mut PostgresConnection, term: i64) -> QueryResult<bool> {
    let found: Option<Vec<u8>> = meta::table
        .find(TERM)
        .select(meta::value)
        .for_share()
        .first(database)
        .optional()?;
    Ok(found.as_deref().map_or(0, number) == term)
}

/// The last term, 0 before any.
pub(crate) fn last(database: &mut Database) -> QueryResult<i64> {
    Ok(queries::meta(database, TERM)?.as_deref().map_or(0, number))
}

/// Removes the term from a database that nobody is elected for.
pub(crate) fn forget(database: &mut Database) -> QueryResult<()> {
    diesel::delete(meta::table.find(TERM)).execute(database).map(drop)
}

/// Sets the term: whoever was elected for another one is deposed.
pub(crate) fn set(database: &mut Database, term: i64) -> QueryResult<()> {
    forget(database)?;
    queries::add_meta(database, TERM, term.to_string().as_bytes())
}

fn number(text: &[u8]) -> i64 {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}
