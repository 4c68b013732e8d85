//! Graph's subscriptions: at most one per kind and account, and lives of 45 minutes at least.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::LocalBoxFuture;
use m365_presence::clock::Clock;
use m365_presence::identity::{Credential, SubscriptionId, TeamsId};
use m365_presence::ports::{
    Created, Deleted, GraphError, GraphSubscription, Renewed, SubscriptionKind, SubscriptionRequest,
    Subscriptions,
};
use tokio::time::sleep;

use super::clock::PausedClock;
use super::journal::Journal;

pub const URL: &str = "https://connector.test/graph/notifications";

pub struct Registry {
    clock: Rc<PausedClock>,
    journal: Journal,
    pub live: RefCell<Vec<(SubscriptionKind, GraphSubscription)>>,
    /// Answers to the next creates, before the registry's own.
    pub creates: RefCell<VecDeque<Result<Created, GraphError>>>,
    /// What it answers to everything.
    pub error: RefCell<Option<GraphError>>,
    pub deletes: Cell<bool>,
    /// How long a create takes.
    pub delay: Cell<Duration>,
    /// How long a renewal takes.
    pub renewal_delay: Cell<Duration>,
    /// The client states that creates carried.
    pub client_states: RefCell<Vec<(SubscriptionKind, String)>>,
    /// Number of subscriptions so far: their ids.
    pub made: Cell<u32>,
}

impl Registry {
    pub fn new(clock: Rc<PausedClock>, journal: Journal) -> Self {
        Self {
            clock,
            journal,
            live: RefCell::default(),
            creates: RefCell::default(),
            error: RefCell::default(),
            deletes: Cell::new(true),
            delay: Cell::new(Duration::from_millis(100)),
            renewal_delay: Cell::default(),
            client_states: RefCell::default(),
            made: Cell::new(0),
        }
    }

    /// One that another program, or an earlier life of ours, has made.
    pub fn plant(&self, kind: SubscriptionKind, users: &[TeamsId], url: &str) -> SubscriptionId {
        let subscription = self.make(&kind, users, url, self.clock.now());
        let id = subscription.id.clone();
        self.live.borrow_mut().push((kind, subscription));
        id
    }

    pub fn of(&self, kind: &SubscriptionKind) -> Option<GraphSubscription> {
        let now = self.clock.now();
        let live = self.live.borrow();
        let alive = |(known, subscription): &&(SubscriptionKind, GraphSubscription)| {
            known == kind && subscription.expires_at > now
        };
        live.iter()
            .find(alive)
            .map(|(_, subscription)| subscription.clone())
    }

    fn make(
        &self,
        kind: &SubscriptionKind,
        users: &[TeamsId],
        url: &str,
        until: DateTime<Utc>,
    ) -> GraphSubscription {
        let number = self.made.get() + 1;
        self.made.set(number);
        let resource = match kind {
            SubscriptionKind::Users => "/users".to_owned(),
            SubscriptionKind::Presence(_) => {
                let ids: Vec<String> = users.iter().map(|user| format!("'{user}'")).collect();
                format!("/communications/presences?$filter=id in ({})", ids.join(","))
            }
        };
        GraphSubscription {
            id: SubscriptionId::new(format!("s-{number}")),
            resource,
            notification_url: url.to_owned(),
            expires_at: self.granted(until),
            client_state: None,
            certificate_id: None,
        }
    }

    fn granted(&self, wanted: DateTime<Utc>) -> DateTime<Utc> {
        wanted.max(self.clock.now() + TimeDelta::minutes(45))
    }

    fn failure(&self) -> Option<GraphError> {
        self.error.borrow().clone()
    }
}

impl Subscriptions for Registry {
    fn create<'a>(
        &'a self,
        request: &'a SubscriptionRequest,
    ) -> LocalBoxFuture<'a, Result<Created, GraphError>> {
        Box::pin(async move {
            let kind = &request.kind;
            let names: Vec<&str> = request.users.iter().map(TeamsId::as_str).collect();
            self.journal
                .note(format!("graph: create {} {}", name(kind), names.join(",")));
            let state = request.client_state.expose().to_owned();
            self.client_states.borrow_mut().push((kind.clone(), state));
            sleep(self.delay.get()).await;
            if let Some(error) = self.failure() {
                return Err(error);
            }
            if let Some(answer) = self.creates.borrow_mut().pop_front() {
                return answer;
            }
            if self.of(kind).is_some() {
                return Ok(Created::Conflict);
            }
            let mut made = self.make(kind, &request.users, URL, request.expires_at);
            made.certificate_id.clone_from(&request.certificate);
            self.live.borrow_mut().push((kind.clone(), made.clone()));
            Ok(Created::Live(made))
        })
    }

    fn renew<'a>(
        &'a self,
        _credential: &'a Credential,
        id: &'a SubscriptionId,
        expires_at: DateTime<Utc>,
        certificate: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Renewed, GraphError>> {
        Box::pin(async move {
            self.journal
                .note(format!("graph: renew {}{}", id.as_str(), for_key(certificate)));
            sleep(self.renewal_delay.get()).await;
            if let Some(error) = self.failure() {
                return Err(error);
            }
            let until = self.granted(expires_at);
            let now = self.clock.now();
            let mut live = self.live.borrow_mut();
            let found = live
                .iter_mut()
                .find(|(_, known)| known.id == *id && known.expires_at > now);
            Ok(match found {
                Some((_, known)) => {
                    known.expires_at = until;
                    if let Some(certificate) = certificate {
                        known.certificate_id = Some(certificate.to_owned());
                    }
                    Renewed::Live(known.clone())
                }
                None => Renewed::Gone,
            })
        })
    }

    fn delete<'a>(
        &'a self,
        _credential: &'a Credential,
        id: &'a SubscriptionId,
    ) -> LocalBoxFuture<'a, Result<Deleted, GraphError>> {
        Box::pin(async move {
            self.journal.note(format!("graph: delete {}", id.as_str()));
            if let Some(error) = self.failure() {
                return Err(error);
            }
            if !self.deletes.get() {
                return Ok(Deleted::Refused);
            }
            self.live.borrow_mut().retain(|(_, known)| known.id != *id);
            Ok(Deleted::Gone)
        })
    }

    fn list<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Vec<GraphSubscription>, GraphError>> {
        Box::pin(async move {
            self.journal.note("graph: list");
            let live = self.live.borrow();
            let of_account = live.iter().filter(|(kind, _)| kind.credential() == *credential);
            Ok(of_account.map(|(_, subscription)| subscription.clone()).collect())
        })
    }

    fn notification_url(&self) -> &str {
        URL
    }
}

fn for_key(certificate: Option<&str>) -> String {
    certificate.map(|key| format!(" for {key}")).unwrap_or_default()
}

pub fn name(kind: &SubscriptionKind) -> &str {
    match kind {
        SubscriptionKind::Users => "users",
        SubscriptionKind::Presence(account) => account.as_str(),
    }
}
