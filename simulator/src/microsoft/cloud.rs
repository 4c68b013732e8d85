//! The state of the whole cloud behind one lock that is never held across an await: every request takes what it needs,
//! computes and sends outside, and comes back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use super::{
    clock::CloudClock,
    directory::User,
    entry::{Count, Entry, Kind},
    faults::{Family, FaultPlan},
    grants::Grants,
    key::SigningKey,
    knobs::Knobs,
    limits::Throttle,
    notification::{Change, Outgoing},
    presence::{Pair, Sessions},
    refusal::Refusal,
    status_message::StatusMessage,
    subscription::{Subscription, Target},
    tenant::{Account, App, Tenant},
};
use crate::journal::Journal;

/// A directory user with the presence that belongs to it.
pub(super) struct Person {
    pub(super) tenant: Uuid,
    pub(super) user: Arc<User>,
    pub(super) order: u64,
    pub(super) sessions: Sessions,
    pub(super) shown: Pair,
    pub(super) sequence: u64,
    pub(super) status_message: Option<StatusMessage>,
    pub(super) out_of_office: bool,
}

/// Everything that changes.
pub(super) struct State {
    pub(super) clock: CloudClock,
    pub(super) knobs: Knobs,
    pub(super) rng: fastrand::Rng,
    pub(super) tenants: Vec<Tenant>,
    pub(super) apps: HashMap<Uuid, App>,
    pub(super) accounts: Vec<Account>,
    pub(super) people: HashMap<Uuid, Person>,
    /// Users in the order in which they joined: what paging walks through.
    pub(super) order: BTreeMap<u64, Uuid>,
    pub(super) subscriptions: HashMap<Uuid, Arc<Subscription>>,
    pub(super) grants: Grants,
    /// The signing keys; the first one signs, all of them verify.
    pub(super) keys: Vec<SigningKey>,
    pub(super) faults: FaultPlan,
    pub(super) throttle: Throttle,
    pub(super) counts: HashMap<Family, Count>,
    /// Refusals ordered for the next token requests, oldest first.
    pub(super) refusals: Vec<Refusal>,
    deadlines: BTreeSet<(Instant, Uuid)>,
    joined: u64,
    sequence: u64,
    outbox: mpsc::UnboundedSender<Outgoing>,
}

/// The shared heart of the cloud.
pub(super) struct Cloud {
    state: Mutex<State>,
    pub(super) journal: Journal<Entry>,
    pub(super) login_url: String,
    pub(super) graph_url: String,
    /// Wakes the task that lets time pass for presences.
    pub(super) aging: Notify,
}

impl Cloud {
    /// Puts an empty cloud together.
    pub(super) fn new(state: State, journal: Journal<Entry>, login_url: String, graph_url: String) -> Self {
        Self {
            state: Mutex::new(state),
            journal,
            login_url,
            graph_url,
            aging: Notify::new(),
        }
    }

    /// Locks the state; the guard must not live across an await.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time in the cloud.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.state().clock.now()
    }

    /// Writes an entry and counts it.
    pub(super) fn record(&self, entry: Entry) {
        if let Kind::Request(family) = entry.kind {
            let mut state = self.state();
            let count = state.counts.entry(family).or_default();
            count.requests += 1;
            count.succeeded += u64::from(entry.succeeded());
            count.throttled += u64::from(entry.status == Some(429));
        }
        self.journal.record(entry);
    }

    /// Changes what decides a user's presence and tells the subscribers; `None` when nobody has this id.
    pub(super) fn change_presence<Output>(
        &self,
        user: Uuid,
        change: impl FnOnce(&mut Sessions, Instant) -> Output,
    ) -> Option<Output> {
        let output = self.state().change_presence(user, change);
        self.aging.notify_one();
        output
    }

    /// Lets time pass for the presences that are due; returns the next deadline.
    pub(super) fn age(&self) -> Option<Instant> {
        let mut state = self.state();
        let now = Instant::now();
        while let Some((deadline, user)) = state.deadlines.first().copied() {
            if deadline > now {
                return Some(deadline);
            }
            state.deadlines.remove(&(deadline, user));
            state.change_presence(user, |sessions, now| sessions.forget_expired(now));
        }
        None
    }
}

impl State {
    /// Starts with nobody and nothing.
    pub(super) fn new(
        seed: u64,
        scale: f64,
        key: SigningKey,
        outbox: mpsc::UnboundedSender<Outgoing>,
    ) -> Self {
        Self {
            clock: CloudClock {
                offset: chrono::TimeDelta::zero(),
                scale,
            },
            knobs: Knobs::default(),
            rng: fastrand::Rng::with_seed(seed),
            tenants: Vec::new(),
            apps: HashMap::new(),
            accounts: Vec::new(),
            people: HashMap::new(),
            order: BTreeMap::new(),
            subscriptions: HashMap::new(),
            grants: Grants::default(),
            keys: vec![key],
            faults: FaultPlan::default(),
            throttle: Throttle::default(),
            counts: HashMap::new(),
            refusals: Vec::new(),
            deadlines: BTreeSet::new(),
            joined: 0,
            sequence: 638_000_000_000_000_000,
            outbox,
        }
    }

    /// Finds a tenant by directory id or domain.
    pub(super) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| {
            tenant.domain.eq_ignore_ascii_case(name) || Uuid::parse_str(name).is_ok_and(|id| id == tenant.id)
        })
    }

    /// Finds somebody in a tenant.
    pub(super) fn person(&self, tenant: Uuid, user: Uuid) -> Option<&Person> {
        self.people.get(&user).filter(|person| person.tenant == tenant)
    }

    /// Adds a user to a tenant and tells the subscribers; an existing one is replaced and keeps its presence.
    pub(super) fn put_user(&mut self, tenant: Uuid, user: User) {
        let id = user.id;
        if let Some(person) = self.people.get_mut(&id) {
            person.user = Arc::new(user);
        } else {
            self.joined += 1;
            let person = Person {
                tenant,
                user: Arc::new(user),
                order: self.joined,
                sessions: Sessions::default(),
                shown: Pair::offline(),
                sequence: 0,
                status_message: None,
                out_of_office: false,
            };
            self.order.insert(person.order, id);
            self.people.insert(id, person);
        }
        self.tell_user_change(tenant, id, "updated");
    }

    /// Removes a user and tells the subscribers: softly as `updated`, permanently as `deleted`.
    pub(super) fn remove_user(&mut self, user: Uuid, permanently: bool) -> bool {
        let Some(person) = self.people.remove(&user) else {
            return false;
        };
        self.order.remove(&person.order);
        self.tell_user_change(
            person.tenant,
            user,
            if permanently { "deleted" } else { "updated" },
        );
        true
    }

    /// Returns a number that is higher than every one before.
    pub(super) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Hands a notification to the delivery.
    pub(super) fn send(&self, outgoing: Outgoing) {
        // The delivery ends only together with the cloud.
        let _ = self.outbox.send(outgoing);
    }

    /// Drops subscriptions that are over by the cloud's clock.
    pub(super) fn expire_subscriptions(&mut self) {
        let now = self.clock.now();
        self.subscriptions
            .retain(|_, subscription| subscription.expires > now);
    }

    fn change_presence<Output>(
        &mut self,
        user: Uuid,
        change: impl FnOnce(&mut Sessions, Instant) -> Output,
    ) -> Option<Output> {
        let now = Instant::now();
        let sequence = self.next_sequence();
        let person = self.people.get_mut(&user)?;
        let output = change(&mut person.sessions, now);
        if let Some(deadline) = person.sessions.next_deadline(now) {
            self.deadlines.insert((deadline, user));
        }
        let pair = person.sessions.effective(now);
        if pair == person.shown {
            return Some(output);
        }
        person.shown.clone_from(&pair);
        person.sequence = sequence;
        let tenant = person.tenant;
        self.expire_subscriptions();
        for subscription in self.subscriptions.values() {
            if subscription.tenant == tenant && subscription.watches_presence(user) {
                self.send(Outgoing::new(
                    subscription.id,
                    Change::Presence {
                        user,
                        pair: pair.clone(),
                        sequence,
                    },
                ));
            }
        }
        Some(output)
    }

    fn tell_user_change(&mut self, tenant: Uuid, user: Uuid, change: &'static str) {
        let sequence = self.next_sequence();
        let at = self.clock.now();
        self.expire_subscriptions();
        for subscription in self.subscriptions.values() {
            if subscription.tenant == tenant && subscription.watches_user(user, change) {
                self.send(Outgoing::new(
                    subscription.id,
                    Change::User {
                        user,
                        change,
                        at,
                        sequence,
                    },
                ));
            }
        }
    }

    /// Returns the live presence subscription of an application and creator, of which there is one at most.
    pub(super) fn presence_subscription(&self, app: Uuid, creator: Uuid) -> Option<&Arc<Subscription>> {
        self.subscriptions.values().find(|known| {
            known.app == app && known.creator == creator && matches!(known.target, Target::Presences(_))
        })
    }
}
