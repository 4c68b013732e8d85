//! An instance that wants to be the active one, as its owner sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicUsize, Ordering};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::address::PostgresAddress;
use super::election::{Election, Phase, Shared};
use super::server::Server;
use crate::error::{Fault, OpenError};
use crate::fence::Fence;
use crate::key::KeySource;
use crate::sql::SqlStore;

/// Why this instance is not the active one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StandingBy {
    /// Another one is.
    AnotherIsActive,
    /// The database cannot be reached: the sentence says why.
    DatabaseAway(String),
}

/// Takes part in the election of the active instance as long as it lives.
pub struct Candidacy {
    name: String,
    server: Server,
    key: KeySource,
    shared: Shared,
    phase: watch::Receiver<Phase>,
    task: JoinHandle<()>,
}

impl Candidacy {
    /// Begins to take part. A database that cannot be reached yet is waited for.
    ///
    /// # Errors
    /// What waiting would not mend, such as a wrong password, a wrong key, or a database of a newer build.
    pub fn begin(address: &PostgresAddress, key: &KeySource) -> Result<Self, OpenError> {
        let name = address.to_string();
        let server = Server::new(address).map_err(|fault| fault.at(&name))?;
        let phase = watch::Sender::new(Phase::StandingBy(None));
        let followed = phase.subscribe();
        let shared = Shared {
            phase,
            fence: Fence::closed(),
            term: Arc::new(AtomicI64::new(0)),
            session: Arc::new(AtomicI32::new(0)),
            others: Arc::new(AtomicUsize::new(0)),
        };
        match SqlStore::look_into_server(name.clone(), server.clone(), key) {
            Ok(_fits) => {}
            Err(OpenError::Unusable { fault, .. }) if fault.passes() => {
                shared
                    .phase
                    .send_replace(Phase::StandingBy(Some(fault.to_string())));
            }
            Err(error) => return Err(error),
        }
        let election = Election::new(server.reach.clone(), shared.clone());
        let task = server.thread.handle().spawn(election.run());
        Ok(Self {
            name,
            server,
            key: key.clone(),
            shared,
            phase: followed,
            task,
        })
    }

    /// A store that reads what the active instance has stored, and writes nothing; `None` when there is nothing yet, or
    /// nothing that this build reads.
    pub fn look_into(&self) -> Option<SqlStore> {
        SqlStore::look_into_server(self.name.clone(), self.server.clone(), &self.key)
            .ok()
            .flatten()
    }

    /// The fence before everything that this instance writes.
    pub fn fence(&self) -> Fence {
        self.shared.fence.clone()
    }

    /// Whether other instances were there lately, who take over when this one ends.
    pub fn has_successor(&self) -> bool {
        self.shared.others.load(Ordering::Relaxed) > 0
    }

    /// Why this instance is not the active one; `None` once it is elected.
    pub fn standing_by(&self) -> Option<StandingBy> {
        match &*self.phase.borrow() {
            Phase::StandingBy(None) => Some(StandingBy::AnotherIsActive),
            Phase::StandingBy(Some(fault)) => Some(StandingBy::DatabaseAway(format!(
                "the database {} {fault}",
                self.name
            ))),
            Phase::Elected | Phase::Deposed => None,
        }
    }

    /// Waits until this instance is elected.
    pub async fn elected(&mut self) {
        // the task ends only after it has told
        let _told = self
            .phase
            .wait_for(|phase| !matches!(phase, Phase::StandingBy(_)))
            .await;
    }

    /// Opens the store of the elected instance: the tables are brought up to date, and the term is counted.
    ///
    /// # Errors
    /// What keeps it from being opened.
    pub async fn open(&mut self) -> Result<SqlStore, OpenError> {
        let (name, server, key) = (self.name.clone(), self.server.clone(), self.key.clone());
        let session = self.shared.session.load(Ordering::Acquire);
        let opening =
            tokio::task::spawn_blocking(move || SqlStore::open_elected(name, server, &key, session));
        let (store, term) = opening.await.unwrap_or_else(|_panicked| {
            let fault = Fault::Other {
                detail: "its thread ended".to_owned(),
            };
            Err(fault.at(&self.name))
        })?;
        self.shared.term.store(term, Ordering::Release);
        Ok(store)
    }

    /// Waits until somebody else is elected in this instance's place.
    pub async fn deposed(&mut self) {
        // the task ends only after it has told
        let _told = self.phase.wait_for(|phase| *phase == Phase::Deposed).await;
    }

    /// Leaves the election: the lock is free at once. Nothing may be written any more.
    pub async fn resign(self) {
        self.shared
            .fence
            .open_until(m365_presence::tenure::BootTime::default());
        self.task.abort();
        let _aborted = self.task.await;
    }
}
