//! The directory and the presence of Teams.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use m365_presence::clock::Clock;
use m365_presence::identity::TeamsId;
use m365_presence::ports::{GraphError, PresenceChange, PresenceIo, PresenceWrite, Reachability, Users};
use m365_presence::teams::{Source, TeamsObservation, TeamsPresence, TeamsUser};
use tokio::sync::watch;
use tokio::time::sleep;

use super::clock::PausedClock;
use super::journal::Journal;

pub struct Teams {
    clock: Rc<PausedClock>,
    journal: Journal,
    pub users: RefCell<Vec<TeamsUser>>,
    pub users_error: RefCell<Option<GraphError>>,
    presences: RefCell<BTreeMap<TeamsId, TeamsPresence>>,
    pub read_error: RefCell<Option<GraphError>>,
    pub write_error: RefCell<Option<GraphError>>,
    /// Users whom reads leave out.
    pub unreadable: RefCell<BTreeSet<TeamsId>>,
    /// Users for whom Graph refuses the whole call.
    pub disliked: RefCell<BTreeSet<TeamsId>>,
    /// How long reads and writes take.
    pub delay: Cell<Duration>,
    /// Sizes of the reads.
    pub reads: RefCell<Vec<usize>>,
    /// Sizes of the batches of writes.
    pub batches: RefCell<Vec<usize>>,
}

impl Teams {
    pub fn new(clock: Rc<PausedClock>, journal: Journal) -> Self {
        Self {
            clock,
            journal,
            users: RefCell::default(),
            users_error: RefCell::default(),
            presences: RefCell::default(),
            read_error: RefCell::default(),
            write_error: RefCell::default(),
            unreadable: RefCell::default(),
            disliked: RefCell::default(),
            delay: Cell::new(Duration::from_millis(20)),
            reads: RefCell::default(),
            batches: RefCell::default(),
        }
    }

    /// A person does something in Teams.
    pub fn show(&self, user: TeamsId, availability: &str, activity: &str) {
        self.presences
            .borrow_mut()
            .insert(user, TeamsPresence::new(availability, activity));
    }

    fn look(&self, user: &TeamsId) -> TeamsPresence {
        let presences = self.presences.borrow();
        let available = || TeamsPresence::new("Available", "Available");
        presences.get(user).cloned().unwrap_or_else(available)
    }

    fn apply(&self, write: &PresenceWrite) {
        let user = &write.user;
        match &write.change {
            PresenceChange::SetSession { presence, .. } | PresenceChange::SetPreferred { presence, .. } => {
                self.show(user.clone(), &presence.availability, &presence.activity);
            }
            PresenceChange::ClearSession | PresenceChange::ClearPreferred => {
                self.presences.borrow_mut().remove(user);
            }
            PresenceChange::SetMessage { .. } | PresenceChange::ClearMessage => {}
        }
    }
}

fn told(write: &PresenceWrite) -> String {
    match &write.change {
        PresenceChange::SetSession { presence, .. } => {
            format!("teams: session {} {}", write.user, presence.activity)
        }
        PresenceChange::ClearSession => format!("teams: clear session {}", write.user),
        PresenceChange::SetPreferred { presence, .. } => {
            format!("teams: prefer {} {}", write.user, presence.activity)
        }
        PresenceChange::ClearPreferred => format!("teams: clear preferred {}", write.user),
        PresenceChange::SetMessage { message, .. } => {
            format!("teams: message {} {}", write.user, message.as_str())
        }
        PresenceChange::ClearMessage => format!("teams: clear message {}", write.user),
    }
}

impl Users for Teams {
    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<TeamsUser>, GraphError>> {
        Box::pin(async move {
            self.journal.note("teams: list users");
            sleep(self.delay.get()).await;
            match &*self.users_error.borrow() {
                Some(error) => Err(error.clone()),
                None => Ok(self.users.borrow().clone()),
            }
        })
    }
}

impl PresenceIo for Teams {
    fn read<'a>(
        &'a self,
        users: &'a [TeamsId],
    ) -> LocalBoxFuture<'a, Result<Vec<TeamsObservation>, GraphError>> {
        Box::pin(async move {
            let begun_at = self.clock.now();
            let names: Vec<&str> = users.iter().map(TeamsId::as_str).collect();
            self.journal.note(format!("teams: read {}", names.join(",")));
            self.reads.borrow_mut().push(users.len());
            sleep(self.delay.get()).await;
            if let Some(error) = &*self.read_error.borrow() {
                return Err(error.clone());
            }
            if users.iter().any(|user| self.disliked.borrow().contains(user)) {
                return Err(GraphError::Refused {
                    status: 404,
                    code: "NotFound".to_owned(),
                    message: "no such user".to_owned(),
                });
            }
            let readable = users
                .iter()
                .filter(|user| !self.unreadable.borrow().contains(*user));
            let seen = readable.map(|user| TeamsObservation {
                note: None,
                user: user.clone(),
                presence: self.look(user),
                sequence: None,
                source: Source::Read { begun_at },
            });
            Ok(seen.collect())
        })
    }

    fn write<'a>(&'a self, writes: &'a [PresenceWrite]) -> LocalBoxFuture<'a, Vec<Result<(), GraphError>>> {
        Box::pin(async move {
            self.batches.borrow_mut().push(writes.len());
            for write in writes {
                self.journal.note(told(write));
            }
            sleep(self.delay.get()).await;
            let answer = |write| match &*self.write_error.borrow() {
                Some(error) => Err(error.clone()),
                None => {
                    self.apply(write);
                    Ok(())
                }
            };
            writes.iter().map(answer).collect()
        })
    }
}

/// Whether Graph is within reach; a test says so, apart from what the requests of [`Teams`] bring.
pub struct Reach(watch::Sender<bool>);

impl Reach {
    pub fn new() -> Self {
        Self(watch::Sender::new(true))
    }

    pub fn lose(&self) {
        self.0.send_replace(false);
    }

    pub fn recover(&self) {
        self.0.send_replace(true);
    }

    async fn wait(&self, wanted: bool) {
        let mut within_reach = self.0.subscribe();
        within_reach.wait_for(|reached| *reached == wanted).await.unwrap();
    }
}

impl Reachability for Reach {
    fn lost(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.wait(false))
    }

    fn reached(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.wait(true))
    }
}

pub fn lost() -> GraphError {
    GraphError::Lost {
        detail: "no route".to_owned(),
    }
}

pub fn unreachable(retry_after: Duration) -> GraphError {
    GraphError::Unreachable {
        detail: "no route".to_owned(),
        retry_after,
    }
}

pub fn throttled(retry_after: Duration) -> GraphError {
    GraphError::Throttled { retry_after }
}
