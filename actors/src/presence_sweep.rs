//! Holds when every user's Teams presence was last read in bulk, and reads it.
//!
//! *Wakes on* its timer, on reads that `PresenceSync` orders (a new user, a notification without a state, a changed
//! claim), and on orders to sweep (a new, lost or missed shard). Many orders become one call of up to 650 users. *Tells*
//! what it read to `PresenceSync`, which says what the notifications had missed. *Ends* never by itself; a new run
//! sweeps everybody.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, MessageResult, Supervised, WrapFuture};
use chrono::{DateTime, Utc};
use m365_presence::clock::Clock;
use m365_presence::identity::TeamsId;
use m365_presence::ports::{GraphError, PresenceIo, READ_LIMIT};
use m365_presence::teams::TeamsObservation;
use serde::Serialize;

use crate::license_check::{GetRoster, LicenseCheck};
use crate::outage::Outage;
use crate::presence_sync::{PresenceSync, TeamsRead};
use crate::supervision::{Context, Fitting, Post};

/// Reads that may be under way at a time.
const CALLS: usize = 4;

/// Orders are collected this long before a read begins, so that many become one call.
const GATHERING: Duration = Duration::from_millis(50);

/// What the sweep is like.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// Users who are swept.
    pub watched: usize,
    /// Users whose read waits.
    pub waiting: usize,
    /// Calls of this run that were answered.
    pub calls: u64,
    /// Calls of this run that failed.
    pub failures: u64,
    /// Users whose change a sweep saw before any notification.
    pub missed: u64,
    /// When the last full sweep began.
    pub swept_at: Option<DateTime<Utc>>,
    /// Whether everybody has been read since the start.
    pub whole: bool,
    /// Why the last call failed, while reads fail.
    pub last_failure: Option<String>,
    /// Whether it failed because the app lacks the permission.
    pub lacks_permission: bool,
}

/// Who is to be swept.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Watch(pub Arc<BTreeSet<TeamsId>>);

/// Orders reads of users.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Read {
    /// Of whom.
    pub users: Vec<TeamsId>,
}

/// Orders a read of everybody.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Sweep;

/// Takes out whose change a sweep saw before any notification, since the last time that this was asked.
#[derive(Message)]
#[rtype(result = "BTreeSet<TeamsId>")]
pub struct TakeMissed;

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// Reads presence.
    pub presence_io: Rc<dyn PresenceIo>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
    /// Time between two full sweeps; none when only subscriptions tell.
    pub period: Option<Duration>,
    /// Who needs what is read.
    pub presence_sync: Post<PresenceSync>,
    /// Who knows the roster.
    pub license_check: Post<LicenseCheck>,
}

/// Who waits to be read.
pub struct PresenceSweep {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    watched: Arc<BTreeSet<TeamsId>>,
    waiting: BTreeSet<TeamsId>,
    /// Whose read was ordered for a reason: what it shows is no surprise.
    ordered: BTreeSet<TeamsId>,
    unread: BTreeSet<TeamsId>,
    missed: BTreeSet<TeamsId>,
    calls_under_way: usize,
    gathering: bool,
    paused: bool,
    outage: Outage,
    /// Whether Graph has not answered since the last full sweep.
    lost: bool,
    status: Status,
}

impl PresenceSweep {
    /// Makes the actor with nobody to read.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        Self {
            fitting,
            dependencies,
            watched: Arc::default(),
            waiting: BTreeSet::new(),
            ordered: BTreeSet::new(),
            unread: BTreeSet::new(),
            missed: BTreeSet::new(),
            calls_under_way: 0,
            gathering: false,
            paused: false,
            outage: Outage::default(),
            lost: false,
            status: Status::default(),
        }
    }
}

impl Actor for PresenceSweep {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let roster = self.dependencies.license_check.ask(GetRoster);
        ctx.spawn(roster.into_actor(self).map(|roster, actor, ctx| {
            if let Ok(Some(roster)) = roster {
                actor.watch(Arc::new(
                    roster.members.iter().map(|member| member.teams.clone()).collect(),
                ));
                actor.sweep(ctx);
            }
        }));
        if let Some(period) = self.dependencies.period {
            ctx.run_interval(period, |actor, ctx| actor.sweep(ctx));
        }
    }
}

impl Supervised for PresenceSweep {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.fitting.clone());
    }
}

impl Handler<Watch> for PresenceSweep {
    type Result = ();

    fn handle(&mut self, message: Watch, ctx: &mut Self::Context) {
        self.watch(message.0);
        self.gather(ctx);
    }
}

impl Handler<Read> for PresenceSweep {
    type Result = ();

    fn handle(&mut self, message: Read, ctx: &mut Self::Context) {
        self.ordered.extend(message.users.iter().cloned());
        self.waiting.extend(message.users);
        self.gather(ctx);
    }
}

impl Handler<Sweep> for PresenceSweep {
    type Result = ();

    fn handle(&mut self, _message: Sweep, ctx: &mut Self::Context) {
        self.sweep(ctx);
    }
}

impl Handler<TakeMissed> for PresenceSweep {
    type Result = MessageResult<TakeMissed>;

    fn handle(&mut self, _message: TakeMissed, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(std::mem::take(&mut self.missed))
    }
}

impl Handler<GetStatus> for PresenceSweep {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(Status {
            watched: self.watched.len(),
            waiting: self.waiting.len(),
            whole: self.unread.is_empty(),
            ..self.status.clone()
        })
    }
}

impl PresenceSweep {
    /// Takes in who is to be swept; whoever was not is read at once, for a lost order or a late roster.
    fn watch(&mut self, watched: Arc<BTreeSet<TeamsId>>) {
        let left: Vec<TeamsId> = self.watched.difference(&watched).cloned().collect();
        for user in &left {
            self.unread.remove(user);
            self.waiting.remove(user);
            self.ordered.remove(user);
            self.missed.remove(user);
        }
        for user in watched.difference(&self.watched) {
            self.unread.insert(user.clone());
            self.waiting.insert(user.clone());
            self.ordered.insert(user.clone());
        }
        self.watched = watched;
    }

    fn sweep(&mut self, ctx: &mut Context<Self>) {
        self.status.swept_at = Some(self.dependencies.clock.now());
        self.waiting.extend(self.watched.iter().cloned());
        self.gather(ctx);
    }

    fn gather(&mut self, ctx: &mut Context<Self>) {
        if !self.gathering && !self.waiting.is_empty() {
            self.gathering = true;
            ctx.run_later(GATHERING, |actor, ctx| {
                actor.gathering = false;
                actor.read(ctx);
            });
        }
    }

    /// Begins as many calls as may be under way.
    fn read(&mut self, ctx: &mut Context<Self>) {
        while !self.paused && self.calls_under_way < CALLS && !self.waiting.is_empty() {
            let asked: Vec<TeamsId> = self.waiting.iter().take(READ_LIMIT).cloned().collect();
            for user in &asked {
                self.waiting.remove(user);
            }
            self.calls_under_way += 1;
            let begun_at = self.dependencies.clock.now();
            let io = Rc::clone(&self.dependencies.presence_io);
            let read = async move {
                let answer = io.read(&asked).await;
                (asked, answer)
            };
            ctx.spawn(read.into_actor(self).map(move |(asked, answer), actor, ctx| {
                actor.calls_under_way -= 1;
                actor.take_in(begun_at, asked, answer, ctx);
                actor.read(ctx);
            }));
        }
    }

    fn take_in(
        &mut self,
        begun_at: DateTime<Utc>,
        asked: Vec<TeamsId>,
        answer: Result<Vec<TeamsObservation>, GraphError>,
        ctx: &mut Context<Self>,
    ) {
        match answer {
            Ok(observations) => {
                self.outage.end();
                // what was told while Graph did not answer may be lost
                if std::mem::take(&mut self.lost) {
                    self.sweep(ctx);
                }
                self.status.last_failure = None;
                self.status.lacks_permission = false;
                self.status.calls += 1;
                let mut expected = BTreeSet::new();
                for user in &asked {
                    self.unread.remove(user);
                    expected.extend(self.ordered.take(user));
                }
                let told = self.dependencies.presence_sync.ask(TeamsRead {
                    begun_at,
                    asked,
                    observations,
                });
                ctx.spawn(told.into_actor(self).map(move |changed, actor, _| {
                    let changed = changed.unwrap_or_default();
                    for user in changed.into_iter().filter(|user| !expected.contains(user)) {
                        actor.status.missed += 1;
                        actor.missed.insert(user);
                    }
                }));
            }
            Err(error) => {
                if self.outage.failures() == 0 {
                    log::warn!("teams presence cannot be read: {error}");
                }
                self.status.failures += 1;
                self.status.last_failure = Some(error.to_string());
                self.status.lacks_permission = error.lacks_permission();
                self.waiting.extend(asked);
                self.lost |= matches!(error, GraphError::Lost { .. });
                let patience = match error {
                    GraphError::Throttled { retry_after } => Some(retry_after),
                    _ => None,
                };
                self.pause(patience, ctx);
            }
        }
    }

    /// A call that failed keeps the others back as well: a dead Graph costs a probe, not a storm.
    fn pause(&mut self, patience: Option<Duration>, ctx: &mut Context<Self>) {
        let wait = self.outage.fail(patience);
        if !self.paused {
            self.paused = true;
            ctx.run_later(wait, |actor, ctx| {
                actor.paused = false;
                actor.read(ctx);
            });
        }
    }
}
