//! A server that connections are made to.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::AsyncPgConnection;
use tokio::task::JoinHandle;

use super::address::PostgresAddress;
use super::certificates;
use super::connection::PostgresConnection;
use super::election::TAKE;
use super::fault::chain;
use super::thread::SocketThread;
use super::tls::Tls;
use crate::error::Fault;

/// A connection must be there in this time, sign-in included.
const PATIENCE: Duration = Duration::from_secs(2);

/// Set on each connection of the store. A session that stops within a transaction must not hold its locks for ever,
/// because a successor waits for them; times are UTC in the tables.
const SESSION: &str = "SET statement_timeout = '8s'; SET lock_timeout = '8s'; \
                       SET idle_in_transaction_session_timeout = '5s'; SET TIME ZONE 'UTC'";

/// The oldest version that knows `idle_session_timeout`.
const OLDEST: i32 = 14;

/// The way to a database of a server.
#[derive(Clone)]
pub(crate) struct Reach {
    address: PostgresAddress,
    tls: Tls,
}

/// A session, and the task that serves its socket.
pub(super) struct Session {
    pub(super) client: tokio_postgres::Client,
    pub(super) socket: JoinHandle<()>,
}

impl Reach {
    /// Reads the files that TLS needs.
    pub(crate) fn new(address: &PostgresAddress) -> Result<Self, Fault> {
        Ok(Self {
            address: address.clone(),
            tls: Tls(Arc::new(certificates::client_config(address)?)),
        })
    }

    /// Makes a session, on the runtime of whoever awaits it.
    pub(super) async fn connect(&self) -> Result<Session, Fault> {
        tokio::time::timeout(PATIENCE, self.try_connect())
            .await
            .unwrap_or_else(|_elapsed| {
                Err(Fault::Unreachable {
                    detail: format!("no answer within {} s", PATIENCE.as_secs()),
                })
            })
    }

    async fn try_connect(&self) -> Result<Session, Fault> {
        let (client, connection) = self
            .address
            .config
            .connect(self.tls.clone())
            .await
            .map_err(|error| Fault::of_connecting(&error))?;
        check_version(connection.parameter("server_version").unwrap_or_default())?;
        let socket = tokio::spawn(async move {
            if let Err(error) = connection.await {
                log::debug!("a connection to the database ended: {}", chain(&error));
            }
        });
        Ok(Session { client, socket })
    }
}

/// One server as the store uses it, with the thread that serves its sockets.
#[derive(Clone)]
pub(crate) struct Server {
    pub(super) reach: Reach,
    pub(super) thread: Arc<SocketThread>,
}

impl Server {
    /// Starts the thread, and reads the files that TLS needs.
    pub(crate) fn new(address: &PostgresAddress) -> Result<Self, Fault> {
        let reach = Reach::new(address)?;
        let thread = SocketThread::start().map_err(|error| Fault::Other {
            detail: error.to_string(),
        })?;
        Ok(Self {
            reach,
            thread: Arc::new(thread),
        })
    }

    /// Makes a connection. Blocks while it does, for 2 s at most.
    pub(crate) fn connect(&self) -> Result<PostgresConnection, Fault> {
        let handle = self.thread.handle();
        let connecting = async {
            let Session { client, socket } = self.reach.connect().await?;
            let inner = AsyncPgConnection::try_from(client).await;
            inner
                .map(|inner| PostgresConnection::new(inner, handle.clone(), socket))
                .map_err(|error| Fault::Unreachable {
                    detail: error.to_string(),
                })
        };
        let mut connection = handle.block_on(connecting)?;
        connection.batch_execute(SESSION)?;
        Ok(connection)
    }
}

/// Takes the lock of the active instance for a connection, as long as that lives; `false` when an instance is active.
pub(crate) fn take_office(connection: &mut PostgresConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let taken: Taken = diesel::sql_query(format!("SELECT {TAKE} AS taken")).get_result(connection)?;
    Ok(taken.taken)
}

fn check_version(version: &str) -> Result<(), Fault> {
    let major = version.split(['.', ' ', 'b', 'r', 'd']).next();
    match major.and_then(|major| major.parse::<i32>().ok()) {
        Some(major) if major < OLDEST => Err(Fault::TooOld {
            version: version.to_owned(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_told() {
        for version in ["9.6.24", "13.22 (Debian 13.22-1)"] {
            assert!(
                matches!(check_version(version), Err(Fault::TooOld { .. })),
                "{version}"
            );
        }
        for version in ["14.0", "15.14 (Debian 15.14-0+deb12u1)", "18beta1", "19devel", ""] {
            assert!(check_version(version).is_ok(), "{version}");
        }
    }
}
