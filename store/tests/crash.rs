//! A process that is killed loses nothing that was confirmed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

mod stage;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use m365_presence::ports::{Slot, Store};
use m365_store::{KeySource, SqlStore};
use stage::{Place, put};

const DATABASE: &str = "STORE_TEST_DATABASE";
const CONFIRMED: &str = "confirmed ";

fn user(number: usize) -> String {
    format!("{number:032x}")
}

#[tokio::test]
async fn a_killed_process_loses_nothing_confirmed() {
    let place = Place::new();
    let mut confirmed = 0;
    for _run in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(DATABASE, place.database())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let numbers = lines.filter_map(|line| line.strip_prefix(CONFIRMED)?.parse::<usize>().ok());
        let mut numbers = numbers.inspect(|number| confirmed = *number);
        assert_eq!(numbers.by_ref().take(50).count(), 50, "the child ended early");
        child.kill().unwrap();
        child.wait().unwrap();
        let _what_was_in_the_pipe = numbers.count();

        let rows = place.open().ledger().await.unwrap();
        let found: BTreeSet<_> = rows.iter().map(|row| row.pbx_user.to_string()).collect();
        for number in 1..=confirmed {
            assert!(found.contains(&user(number)), "{number} of {confirmed} is lost");
        }
        assert_eq!(rows.len() % 2, 0, "half a change was kept");
    }
}

#[tokio::test]
#[ignore = "the process that the test above kills"]
async fn writes_until_it_is_killed() {
    let Ok(database) = std::env::var(DATABASE) else {
        return;
    };
    let store = SqlStore::open_file(database, &KeySource::Beside).unwrap();
    let first = store.ledger().await.unwrap().len() / 2 + 1;
    // The harness has begun a line already.
    println!();
    for number in first.. {
        let user = user(number);
        store
            .change_ledger(&[put(&user, Slot::Session), put(&user, Slot::Preferred)])
            .await
            .unwrap();
        println!("{CONFIRMED}{number}");
        std::io::stdout().flush().unwrap();
    }
}
