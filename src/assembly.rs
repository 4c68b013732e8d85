//! Wires the rooms together: adapters behind ports, actors on their seats, supervisors above them.

mod parts;
mod translation;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use m365_actors::intake_queue::IntakeQueue;
use m365_actors::license_check::LicenseCheck;
use m365_actors::notification_keys::NotificationKeys;
use m365_actors::pbx_dialler::{self, PbxDialler};
use m365_actors::pbx_session::{self, PbxSession};
use m365_actors::presence_subscription::PresenceSubscription;
use m365_actors::presence_sweep::PresenceSweep;
use m365_actors::presence_sync::PresenceSync;
use m365_actors::sessions::Sessions;
use m365_actors::supervision::{
    Branch, Fitting, Seat, Settings as TreeSettings, Strategy, SupervisorSpec, TreeHandle, start,
};
use m365_actors::token_refresh::TokenRefresh;
use m365_actors::user_sync::UserSync;
use m365_actors::webhook_intake::WebhookIntake;
use m365_graph::{GraphClock, HttpClient, KeyRing, Reach};
use m365_presence::clock::Clock;
use m365_presence::identity::PbxName;
use m365_store::{Fence, SqlStore, SteadyStore};

use crate::config::Settings;
use crate::pbx_connection::dialled::DialledSocket;
use crate::pbx_connection::doorkeeper::Doorkeeper;
use crate::reconfiguration::Part;
use crate::release::BUILD;
use crate::view::overview::Posts;
use parts::{Fittings, Ground, SessionTemplate};
pub(crate) use translation::identity_settings;

use translation::destination;

/// Messages that wait for the board at most: a burst of a whole PBX fits.
const BOARD_MAILBOX: usize = 8_192;

/// Messages that wait for a PBX session at most.
const SESSION_MAILBOX: usize = 2_048;

/// PBXs that are known at a time at most; an actor each would never end otherwise.
const MOST_SESSIONS: usize = 1_000;

/// Everything that runs on the actors' thread, wired and started.
pub struct Assembly {
    /// The supervision tree.
    pub tree: TreeHandle,
    /// What must be closed at the end.
    pub store: Rc<SqlStore>,
    /// What the actors keep, also while the database is away.
    pub kept: Rc<SteadyStore>,
    ground: Ground,
    fittings: Fittings,
    pbx_branch: Branch,
    session_template: SessionTemplate,
    session_fittings: BTreeMap<PbxName, Fitting<pbx_session::Dependencies>>,
}

/// Wires and starts everything, on the thread of an actix system.
///
/// # Errors
/// What cannot be used: certificates, addresses.
pub async fn assemble(settings: &Settings, store: Rc<SqlStore>, fence: Fence) -> anyhow::Result<Assembly> {
    let clock = GraphClock::new();
    let shared_clock: Rc<dyn Clock> = Rc::new(clock.clone());
    let kept = Rc::new(SteadyStore::new(store.clone()));
    let http = HttpClient::new(m365_graph::client_config()?, Rc::clone(&shared_clock));
    let http = Rc::new(http.permitted_by(Rc::new(fence.clone())));

    let token_seat = Seat::<TokenRefresh>::new("token-refresh");
    let user_seat = Seat::<UserSync>::new("user-sync");
    let license_seat = Seat::<LicenseCheck>::new("license-check");
    let subscription_seat = Seat::<PresenceSubscription>::new("presence-subscription");
    let sweep_seat = Seat::<PresenceSweep>::new("presence-sweep");
    let key_seat = Seat::<NotificationKeys>::new("notification-keys");
    let intake_seat = Seat::<WebhookIntake>::new("webhook-intake");
    let sync_seat = Seat::<PresenceSync>::with_capacity("presence-sync", BOARD_MAILBOX);
    let posts = Posts {
        token_refresh: token_seat.post(),
        user_sync: user_seat.post(),
        license_check: license_seat.post(),
        presence_subscription: subscription_seat.post(),
        presence_sweep: sweep_seat.post(),
        notification_keys: key_seat.post(),
        webhook_intake: intake_seat.post(),
        presence_sync: sync_seat.post(),
        sessions: Sessions::new(settings.pbx.master.clone()),
        diallers: Vec::new(),
        database: kept.health(),
    };
    let ground = Ground {
        clock,
        store: kept.clone(),
        timeline: store.clone(),
        http,
        keys: Rc::new(KeyRing::default()),
        posts,
        queue: IntakeQueue::default(),
        fence,
    };
    let parts = ground.parts(settings)?;
    let session_template = parts.session_template.clone();
    let fittings = Fittings::new(parts);

    let microsoft = SupervisorSpec::new("microsoft", Strategy::RestForOne)
        .child(token_seat.occupy(TokenRefresh::new(fittings.token_refresh.clone())))
        .child(user_seat.occupy(UserSync::new(fittings.user_sync.clone())))
        .child(license_seat.occupy(LicenseCheck::new(fittings.license_check.clone())))
        .child(subscription_seat.occupy(PresenceSubscription::new(fittings.presence_subscription.clone())))
        .child(sweep_seat.occupy(PresenceSweep::new(fittings.presence_sweep.clone())));
    let pbx = SupervisorSpec::new("pbx", Strategy::OneForOne);
    let pbx_branch = pbx.branch();
    let root = SupervisorSpec::new("root", Strategy::OneForOne)
        .child(microsoft)
        .child(pbx)
        .child(key_seat.occupy(NotificationKeys::new(fittings.notification_keys.clone())))
        .child(intake_seat.occupy(WebhookIntake::new(fittings.webhook_intake.clone())))
        .child(sync_seat.occupy(PresenceSync::new(fittings.presence_sync.clone())));
    let tree = start(root, TreeSettings::default())?;
    Ok(Assembly {
        tree,
        store,
        kept,
        ground,
        fittings,
        pbx_branch,
        session_template,
        session_fittings: BTreeMap::new(),
    })
}

impl Assembly {
    /// The posts of all actors.
    pub fn posts(&self) -> &Posts {
        &self.ground.posts
    }

    /// The queue that the webhook fills.
    pub fn queue(&self) -> &IntakeQueue {
        &self.ground.queue
    }

    /// Which hosts of Microsoft's are out of reach.
    pub fn reach(&self) -> &Reach {
        self.ground.http.reach()
    }

    /// Graph's time.
    pub fn clock(&self) -> &GraphClock {
        &self.ground.clock
    }

    /// Makes the concerned actors anew from changed settings; addresses and mailboxes survive.
    ///
    /// # Errors
    /// What cannot be made of the settings; nothing has changed then.
    pub fn refit(&mut self, settings: &Settings, concerned: &BTreeSet<Part>) -> anyhow::Result<()> {
        let parts = self.ground.parts(settings)?;
        if concerned.contains(&Part::PbxSessions) {
            self.session_template = parts.session_template.clone();
            for (pbx, fitting) in &self.session_fittings {
                fitting.exchange(self.session_dependencies(pbx.clone()));
                self.order_restart(&session_name(pbx));
            }
        }
        self.fittings.exchange(parts, |part| concerned.contains(&part));
        concerned
            .iter()
            .filter_map(|part| part.actor())
            .for_each(|actor| self.order_restart(actor));
        Ok(())
    }

    fn order_restart(&self, actor: &str) {
        if let Err(error) = self.tree.restart(actor) {
            log::error!(actor; "changed settings wait for the next restart of {actor}: {error}");
        }
    }

    fn session_dependencies(&self, pbx: PbxName) -> pbx_session::Dependencies {
        let posts = &self.ground.posts;
        pbx_session::Dependencies {
            pbx,
            contact: self.session_template.contact.clone(),
            license: self.session_template.license.clone(),
            dialogues: self.session_template.dialogues.clone(),
            clock: Rc::new(self.ground.clock.clone()),
            sessions: posts.sessions.clone(),
            user_sync: posts.user_sync.clone(),
            presence_sync: posts.presence_sync.clone(),
            license_check: posts.license_check.clone(),
            permit: Rc::new(self.ground.fence.clone()),
        }
    }

    /// Starts an actor for every PBX that is dialled.
    ///
    /// # Errors
    /// A certificate that cannot be used, with cause and remedy.
    pub async fn dial_pbxs(&mut self, settings: &Settings, doorkeeper: &Doorkeeper) -> anyhow::Result<()> {
        for (number, dial) in settings.pbx.dial.iter().enumerate() {
            let destination = destination(number, dial)?;
            let socket =
                DialledSocket::new(destination, settings.pbx.app.clone(), BUILD, doorkeeper.clone())?;
            let seat = Seat::<PbxDialler>::new(format!("pbx-dialler-{number}"));
            self.ground.posts.diallers.push(seat.post());
            let dialler = PbxDialler::new(pbx_dialler::Dependencies {
                address: dial.url.clone(),
                app_object: dial.object.clone(),
                pbx: dial.pbx.clone(),
                dialled: Rc::new(socket),
                clock: Rc::new(self.ground.clock.clone()),
            });
            self.pbx_branch.add(seat.occupy(dialler)).await?;
        }
        Ok(())
    }

    /// Starts the actor of a PBX, unless there is one; answers whether there is one now.
    pub async fn open_session(&mut self, pbx: PbxName) -> bool {
        let sessions = self.ground.posts.sessions.clone();
        if sessions.of(&pbx).is_some() {
            return true;
        }
        if sessions.all().len() >= MOST_SESSIONS {
            log::error!(pbx = pbx.as_str(); "pbx {pbx} is turned away: {MOST_SESSIONS} pbxs are known already");
            return false;
        }
        let seat = Seat::<PbxSession>::with_capacity(session_name(&pbx), SESSION_MAILBOX);
        sessions.register(pbx.clone(), seat.post());
        let fitting = Fitting::new(self.session_dependencies(pbx.clone()));
        match self
            .pbx_branch
            .add(seat.occupy(PbxSession::new(fitting.clone())))
            .await
        {
            Ok(()) => {
                self.session_fittings.insert(pbx, fitting);
                true
            }
            Err(error) => {
                log::error!(pbx = pbx.as_str(); "the session of pbx {pbx} cannot be started: {error}");
                sessions.strike(&pbx);
                false
            }
        }
    }
}

fn session_name(pbx: &PbxName) -> String {
    format!("pbx-session-{}", pbx.as_str().replace('/', "-"))
}
