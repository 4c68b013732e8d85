//! Holds the board: per user what either side shows, what we set there, and our leases.
//!
//! *Wakes on* observations of either side, a changed roster, outcomes of its writes, begin and end of an outage of Graph,
//! and deadlines of the board. *Tells*
//! the PBX sessions what to show and Graph what to set, and orders reads from `PresenceSweep`. The rules themselves stand
//! in [`m365_presence::board`]; this actor carries them out: intents are stored before a write leaves, outcomes after.
//! *Ends* never by itself. A new run reads the ledger, and asks its sources for the roster and for what they show.

mod admitting;
mod alien_calls;
mod hop_times;
mod keeping;
mod observing;
mod status;
mod timeline;
mod writing;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, Handler, Message, MessageResult, ResponseFuture, Supervised,
    WrapFuture,
};
use chrono::{DateTime, Utc};
use m365_presence::board::{Board, PersonView, Released, Rules};
use m365_presence::clock::Clock;
use m365_presence::identity::{PbxGuid, PbxName, TeamsId};
use m365_presence::pbx::PresenceEntry;
use m365_presence::ports::{LedgerChange, PresenceIo, PresenceWrite, Reachability, Store, TimelineStore};
use m365_presence::teams::TeamsObservation;
use m365_presence::traffic::Urgency;
use tokio::sync::oneshot;

use crate::fair_queue::FairQueue;
use crate::license_check::{GetRoster, LicenseCheck, Roster, RosterChanged};
use crate::pbx_session::Report;
use crate::presence_subscription::PresenceSubscription;
use crate::presence_sweep::PresenceSweep;
use crate::sessions::Sessions;
use crate::supervision::{Context, Fitting, Post};
use crate::write_pace::WritePace;

pub use alien_calls::AlienCallsTold;
pub use hop_times::{BOUNDS, HopTime, HopTimes};
pub use keeping::GetTimeline;
pub use status::{BySide, GetStatus, Status};
use timeline::Timeline;

/// An orderly end waits this long for the releases.
const RELEASE_DEADLINE: Duration = Duration::from_secs(8);

/// What a PBX shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// A user's whole presence.
    Presence {
        /// Whose.
        user: PbxGuid,
        /// All entries, newest first.
        entries: Vec<PresenceEntry>,
    },
    /// A user's presence is not followed any more.
    PresenceLost {
        /// Whose.
        user: PbxGuid,
    },
    /// Number of calls of a user at this PBX.
    Calls {
        /// Whose.
        user: PbxGuid,
        /// How many.
        calls: u32,
    },
    /// Nobody's calls are followed any more, while the presence may be.
    LinesLost,
}

/// Observations of a PBX.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PbxSeen {
    /// Which one.
    pub pbx: PbxName,
    /// What it shows, in order.
    pub sightings: Vec<Sighting>,
}

/// A PBX tells nothing any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PbxLost {
    /// Which one.
    pub pbx: PbxName,
}

/// A PBX can be written again.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PbxReached {
    /// Which one.
    pub pbx: PbxName,
}

/// Verified notifications of Teams.
#[derive(Message)]
#[rtype(result = "()")]
pub struct TeamsNotified {
    /// With their state.
    pub observations: Vec<TeamsObservation>,
    /// Whose presence changed without a told state.
    pub hints: Vec<TeamsId>,
}

/// A bulk read of Teams.
#[derive(Message)]
#[rtype(result = "Reception")]
pub struct TeamsRead {
    /// When the request left.
    pub begun_at: DateTime<Utc>,
    /// Who was asked for.
    pub asked: Vec<TeamsId>,
    /// What was answered.
    pub observations: Vec<TeamsObservation>,
}

/// What became of a bulk read.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    /// Whose presence had changed without a notification.
    pub changed: Vec<TeamsId>,
    /// Which of those who were asked for are on the phone at their PBX.
    pub on_the_phone: Vec<TeamsId>,
}

/// Others find no place in a subscription than before.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PlacesChanged;

/// Asks whose presence is to be read, once that is known.
#[derive(Message)]
#[rtype(result = "Option<Arc<BTreeSet<TeamsId>>>")]
pub struct GetWatched;

/// Asks for what an administrator sees of these users, as far as they are on the board.
#[derive(Message)]
#[rtype(result = "Vec<(PbxGuid, PersonView)>")]
pub struct GetViews(pub Vec<PbxGuid>);

/// Takes out whose view may have changed since this was asked last.
#[derive(Message)]
#[rtype(result = "BTreeSet<PbxGuid>")]
pub struct TakeTouched;

/// Orders both sides of a user to be read anew.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Resync {
    /// Whose.
    pub user: PbxGuid,
}

/// Orders the release of everything of ours; answers what it has come to, when it is done or when patience ends.
#[derive(Message)]
#[rtype(result = "Released")]
pub struct Release;

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// The rules' settings.
    pub rules: Rc<Rules>,
    /// Keeps the ledger.
    pub store: Rc<dyn Store>,
    /// Keeps the timeline.
    pub timeline: Rc<dyn TimelineStore>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
    /// Writes presence to Teams.
    pub presence_io: Rc<dyn PresenceIo>,
    /// Whether Graph can be asked at all.
    pub reachability: Rc<dyn Reachability>,
    /// The PBX sessions.
    pub sessions: Sessions,
    /// Reads presence from Teams.
    pub presence_sweep: Post<PresenceSweep>,
    /// Who knows the roster.
    pub license_check: Post<LicenseCheck>,
    /// Who knows for whom there is no place, where such users are not read in bulk instead.
    pub admission: Option<Post<PresenceSubscription>>,
}

/// The board and what is under way.
pub struct PresenceSync {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    board: Board,
    /// Whose presence is to be read, once that is known.
    watched: Option<Arc<BTreeSet<TeamsId>>>,
    /// The last roster, and their number so far, so that an older one is not taken in late.
    roster: Option<Roster>,
    rosters: u64,
    /// Who is on the phone at the PBX, as it was told last.
    phones: HashSet<TeamsId>,
    /// Writes to Teams that have not left yet: what others want to know at once goes before everything else.
    /// Among equals the PBXs take turns, so that a loud one does not delay the others.
    leaving: BTreeMap<Urgency, FairQueue<Option<PbxName>, (PbxGuid, PresenceWrite)>>,
    batches_under_way: usize,
    pace: WritePace,
    /// Whether the writes wait for the pace.
    slowed: bool,
    timer: u64,
    waking_at: Option<DateTime<Utc>>,
    /// Who waits for the release, and what was set before it.
    released: Option<(oneshot::Sender<Released>, usize)>,
    releasing: bool,
    timeline: Timeline,
    /// When what is being taken in was at hand.
    opened_at: Option<DateTime<Utc>>,
    /// Whether transitions are about to be stored.
    storing: bool,
    status: Status,
}

impl PresenceSync {
    /// Makes the actor with an empty board.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        Self {
            board: Board::new(Rules::clone(&dependencies.rules), Vec::new()),
            fitting,
            dependencies,
            watched: None,
            roster: None,
            rosters: 0,
            phones: HashSet::new(),
            leaving: BTreeMap::new(),
            batches_under_way: 0,
            pace: WritePace::new(),
            slowed: false,
            timer: 0,
            waking_at: None,
            released: None,
            releasing: false,
            timeline: Timeline::default(),
            opened_at: None,
            storing: false,
            status: Status::default(),
        }
    }
}

impl Actor for PresenceSync {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.resume_numbers(ctx);
        let store = Rc::clone(&self.dependencies.store);
        let ledger = async move { store.ledger().await };
        ctx.wait(ledger.into_actor(self).map(|ledger, actor, ctx| {
            let ledger = ledger.unwrap_or_else(|error| {
                log::error!(
                    "the ledger cannot be read, what was set before the start may stay behind: {error}"
                );
                Vec::new()
            });
            let paces = actor.board.take_paces(actor.dependencies.clock.now());
            actor.board = Board::new(Rules::clone(&actor.dependencies.rules), ledger);
            actor.board.resume_paces(paces);
            actor.ask_sources(ctx);
            actor.await_outage(ctx);
        }));
    }
}

impl Supervised for PresenceSync {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        // the only memory that a run hands on: else every restart were a new budget of writes
        let paces = self.board.take_paces(self.dependencies.clock.now());
        *self = Self::new(self.fitting.clone());
        self.board.resume_paces(paces);
    }
}

impl Handler<RosterChanged> for PresenceSync {
    type Result = ();

    fn handle(&mut self, message: RosterChanged, ctx: &mut Self::Context) {
        self.admit(message.0, ctx);
    }
}

impl Handler<PlacesChanged> for PresenceSync {
    type Result = ();

    fn handle(&mut self, _message: PlacesChanged, ctx: &mut Self::Context) {
        if let Some(roster) = self.roster.clone() {
            self.admit(roster, ctx);
        }
    }
}

impl Handler<GetWatched> for PresenceSync {
    type Result = MessageResult<GetWatched>;

    fn handle(&mut self, _message: GetWatched, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.watched.clone())
    }
}

impl Handler<GetViews> for PresenceSync {
    type Result = MessageResult<GetViews>;

    fn handle(&mut self, message: GetViews, _ctx: &mut Self::Context) -> Self::Result {
        let now = self.dependencies.clock.now();
        let view = |guid: PbxGuid| self.board.view(&guid, now).map(|view| (guid, view));
        MessageResult(message.0.into_iter().filter_map(view).collect())
    }
}

impl Handler<TakeTouched> for PresenceSync {
    type Result = MessageResult<TakeTouched>;

    fn handle(&mut self, _message: TakeTouched, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.board.take_touched())
    }
}

impl Handler<Release> for PresenceSync {
    type Result = ResponseFuture<Released>;

    fn handle(&mut self, _message: Release, ctx: &mut Self::Context) -> Self::Result {
        log::info!("releasing what was set on both sides");
        self.releasing = true;
        let (sender, receiver) = oneshot::channel();
        let before = self.board.remains();
        self.released = Some((sender, before.pieces()));
        self.board.release_all(self.dependencies.clock.now());
        ctx.run_later(RELEASE_DEADLINE, |actor, _| actor.end_release());
        self.pump(ctx);
        Box::pin(async move {
            let of_a_run_that_ended = Released {
                set: before.pieces(),
                left: before,
            };
            receiver.await.unwrap_or(of_a_run_that_ended)
        })
    }
}

impl PresenceSync {
    /// Asks whoever knows something for all of it.
    fn ask_sources(&mut self, ctx: &mut Context<Self>) {
        let roster = self.dependencies.license_check.ask(GetRoster);
        ctx.spawn(roster.into_actor(self).map(|roster, _, ctx| {
            if let Ok(Some(roster)) = roster {
                ctx.notify(RosterChanged(roster));
            }
        }));
        for (_, session) in self.dependencies.sessions.all() {
            ctx.spawn(
                async move { session.ask(Report).await }
                    .into_actor(self)
                    .map(|_reported, _, _| ()),
            );
        }
    }

    fn store(&self, changes: Vec<LedgerChange>, ctx: &mut Context<Self>) {
        if changes.is_empty() {
            return;
        }
        let store = Rc::clone(&self.dependencies.store);
        let stored = async move { store.change_ledger(&changes).await };
        ctx.spawn(stored.into_actor(self).map(|stored, _, _| {
            if let Err(error) = stored {
                log::error!("the ledger cannot be written, a crash may leave something behind: {error}");
            }
        }));
    }

    fn end_release(&mut self) {
        if let Some((released, set)) = self.released.take() {
            let left = self.board.remains();
            // who asked may be gone by now
            let _gone = released.send(Released { set, left });
        }
    }
}
