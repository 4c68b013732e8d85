//! The thread that owns the connection.
//!
//! SQLite has one writer anyway, and one server connection is far faster than needed. A thread of its own gives every request its place in one order, keeps the actors'
//! thread free, and holds the prepared statements.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use diesel::connection::{SimpleConnection, TransactionManager};
use m365_presence::ports::StoreError;
use tokio::sync::oneshot;

use crate::database::Database;
use crate::error::{Failure, Fault, OpenError};
use crate::lock::FileLock;
use crate::postgres::{PostgresConnection, Server, Transactions, term};
use crate::seal::Cipher;

/// What the thread works with.
pub(crate) struct Desk {
    /// The connection.
    pub(crate) database: Database,
    /// Seals and opens secrets.
    pub(crate) cipher: Cipher,
    /// Dropped last: it keeps other processes off a file until the connection is closed.
    pub(crate) way: Way,
}

/// What stands between the connection and the database.
pub(crate) enum Way {
    /// The lock that keeps other processes off the file.
    File(#[expect(dead_code, reason = "it is held, never read")] FileLock),
    /// The server that a lost connection is made to again.
    Server(Box<Server>, Office),
}

/// What this instance may do with a database that others share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Office {
    /// Everything: nobody else uses it.
    Unshared,
    /// Everything, as long as nobody else is elected after this term.
    Term(i64),
    /// To look at what is there.
    None,
}

impl Office {
    /// Begins a request within its transaction.
    fn enter(self, database: &mut PostgresConnection) -> Result<(), Failure> {
        match self {
            Self::Unshared => Ok(()),
            Self::Term(term) if term::is_last(database, term)? => Ok(()),
            Self::Term(_) => Err(Failure::TakenOver),
            Self::None => Ok(database.batch_execute("SET TRANSACTION READ ONLY")?),
        }
    }
}

impl Desk {
    /// Carries out a request; on a server as one transaction, on a new connection when the old one is lost.
    fn carry_out<T>(&mut self, request: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        if let (Way::Server(server, office), Database::Postgres(connection)) = (&self.way, &mut self.database)
        {
            if connection.is_lost() {
                *connection = server.connect().map_err(Failure::Database)?;
            }
            Transactions::begin_transaction(connection)?;
            let entered = office.enter(connection);
            match entered.and_then(|()| request(self)) {
                Ok(answer) => {
                    Database::commit_transaction(&mut self.database)?;
                    Ok(answer)
                }
                Err(failure) => {
                    // a connection that cannot roll back is lost, and made anew by the next request
                    let _lost = Database::rollback_transaction(&mut self.database);
                    Err(failure)
                }
            }
        } else {
            request(self)
        }
    }
}

type Job = Box<dyn FnOnce(&mut Desk) + Send>;

enum Order {
    Run(Job),
    Close(oneshot::Sender<()>),
}

/// The way to the thread. Dropping it waits for what was ordered before.
pub(crate) struct Writer {
    name: String,
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, lets it open the database of this name, and waits until it has.
    pub(crate) fn start(
        name: String,
        open: impl FnOnce() -> Result<Desk, OpenError> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (orders, received) = channel();
        let (opened, outcome) = channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || match open() {
                Ok(desk) => {
                    let _waits = opened.send(Ok(()));
                    work(desk, received);
                }
                Err(error) => {
                    let _waits = opened.send(Err(error));
                }
            })
            .map_err(|error| Fault::of_file(&error).at(&name))?;
        let writer = Self {
            name,
            orders,
            thread: Some(thread),
        };
        match outcome.recv() {
            Ok(outcome) => outcome.map(|()| writer),
            Err(_panicked) => Err(Fault::Other {
                detail: "its thread ended".to_owned(),
            }
            .at(&writer.name)),
        }
    }

    /// Runs a request after all earlier ones and returns its answer. A request whose caller has gone is carried out
    /// all the same.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        request: impl FnOnce(&mut Desk) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let name = operation(std::any::type_name_of_val(&request));
        let job: Job = Box::new(move |desk| {
            let begun = Instant::now();
            let carried_out = desk.carry_out(request);
            let microseconds = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            log::debug!(operation = name, ok = carried_out.is_ok(), microseconds; "the database was asked");
            // Nobody waits for an answer any more: fine.
            let _gone = answer.send(carried_out);
        });
        self.orders
            .send(Order::Run(job))
            .map_err(|_closed| self.closed())?;
        let answer = answered.await.map_err(|_closed| self.closed())?;
        answer.map_err(|failure| failure.at(&self.name))
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
            detail: format!("the database {} is closed; restart the service", self.name),
        }
    }
}

/// What the function is called that made a request, e.g. `put_subscription`.
fn operation(type_name: &'static str) -> &'static str {
    let called = type_name.trim_end_matches("::{{closure}}");
    called.rsplit("::").next().unwrap_or(called)
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
                if let Way::File(_) = desk.way
                    && let Err(error) = desk.database.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
                {
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
