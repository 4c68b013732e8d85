//! Holds the Graph subscriptions: the directory's, and one shard of up to 650 users per communication user.
//!
//! *Wakes on* a changed roster, the time that a subscription's plan names (a license check goes before every renewal of
//! a presence subscription), lifecycle notices, orders, and a restart. *Tells* `WebhookIntake` which client states are
//! ours, and `PresenceSweep` whose presence must be read because a shard was opened, adopted or lost. What to do next
//! with a subscription is decided by [`m365_presence::subscription`]; this actor carries it out and stores what is held
//! before anybody is told. *Ends* never by itself; a new run finds its subscriptions in the store.

mod carrying_out;
mod coverage;
mod deafness;
mod describing;
mod keys;
mod lifecycle;
mod reading_anew;
mod taking_up;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, MessageResult, Supervised, WrapFuture};
use chrono::{DateTime, Utc};
use m365_presence::cadence::Reading;
use m365_presence::clock::Clock;
use m365_presence::hearing::Hearing;
use m365_presence::identity::{Account, SubscriptionId, TeamsId};
use m365_presence::light::SubscriptionCode;
use m365_presence::ports::{AcceptedState, Store, SubscriptionKind, Subscriptions};
use m365_presence::sharding::{Assignment, CAPACITY};
use m365_presence::subscription::{Event, Held, Keys, Phase, Subscription};
use serde::Serialize;
use utoipa::ToSchema;

use crate::license_check::{Check, GetRoster, LicenseCheck, Roster, RosterChanged};
use crate::notification_keys::NotificationKeys;
use crate::outage::Outage;
use crate::presence_sweep::{Coverage, PresenceSweep};
use crate::presence_sync::PresenceSync;
use crate::supervision::{Context, Fitting, Post};
use crate::user_sync::UserSync;
use crate::webhook_intake::WebhookIntake;

use lifecycle::Losses;

pub use lifecycle::LifecycleNotified;

/// A renewal waits this long for the license check before it goes on with the last answers: more than a PBX may
/// stay silent in a round, and far less than a subscription lives.
const LICENSE_PATIENCE: Duration = Duration::from_secs(45);

/// How one subscription is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubscriptionStatus {
    /// What it watches.
    pub kind: SubscriptionKind,
    /// Its id, while there is one.
    pub id: Option<SubscriptionId>,
    /// The shard's number, from 1 on in the configured order of the communication users.
    pub shard: Option<usize>,
    /// Users that it watches or should watch.
    pub users: usize,
    /// Its end as granted.
    pub expires_at: Option<DateTime<Utc>>,
    /// The key that its resource data is encrypted for; none for a basic one.
    pub certificate_id: Option<String>,
    /// Why Graph sends no resource data, in its own words, where it refuses that.
    pub resource_data_refusal: Option<String>,
    /// How it fares.
    pub phase: Phase,
    /// The light's code.
    pub code: SubscriptionCode,
    /// Since when the code stands.
    pub since: DateTime<Utc>,
    /// Cause, without remedy.
    pub detail: String,
    /// Creates of this run that succeeded.
    pub created: u64,
    /// Renewals of this run that succeeded.
    pub renewed: u64,
    /// Changes of this run that no notification told, and a bulk read found.
    pub missed: u64,
}

/// How all subscriptions are.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = PresenceSubscriptionStatus)]
pub struct Status {
    /// The directory's first, then the shards by account.
    pub subscriptions: Vec<SubscriptionStatus>,
    /// Users who find no place in any shard.
    pub overflow: usize,
    /// Those of them who are not read in bulk instead.
    pub unserved: usize,
    /// Whether a roster is known.
    pub roster_known: bool,
    /// Whether nothing is subscribed, as configured.
    pub polling: bool,
}

/// The encryption keys from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct KeysChanged(pub Keys);

/// Asks for the client states that are ours, once they are known, and the keys too: what comes before could not be opened.
#[derive(Message)]
#[rtype(result = "Option<Vec<AcceptedState>>")]
pub struct GetClientStates;

/// Orders the renewal of all subscriptions now.
#[derive(Message)]
#[rtype(result = "()")]
pub struct RenewAll;

/// Asks who is in which shard.
#[derive(Message)]
#[rtype(result = "Arc<Assignment>")]
pub struct GetAssignment;

/// Asks whom living subscriptions watch.
#[derive(Message)]
#[rtype(result = "Arc<Coverage>")]
pub struct GetCoverage;

/// Asks which members of this roster are neither watched by a subscription nor read in bulk.
#[derive(Message)]
#[rtype(result = "Arc<BTreeSet<TeamsId>>")]
pub struct GetUnserved(pub Roster);

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// Graph's subscriptions.
    pub subscriptions: Rc<dyn Subscriptions>,
    /// Keeps them over restarts.
    pub store: Rc<dyn Store>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
    /// The communication users.
    pub accounts: Vec<Account>,
    /// How presence is read.
    pub reading: Reading,
    /// Time between two renewals of a presence subscription.
    pub presence_period: Duration,
    /// Time between two renewals of the users' subscription.
    pub users_period: Duration,
    /// Time between two full comparisons: half of it a late notification may take.
    pub sweep_period: Duration,
    /// Who checks the licenses.
    pub license_check: Post<LicenseCheck>,
    /// Who fetches the users.
    pub user_sync: Post<UserSync>,
    /// Who reads presence.
    pub presence_sweep: Post<PresenceSweep>,
    /// Who has the encryption keys.
    pub notification_keys: Post<NotificationKeys>,
    /// Who must know when other users find no place.
    pub presence_sync: Post<PresenceSync>,
    /// Who must know the client states.
    pub webhook_intake: Post<WebhookIntake>,
}

/// One subscription and what surrounds its plan.
struct Entry {
    plan: Subscription,
    client_state: AcceptedState,
    stored: Option<Held>,
    was_live: bool,
    hearing: Hearing,
    signed_out: Option<String>,
    code: SubscriptionCode,
    since: DateTime<Utc>,
    /// Stamps the newest plan, so that an older one is not carried out late.
    plans: u64,
    outage: Outage,
    losses: Losses,
    created: u64,
    renewed: u64,
}

/// All subscriptions.
pub struct PresenceSubscription {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    entries: BTreeMap<SubscriptionKind, Entry>,
    states_known: bool,
    /// Client states of accounts that are configured no more, whose subscriptions last.
    former: Vec<AcceptedState>,
    keys: Option<Keys>,
    assignment: Arc<Assignment>,
    roster: Option<Roster>,
    /// The subscriptions that cover somebody, and whether each is doubted, as the sweep was told.
    covering: Option<Vec<(SubscriptionId, bool)>>,
    /// Who finds no place and is not polled instead, as the board was told.
    unserved: Option<Arc<BTreeSet<TeamsId>>>,
}

impl PresenceSubscription {
    /// Makes the actor without any subscription.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        Self {
            fitting,
            dependencies,
            entries: BTreeMap::new(),
            states_known: false,
            former: Vec::new(),
            keys: None,
            assignment: Arc::default(),
            roster: None,
            covering: None,
            unserved: None,
        }
    }

    /// Whether anything is subscribed at all.
    fn subscribes(&self) -> bool {
        self.dependencies.reading != Reading::Polling
    }

    /// Whether presence is subscribed; without communication users it is read in bulk only.
    fn has_shards(&self) -> bool {
        self.subscribes() && !self.dependencies.accounts.is_empty()
    }
}

impl Actor for PresenceSubscription {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let store = Rc::clone(&self.dependencies.store);
        let stored = async move { (store.subscriptions().await, store.client_states().await) };
        ctx.wait(
            stored
                .into_actor(self)
                .map(|(subscriptions, states), actor, ctx| {
                    let subscriptions = subscriptions.unwrap_or_else(|error| {
                        log::error!(
                            "the stored subscriptions cannot be read, they are looked for at graph: {error}"
                        );
                        Vec::new()
                    });
                    let states = states.unwrap_or_else(|error| {
                        log::error!("the stored client states cannot be read, new ones are drawn: {error}");
                        Vec::new()
                    });
                    actor.take_up(subscriptions, states, ctx);
                }),
        );
        self.listen(ctx);
        if self.dependencies.accounts.is_empty() {
            ctx.run_interval(self.dependencies.presence_period, |actor, ctx| {
                actor.check_licenses(Vec::new(), ctx)
            });
        }
    }
}

impl Supervised for PresenceSubscription {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.fitting.clone());
    }
}

impl Handler<RosterChanged> for PresenceSubscription {
    type Result = ();

    fn handle(&mut self, message: RosterChanged, ctx: &mut Self::Context) {
        self.take_in_roster(message.0, ctx);
        self.tell_unserved(ctx);
    }
}

impl Handler<KeysChanged> for PresenceSubscription {
    type Result = ();

    fn handle(&mut self, message: KeysChanged, ctx: &mut Self::Context) {
        self.take_in_keys(message.0, ctx);
    }
}

impl Handler<GetClientStates> for PresenceSubscription {
    type Result = MessageResult<GetClientStates>;

    fn handle(&mut self, _message: GetClientStates, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.accepts().then(|| self.client_states()))
    }
}

impl Handler<RenewAll> for PresenceSubscription {
    type Result = ();

    fn handle(&mut self, _message: RenewAll, ctx: &mut Self::Context) {
        let shards = self
            .entries
            .keys()
            .filter(|kind| **kind != SubscriptionKind::Users);
        let renewals = shards.map(|kind| (kind.clone(), Event::RenewNow)).collect();
        self.feed(&SubscriptionKind::Users, Event::RenewNow, ctx);
        self.check_licenses(renewals, ctx);
    }
}

impl Handler<GetAssignment> for PresenceSubscription {
    type Result = MessageResult<GetAssignment>;

    fn handle(&mut self, _message: GetAssignment, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(Arc::clone(&self.assignment))
    }
}

impl Handler<GetStatus> for PresenceSubscription {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(Status {
            subscriptions: self
                .entries
                .iter()
                .map(|(kind, entry)| self.status_of(kind, entry))
                .collect(),
            overflow: self.assignment.overflow.len(),
            unserved: self.without_observer().count(),
            roster_known: self.roster.is_some(),
            polling: !self.has_shards(),
        })
    }
}

impl PresenceSubscription {
    /// Assigns the members to shards and tells every plan what is wanted now.
    fn take_in_roster(&mut self, roster: Roster, ctx: &mut Context<Self>) {
        let wanted: BTreeSet<TeamsId> = roster.members.iter().map(|member| member.teams.clone()).collect();
        if self.has_shards() {
            let next = self
                .assignment
                .next(&self.dependencies.accounts, &wanted, CAPACITY);
            self.assignment = Arc::new(next);
        }
        self.roster = Some(roster);
        for kind in self.entries.keys().cloned().collect::<Vec<_>>() {
            let want = self.want_of(&kind);
            self.feed(&kind, Event::Wanted(want), ctx);
        }
    }

    /// Asks for a round of license checks, and tells the plans what it brings before what was to follow it.
    fn check_licenses(&mut self, then: Vec<(SubscriptionKind, Event)>, ctx: &mut Context<Self>) {
        let checked = tokio::time::timeout(LICENSE_PATIENCE, self.dependencies.license_check.ask(Check));
        ctx.spawn(checked.into_actor(self).map(move |checked, actor, ctx| {
            match checked {
                Ok(Ok(Some(roster))) => {
                    actor.take_in_roster(roster, ctx);
                    actor.tell_unserved(ctx);
                }
                Ok(Ok(None) | Err(_)) => {}
                Err(_elapsed) => {
                    log::warn!("the license check takes long, the subscriptions go on without it")
                }
            }
            for (kind, event) in then {
                actor.feed(&kind, event, ctx);
            }
        }));
    }

    fn ask_for_roster(&mut self, ctx: &mut Context<Self>) {
        let roster = self.dependencies.license_check.ask(GetRoster);
        ctx.spawn(roster.into_actor(self).map(|roster, actor, ctx| {
            if let Ok(Some(roster)) = roster {
                actor.take_in_roster(roster, ctx);
                actor.tell_unserved(ctx);
            }
        }));
    }
}
