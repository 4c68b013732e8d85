//! One domain of PBXs: the users and their presence are shared, the connections and the calls are each PBX's own.
//!
//! Everything stands behind one lock, and whatever changes is told to all connections before the lock is released. So
//! every connection sees the changes in the same order, each exactly once, and an answer always precedes what it causes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    dialogue::{Change, Dialogue, Ground, Origin, Standing},
    directory::Directory,
    faults::Faults,
    options::PbxOptions,
    outbox::{Outbox, Outgoing, SharedFaults},
};

/// The domain that several PBXs share; clones are the same estate.
#[derive(Clone, Debug, Default)]
pub struct Estate {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    domain: Mutex<Domain>,
    changed: Condvar,
}

/// What the lock protects.
#[derive(Debug, Default)]
pub(crate) struct Domain {
    pub(crate) directory: Directory,
    pub(crate) next_call: u64,
    exchanges: BTreeMap<u64, Exchange>,
    next_exchange: u64,
}

/// One PBX with one App object.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) options: PbxOptions,
    faults: SharedFaults,
    dialogues: BTreeMap<u64, Dialogue>,
    /// Counts the connections, made and accepted.
    pub(crate) connections: u64,
    /// Counts the logins that succeeded.
    pub(crate) logins: u64,
    /// Counts the logins that were accepted at the endpoint.
    pub(crate) admissions: u64,
    /// Counts the logins that were refused there.
    pub(crate) rejections: u64,
}

impl Exchange {
    pub(crate) fn is_connected(&self) -> bool {
        self.dialogues.values().any(Dialogue::is_logged_in)
    }

    pub(crate) fn outboxes(&mut self) -> impl Iterator<Item = &mut Outbox> {
        self.dialogues.values_mut().map(Dialogue::outbox)
    }
}

impl Estate {
    /// Creates an estate without PBXs and users.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does something with the domain, tells the changes, and wakes whoever waits.
    pub(crate) fn with<Outcome>(&self, act: impl FnOnce(&mut Domain) -> Outcome) -> Outcome {
        let mut domain = self.shared.domain.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = act(&mut domain);
        drop(domain);
        self.shared.changed.notify_all();
        outcome
    }

    /// Blocks until the domain is as wanted, or for at most `timeout`; returns whether it is.
    pub(crate) fn wait_until(&self, timeout: Duration, mut wanted: impl FnMut(&Domain) -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        let mut domain = self.shared.domain.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if wanted(&domain) {
                return true;
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return false;
            };
            domain = self
                .shared
                .changed
                .wait_timeout(domain, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Domain {
    pub(crate) fn found(&mut self, options: PbxOptions, faults: SharedFaults) -> u64 {
        let number = self.next_exchange;
        self.next_exchange = number.saturating_add(1);
        let dialogues = BTreeMap::new();
        let exchange = Exchange {
            options,
            faults,
            dialogues,
            connections: 0,
            logins: 0,
            admissions: 0,
            rejections: 0,
        };
        self.exchanges.insert(number, exchange);
        number
    }

    pub(crate) fn exchange(&self, number: u64) -> Option<&Exchange> {
        self.exchanges.get(&number)
    }

    pub(crate) fn exchange_mut(&mut self, number: u64) -> Option<&mut Exchange> {
        self.exchanges.get_mut(&number)
    }

    /// Tells changes to every connection of every PBX.
    pub(crate) fn tell(&mut self, changes: &[Change]) {
        for change in changes {
            for exchange in self.exchanges.values_mut() {
                for dialogue in exchange.dialogues.values_mut() {
                    dialogue.tell(change, &self.directory, &exchange.options);
                }
            }
        }
    }

    /// Begins the dialogue of a new connection; returns its number and what it has to send.
    pub(crate) fn connected(
        &mut self,
        exchange: u64,
        origin: Origin,
    ) -> Option<(u64, UnboundedReceiver<Outgoing>)> {
        let exchange = self.exchanges.get_mut(&exchange)?;
        exchange.connections = exchange.connections.saturating_add(1);
        let (sender, receiver) = unbounded_channel();
        let outbox = Outbox::new(sender, Arc::clone(&exchange.faults));
        exchange.dialogues.insert(
            exchange.connections,
            Dialogue::begin(origin, outbox, &exchange.options),
        );
        Some((exchange.connections, receiver))
    }

    pub(crate) fn dialogue_mut(&mut self, exchange: u64, connection: u64) -> Option<&mut Dialogue> {
        self.exchanges.get_mut(&exchange)?.dialogues.get_mut(&connection)
    }

    /// Passes a text to its dialogue and tells everybody what it changed.
    pub(crate) fn received(&mut self, exchange: u64, connection: u64, text: &str) {
        let mut before = Standing::default();
        let mut after = Standing::default();
        self.converse(exchange, |dialogues, ground| {
            if let Some(dialogue) = dialogues.get_mut(&connection) {
                before = dialogue.standing();
                dialogue.receive(text, ground);
                after = dialogue.standing();
            }
        });
        if after != before
            && let Some(exchange) = self.exchanges.get_mut(&exchange)
        {
            let count = match after {
                Standing::Underway => return,
                Standing::LoggedIn => &mut exchange.logins,
                Standing::Admitted => &mut exchange.admissions,
                Standing::Rejected => &mut exchange.rejections,
            };
            *count = count.saturating_add(1);
        }
    }

    /// Ends a dialogue; returns whether it was logged in.
    pub(crate) fn disconnected(&mut self, exchange: u64, connection: u64) -> bool {
        let mut was_logged_in = false;
        self.converse(exchange, |dialogues, ground| {
            if let Some(mut dialogue) = dialogues.remove(&connection) {
                was_logged_in = dialogue.is_logged_in();
                dialogue.end(ground);
            }
        });
        was_logged_in
    }

    fn converse(&mut self, exchange: u64, act: impl FnOnce(&mut BTreeMap<u64, Dialogue>, &mut Ground<'_>)) {
        let Some(Exchange {
            options,
            faults,
            dialogues,
            ..
        }) = self.exchanges.get_mut(&exchange)
        else {
            return;
        };
        let faults: Faults = faults.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (directory, next_call) = (&mut self.directory, &mut self.next_call);
        let mut ground = Ground {
            directory,
            options,
            faults,
            next_call,
            changes: Vec::new(),
        };
        act(dialogues, &mut ground);
        let changes = ground.changes;
        self.tell(&changes);
    }
}
