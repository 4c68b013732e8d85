//! Holds when every user's Teams presence was last read, and reads it.
//!
//! *Wakes on* the time at which [`m365_presence::cadence`] says that somebody is due, on an outage of Graph, on reads
//! that are ordered (a new user, a notification without a state, a changed claim; a new, lost or missed shard), and on
//! what makes users livelier or watched. *Tells* what it read to `PresenceSync`, and what it found before any
//! notification to `PresenceSubscription`, which asks for that. *Ends* never by itself; a new run reads everybody.

mod carrying_out;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, MessageResult, Supervised, WrapFuture};
use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::cadence::{Cadence, Tempo, Watch};
use m365_presence::clock::Clock;
use m365_presence::identity::TeamsId;
use m365_presence::ports::{PresenceIo, Reachability};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::outage::Outage;
use crate::presence_subscription::{GetCoverage, PresenceSubscription};
use crate::presence_sync::{GetWatched, PresenceSync};
use crate::supervision::{Context, Fitting, Post};

/// A read begins this long after the last order, so that a burst of notifications without a state becomes one call.
const QUIET: Duration = Duration::from_millis(200);

/// It begins at most this long after the first order; what such a notification tells is to be known within two seconds
/// (DESIGN 5).
const PATIENCE: Duration = Duration::from_secs(1);

/// What the reading is like.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = PresenceSweepStatus)]
pub struct Status {
    /// Users who are read.
    pub watched: usize,
    /// Those of them of whom no living subscription is known to tell: they are read at the tempo of polling.
    pub uncovered: usize,
    /// Uncovered ones who are read every few seconds, because they are on a call or have changed just now.
    pub hot: usize,
    /// The other uncovered ones.
    pub idle: usize,
    /// Users whose read is due or ordered.
    pub waiting: usize,
    /// Calls that are under way.
    pub under_way: usize,
    /// Calls of this run that were answered.
    pub calls: u64,
    /// Users that these calls asked for.
    pub read: u64,
    /// Calls of this run that failed.
    pub failures: u64,
    /// Changes of covered users that a read showed before any notification; most notifications are only late.
    pub found_first: u64,
    /// When the last full sweep ended: since then everybody has been read.
    pub swept_at: Option<DateTime<Utc>>,
    /// How long it lasted from its first call to its last user, in seconds.
    pub sweep_seconds: Option<f64>,
    /// Whether everybody has been read since the start.
    pub whole: bool,
    /// Why the last call failed, while reads fail.
    pub last_failure: Option<String>,
    /// Whether it failed because the app lacks the permission.
    pub lacks_permission: bool,
}

/// Whom living subscriptions watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Of these, notifications arrive.
    pub trusted: BTreeSet<TeamsId>,
    /// Of these it is not proven that notifications arrive.
    pub doubted: BTreeSet<TeamsId>,
}

impl Coverage {
    fn watch(&self, user: &TeamsId) -> Watch {
        if self.trusted.contains(user) {
            Watch::Trusted
        } else if self.doubted.contains(user) {
            Watch::Doubted
        } else {
            Watch::Nobody
        }
    }
}

/// Who is to be read.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetWatched(pub Arc<BTreeSet<TeamsId>>);

/// Who is watched by subscriptions.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetCoverage(pub Arc<Coverage>);

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

/// Users have begun or ended to be on the phone at their PBX.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PhonesChanged(pub Vec<(TeamsId, bool)>);

/// Takes out whose change a read showed before any notification, and when, since the last time that this was asked.
#[derive(Message)]
#[rtype(result = "BTreeMap<TeamsId, Instant>")]
pub struct TakeFinds;

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// Reads presence.
    pub presence_io: Rc<dyn PresenceIo>,
    /// Whether Graph can be asked at all.
    pub reachability: Rc<dyn Reachability>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
    /// How soon users are read again.
    pub tempo: Tempo,
    /// Who needs what is read, and knows of whom.
    pub presence_sync: Post<PresenceSync>,
    /// Who knows whom subscriptions watch.
    pub presence_subscription: Post<PresenceSubscription>,
}

/// Orders that wait for others.
struct Gathering {
    first_at: Instant,
    last_at: Instant,
}

/// Who is read when.
pub struct PresenceSweep {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    cadence: Cadence,
    coverage: Arc<Coverage>,
    finds: BTreeMap<TeamsId, Instant>,
    calls_under_way: usize,
    gathering: Option<Gathering>,
    paused_until: Option<Instant>,
    /// When the actor looks next who is due; an earlier time replaces it.
    looking_at: Option<Instant>,
    outage: Outage,
    status: Status,
}

impl PresenceSweep {
    /// Makes the actor with nobody to read.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        Self {
            fitting,
            cadence: Cadence::new(dependencies.tempo),
            dependencies,
            coverage: Arc::default(),
            finds: BTreeMap::new(),
            calls_under_way: 0,
            gathering: None,
            paused_until: None,
            looking_at: None,
            outage: Outage::default(),
            status: Status::default(),
        }
    }
}

impl Actor for PresenceSweep {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // both tell by themselves when they are back
        let coverage = self.dependencies.presence_subscription.ask(GetCoverage);
        ctx.spawn(coverage.into_actor(self).map(|coverage, _, ctx| {
            if let Ok(coverage) = coverage {
                ctx.notify(SetCoverage(coverage));
            }
        }));
        let watched = self.dependencies.presence_sync.ask(GetWatched);
        ctx.spawn(watched.into_actor(self).map(|watched, _, ctx| {
            if let Ok(Some(watched)) = watched {
                ctx.notify(SetWatched(watched));
            }
        }));
        self.await_outage(ctx);
    }
}

impl Supervised for PresenceSweep {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.fitting.clone());
    }
}

impl Handler<SetWatched> for PresenceSweep {
    type Result = ();

    fn handle(&mut self, message: SetWatched, ctx: &mut Self::Context) {
        self.cadence
            .set_users(&message.0, |user| self.coverage.watch(user));
        self.finds.retain(|user, _| message.0.contains(user));
        self.gather(ctx);
    }
}

impl Handler<SetCoverage> for PresenceSweep {
    type Result = ();

    fn handle(&mut self, message: SetCoverage, ctx: &mut Self::Context) {
        self.coverage = message.0;
        self.cadence.set_watch(|user| self.coverage.watch(user));
        self.look_later(ctx);
    }
}

impl Handler<Read> for PresenceSweep {
    type Result = ();

    fn handle(&mut self, message: Read, ctx: &mut Self::Context) {
        self.cadence.order(message.users);
        self.gather(ctx);
    }
}

impl Handler<Sweep> for PresenceSweep {
    type Result = ();

    fn handle(&mut self, _message: Sweep, ctx: &mut Self::Context) {
        self.cadence.order_everybody(Instant::now().into_std());
        self.look_later(ctx);
    }
}

impl Handler<PhonesChanged> for PresenceSweep {
    type Result = ();

    fn handle(&mut self, message: PhonesChanged, ctx: &mut Self::Context) {
        let now = Instant::now().into_std();
        for (user, on_the_phone) in &message.0 {
            self.cadence.note_phone(user, *on_the_phone, now);
        }
        self.look_later(ctx);
    }
}

impl Handler<TakeFinds> for PresenceSweep {
    type Result = MessageResult<TakeFinds>;

    fn handle(&mut self, _message: TakeFinds, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(std::mem::take(&mut self.finds))
    }
}

impl Handler<GetStatus> for PresenceSweep {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        let now = Instant::now().into_std();
        let counts = self.cadence.counts(now);
        let last = self.cadence.last_full_sweep();
        let ended_at = |age| Some(self.dependencies.clock.now() - TimeDelta::from_std(age).ok()?);
        MessageResult(Status {
            watched: counts.users,
            uncovered: counts.uncovered,
            hot: counts.hot,
            idle: counts.idle,
            waiting: counts.waiting,
            under_way: self.calls_under_way,
            swept_at: last.and_then(|sweep| {
                ended_at(
                    now.saturating_duration_since(sweep.begun_at)
                        .saturating_sub(sweep.took),
                )
            }),
            sweep_seconds: last.map(|sweep| sweep.took.as_secs_f64()),
            whole: counts.unread == 0,
            ..self.status.clone()
        })
    }
}

impl PresenceSweep {
    /// What is told while Graph is out of reach may be lost. So everybody is to be read from its beginning on: the first
    /// of these reads are the probes, and once Graph answers they make good what was missed. No other actor orders it.
    fn await_outage(&self, ctx: &mut Context<Self>) {
        let reachability = Rc::clone(&self.dependencies.reachability);
        let lost = async move {
            reachability.lost().await;
            reachability
        };
        ctx.spawn(lost.into_actor(self).map(|reachability, actor, ctx| {
            actor.cadence.order_anew();
            actor.gather(ctx);
            let reached = async move { reachability.reached().await };
            ctx.spawn(
                reached
                    .into_actor(actor)
                    .map(|(), actor, ctx| actor.await_outage(ctx)),
            );
        }));
    }

    /// Lets ordered reads leave together in a moment.
    fn gather(&mut self, ctx: &mut Context<Self>) {
        if self.cadence.has_orders() {
            let now = Instant::now();
            match &mut self.gathering {
                Some(gathering) => gathering.last_at = now,
                None => {
                    self.gathering = Some(Gathering {
                        first_at: now,
                        last_at: now,
                    });
                    self.end_gathering(ctx);
                }
            }
        }
        self.look_later(ctx);
    }

    /// Reads what was gathered, as soon as it is quiet or has waited long enough.
    fn end_gathering(&mut self, ctx: &mut Context<Self>) {
        let Some(gathering) = &self.gathering else { return };
        let quiet = QUIET.saturating_sub(gathering.last_at.elapsed());
        let wait = quiet.min(PATIENCE.saturating_sub(gathering.first_at.elapsed()));
        if wait.is_zero() {
            self.gathering = None;
            self.read(ctx);
        } else {
            ctx.run_later(wait, |actor, ctx| actor.end_gathering(ctx));
        }
    }

    /// Looks again when somebody is due.
    fn look_later(&mut self, ctx: &mut Context<Self>) {
        let Some(due) = self.cadence.next_due().map(Instant::from_std) else {
            return;
        };
        if self.looking_at.is_some_and(|looking_at| looking_at <= due) {
            return;
        }
        self.looking_at = Some(due);
        ctx.run_later(
            due.saturating_duration_since(Instant::now()),
            move |actor, ctx| {
                if actor.looking_at == Some(due) {
                    actor.looking_at = None;
                    actor.read(ctx);
                }
            },
        );
    }
}
