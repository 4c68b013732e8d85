//! Figures of the store, printed for a reader: `cargo test -p m365-store --release --test figures -- --ignored --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    missing_docs
)]

mod stage;

use std::time::Instant;

use m365_presence::ports::{LedgerChange, Slot, Store};
use stage::postgres::Postgres;
use stage::{Place, open_server, put};

/// Requests of one row each, one after the other, and rows that come twenty to a request.
async fn writes_a_second(store: &dyn Store, requests: usize) -> (f64, f64) {
    let row = |number: usize| put(&format!("{number:032x}"), Slot::Session);
    let begun = Instant::now();
    for number in 0..requests {
        store.change_ledger(&[row(number)]).await.unwrap();
    }
    let single = requests as f64 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    for batch in 0..requests / 20 {
        let rows: Vec<LedgerChange> = (batch * 20..(batch + 1) * 20).map(row).collect();
        store.change_ledger(&rows).await.unwrap();
    }
    (single, requests as f64 / begun.elapsed().as_secs_f64())
}

#[tokio::test]
#[ignore = "prints figures, and proves nothing"]
async fn writes_a_second_on_both_databases() {
    let place = Place::new();
    let file = place.open();
    let server = open_server(&Postgres::shared().new_database());
    let mut best = [(0.0_f64, 0.0_f64); 2];
    for _round in 0..3 {
        for (best, store) in best.iter_mut().zip([&file, &server]) {
            let (single, batched) = writes_a_second(store, 1000).await;
            *best = (best.0.max(single), best.1.max(batched));
        }
    }
    let [(file_single, file_batched), (server_single, server_batched)] = best;
    println!("| rows written a second | SQLite | PostgreSQL on loopback | ratio |");
    println!("|---|---:|---:|---:|");
    println!(
        "| one to a request | {file_single:.0} | {server_single:.0} | {:.1} |",
        file_single / server_single
    );
    println!(
        "| twenty to a request | {file_batched:.0} | {server_batched:.0} | {:.1} |",
        file_batched / server_batched
    );
}
