//! Holds whether the connection to one PBX that does not dial us stands, and why not (pbx.md 1.5).
//!
//! *Wakes on* its start, the end of the connection and the end of a wait. *Tells* nobody: the connection itself attaches
//! to the `PbxSession` of its PBX, by the same way as one that the PBX has dialled. *Ends* never by itself: a PBX that
//! does not answer is dialled again with back-off, one that refuses the login is left alone but for a slow probe. A
//! restart dials at once, so an administrator who has corrected something restarts this actor.

use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, MessageResult, Supervised, WrapFuture};
use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::clock::Clock;
use m365_presence::identity::PbxName;
use m365_presence::light::MasterPbxCode;
use m365_presence::ports::{DialEnd, DialledPbx};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::supervision::{BackOff, Context};

/// A PBX that refuses the login is probed this often (DESIGN 4).
const PROBE: Duration = Duration::from_secs(15 * 60);

/// What only a person can change, and costs the PBX no login, is looked at this often.
const LOOK: Duration = Duration::from_secs(60);

/// A connection that stood this long ends the streak of failures.
const STEADY: Duration = Duration::from_secs(10);

/// What a dialled connection is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DialStatus {
    /// The actor's name.
    pub actor: String,
    /// Where the PBX is dialled.
    pub address: String,
    /// As which App object.
    pub app_object: String,
    /// The PBX's name: as it was told last, else as it is configured.
    pub pbx: Option<PbxName>,
    /// `connecting`, `up`, `waiting` or `held`.
    #[schema(pattern = "^(connecting|up|waiting|held)$")]
    pub state: &'static str,
    /// Code for the light of the master PBX.
    pub code: MasterPbxCode,
    /// Cause, without remedy.
    pub detail: String,
    /// Since when the code stands.
    pub since: DateTime<Utc>,
    /// When it is dialled again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Connections that stood, in this run.
    pub connections: u64,
    /// Attempts without success since the last connection.
    pub failures: u32,
}

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "DialStatus")]
pub struct GetStatus;

/// The PBX has let us in.
#[derive(Message)]
#[rtype(result = "()")]
struct Reached {
    attempt: u64,
    pbx: PbxName,
}

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// Where the PBX is dialled, for people to read.
    pub address: String,
    /// As which App object.
    pub app_object: String,
    /// The PBX's configured name.
    pub pbx: Option<PbxName>,
    /// Dials.
    pub dialled: Rc<dyn DialledPbx>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
}

/// One PBX that we dial.
pub struct PbxDialler {
    dependencies: Dependencies,
    pbx: Option<PbxName>,
    state: State,
    code: MasterPbxCode,
    detail: String,
    since: DateTime<Utc>,
    /// Tells what belongs to the present attempt from what an earlier one left.
    attempt: u64,
    stood_since: Option<Instant>,
    failures: u32,
    connections: u64,
}

enum State {
    Connecting,
    Up,
    /// Until then.
    Waiting(Option<DateTime<Utc>>),
    Held(Option<DateTime<Utc>>),
}

impl PbxDialler {
    /// Makes the actor, which has not dialled yet.
    pub fn new(dependencies: Dependencies) -> Self {
        Self {
            pbx: dependencies.pbx.clone(),
            state: State::Connecting,
            code: MasterPbxCode::Starting,
            detail: format!("{} is being dialled", dependencies.address),
            since: dependencies.clock.now(),
            attempt: 0,
            stood_since: None,
            failures: 0,
            connections: 0,
            dependencies,
        }
    }
}

impl Actor for PbxDialler {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.dial(ctx);
    }
}

impl Supervised for PbxDialler {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.dependencies.clone());
    }
}

impl Handler<Reached> for PbxDialler {
    type Result = ();

    fn handle(&mut self, message: Reached, _ctx: &mut Self::Context) {
        // the connection may have ended before this was heard of
        if message.attempt != self.attempt || !matches!(self.state, State::Connecting) {
            return;
        }
        self.state = State::Up;
        self.stood_since = Some(Instant::now());
        self.connections += 1;
        let detail = format!("{} is connected as {}", message.pbx, self.dependencies.app_object);
        self.pbx = Some(message.pbx);
        self.show(MasterPbxCode::Ok, detail);
    }
}

impl Handler<GetStatus> for PbxDialler {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, ctx: &mut Self::Context) -> Self::Result {
        let (state, next_attempt_at) = match self.state {
            State::Connecting => ("connecting", None),
            State::Up => ("up", None),
            State::Waiting(until) => ("waiting", until),
            State::Held(until) => ("held", until),
        };
        MessageResult(DialStatus {
            actor: ctx.name().to_owned(),
            address: self.dependencies.address.clone(),
            app_object: self.dependencies.app_object.clone(),
            pbx: self.pbx.clone(),
            state,
            code: self.code,
            detail: self.detail.clone(),
            since: self.since,
            next_attempt_at,
            connections: self.connections,
            failures: self.failures,
        })
    }
}

impl PbxDialler {
    fn dial(&mut self, ctx: &mut Context<Self>) {
        self.state = State::Connecting;
        self.attempt += 1;
        let attempt = self.attempt;
        let dialled = Rc::clone(&self.dependencies.dialled);
        let post = ctx.post();
        let reached = Box::new(move |pbx| {
            if post.tell(Reached { attempt, pbx }).is_err() {
                log::debug!("a dialled pbx was reached, and its dialler is gone");
            }
        });
        let conversation = async move { dialled.converse(reached).await };
        ctx.spawn(
            conversation
                .into_actor(self)
                .map(|end, actor, ctx| actor.take_in(end, ctx)),
        );
    }

    /// Takes in how a connection ended, and plans the next one.
    fn take_in(&mut self, end: DialEnd, ctx: &mut Context<Self>) {
        let stood = self.stood_since.take();
        if stood.is_some_and(|since| since.elapsed() >= STEADY) {
            self.failures = 0;
        }
        let address = &self.dependencies.address;
        let object = &self.dependencies.app_object;
        let (code, detail) = match &end {
            DialEnd::Over { cause } => (
                MasterPbxCode::NotConnected,
                format!("the connection to {address} has ended: {cause}"),
            ),
            DialEnd::Unreachable { cause } => (
                MasterPbxCode::Unreachable,
                format!("{address} cannot be reached: {cause}"),
            ),
            DialEnd::Untrusted { cause } => {
                (MasterPbxCode::UntrustedCertificate, format!("{address} {cause}"))
            }
            DialEnd::Refused { cause } => (
                MasterPbxCode::WrongAppPassword,
                format!("{address} refuses the login as App object {object}{cause}"),
            ),
            DialEnd::Nameless => (
                MasterPbxCode::UnknownPbxName,
                format!("{address} accepts the login as App object {object} and does not say its name"),
            ),
            DialEnd::Replaced => (
                MasterPbxCode::NotConnected,
                format!(
                    "another [[pbx.dial]] leads to the PBX of {address} as App object {object}, too: remove one of the two"
                ),
            ),
        };
        let wait = match end {
            DialEnd::Refused { .. } => PROBE,
            DialEnd::Nameless | DialEnd::Replaced => LOOK,
            DialEnd::Over { .. } | DialEnd::Unreachable { .. } | DialEnd::Untrusted { .. } => {
                BackOff::DIAL.wait(self.failures, fastrand::f64())
            }
        };
        let until = TimeDelta::from_std(wait)
            .ok()
            .map(|wait| self.dependencies.clock.now() + wait);
        self.state = match end {
            DialEnd::Refused { .. } => State::Held(until),
            _ => State::Waiting(until),
        };
        self.failures = self.failures.saturating_add(1);
        self.show(code, detail);
        ctx.run_later(wait, |actor, ctx| actor.dial(ctx));
    }

    /// Notes the code, and logs it when it is news.
    fn show(&mut self, code: MasterPbxCode, detail: String) {
        if self.code != code {
            self.since = self.dependencies.clock.now();
            let address = self.dependencies.address.as_str();
            match code {
                MasterPbxCode::Ok => log::info!(address = address, code = code.as_str(); "{detail}"),
                _ => log::warn!(address = address, code = code.as_str(); "{detail}"),
            }
        }
        self.code = code;
        self.detail = detail;
    }
}
