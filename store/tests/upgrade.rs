//! Every earlier build's tables, brought up to date and taken back, with rows in all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod stage;

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use m365_presence::board::{self, Side};
use m365_store::{Location, OpenError, RestoreError, downgrade};
use stage::filled::{assert_filled, fill};
use stage::postgres::{Postgres, database_of};
use stage::{Place, on_server, open_server};

/// A database of either kind, seen with other eyes than the store's.
trait Seen {
    fn location(&self) -> Location;
    /// Opens it with this build, and closes it again.
    fn start(&self);
    /// Runs a statement, and answers its one column's rows.
    fn run(&self, statement: &str) -> Vec<String>;
    /// Columns and their types by table.
    fn columns(&self) -> BTreeMap<String, Vec<(String, String)>>;
    /// An expression that spells a column.
    fn spelt(&self, column: &str) -> String;
    /// A binary value.
    fn binary(&self) -> &'static str;
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Seen for Place {
    fn location(&self) -> Location {
        Location::File(self.database())
    }

    fn start(&self) {
        drop(self.open());
    }

    fn run(&self, statement: &str) -> Vec<String> {
        let mut database = SqliteConnection::establish(self.database().to_str().unwrap()).unwrap();
        if !statement.starts_with("SELECT") {
            diesel::sql_query(statement).execute(&mut database).unwrap();
            return Vec::new();
        }
        let lines: Vec<Line> = diesel::sql_query(statement).load(&mut database).unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }

    fn columns(&self) -> BTreeMap<String, Vec<(String, String)>> {
        by_table(self.run(
            "SELECT m.name || ' ' || c.name || ' ' || c.type AS line FROM sqlite_schema m \
             JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid",
        ))
    }

    fn spelt(&self, column: &str) -> String {
        format!("quote({column})")
    }

    fn binary(&self) -> &'static str {
        "x'01ff'"
    }
}

struct OnServer(String);

impl Seen for OnServer {
    fn location(&self) -> Location {
        on_server(&self.0)
    }

    fn start(&self) {
        drop(open_server(&self.0));
    }

    fn run(&self, statement: &str) -> Vec<String> {
        let text = Postgres::shared().run(database_of(&self.0), statement);
        text.lines().map(str::to_owned).collect()
    }

    fn columns(&self) -> BTreeMap<String, Vec<(String, String)>> {
        by_table(self.run(
            "SELECT table_name || ' ' || column_name || ' ' || data_type AS line FROM information_schema.columns \
             WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
        ))
    }

    fn spelt(&self, column: &str) -> String {
        format!("coalesce({column}::text, '-')")
    }

    fn binary(&self) -> &'static str {
        "'\\x01ff'"
    }
}

fn by_table(lines: Vec<String>) -> BTreeMap<String, Vec<(String, String)>> {
    let mut tables = BTreeMap::<_, Vec<_>>::new();
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap().to_owned();
        let (table, column, sql_type) = (word(), word(), word().to_lowercase());
        if !table.starts_with("__") && table != "meta" {
            tables.entry(table).or_default().push((column, sql_type));
        }
    }
    tables
}

/// Every row of the tables of an older build, spelt.
fn rows(seen: &dyn Seen, tables: &BTreeMap<String, Vec<(String, String)>>) -> BTreeMap<String, Vec<String>> {
    let rows = tables.iter().map(|(table, columns)| {
        let columns: Vec<_> = columns.iter().map(|(column, _)| seen.spelt(column)).collect();
        let select = format!("SELECT {} AS line FROM {table}", columns.join(" || ' ' || "));
        (table.clone(), seen.run(&select))
    });
    rows.collect()
}

/// Puts one row into every table, with something in every column.
fn put_one_each(seen: &dyn Seen, tables: &BTreeMap<String, Vec<(String, String)>>) {
    for (table, columns) in tables {
        let values = columns.iter().map(|(column, sql_type)| match sql_type.as_str() {
            "text" => format!("'{column} of old'"),
            "bigint" => "7".to_owned(),
            "boolean" => "true".to_owned(),
            "blob" | "bytea" => seen.binary().to_owned(),
            "timestamp" | "timestamp without time zone" => "'2026-01-02 03:04:05.678901'".to_owned(),
            other => panic!("a column of the type {other}"),
        });
        let values: Vec<_> = values.collect();
        seen.run(&format!("INSERT INTO {table} VALUES ({})", values.join(", ")));
    }
}

fn goes_up_and_back(fresh: impl Fn() -> Box<dyn Seen>) {
    let every = {
        let seen = fresh();
        seen.start();
        seen.run("SELECT version AS line FROM __diesel_schema_migrations ORDER BY version")
    };
    assert!(every.len() > 3, "{every:?}");
    for version in &every {
        let seen = fresh();
        seen.start();
        downgrade(&seen.location(), version).unwrap();
        let tables = seen.columns();
        put_one_each(&*seen, &tables);
        let before = rows(&*seen, &tables);
        assert!(before.values().all(|rows| rows.len() == 1), "{before:?}");

        seen.start();
        assert_eq!(rows(&*seen, &tables), before, "from {version} up");
        let applied = seen.run("SELECT version AS line FROM __diesel_schema_migrations ORDER BY version");
        assert_eq!(applied, every);

        downgrade(&seen.location(), version).unwrap();
        assert_eq!(seen.columns(), tables, "back to {version}");
        assert_eq!(rows(&*seen, &tables), before, "back to {version}");
    }
}

#[test]
fn from_every_earlier_build_rows_are_kept_forwards_and_back_in_a_file() {
    goes_up_and_back(|| Box::new(Place::new()));
}

#[test]
fn from_every_earlier_build_rows_are_kept_forwards_and_back_on_a_server() {
    goes_up_and_back(|| Box::new(OnServer(Postgres::shared().new_database())));
}

/// What an older build knows no word for would stop it, so it goes; what stands beside it stays.
fn takes_status_messages_back(seen: &dyn Seen) {
    seen.start();
    let mut tables = seen.columns();
    tables.retain(|table, _| ["ledger", "timeline"].contains(&table.as_str()));
    put_one_each(seen, &tables);
    seen.run("UPDATE ledger SET slot = 'status_message'");
    let side = serde_json::to_string(&Side::TeamsNote).unwrap();
    let place = serde_json::to_string(&board::Place::PbxNote).unwrap();
    seen.run(&format!(
        r#"UPDATE timeline SET number = 8, item = '{{"written":[{{"side":{side}}}]}}'"#
    ));
    seen.run(&format!(
        r#"INSERT INTO timeline SELECT pbx_user, 9, '{{"seen":[{{"where":{place}}}]}}' FROM timeline"#
    ));
    let theirs = rows(seen, &tables);
    put_one_each(seen, &tables);

    let (reverted, _copy) = downgrade(&seen.location(), "0007").unwrap();
    assert_eq!(reverted, ["0008"]);
    for (table, left) in rows(seen, &tables) {
        assert_eq!(left.len(), 1, "{table}: {left:?}");
        let gone = theirs.get(&table).unwrap();
        assert!(left.iter().all(|row| !gone.contains(row)), "{table}: {left:?}");
    }
}

#[test]
fn status_messages_are_no_stumbling_block_for_an_older_build() {
    takes_status_messages_back(&Place::new());
    takes_status_messages_back(&OnServer(Postgres::shared().new_database()));
}

#[tokio::test]
async fn before_an_update_a_copy_is_kept_that_the_older_build_opens() {
    let place = Place::new();
    let store = place.open();
    fill(&store).await;
    store.close().await;
    downgrade(&place.location(), "0006").unwrap();
    let copies = || {
        let files = std::fs::read_dir(place.directory.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.contains(".before-update-")).collect();
        names.sort();
        names
    };
    assert_eq!(copies(), Vec::<String>::new());
    place.start();
    let kept = copies();
    assert_eq!(kept.len(), 1, "{kept:?}");
    place.start();
    assert_eq!(copies(), kept, "nothing is to be done any more");
    let copy = place.directory.path().join(kept.first().unwrap());
    std::fs::rename(copy, place.database()).unwrap();
    assert!(
        !place.columns().contains_key("timeline"),
        "as the older build left it"
    );
    assert_filled(&place.open()).await;
}

#[test]
fn a_version_that_never_was_and_a_database_in_use_are_refused() {
    let place = Place::new();
    let error = downgrade(&place.location(), "0006").unwrap_err().to_string();
    assert!(error.ends_with("does not exist; correct its path"), "{error}");
    let store = place.open();
    let error = downgrade(&place.location(), "0006").unwrap_err();
    assert!(
        matches!(error, RestoreError::Database(OpenError::InUse { .. })),
        "{error}"
    );
    drop(store);
    let error = downgrade(&place.location(), "6").unwrap_err().to_string();
    assert!(
        error.starts_with("this build knows no migration 6; it knows 0001, 0002, 0003, 0006"),
        "{error}"
    );
}

#[test]
fn a_database_that_was_restored_in_part_is_told() {
    let place = Place::new();
    place.start();
    place.run("DROP TABLE sign_ins");
    let (error, text) = place.refusal();
    assert!(matches!(error, OpenError::NotWhole { .. }), "{text}");
    assert!(text.contains("no such table: sign_ins"), "{text}");

    let seen = OnServer(Postgres::shared().new_database());
    seen.start();
    seen.run("ALTER TABLE ledger DROP COLUMN replaces");
    let error = stage::try_open_server(&seen.0).err().unwrap();
    assert!(matches!(error, OpenError::NotWhole { .. }), "{error}");
}
