//! The thread that owns the connection.
//!
//! SQLite has one writer anyway. A thread of its own gives every request its place in one order, keeps the actors'
//! thread free, and holds the prepared statements.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use diesel::connection::SimpleConnection;
use m365_presence::ports::StoreError;
use tokio::sync::oneshot;

use crate::error::{Failure, Fault};
use crate::lock::FileLock;
use crate::queries::Database;
use crate::seal::Cipher;

/// What the thread works with; its fields are dropped in this order, the lock last.
pub(crate) struct Desk {
    /// The connection.
    pub(crate) database: Database,
    /// Seals and opens secrets.
    pub(crate) cipher: Cipher,
    /// Keeps other processes off.
    pub(crate) _lock: FileLock,
}

type Job = Box<dyn FnOnce(&mut Desk) + Send>;

enum Order {
    Run(Job),
    Close(oneshot::Sender<()>),
}

/// The way to the thread. Dropping it waits for what was ordered before.
pub(crate) struct Writer {
    path: PathBuf,
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(path: &Path, desk: Desk) -> Result<Self, Fault> {
        let (orders, received) = channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || work(desk, received))
            .map_err(|error| Fault::of_file(&error))?;
        Ok(Self {
            path: path.to_owned(),
            orders,
            thread: Some(thread),
        })
    }

    /// Runs a request after all earlier ones and returns its answer. A request whose caller has gone is carried out
    /// all the same.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        request: impl FnOnce(&mut Desk) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |desk| {
            // Nobody waits for an answer any more: fine.
            let _gone = answer.send(request(desk));
        });
        self.orders
            .send(Order::Run(job))
            .map_err(|_closed| self.closed())?;
        let answer = answered.await.map_err(|_closed| self.closed())?;
        answer.map_err(|failure| failure.at(&self.path))
    }

    /// Carries out what was ordered before, then closes the database and gives up its lock. Later requests fail.
    pub(crate) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.orders.send(Order::Close(answer)).is_ok() {
            let _ended = answered.await;
        }
    }

    fn closed(&self) -> StoreError {
        StoreError {
            detail: format!(
                "the database {} is closed; restart the service",
                self.path.display()
            ),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let (answer, _nobody) = oneshot::channel();
        let _ended = self.orders.send(Order::Close(answer));
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn work(mut desk: Desk, orders: Receiver<Order>) {
    for order in &orders {
        match order {
            Order::Run(job) => job(&mut desk),
            Order::Close(answer) => {
                if let Err(error) = desk.database.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
                    log::warn!(error:%; "could not fold the write-ahead log into the database, the next start does");
                }
                drop(desk);
                drop(orders);
                let _gone = answer.send(());
                return;
            }
        }
    }
}
