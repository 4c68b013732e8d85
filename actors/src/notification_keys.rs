//! Holds the key pairs for resource data: which one subscriptions are to name, and which older ones still decrypt.
//!
//! *Wakes on* its start, the age of the current key, and once an hour to see what is still named. *Tells* the keys to
//! `PresenceSubscription`, which changes its subscriptions over, one renewal after the other. What to do is decided by
//! [`m365_presence::rotation`]; a key is stored before anybody hears of it, so that no crash leaves a subscription with a
//! key that nobody has. *Ends* as lost while the stored keys cannot be read: a second set would be made beside them.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, MessageResult, Supervised, WrapFuture};
use chrono::{DateTime, Utc};
use m365_presence::clock::Clock;
use m365_presence::ports::{KeyPairs, NotificationKey, Store, StoreError, StoredKeys};
use m365_presence::rotation::{self, KeyRecord};
use m365_presence::subscription::Keys;
use serde::Serialize;
use utoipa::ToSchema;

use crate::outage::Outage;
use crate::presence_subscription::{KeysChanged, PresenceSubscription};
use crate::supervision::{Context, ExitReason, Fitting, Post};

/// What still names which key is looked at this often; far shorter than the grace of an old key.
const LOOK: Duration = Duration::from_secs(3600);

/// A look that is due at once must not starve the thread.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

/// How one key is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyStatus {
    /// The id that subscriptions name.
    pub id: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Whether new subscriptions and renewals name it; an older one is kept for what was encrypted for it.
    pub current: bool,
    /// When it is to be replaced, for the current one.
    pub replace_at: Option<DateTime<Utc>>,
    /// When a subscription or a notification named it last, or this run began.
    pub named_at: DateTime<Utc>,
}

/// How the keys are.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = NotificationKeysStatus)]
pub struct Status {
    /// All of them, the newest first.
    pub keys: Vec<KeyStatus>,
    /// Keys made in this run.
    pub made: u64,
    /// Keys dropped in this run.
    pub dropped: u64,
    /// Stored keys that were found damaged at the start of this run.
    pub damaged: usize,
    /// Why no new key could be made or stored, while that fails.
    pub last_failure: Option<String>,
}

/// Asks for the keys, once they are known.
#[derive(Message)]
#[rtype(result = "Option<Keys>")]
pub struct GetKeys;

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// The key pairs at hand.
    pub key_pairs: Rc<dyn KeyPairs>,
    /// Keeps them over restarts.
    pub store: Rc<dyn Store>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
    /// How long a key is current; none when nothing is subscribed, so that no key is needed.
    pub life: Option<Duration>,
    /// Who names keys.
    pub presence_subscription: Post<PresenceSubscription>,
}

/// The keys, and what was told of them.
pub struct NotificationKeys {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    records: Vec<KeyRecord>,
    /// Stored rows that are of no use, until a good key stands beside them.
    damaged: Vec<String>,
    told: Option<Keys>,
    outage: Outage,
    status: Status,
}

impl NotificationKeys {
    /// Makes the actor without any key.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        Self {
            fitting,
            dependencies,
            records: Vec::new(),
            damaged: Vec::new(),
            told: None,
            outage: Outage::default(),
            status: Status::default(),
        }
    }
}

impl Actor for NotificationKeys {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let store = Rc::clone(&self.dependencies.store);
        let stored = async move { store.notification_keys().await };
        ctx.wait(stored.into_actor(self).map(|stored, actor, ctx| match stored {
            Ok(stored) => {
                actor.take_up(stored);
                actor.look(ctx);
            }
            Err(error) => ctx.end(ExitReason::lost(error)),
        }));
    }
}

impl Supervised for NotificationKeys {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.fitting.clone());
    }
}

impl Handler<GetKeys> for NotificationKeys {
    type Result = MessageResult<GetKeys>;

    fn handle(&mut self, _message: GetKeys, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.told.clone())
    }
}

impl Handler<GetStatus> for NotificationKeys {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        let plan = self.plan();
        let mut keys: Vec<KeyStatus> = self
            .records
            .iter()
            .map(|record| {
                let current = plan.current.as_ref() == Some(&record.id);
                KeyStatus {
                    id: record.id.clone(),
                    made_at: record.made_at,
                    current,
                    replace_at: plan.replace_at.filter(|_| current),
                    named_at: record.named_at,
                }
            })
            .collect();
        keys.sort_by_key(|key| std::cmp::Reverse((key.current, key.made_at)));
        MessageResult(Status {
            keys,
            ..self.status.clone()
        })
    }
}

impl NotificationKeys {
    fn plan(&self) -> rotation::Plan {
        let life = self.dependencies.life.unwrap_or(Duration::MAX);
        rotation::plan(&self.records, life, self.dependencies.clock.now())
    }

    /// Takes the stored keys up; what is damaged is told once.
    fn take_up(&mut self, stored: StoredKeys) {
        let named_at = self.dependencies.clock.now();
        for id in stored.unreadable {
            log::error!(key = id.as_str(); "a stored notification key cannot be decrypted: a new one is made, and the subscriptions that name it are made anew");
            self.damaged.push(id);
        }
        for key in stored.keys {
            match self.dependencies.key_pairs.take_in(&key) {
                Ok(()) => self.records.push(record(&key, named_at)),
                Err(error) => {
                    log::error!(key = key.id.as_str(); "{error}: a new one is made, and the subscriptions that name it are made anew");
                    self.damaged.push(key.id);
                }
            }
        }
        self.status.damaged = self.damaged.len();
    }

    /// Sees which keys are still named, then does what is due.
    fn look(&mut self, ctx: &mut Context<Self>) {
        let store = Rc::clone(&self.dependencies.store);
        let held = async move { store.subscriptions().await };
        ctx.spawn(held.into_actor(self).map(|held, actor, ctx| match held {
            Ok(held) => {
                let mut named = actor.dependencies.key_pairs.take_named();
                named.extend(held.into_iter().filter_map(|held| held.certificate_id));
                actor.note_named(&named);
                actor.follow_plan(ctx);
            }
            Err(error) => actor.fail(&error.to_string(), ctx),
        }));
    }

    fn note_named(&mut self, named: &BTreeSet<String>) {
        let now = self.dependencies.clock.now();
        for record in self
            .records
            .iter_mut()
            .filter(|record| named.contains(&record.id))
        {
            record.named_at = now;
        }
    }

    fn follow_plan(&mut self, ctx: &mut Context<Self>) {
        let plan = self.plan();
        if self.dependencies.life.is_none() {
            self.tell(ctx);
        } else if plan.make {
            self.make(ctx);
        } else {
            self.tell(ctx);
            self.drop_old(plan.drop, ctx);
            self.look_later(plan.replace_at, ctx);
        }
    }

    /// Makes a key, stores it, and only then takes it in.
    fn make(&mut self, ctx: &mut Context<Self>) {
        let (key_pairs, store) = (
            Rc::clone(&self.dependencies.key_pairs),
            Rc::clone(&self.dependencies.store),
        );
        let now = self.dependencies.clock.now();
        let made = async move {
            let key = key_pairs.make(now).await.map_err(|error| error.to_string())?;
            let stored = store.put_notification_key(&key).await;
            stored.map_err(|error| format!("the new notification key cannot be stored: {error}"))?;
            key_pairs.take_in(&key).map_err(|error| error.to_string())?;
            Ok::<NotificationKey, String>(key)
        };
        ctx.spawn(made.into_actor(self).map(move |made, actor, ctx| match made {
            Ok(key) => {
                log::info!(key = key.id.as_str(); "a key pair for encrypted notifications was made");
                actor.records.push(record(&key, now));
                actor.status.made += 1;
                actor.status.last_failure = None;
                actor.outage.end();
                actor.follow_plan(ctx);
            }
            Err(failure) => actor.fail(&failure, ctx),
        }));
    }

    /// What there is goes on being used; subscriptions without any key are basic.
    fn fail(&mut self, failure: &str, ctx: &mut Context<Self>) {
        if self.outage.failures() == 0 {
            log::error!("the notification keys cannot be renewed, the old ones stay in use: {failure}");
        }
        self.status.last_failure = Some(failure.to_owned());
        self.tell(ctx);
        let wait = self.outage.fail(None);
        ctx.run_later(wait, |actor, ctx| actor.look(ctx));
    }

    /// Forgets what nothing names any more, and what is damaged, now that there is a good one.
    fn drop_old(&mut self, ids: Vec<String>, ctx: &mut Context<Self>) {
        let outdated = ids.len();
        let forgotten: Vec<String> = ids.into_iter().chain(std::mem::take(&mut self.damaged)).collect();
        if forgotten.is_empty() {
            return;
        }
        self.records.retain(|record| !forgotten.contains(&record.id));
        for id in &forgotten {
            self.dependencies.key_pairs.forget(id);
        }
        if outdated > 0 {
            self.status.dropped += u64::try_from(outdated).unwrap_or_default();
            log::info!("{outdated} old notification keys were dropped: nothing has named them for a day");
            self.tell(ctx);
        }
        let store = Rc::clone(&self.dependencies.store);
        let removed = async move {
            for id in &forgotten {
                store.remove_notification_key(id).await?;
            }
            Ok::<(), StoreError>(())
        };
        ctx.spawn(removed.into_actor(self).map(|removed, _, _| {
            if let Err(error) = removed {
                log::warn!("an old notification key cannot be removed, the next start tries again: {error}");
            }
        }));
    }

    fn look_later(&self, replace_at: Option<DateTime<Utc>>, ctx: &mut Context<Self>) {
        let until = replace_at.map(|at| at - self.dependencies.clock.now());
        let wait = until.and_then(|until| until.to_std().ok()).unwrap_or(LOOK);
        ctx.run_later(wait.clamp(SHORTEST_WAIT, LOOK), |actor, ctx| actor.look(ctx));
    }

    /// Tells the keys when they have changed.
    fn tell(&mut self, ctx: &mut Context<Self>) {
        let keys = match self.dependencies.life {
            None => Keys::default(),
            Some(_) => Keys {
                current: self.plan().current,
                known: self.records.iter().map(|record| record.id.clone()).collect(),
            },
        };
        if self.told.as_ref() != Some(&keys) {
            self.told = Some(keys.clone());
            let told = self.dependencies.presence_subscription.ask(KeysChanged(keys));
            ctx.spawn(told.into_actor(self).map(|_asks_when_back, _, _| ()));
        }
    }
}

fn record(key: &NotificationKey, named_at: DateTime<Utc>) -> KeyRecord {
    KeyRecord {
        id: key.id.clone(),
        made_at: key.created_at,
        named_at,
    }
}
