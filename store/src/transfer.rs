//! Copying every row from one database to another, of whichever kind.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::database::Database;
use crate::queries::{ROWS_AT_ONCE, in_its_dialect};
use crate::schema;

/// Writes what is done with each table, once. Every column stands here: a table is read as a whole, so one that is
/// missing does not compile.
macro_rules! every_table {
    ($($table:ident ($($column:ident: $type:ty),+);)+) => {
        /// Copies all rows into a database whose tables are empty; both have the schema of this build.
        pub(crate) fn copy(from: &mut Database, to: &mut Database) -> QueryResult<usize> {
            let mut copied = 0;
            $({
                use schema::$table::dsl;
                let rows: Vec<($($type),+)> = dsl::$table.load(from)?;
                for rows in rows.chunks(ROWS_AT_ONCE) {
                    let rows: Vec<_> = rows
                        .iter()
                        .map(|($($column),+)| ($(dsl::$column.eq($column)),+))
                        .collect();
                    let insert = diesel::insert_into(dsl::$table).values(&rows);
                    copied += in_its_dialect!(to, connection => insert.execute(connection))?;
                }
            })+
            Ok(copied)
        }

        /// Removes all rows.
        pub(crate) fn clear(database: &mut Database) -> QueryResult<()> {
            $(diesel::delete(schema::$table::table).execute(database)?;)+
            Ok(())
        }

        /// Counts the rows, of the tables that a mere start fills too none.
        pub(crate) fn count(database: &mut Database) -> QueryResult<i64> {
            let mut all = 0;
            $(if stringify!($table) != "meta" {
                all += schema::$table::table.count().get_result::<i64>(database)?;
            })+
            Ok(all)
        }

        /// Looks whether every table is there with every column.
        pub(crate) fn look(database: &mut Database) -> QueryResult<()> {
            $({
                let _none: Vec<($($type),+)> = schema::$table::table.limit(0).load(database)?;
            })+
            Ok(())
        }
    };
}

every_table! {
    meta(name: String, value: Vec<u8>);
    subscriptions(
        kind: String, account: String, id: String, users: String, expires_at: NaiveDateTime,
        certificate_id: Option<String>, notification_url: String
    );
    client_states(kind: String, account: String, client_state: Vec<u8>);
    ledger(
        pbx_user: String, slot: String, h323: String, home: String, teams_user: String, state: String,
        availability: String, activity: String, stands_for: String, written_at: NaiveDateTime,
        until: Option<NaiveDateTime>, replaces: String
    );
    refresh_tokens(account: String, token: Vec<u8>);
    sign_ins(credential: String, record: Vec<u8>);
    notification_keys(id: String, certificate: Vec<u8>, private_key: Vec<u8>, created_at: NaiveDateTime);
    license_answers(pbx_user: String, held: bool);
    settings(key: String, value: Vec<u8>);
    audit(
        id: i64, at: NaiveDateTime, who: String, what: String, value_before: Option<String>,
        value_after: Option<String>
    );
    timeline(pbx_user: String, number: i64, item: String);
}
