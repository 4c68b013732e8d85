//! Holds the users of Teams, the users of the master PBX, and who matches whom.
//!
//! *Wakes on* start, a user notification (debounced), a changed user table, and every 60 minutes. *Tells* an immutable
//! [`Directory`] to `LicenseCheck` and to the PBX sessions, once both sides are whole: unknown is not empty. *Ends*
//! never by itself: while Graph does not answer, the last directory stays and the next attempt is planned here.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, MessageResult, Supervised, WrapFuture};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use m365_presence::clock::Clock;
use m365_presence::identity::PbxName;
use m365_presence::matching::{Counts, Directory, MatchRule};
use m365_presence::pbx::PbxUser;
use m365_presence::ports::{GraphError, Users};
use m365_presence::teams::TeamsUser;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::license_check::{DirectoryChanged, LicenseCheck};
use crate::outage::Outage;
use crate::pbx_session::{Follow, Report};
use crate::sessions::Sessions;
use crate::supervision::{Context, Fitting, Post};

/// The users are fetched this long after the last notification (DESIGN 3).
const QUIET: Duration = Duration::from_secs(1);

/// The users are fetched at most this long after the first notification (DESIGN 3).
const PATIENCE: Duration = Duration::from_secs(5);

/// What the directory is like.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = UserSyncStatus)]
pub struct Status {
    /// Whether the Teams users were fetched whole since the start.
    pub teams_known: bool,
    /// Whether the master's user table was replicated whole since the start.
    pub pbx_known: bool,
    /// Users of the present directory.
    pub counts: Counts,
    /// When the Teams users were fetched last.
    pub fetched_at: Option<DateTime<Utc>>,
    /// Number of fetches of this run.
    pub fetches: u64,
    /// Why the last fetch failed.
    pub last_failure: Option<String>,
    /// Whether it failed because the app lacks the permission.
    pub lacks_permission: bool,
}

/// The master's whole user table.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PbxTable {
    /// Of which PBX.
    pub pbx: PbxName,
    /// All users.
    pub users: Arc<Vec<PbxUser>>,
}

/// Users of Teams have changed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct UsersChanged;

/// Asks for the directory, if it is whole.
#[derive(Message)]
#[rtype(result = "Option<Arc<Directory>>")]
pub struct GetDirectory;

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

/// How users are matched.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// Field against field.
    pub rule: MatchRule,
    /// Chosen pairs: h323 to Teams object id or sign-in name.
    pub overrides: BTreeMap<String, String>,
    /// Users who are left alone, by h323.
    pub excluded: BTreeSet<String>,
}

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// Lists the directory of Teams.
    pub users: Rc<dyn Users>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
    /// How users are matched.
    pub matching: Rc<Matching>,
    /// Time between two fetches without a notification.
    pub period: Duration,
    /// The PBX sessions.
    pub sessions: Sessions,
    /// Who needs the directory first.
    pub license_check: Post<LicenseCheck>,
}

/// The users of both sides.
pub struct UserSync {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    teams: Option<Arc<Vec<TeamsUser>>>,
    pbx: Option<Arc<Vec<PbxUser>>>,
    directory: Option<Arc<Directory>>,
    fetching: bool,
    fetch_again: bool,
    first_change: Option<Instant>,
    /// Graph has asked for patience until then.
    closed_until: Option<Instant>,
    timer: u64,
    build: u64,
    outage: Outage,
    fetched_at: Option<DateTime<Utc>>,
    fetches: u64,
    last_failure: Option<String>,
    lacks_permission: bool,
}

impl UserSync {
    /// Makes the actor without any users.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        Self {
            fitting,
            dependencies,
            teams: None,
            pbx: None,
            directory: None,
            fetching: false,
            fetch_again: false,
            first_change: None,
            closed_until: None,
            timer: 0,
            build: 0,
            outage: Outage::default(),
            fetched_at: None,
            fetches: 0,
            last_failure: None,
            lacks_permission: false,
        }
    }
}

impl Actor for UserSync {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(master) = self
            .dependencies
            .sessions
            .of(self.dependencies.sessions.master_name())
        {
            ctx.spawn(
                async move { master.ask(Report).await }
                    .into_actor(self)
                    .map(|_reported, _, _| ()),
            );
        }
        self.fetch(ctx);
    }
}

impl Supervised for UserSync {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.fitting.clone());
    }
}

impl Handler<PbxTable> for UserSync {
    type Result = ();

    fn handle(&mut self, message: PbxTable, ctx: &mut Self::Context) {
        if message.pbx == *self.dependencies.sessions.master_name()
            && self.pbx.as_ref() != Some(&message.users)
        {
            self.pbx = Some(message.users);
            self.rebuild(ctx);
        }
    }
}

impl Handler<UsersChanged> for UserSync {
    type Result = ();

    fn handle(&mut self, _message: UsersChanged, ctx: &mut Self::Context) {
        let first = *self.first_change.get_or_insert_with(Instant::now);
        let wait = QUIET.min(PATIENCE.saturating_sub(first.elapsed()));
        self.fetch_after(wait, ctx);
    }
}

impl Handler<GetDirectory> for UserSync {
    type Result = MessageResult<GetDirectory>;

    fn handle(&mut self, _message: GetDirectory, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.directory.clone())
    }
}

impl Handler<GetStatus> for UserSync {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(Status {
            teams_known: self.teams.is_some(),
            pbx_known: self.pbx.is_some(),
            counts: self
                .directory
                .as_ref()
                .map(|directory| directory.counts())
                .unwrap_or_default(),
            fetched_at: self.fetched_at,
            fetches: self.fetches,
            last_failure: self.last_failure.clone(),
            lacks_permission: self.lacks_permission,
        })
    }
}

impl UserSync {
    /// Plans the next fetch, after the patience that Graph has asked for; an earlier plan is void.
    fn fetch_after(&mut self, wait: Duration, ctx: &mut Context<Self>) {
        let closed = self
            .closed_until
            .map(|until| until.saturating_duration_since(Instant::now()));
        self.timer += 1;
        let timer = self.timer;
        ctx.run_later(wait.max(closed.unwrap_or_default()), move |actor, ctx| {
            if actor.timer == timer {
                actor.fetch(ctx);
            }
        });
    }

    fn fetch(&mut self, ctx: &mut Context<Self>) {
        self.first_change = None;
        if self.fetching {
            self.fetch_again = true;
            return;
        }
        self.fetching = true;
        let users = Rc::clone(&self.dependencies.users);
        let listed = async move { users.list().await };
        ctx.spawn(
            listed
                .into_actor(self)
                .map(|listed, actor, ctx| actor.take_in(listed, ctx)),
        );
    }

    fn take_in(&mut self, listed: Result<Vec<TeamsUser>, GraphError>, ctx: &mut Context<Self>) {
        self.fetching = false;
        let wait = match listed {
            Ok(users) => {
                self.outage.end();
                self.closed_until = None;
                self.last_failure = None;
                self.lacks_permission = false;
                self.fetches += 1;
                self.fetched_at = Some(self.dependencies.clock.now());
                log::info!(users = users.len(); "the directory of teams lists {} users", users.len());
                if self.teams.as_ref().is_none_or(|known| **known != users) {
                    self.teams = Some(Arc::new(users));
                    self.rebuild(ctx);
                }
                self.dependencies.period
            }
            Err(error) => {
                self.last_failure = Some(error.to_string());
                self.lacks_permission = error.lacks_permission();
                self.closed_until = error.wait().map(|patience| Instant::now() + patience);
                self.outage
                    .fail_with(&error, "the users of teams cannot be fetched")
            }
        };
        let again = std::mem::take(&mut self.fetch_again);
        self.fetch_after(if again { QUIET } else { wait }, ctx);
    }

    /// Matches everybody anew, once both sides are whole.
    fn rebuild(&mut self, ctx: &mut Context<Self>) {
        let (Some(teams), Some(pbx)) = (self.teams.clone(), self.pbx.clone()) else {
            return;
        };
        self.build += 1;
        let build = self.build;
        let matching = Matching::clone(&self.dependencies.matching);
        let built = tokio::task::spawn_blocking(move || {
            Directory::build(
                &teams,
                &pbx,
                &matching.rule,
                &matching.overrides,
                &matching.excluded,
            )
        });
        ctx.spawn(built.into_actor(self).map(move |built, actor, ctx| match built {
            Ok(directory) if actor.build == build => actor.publish(Arc::new(directory), ctx),
            // a newer one is being built
            Ok(_outdated) => {}
            Err(error) => {
                log::error!("matching the users failed: {error}");
                ctx.end(crate::supervision::ExitReason::bug("matching the users failed"));
            }
        }));
    }

    fn publish(&mut self, directory: Arc<Directory>, ctx: &mut Context<Self>) {
        let counts = directory.counts();
        log::info!(
            teams = counts.teams, pbx = counts.pbx, matched = counts.matched;
            "{} users of teams and {} users of the pbx match in {} pairs", counts.teams, counts.pbx, counts.matched
        );
        self.directory = Some(Arc::clone(&directory));
        let sessions = self.dependencies.sessions.all();
        let followed = sessions
            .iter()
            .map(|(_, session)| session.ask(Follow(Arc::clone(&directory))));
        // all are told at once: one that is down holds no other back, and nobody hears of an older one last
        let followed: Vec<_> = followed.collect();
        let checked = self
            .dependencies
            .license_check
            .ask(DirectoryChanged(Arc::clone(&directory)));
        let told = async move {
            let _asks_again_when_back = checked.await;
            let _ask_again_when_back = join_all(followed).await;
        };
        ctx.spawn(told.into_actor(self));
    }
}
