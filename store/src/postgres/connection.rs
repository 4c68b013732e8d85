//! A connection to PostgreSQL that diesel's statements run on, blocking and with a deadline.
//!
//! The socket belongs to a thread of its own ([`super::thread`]); whoever runs a statement waits here for its answer,
//! at most [`PATIENCE`]. A server that is frozen, or a network that swallows everything, therefore costs a bounded time.

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use diesel::connection::{
    CacheSize, Connection, Instrumentation, LoadConnection, SimpleConnection, TransactionManager,
    TransactionManagerStatus,
};
use diesel::internal::derives::multiconnection::{ConnectionSealed, MultiConnectionHelper};
use diesel::migration::{CREATE_MIGRATIONS_TABLE, MigrationConnection};
use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::TypeMetadata;
use diesel::{ConnectionResult, QueryResult};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection,
    TransactionManager as AsyncTransactionManager,
};
use futures_util::TryStreamExt;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// A statement must be answered in this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection whose socket another thread serves.
pub struct PostgresConnection {
    inner: AsyncPgConnection,
    wait: Wait,
}

/// How answers are waited for.
struct Wait {
    runtime: Handle,
    /// Serves the socket until it is closed.
    socket: JoinHandle<()>,
    /// A statement was not answered in time: what the transaction manager thinks of it is not to be relied upon, and the
    /// socket's task may not have ended yet.
    given_up: Cell<bool>,
}

impl PostgresConnection {
    /// Wraps a connection whose socket a task of this runtime serves.
    pub(super) fn new(inner: AsyncPgConnection, runtime: Handle, socket: JoinHandle<()>) -> Self {
        Self {
            inner,
            wait: Wait {
                runtime,
                socket,
                given_up: Cell::new(false),
            },
        }
    }

    /// Whether no statement can run on it any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.wait.given_up.get() || self.wait.socket.is_finished()
    }
}

impl Wait {
    /// Waits for an answer. Without one in time nothing more is expected of this connection.
    fn answered<T>(&self, answer: impl Future<Output = QueryResult<T>>) -> QueryResult<T> {
        let answered = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, answer).await });
        answered.unwrap_or_else(|_elapsed| {
            self.given_up.set(true);
            self.socket.abort();
            let text = format!("no answer within {} s", PATIENCE.as_secs());
            Err(Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection,
                Box::new(text),
            ))
        })
    }
}

impl SimpleConnection for PostgresConnection {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.wait.answered(self.inner.batch_execute(query))
    }
}

impl ConnectionSealed for PostgresConnection {}

impl Connection for PostgresConnection {
    type Backend = Pg;
    type TransactionManager = Transactions;

    fn establish(_url: &str) -> ConnectionResult<Self> {
        Err(diesel::ConnectionError::BadConnection(
            "open it by its address".to_owned(),
        ))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let answer = self.inner.execute_returning_count(source);
        self.wait.answered(answer)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        self.inner.transaction_state()
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.inner.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.inner.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.inner.set_prepared_statement_cache_size(size);
    }
}

impl LoadConnection for PostgresConnection {
    type Cursor<'conn, 'query> = std::vec::IntoIter<QueryResult<Self::Row<'conn, 'query>>>;
    type Row<'conn, 'query> = <AsyncPgConnection as AsyncConnectionCore>::Row<'conn, 'query>;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: diesel::expression::QueryMetadata<T::SqlType>,
    {
        let Self { inner, wait } = self;
        let rows = wait.answered(async move { inner.load(source).await?.try_collect::<Vec<_>>().await })?;
        Ok(rows.into_iter().map(Ok).collect::<Vec<_>>().into_iter())
    }
}

impl MigrationConnection for PostgresConnection {
    fn setup(&mut self) -> QueryResult<usize> {
        self.batch_execute(CREATE_MIGRATIONS_TABLE).map(|()| 0)
    }
}

/// Begins and ends transactions.
pub struct Transactions;

impl TransactionManager<PostgresConnection> for Transactions {
    type TransactionStateData = AnsiTransactionManager;

    fn begin_transaction(connection: &mut PostgresConnection) -> QueryResult<()> {
        let PostgresConnection { inner, wait } = connection;
        wait.answered(<AnsiTransactionManager as AsyncTransactionManager<_>>::begin_transaction(inner))
    }

    fn rollback_transaction(connection: &mut PostgresConnection) -> QueryResult<()> {
        let PostgresConnection { inner, wait } = connection;
        wait.answered(<AnsiTransactionManager as AsyncTransactionManager<_>>::rollback_transaction(inner))
    }

    fn commit_transaction(connection: &mut PostgresConnection) -> QueryResult<()> {
        let PostgresConnection { inner, wait } = connection;
        wait.answered(<AnsiTransactionManager as AsyncTransactionManager<_>>::commit_transaction(inner))
    }

    fn transaction_manager_status_mut(connection: &mut PostgresConnection) -> &mut TransactionManagerStatus {
        <AnsiTransactionManager as AsyncTransactionManager<_>>::transaction_manager_status_mut(
            &mut connection.inner,
        )
    }

    fn is_broken_transaction_manager(connection: &mut PostgresConnection) -> bool {
        <AnsiTransactionManager as AsyncTransactionManager<_>>::is_broken_transaction_manager(
            &mut connection.inner,
        )
    }
}

/// The tables have none but built-in types, whose numbers are known: nothing is ever looked up.
struct NothingToLookUp;

impl PgMetadataLookup for NothingToLookUp {
    fn lookup_type(&mut self, _name: &str, _schema: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

impl MultiConnectionHelper for PostgresConnection {
    fn to_any<'a>(_lookup: &mut <Pg as TypeMetadata>::MetadataLookup) -> &mut (dyn std::any::Any + 'a) {
        // without a size, so nothing is allocated
        Box::leak(Box::new(NothingToLookUp))
    }

    fn from_any(_lookup: &mut dyn std::any::Any) -> Option<&mut <Pg as TypeMetadata>::MetadataLookup> {
        Some(Box::leak(Box::new(NothingToLookUp)))
    }
}
