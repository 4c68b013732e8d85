//! The timeline: statements, and the port in front of them.

use diesel::dsl::max;
use diesel::prelude::*;
use m365_presence::identity::PbxGuid;
use m365_presence::ports::{
    Stored, TIMELINE_ALTOGETHER, TIMELINE_DAYS, TIMELINE_PER_USER, TimelineRow, TimelineStore,
};
use m365_presence::timeline::Item;

use crate::database::Database;
use crate::error::Failure;
use crate::queries::{ROWS_AT_ONCE, in_its_dialect, whole};
use crate::schema::timeline;
use crate::sql::SqlStore;

const MICROSECONDS_OF_A_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A row of table `timeline`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = timeline)]
struct Row {
    pbx_user: String,
    number: i64,
    item: String,
}

/// Inserts rows, and forgets what is beyond the bounds.
fn add(database: &mut Database, rows: &[Row]) -> QueryResult<()> {
    whole(database, |database| {
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let insert = diesel::insert_into(timeline::table).values(rows);
            in_its_dialect!(database, connection => insert.execute(connection))?;
        }
        let mut users: Vec<&str> = rows.iter().map(|row| row.pbx_user.as_str()).collect();
        users.sort_unstable();
        users.dedup();
        for user in users {
            forget_of_user(database, user)?;
        }
        forget_old(database)
    })
}

fn forget_of_user(database: &mut Database, user: &str) -> QueryResult<()> {
    let of_user = timeline::table.filter(timeline::pbx_user.eq(user));
    let surplus: Option<i64> = of_user
        .order(timeline::number.desc())
        .offset(TIMELINE_PER_USER)
        .limit(1)
        .select(timeline::number)
        .first(database)
        .optional()?;
    let Some(surplus) = surplus else { return Ok(()) };
    diesel::delete(of_user.filter(timeline::number.le(surplus)))
        .execute(database)
        .map(drop)
}

fn forget_old(database: &mut Database) -> QueryResult<()> {
    let oldest = newest(database)?.unwrap_or_default() - TIMELINE_DAYS * MICROSECONDS_OF_A_DAY;
    let surplus: Option<i64> = timeline::table
        .order(timeline::number.desc())
        .offset(TIMELINE_ALTOGETHER)
        .limit(1)
        .select(timeline::number)
        .first(database)
        .optional()?;
    let last = surplus.map_or(oldest, |surplus| surplus.max(oldest));
    diesel::delete(timeline::table.filter(timeline::number.le(last)))
        .execute(database)
        .map(drop)
}

fn newest(database: &mut Database) -> QueryResult<Option<i64>> {
    timeline::table.select(max(timeline::number)).first(database)
}

fn read(database: &mut Database, user: &str, before: i64, limit: i64) -> QueryResult<Vec<Row>> {
    timeline::table
        .filter(timeline::pbx_user.eq(user).and(timeline::number.lt(before)))
        .order(timeline::number.desc())
        .limit(limit)
        .select(Row::as_select())
        .load(database)
}

fn item(row: &Row) -> Result<Item, Failure> {
    serde_json::from_str(&row.item).map_err(|_error| Failure::Row {
        table: "timeline",
        what: "transition",
    })
}

impl TimelineStore for SqlStore {
    fn add_to_timeline<'a>(&'a self, rows: &'a [TimelineRow]) -> Stored<'a, ()> {
        let row = |row: &TimelineRow| {
            Some(Row {
                pbx_user: row.user.as_str().to_owned(),
                number: row.item.number,
                item: serde_json::to_string(&row.item).ok()?,
            })
        };
        let rows: Vec<Row> = rows.iter().filter_map(row).collect();
        Box::pin(self.writer.run(move |desk| Ok(add(&mut desk.database, &rows)?)))
    }

    fn newest_in_timeline(&self) -> Stored<'_, Option<i64>> {
        Box::pin(self.writer.run(|desk| Ok(newest(&mut desk.database)?)))
    }

    fn timeline<'a>(&'a self, user: &'a PbxGuid, before: Option<i64>, limit: usize) -> Stored<'a, Vec<Item>> {
        let user = user.as_str().to_owned();
        let (before, limit) = (
            before.unwrap_or(i64::MAX),
            i64::try_from(limit).unwrap_or(i64::MAX),
        );
        Box::pin(self.writer.run(move |desk| {
            let rows = read(&mut desk.database, &user, before, limit)?;
            rows.iter().map(item).collect()
        }))
    }
}
