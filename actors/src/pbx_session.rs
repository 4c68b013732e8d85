//! Holds the connections of one PBX: its replicated users, the presence of those that it carries, and their calls.
//!
//! *Wakes on* an attached connection, its frames, and a changed directory. *Tells* the users to `UserSync` and what it
//! observes to `PresenceSync`; answers license checks and writes of our entry. *Ends* never by itself: a lost connection
//! is told as lost, and the PBX dials again. The connection's task outlives a run of this actor: the frames' channel
//! closes with the run, and the task attaches to the next one.

mod alien_calls;
mod anew;
mod conversation;
mod entries;
mod followed;
mod licenses;
mod own_calls;
mod refusals;
mod sights;
mod status;
mod work;
mod writes;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, ResponseFuture, Supervised, WrapFuture};
use chrono::{DateTime, Utc};
use m365_presence::board::{EntryWrite, Outcome};
use m365_presence::clock::Clock;
use m365_presence::identity::{PbxGuid, PbxName};
use m365_presence::matching::Directory;
use m365_presence::pbx::PbxIntroduction;
use m365_presence::ports::{LicenseAnswer, PbxDialogues};
use m365_presence::tenure::Permit;
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use crate::license_check::LicenseCheck;
use crate::presence_sync::{PbxLost, PbxReached, PbxSeen, PresenceSync};
use crate::sessions::{Reach, Sessions};
use crate::supervision::{Context, Fitting, Post};
use crate::user_sync::{GetDirectory, UserSync};

use alien_calls::AlienCalls;
pub use alien_calls::SetAlienCall;
pub use anew::Resubscribe;
pub use conversation::ConnectionStatus;
use conversation::Conversations;
use followed::Followed;
use licenses::Licensing;
use refusals::Refusals;
pub use sights::GetSights;
use sights::Silence;
pub use status::{GetStatus, SessionStatus};
use writes::Writes;

/// Changes of the user table are collected this long before they are told.
const TABLE_PAUSE: Duration = Duration::from_millis(200);

/// How often it is looked whether an API that was assumed is left unanswered, so that another connection takes it over.
const UNANSWERED_LOOK: Duration = Duration::from_secs(5);

/// Tells the connections of a process apart.
pub type ConnectionId = u64;

/// What a connection's task must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Send this text message.
    Frame(String),
    /// Close: another connection of the same App object has taken its place.
    Close,
    /// Close and begin anew: what stands on this connection ends with it alone.
    Abandon,
}

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialler {
    /// The PBX did.
    Pbx,
    /// We did.
    Connector,
}

/// A connection whose login was accepted.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Attach {
    /// Which one.
    pub connection: ConnectionId,
    /// What the PBX said of itself.
    pub introduction: PbxIntroduction,
    /// Who opened it.
    pub dialled_by: Dialler,
    /// Where frames go. Its end tells the task that this run is over; the end of the other side, that the connection is.
    pub outgoing: mpsc::UnboundedSender<Outgoing>,
}

/// One text message of a connection; answers whether this run knows the connection.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct Received {
    /// Which one.
    pub connection: ConnectionId,
    /// The whole message.
    pub text: String,
}

/// The directory has changed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Follow(pub Arc<Directory>);

/// Another PBX came or went: this one may have to carry its users.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reconsider;

/// Asks to tell everything again.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Report;

/// Writes our entry.
#[derive(Message)]
#[rtype(result = "Outcome")]
pub struct SetEntry(pub EntryWrite);

/// Asks for the licenses of users, by guid and h323.
#[derive(Message)]
#[rtype(result = "LicenseRound")]
pub struct CheckLicenses(pub Vec<(PbxGuid, String)>);

/// What a round of license checks brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LicenseRound {
    /// What was answered.
    pub answers: Vec<LicenseAnswer>,
    /// Whether everybody was answered.
    pub whole: bool,
    /// For whom the PBX answered with an error only, by guid and h323: worth another question later.
    pub faulty: Vec<(PbxGuid, String)>,
    /// The PBX's text of one such error.
    pub fault: Option<String>,
}

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// The PBX's name.
    pub pbx: PbxName,
    /// The contact of our entries.
    pub contact: String,
    /// The license that is asked for.
    pub license: String,
    /// Begins conversations.
    pub dialogues: Rc<dyn PbxDialogues>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
    /// The other sessions.
    pub sessions: Sessions,
    /// Who needs the users.
    pub user_sync: Post<UserSync>,
    /// Who needs presence and calls.
    pub presence_sync: Post<PresenceSync>,
    /// Who must hear of changed users.
    pub license_check: Post<LicenseCheck>,
    /// Whether our entries may be written.
    pub permit: Rc<dyn Permit>,
}

/// One PBX.
pub struct PbxSession {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    conversations: Conversations,
    followed: Followed,
    directory: Option<Arc<Directory>>,
    entries: Writes<EntryWrite>,
    alien_calls: AlienCalls,
    licensing: Licensing,
    next_order: u64,
    table_changed: bool,
    since: DateTime<Utc>,
    has_been_up: bool,
    refusals: Refusals,
    silence: Silence,
}

impl PbxSession {
    /// Makes the actor without any connection.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        Self {
            since: dependencies.clock.now(),
            has_been_up: false,
            conversations: Conversations::new(Rc::clone(&dependencies.dialogues)),
            followed: Followed::default(),
            directory: None,
            entries: Writes::default(),
            alien_calls: AlienCalls::default(),
            licensing: Licensing::default(),
            next_order: 0,
            table_changed: false,
            refusals: Refusals::default(),
            silence: Silence::default(),
            fitting,
            dependencies,
        }
    }

    fn is_master(&self) -> bool {
        self.dependencies.pbx == *self.dependencies.sessions.master_name()
    }
}

impl Actor for PbxSession {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.dependencies
            .sessions
            .set_reach(&self.dependencies.pbx, Reach::default());
        self.tell_presence_sync(
            PbxLost {
                pbx: self.dependencies.pbx.clone(),
            },
            ctx,
        );
        self.tell_alien_calls(ctx);
        ctx.run_interval(refusals::REPEATED_AFTER, |actor, ctx| actor.repeat_refused(ctx));
        ctx.run_interval(UNANSWERED_LOOK, |actor, ctx| {
            actor.take_up_duties(ctx);
            actor.note_reach(ctx);
            actor.ask_why_silent(ctx);
        });
        let directory = self.dependencies.user_sync.ask(GetDirectory);
        ctx.spawn(directory.into_actor(self).map(|directory, actor, ctx| {
            if let Ok(Some(directory)) = directory {
                actor.follow(directory, ctx);
            }
        }));
    }
}

impl Supervised for PbxSession {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.fitting.clone());
    }
}

impl Handler<Attach> for PbxSession {
    type Result = ();

    fn handle(&mut self, message: Attach, ctx: &mut Self::Context) {
        let was_up = self.conversations.is_up();
        let now = self.dependencies.clock.now();
        log::info!(
            pbx = self.dependencies.pbx.as_str(), app_object = message.introduction.app_object.as_str();
            "pbx {} is connected by app object {}", self.dependencies.pbx, message.introduction.app_object
        );
        let outgoing = message.outgoing.clone();
        self.conversations.attach(message, now);
        self.has_been_up = true;
        let closed = async move { outgoing.closed().await };
        ctx.spawn(closed.into_actor(self).map(|(), actor, ctx| {
            if actor.conversations.detach_closed() {
                actor.lose_connection(ctx);
            }
        }));
        if !was_up {
            self.since = now;
            self.refusals = Refusals::default();
        }
        self.take_up_duties(ctx);
        self.note_reach(ctx);
        self.tell_presence_sync(
            PbxReached {
                pbx: self.dependencies.pbx.clone(),
            },
            ctx,
        );
    }
}

impl Handler<Received> for PbxSession {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, message: Received, ctx: &mut Self::Context) -> Self::Result {
        let Some(events) = self.conversations.receive(message.connection, &message.text) else {
            return Box::pin(async { false });
        };
        let sightings = self.take_in(events, ctx);
        self.send(ctx);
        if sightings.is_empty() {
            return Box::pin(async { true });
        }
        // the next frame is accepted when this one is taken in: a flood is held at its own socket
        let seen = PbxSeen {
            pbx: self.dependencies.pbx.clone(),
            sightings,
        };
        let told = self.dependencies.presence_sync.ask(seen);
        Box::pin(async move {
            if told.await.is_err() {
                log::debug!("presence-sync is down; it asks for everything when it is back");
            }
            true
        })
    }
}

impl Handler<Follow> for PbxSession {
    type Result = ();

    fn handle(&mut self, message: Follow, ctx: &mut Self::Context) {
        self.follow(message.0, ctx);
    }
}

impl Handler<Reconsider> for PbxSession {
    type Result = ();

    fn handle(&mut self, _message: Reconsider, ctx: &mut Self::Context) {
        if let Some(directory) = self.directory.clone() {
            self.follow(directory, ctx);
        }
    }
}

impl Handler<Report> for PbxSession {
    type Result = ();

    fn handle(&mut self, _message: Report, ctx: &mut Self::Context) {
        self.tell_table(ctx);
        self.tell_alien_calls(ctx);
        self.tell_sightings(self.followed.everything(), ctx);
    }
}
