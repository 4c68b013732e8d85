//! Holds which PBX users hold the license, and so who is synchronised: the roster.
//!
//! *Wakes on* a changed directory, on order, before every presence subscription, after a round that was not answered
//! for everybody, and when the PBX reports a change of a user, who is then asked for alone. *Tells* the roster of matched and licensed pairs to `PresenceSubscription` and `PresenceSync`. A check
//! that is not answered keeps the last answer, which outlives restarts. *Ends* never by itself.

mod publishing;
mod rechecking;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, Handler, Message, MessageResult, ResponseFuture, Supervised,
    WrapFuture,
};
use chrono::{DateTime, Utc};
use m365_presence::board::Member;
use m365_presence::clock::Clock;
use m365_presence::identity::PbxGuid;
use m365_presence::matching::Directory;
use m365_presence::ports::Store;
use serde::Serialize;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use crate::outage::Outage;
use crate::pbx_session::{CheckLicenses, LicenseRound};
use crate::presence_subscription::PresenceSubscription;
use crate::presence_sync::PresenceSync;
use crate::sessions::Sessions;
use crate::supervision::{Context, Fitting, Post};
use crate::user_sync::{GetDirectory, UserSync};

/// A round that was answered for some is repeated after this at the earliest: it asked for everybody.
const PARTLY_ANSWERED: Duration = Duration::from_secs(60);

/// Matched and licensed pairs, with the directory that they come from.
#[derive(Clone, Debug)]
pub struct Roster {
    /// Everybody of either side.
    pub directory: Arc<Directory>,
    /// Who is to be synchronised.
    pub members: Arc<Vec<Member>>,
    /// Everybody who holds the license.
    pub licensed: Arc<BTreeSet<PbxGuid>>,
}

/// What the licenses are like.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = LicenseCheckStatus)]
pub struct Status {
    /// Matched users who hold the license.
    pub licensed: usize,
    /// Rounds of this run.
    pub rounds: u64,
    /// When the last whole round ended.
    pub checked_at: Option<DateTime<Utc>>,
    /// Whether the last round was answered for everybody.
    pub whole: bool,
    /// Questions for single users in this run, because the PBX had reported a change or answered with an error.
    pub rechecks: u64,
    /// The PBX's text, when the last round brought nothing but errors for somebody.
    pub fault: Option<String>,
    /// Whether a roster was told in this run.
    pub told: bool,
}

/// The directory has changed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct DirectoryChanged(pub Arc<Directory>);

/// Users whose objects the master PBX has reported as changed: a license may have been granted or withdrawn.
#[derive(Message)]
#[rtype(result = "()")]
pub struct UsersAltered(pub BTreeSet<PbxGuid>);

/// Asks for a new round; answers the roster when it is over, or nothing while the users are unknown.
#[derive(Message)]
#[rtype(result = "Option<Roster>")]
pub struct Check;

/// Asks for the last roster.
#[derive(Message)]
#[rtype(result = "Option<Roster>")]
pub struct GetRoster;

/// A changed roster, told to whom it concerns.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct RosterChanged(pub Roster);

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// Keeps the last answers.
    pub store: Rc<dyn Store>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
    /// The PBX sessions.
    pub sessions: Sessions,
    /// Who knows the directory.
    pub user_sync: Post<UserSync>,
    /// Who needs the roster.
    pub presence_subscription: Post<PresenceSubscription>,
    /// Who needs the roster.
    pub presence_sync: Post<PresenceSync>,
}

/// Who holds the license.
pub struct LicenseCheck {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    directory: Option<Arc<Directory>>,
    answers: BTreeMap<PbxGuid, bool>,
    recalled: bool,
    roster: Option<Roster>,
    checking: bool,
    check_again: bool,
    /// Who is asked for alone as soon as no round is under way.
    suspects: BTreeSet<PbxGuid>,
    recheck_planned: bool,
    outage: Outage,
    timer: u64,
    waiting: Vec<oneshot::Sender<Option<Roster>>>,
    status: Status,
}

impl LicenseCheck {
    /// Makes the actor without any answers.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        Self {
            fitting,
            dependencies,
            directory: None,
            answers: BTreeMap::new(),
            recalled: false,
            roster: None,
            checking: false,
            check_again: false,
            suspects: BTreeSet::new(),
            recheck_planned: false,
            outage: Outage::default(),
            timer: 0,
            waiting: Vec::new(),
            status: Status::default(),
        }
    }
}

impl Actor for LicenseCheck {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let store = Rc::clone(&self.dependencies.store);
        let user_sync = self.dependencies.user_sync.clone();
        let recalled = async move { (store.license_answers().await, user_sync.ask(GetDirectory).await) };
        ctx.wait(recalled.into_actor(self).map(|(answers, directory), actor, ctx| {
            match answers {
                Ok(answers) => {
                    actor.answers = answers
                        .into_iter()
                        .map(|answer| (answer.user, answer.held))
                        .collect()
                }
                Err(error) => log::warn!("the last license answers cannot be read: {error}"),
            }
            actor.recalled = true;
            if let Ok(Some(directory)) = directory {
                actor.directory = Some(directory);
                actor.check(ctx);
            }
        }));
    }
}

impl Supervised for LicenseCheck {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.fitting.clone());
    }
}

impl Handler<DirectoryChanged> for LicenseCheck {
    type Result = ();

    fn handle(&mut self, message: DirectoryChanged, ctx: &mut Self::Context) {
        self.directory = Some(message.0);
        self.check(ctx);
    }
}

impl Handler<UsersAltered> for LicenseCheck {
    type Result = ();

    fn handle(&mut self, message: UsersAltered, ctx: &mut Self::Context) {
        self.suspect(message.0, ctx);
    }
}

impl Handler<Check> for LicenseCheck {
    type Result = ResponseFuture<Option<Roster>>;

    fn handle(&mut self, _message: Check, ctx: &mut Self::Context) -> Self::Result {
        if self.directory.is_none() {
            return Box::pin(async { None });
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.push(sender);
        self.check(ctx);
        Box::pin(async move { receiver.await.unwrap_or_default() })
    }
}

impl Handler<GetRoster> for LicenseCheck {
    type Result = MessageResult<GetRoster>;

    fn handle(&mut self, _message: GetRoster, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.roster.clone())
    }
}

impl Handler<GetStatus> for LicenseCheck {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.status.clone())
    }
}

impl LicenseCheck {
    /// Begins a round; a change meanwhile makes another one follow.
    fn check(&mut self, ctx: &mut Context<Self>) {
        if self.checking {
            self.check_again = true;
            return;
        }
        let Some(directory) = self.directory.clone() else {
            return;
        };
        self.checking = true;
        self.timer += 1;
        // everybody is asked for now, who was suspected before included
        self.suspects.clear();
        let users: Vec<_> = directory
            .pairs()
            .map(|(user, _)| (user.guid.clone(), user.h323.clone()))
            .collect();
        let master = self.dependencies.sessions.master();
        let asked = async move {
            match master {
                Some(master) if !users.is_empty() => {
                    master.ask(CheckLicenses(users)).await.unwrap_or_default()
                }
                Some(_) => LicenseRound {
                    whole: true,
                    ..LicenseRound::default()
                },
                None => LicenseRound::default(),
            }
        };
        ctx.spawn(
            asked
                .into_actor(self)
                .map(move |round, actor, ctx| actor.take_in(directory, round, ctx)),
        );
    }

    fn take_in(&mut self, directory: Arc<Directory>, round: LicenseRound, ctx: &mut Context<Self>) {
        self.checking = false;
        self.status.rounds += 1;
        self.status.whole = round.whole;
        self.status.fault.clone_from(&round.fault);
        if round.whole {
            self.status.checked_at = Some(self.dependencies.clock.now());
            self.outage.end();
        } else {
            self.repeat_later(&round, ctx);
        }
        self.suspect_later(round.faulty.iter().map(|(user, _)| user.clone()).collect(), ctx);
        let changed = self.remember(&round.answers) | self.forget_strangers(&directory);
        if changed {
            self.persist(ctx);
        }
        // without a single answer ever, nothing is known: nobody may be thrown out for that
        if round.whole || !self.answers.is_empty() {
            self.publish(directory, ctx);
        }
        for waiting in self.waiting.drain(..) {
            // who asked may be gone by now
            let _gone = waiting.send(self.roster.clone());
        }
        self.go_on(ctx);
    }

    /// Begins what had to wait for the end of a round.
    fn go_on(&mut self, ctx: &mut Context<Self>) {
        if std::mem::take(&mut self.check_again) {
            self.check(ctx);
        } else {
            self.plan_recheck(ctx);
        }
    }

    /// A master that is away, or may not answer, is asked again by itself: nobody else may ever come to order it.
    fn repeat_later(&mut self, round: &LicenseRound, ctx: &mut Context<Self>) {
        if self.outage.failures() == 0 {
            log::warn!(
                answered = round.answers.len();
                "a round of license checks was not answered for everybody; the last answers stay"
            );
        }
        let wait = self
            .outage
            .fail((!round.answers.is_empty()).then_some(PARTLY_ANSWERED));
        ctx.run_later(wait, {
            let timer = self.timer;
            move |actor, ctx| {
                if actor.timer == timer {
                    actor.check(ctx);
                }
            }
        });
    }
}
