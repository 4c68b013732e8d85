//! Migrations, the schema that the queries are checked against, and the other database's migrations agree.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod stage;

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use m365_presence::ports::{Slot, Store};
use stage::{Place, put};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const SCHEMA: &str = include_str!("../src/schema.rs");

type Tables = BTreeMap<String, Vec<String>>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    sql_type: String,
    #[diesel(sql_type = Bool)]
    required: bool,
}

fn columns(database: &mut SqliteConnection) -> Vec<Column> {
    diesel::sql_query(
        "SELECT m.name AS table_name, c.name AS name, c.type AS sql_type, c.\"notnull\" AS required \
         FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY m.name, c.cid",
    )
    .load(database)
    .unwrap()
}

fn word(sql_type: &str) -> &str {
    match sql_type {
        "TEXT" => "Text",
        "BIGINT" => "BigInt",
        "BLOB" => "Binary",
        "TIMESTAMP" => "Timestamp",
        "BOOLEAN" => "Bool",
        other => panic!("the type {other} has no word in the schema"),
    }
}

fn migrated(database: &mut SqliteConnection) -> Tables {
    let mut tables = Tables::new();
    for column in columns(database) {
        let word = word(&column.sql_type);
        let word = if column.required {
            word.to_owned()
        } else {
            format!("Nullable<{word}>")
        };
        tables
            .entry(column.table_name)
            .or_default()
            .push(format!("{} -> {word}", column.name));
    }
    tables
}

fn written_down() -> Tables {
    let mut tables = Tables::new();
    let mut table = String::new();
    for line in SCHEMA.lines().map(str::trim) {
        if let Some((column, sql_type)) = line.split_once(" -> ") {
            let column = format!("{column} -> {}", sql_type.trim_end_matches(','));
            tables.entry(table.clone()).or_default().push(column);
        } else if let Some((name, _key)) = line.split_once(" (") {
            table = name.to_owned();
        }
    }
    tables
}

#[test]
fn the_schema_is_what_the_migrations_make() {
    let mut database = SqliteConnection::establish(":memory:").unwrap();
    database.run_pending_migrations(MIGRATIONS).unwrap();
    assert_eq!(migrated(&mut database), written_down());
}

#[tokio::test]
async fn migrations_go_down_and_up_again_over_stored_rows() {
    let place = Place::new();
    let store = place.open();
    store.change_ledger(&[put("01ab", Slot::Session)]).await.unwrap();
    store.close().await;

    let mut database = SqliteConnection::establish(place.database().to_str().unwrap()).unwrap();
    database.revert_all_migrations(MIGRATIONS).unwrap();
    assert_eq!(migrated(&mut database), Tables::new());
    database.run_pending_migrations(MIGRATIONS).unwrap();
    assert_eq!(migrated(&mut database), written_down());
    drop(database);

    assert!(place.open().ledger().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_database_that_is_up_to_date_is_left_as_it_is() {
    let place = Place::new();
    let store = place.open();
    store.change_ledger(&[put("01ab", Slot::Session)]).await.unwrap();
    store.close().await;
    let mut database = SqliteConnection::establish(place.database().to_str().unwrap()).unwrap();
    assert!(!database.has_pending_migration(MIGRATIONS).unwrap());
    drop(database);
    assert_eq!(place.open().ledger().await.unwrap().len(), 1);
}

/// The tables and columns that the migrations of a folder make, read from their text.
fn by_text(folder: &str) -> BTreeMap<String, Tables> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../migrations")
        .join(folder);
    let mut migrations = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(path.join("up.sql")).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(path.join("down.sql").exists(), "{name} has no way down");
        migrations.insert(name, created(&text));
    }
    migrations
}

fn created(text: &str) -> Tables {
    let mut tables = Tables::new();
    for statement in text.split("CREATE TABLE ").skip(1) {
        let (table, rest) = statement
            .split_once(" (\n")
            .expect("a table begins with its name and a bracket");
        let (body, _end) = rest.split_once("\n);").expect("a table ends with a bracket");
        let columns = body.lines().filter_map(|line| line.split_whitespace().next());
        tables.insert(table.to_owned(), columns.map(str::to_owned).collect());
    }
    for statement in text.split("ALTER TABLE ").skip(1) {
        let mut words = statement.split_whitespace();
        let table = words.next().expect("a table is named").to_owned();
        let column = words.nth(2).expect("a column is added").to_owned();
        tables.entry(table).or_default().push(column);
    }
    tables
}

#[test]
fn both_databases_have_the_same_tables_and_columns() {
    let sqlite = by_text("sqlite");
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, by_text("postgres"));
}
