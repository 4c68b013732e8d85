//! Holds which client states are ours, and works the queue of raw notifications off.
//!
//! *Wakes on* an arrived body and on changed client states. *Tells* verified presence observations, coalesced per user,
//! to `PresenceSync`, user changes to `UserSync`, and lifecycle notices to `PresenceSubscription`. What it throws away is
//! counted by reason. *Ends* never by itself; the queue outlives it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, MessageResult, Supervised, WrapFuture};
use chrono::{DateTime, Utc};
use futures_util::{FutureExt, StreamExt, stream};
use m365_presence::identity::TeamsId;
use m365_presence::ports::{AcceptedState, Discard, Notice, NotificationOpener, Opened};
use m365_presence::teams::{TeamsObservation, is_older_sequence};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::intake_queue::{IntakeQueue, Raw};
use crate::presence_subscription::{GetClientStates, LifecycleNotified, PresenceSubscription};
use crate::presence_sync::{PresenceSync, TeamsNotified};
use crate::supervision::{Context, Fitting, Post};
use crate::user_sync::{UserSync, UsersChanged};

/// Bodies whose notices are told together.
const BATCH: usize = 64;

/// Bodies that are opened at a time: enough for every processor, few enough to keep a flood's memory small.
const OPENED_AT_A_TIME: usize = 8;

/// Bodies that are remembered to recognise a repeated one.
const REMEMBERED: usize = 20_000;

/// What the intake is like.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = WebhookIntakeStatus)]
pub struct Status {
    /// Bodies that wait.
    pub waiting: usize,
    /// Bodies accepted since the start of the process.
    pub accepted: u64,
    /// Bodies turned away because the queue was full.
    pub turned_away: u64,
    /// Bodies opened in this run.
    pub opened: u64,
    /// Presence notices that were verified.
    pub presence: u64,
    /// Presence notices that carried no state.
    pub hints: u64,
    /// Notices of changed users.
    pub users: u64,
    /// Lifecycle notices.
    pub lifecycle: u64,
    /// What was thrown away, by reason.
    pub discarded: BTreeMap<Discard, u64>,
    /// Since when resource data comes without validation tokens, if the last that came had none.
    pub without_tokens_since: Option<DateTime<Utc>>,
}

/// A body has arrived in the queue.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Arrived;

/// The client states that are ours from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Expect(pub Vec<AcceptedState>);

/// Takes out of whom a presence notification has come, and when last, since the last time that this was asked.
#[derive(Message)]
#[rtype(result = "BTreeMap<TeamsId, Instant>")]
pub struct TakeHeard;

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// The queue.
    pub queue: IntakeQueue,
    /// Opens bodies.
    pub opener: Rc<dyn NotificationOpener>,
    /// Who needs presence.
    pub presence_sync: Post<PresenceSync>,
    /// Who needs changed users.
    pub user_sync: Post<UserSync>,
    /// Who needs lifecycle notices, and knows the client states.
    pub presence_subscription: Post<PresenceSubscription>,
}

/// What is ours, and what was seen.
pub struct WebhookIntake {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    accepted: Vec<AcceptedState>,
    expecting: bool,
    opening: bool,
    hasher: RandomState,
    seen: HashSet<u64>,
    seen_in_order: VecDeque<u64>,
    heard: BTreeMap<TeamsId, Instant>,
    status: Status,
}

impl WebhookIntake {
    /// Makes the actor that expects nothing yet.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        Self {
            fitting,
            dependencies,
            accepted: Vec::new(),
            expecting: false,
            opening: false,
            hasher: RandomState::new(),
            seen: HashSet::new(),
            seen_in_order: VecDeque::new(),
            heard: BTreeMap::new(),
            status: Status::default(),
        }
    }
}

impl Actor for WebhookIntake {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let states = self.dependencies.presence_subscription.ask(GetClientStates);
        ctx.spawn(states.into_actor(self).map(|states, actor, ctx| {
            if let Ok(Some(states)) = states {
                actor.expect(states, ctx);
            }
        }));
    }
}

impl Supervised for WebhookIntake {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.fitting.clone());
    }
}

impl Handler<Arrived> for WebhookIntake {
    type Result = ();

    fn handle(&mut self, _message: Arrived, ctx: &mut Self::Context) {
        self.work_off(ctx);
    }
}

impl Handler<Expect> for WebhookIntake {
    type Result = ();

    fn handle(&mut self, message: Expect, ctx: &mut Self::Context) {
        self.expect(message.0, ctx);
    }
}

impl Handler<TakeHeard> for WebhookIntake {
    type Result = MessageResult<TakeHeard>;

    fn handle(&mut self, _message: TakeHeard, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(std::mem::take(&mut self.heard))
    }
}

impl Handler<GetStatus> for WebhookIntake {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        let (accepted, turned_away) = self.dependencies.queue.totals();
        let waiting = self.dependencies.queue.len();
        MessageResult(Status {
            waiting,
            accepted,
            turned_away,
            ..self.status.clone()
        })
    }
}

impl WebhookIntake {
    fn expect(&mut self, accepted: Vec<AcceptedState>, ctx: &mut Context<Self>) {
        self.accepted = accepted;
        self.expecting = true;
        self.work_off(ctx);
    }

    /// Opens the next bodies; before the client states are known they wait.
    fn work_off(&mut self, ctx: &mut Context<Self>) {
        if self.opening || !self.expecting {
            return;
        }
        let raws = self.dependencies.queue.take(BATCH);
        if raws.is_empty() {
            return;
        }
        self.opening = true;
        let fresh: Vec<(u64, Raw)> = raws.into_iter().filter_map(|raw| self.if_new(raw)).collect();
        let opener = Rc::clone(&self.dependencies.opener);
        let accepted = self.accepted.clone();
        let opened = async move {
            stream::iter(fresh)
                .map(|(hash, raw)| {
                    let received_at = raw.received_at;
                    let opened = opener.open(raw.body, received_at, &accepted);
                    opened.map(move |opened| (hash, received_at, opened))
                })
                .buffered(OPENED_AT_A_TIME)
                .collect()
                .await
        };
        ctx.spawn(
            opened
                .into_actor(self)
                .map(|opened, actor, ctx| actor.tell(opened, ctx)),
        );
    }

    /// Tells what was verified, then goes on: the receivers' pace is the intake's pace.
    fn tell(&mut self, opened: Vec<(u64, DateTime<Utc>, Opened)>, ctx: &mut Context<Self>) {
        let mut newest: HashMap<TeamsId, usize> = HashMap::new();
        let mut observations: Vec<TeamsObservation> = Vec::new();
        let mut hints = Vec::new();
        let mut users_changed = false;
        let mut lifecycle = Vec::new();
        let now = Instant::now();
        for (hash, received_at, opened) in opened {
            self.status.opened += 1;
            self.note_tokens(received_at, &opened);
            if !opened.sealed {
                self.seen.remove(&hash);
            }
            for reason in opened.discarded {
                self.count_discarded(reason);
            }
            for notice in opened.notices {
                match notice {
                    Notice::Presence(observation) => {
                        self.status.presence += 1;
                        self.heard.insert(observation.user.clone(), now);
                        coalesce(&mut newest, &mut observations, observation);
                    }
                    Notice::PresenceHint(user) => {
                        self.status.hints += 1;
                        self.heard.insert(user.clone(), now);
                        hints.push(user);
                    }
                    Notice::UserChanged(_) => {
                        self.status.users += 1;
                        users_changed = true;
                    }
                    Notice::Lifecycle {
                        subscription,
                        kind,
                        event,
                    } => {
                        self.status.lifecycle += 1;
                        lifecycle.push(LifecycleNotified {
                            subscription,
                            kind,
                            event,
                        });
                    }
                }
            }
        }
        let dependencies = self.dependencies.clone();
        let told = async move {
            if !observations.is_empty() || !hints.is_empty() {
                let _reads_everybody_when_back = dependencies
                    .presence_sync
                    .ask(TeamsNotified { observations, hints })
                    .await;
            }
            if users_changed {
                let _fetches_when_back = dependencies.user_sync.ask(UsersChanged).await;
            }
            for notice in lifecycle {
                let _renews_when_back = dependencies.presence_subscription.ask(notice).await;
            }
        };
        ctx.spawn(told.into_actor(self).map(|(), actor, ctx| {
            actor.opening = false;
            actor.work_off(ctx);
        }));
    }

    /// Notes whether Microsoft vouches for resource data: what carries our client state and no token at all shows a
    /// misconfiguration (graph.md 4.5).
    fn note_tokens(&mut self, received_at: DateTime<Utc>, opened: &Opened) {
        if opened.sealed {
            self.status.without_tokens_since = None;
        } else if opened.discarded.contains(&Discard::MissingToken) {
            self.status.without_tokens_since.get_or_insert(received_at);
        }
    }

    /// A body that was seen already is dropped before anything is decrypted (DESIGN 5). Only encrypted ones stay
    /// remembered: a body in the clear may come again because the same has happened again.
    fn if_new(&mut self, raw: Raw) -> Option<(u64, Raw)> {
        let hash = self.hasher.hash_one(&*raw.body);
        if !self.seen.insert(hash) {
            self.count_discarded(Discard::Duplicate);
            return None;
        }
        self.seen_in_order.push_back(hash);
        if self.seen_in_order.len() > REMEMBERED
            && let Some(oldest) = self.seen_in_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        Some((hash, raw))
    }

    fn count_discarded(&mut self, reason: Discard) {
        let count = self.status.discarded.entry(reason).or_default();
        *count += 1;
        if *count == 1 && reason == Discard::Duplicate {
            log::info!(reason:serde = reason; "a notification was thrown away: {}; further ones are only counted", reason.explanation());
        } else if *count == 1 {
            log::warn!(reason:serde = reason; "a notification was thrown away: {}; further ones are only counted", reason.explanation());
        }
    }
}

/// Keeps the newest observation per user where numbers tell, else all of them in order.
fn coalesce(
    newest: &mut HashMap<TeamsId, usize>,
    observations: &mut Vec<TeamsObservation>,
    observation: TeamsObservation,
) {
    let known = newest
        .get(&observation.user)
        .and_then(|index| observations.get_mut(*index));
    let older = known.as_ref().and_then(|known| {
        let (new, known) = (observation.sequence.as_ref()?, known.sequence.as_ref()?);
        Some(is_older_sequence(new, known))
    });
    match (known, older) {
        (Some(known), Some(false)) => *known = observation,
        (Some(_), Some(true)) => {}
        _ => {
            newest.insert(observation.user.clone(), observations.len());
            observations.push(observation);
        }
    }
}
