//! Wires the rooms together: adapters behind ports, actors on their seats, supervisors above them.

mod translation;

use std::rc::Rc;

use anyhow::Context as _;
use m365_actors::intake_queue::IntakeQueue;
use m365_actors::license_check::{self, LicenseCheck};
use m365_actors::pbx_dialler::{self, PbxDialler};
use m365_actors::pbx_session::{self, PbxSession};
use m365_actors::presence_subscription::{self, PresenceSubscription};
use m365_actors::presence_sweep::{self, PresenceSweep};
use m365_actors::presence_sync::{self, PresenceSync};
use m365_actors::sessions::Sessions;
use m365_actors::supervision::{
    Branch, Seat, Settings as TreeSettings, Strategy, SupervisorSpec, TreeHandle, start,
};
use m365_actors::token_refresh::{self, TokenRefresh, TokensOf};
use m365_actors::user_sync::{self, Matching, UserSync};
use m365_actors::webhook_intake::{self, WebhookIntake};
use m365_graph::{
    Endpoints, EntraIdentity, GraphClient, GraphClock, GraphSettings, HttpClient, KeyRing, WebhookOpener,
};
use m365_pbx::Dialogues;
use m365_presence::cadence::{Reading, Tempo};
use m365_presence::clock::Clock;
use m365_presence::identity::PbxName;
use m365_presence::ports::{NotificationKey, Store};
use m365_store::SqliteStore;

use crate::BUILD;
use crate::config::{DatabaseUrl, Settings};
use crate::pbx_connection::dialled::DialledSocket;
use crate::pbx_connection::doorkeeper::Doorkeeper;
use crate::view::overview::Posts;
use translation::{
    accounts, communication_users, destination, identity_settings, reading, rules, webhook_settings,
};

/// Messages that wait for the board at most: a burst of a whole PBX fits.
const BOARD_MAILBOX: usize = 8_192;

/// Messages that wait for a PBX session at most.
const SESSION_MAILBOX: usize = 2_048;

/// Path of change notifications below the public address.
const NOTIFICATIONS: &str = "/graph/notifications";

/// Path of lifecycle notifications below the public address.
const LIFECYCLE: &str = "/graph/lifecycle";

/// Everything that runs on the actors' thread, wired and started.
pub struct Assembly {
    /// The supervision tree.
    pub tree: TreeHandle,
    /// The posts of all actors.
    pub posts: Posts,
    /// The queue that the webhook fills.
    pub queue: IntakeQueue,
    /// Graph's time.
    pub clock: GraphClock,
    /// What must be closed at the end.
    pub store: Rc<SqliteStore>,
    pbx_branch: Branch,
    session_template: SessionTemplate,
}

/// What every PBX session is made of, but for the PBX's name.
struct SessionTemplate {
    contact: String,
    license: String,
    dialogues: Rc<Dialogues>,
}

/// Opens the store that the settings name.
///
/// # Errors
/// The cause and its remedy, when the database cannot be used.
pub fn open_store(settings: &Settings) -> anyhow::Result<SqliteStore> {
    let DatabaseUrl::Sqlite(path) = &settings.database.url;
    let key = match &settings.database.key {
        Some(text) => m365_store::KeySource::Given(text.expose().parse().context("database.key")?),
        None => m365_store::KeySource::Beside,
    };
    Ok(SqliteStore::open(path, key)?)
}

/// Wires and starts everything, on the thread of an actix system.
///
/// # Errors
/// What cannot be used: certificates, addresses, notification keys.
pub async fn assemble(settings: &Settings, store: SqliteStore) -> anyhow::Result<Assembly> {
    let clock = GraphClock::new();
    let shared_clock: Rc<dyn Clock> = Rc::new(clock.clone());
    let store = Rc::new(store);
    let port: Rc<dyn Store> = store.clone();
    let microsoft = &settings.microsoft;
    let endpoints = Endpoints::new(
        microsoft.cloud,
        microsoft.login_url.as_deref(),
        microsoft.graph_url.as_deref(),
    )?;
    let http = Rc::new(HttpClient::new(
        m365_graph::client_config()?,
        Rc::clone(&shared_clock),
    ));
    let identity = Rc::new(EntraIdentity::new(
        Rc::clone(&http),
        endpoints.clone(),
        &identity_settings(settings)?,
    )?);
    let reading = reading(settings);
    let stored_keys = notification_keys(&*port, reading, &shared_clock).await?;
    let keys = Rc::new(KeyRing::load(&stored_keys)?);

    let token_seat = Seat::<TokenRefresh>::new("token-refresh");
    let user_seat = Seat::<UserSync>::new("user-sync");
    let license_seat = Seat::<LicenseCheck>::new("license-check");
    let subscription_seat = Seat::<PresenceSubscription>::new("presence-subscription");
    let sweep_seat = Seat::<PresenceSweep>::new("presence-sweep");
    let intake_seat = Seat::<WebhookIntake>::new("webhook-intake");
    let sync_seat = Seat::<PresenceSync>::with_capacity("presence-sync", BOARD_MAILBOX);
    let posts = Posts {
        token_refresh: token_seat.post(),
        user_sync: user_seat.post(),
        license_check: license_seat.post(),
        presence_subscription: subscription_seat.post(),
        presence_sweep: sweep_seat.post(),
        webhook_intake: intake_seat.post(),
        presence_sync: sync_seat.post(),
        sessions: Sessions::new(settings.pbx.master.clone()),
        diallers: Vec::new(),
    };
    let queue = IntakeQueue::default();

    let public_url = settings.public.url.clone().unwrap_or_default();
    let graph = Rc::new(GraphClient::new(
        Rc::clone(&http),
        endpoints.clone(),
        Rc::new(TokensOf(posts.token_refresh.clone())),
        Rc::clone(&keys),
        GraphSettings {
            client_id: microsoft.client_id.clone(),
            teams_plans: microsoft.teams_plans.clone(),
            notification_url: format!("{public_url}{NOTIFICATIONS}"),
            lifecycle_url: format!("{public_url}{LIFECYCLE}"),
        },
    ));
    let certificates = match reading {
        Reading::Polling => Vec::new(),
        Reading::Subscription | Reading::Hybrid => stored_keys.into_iter().map(|key| key.id).collect(),
    };
    let opener = Rc::new(WebhookOpener::new(
        http,
        endpoints,
        keys,
        webhook_settings(settings),
    ));

    let token_refresh = TokenRefresh::new(token_refresh::Dependencies {
        identity,
        store: Rc::clone(&port),
        clock: Rc::clone(&shared_clock),
        communication_users: communication_users(settings),
    });
    let user_sync = UserSync::new(user_sync::Dependencies {
        users: graph.clone(),
        clock: Rc::clone(&shared_clock),
        matching: Rc::new(Matching {
            rule: settings.matching.rule,
            overrides: settings.matching.overrides.clone(),
            excluded: settings.matching.exclude.clone(),
        }),
        period: settings.timers.user_subscription,
        sessions: posts.sessions.clone(),
        license_check: posts.license_check.clone(),
    });
    let license_check = LicenseCheck::new(license_check::Dependencies {
        store: Rc::clone(&port),
        clock: Rc::clone(&shared_clock),
        sessions: posts.sessions.clone(),
        user_sync: posts.user_sync.clone(),
        presence_subscription: posts.presence_subscription.clone(),
        presence_sync: posts.presence_sync.clone(),
    });
    let presence_subscription = PresenceSubscription::new(presence_subscription::Dependencies {
        subscriptions: graph.clone(),
        store: Rc::clone(&port),
        clock: Rc::clone(&shared_clock),
        accounts: accounts(settings),
        reading,
        presence_period: settings.timers.presence_subscription,
        users_period: settings.timers.user_subscription,
        sweep_period: settings.timers.sweep,
        certificates,
        license_check: posts.license_check.clone(),
        user_sync: posts.user_sync.clone(),
        presence_sweep: posts.presence_sweep.clone(),
        webhook_intake: posts.webhook_intake.clone(),
    });
    let presence_sweep = PresenceSweep::new(presence_sweep::Dependencies {
        presence_io: graph.clone(),
        clock: Rc::clone(&shared_clock),
        tempo: Tempo::new(reading, settings.timers.sweep),
        presence_sync: posts.presence_sync.clone(),
        presence_subscription: posts.presence_subscription.clone(),
    });
    let webhook_intake = WebhookIntake::new(webhook_intake::Dependencies {
        queue: queue.clone(),
        opener,
        presence_sync: posts.presence_sync.clone(),
        user_sync: posts.user_sync.clone(),
        presence_subscription: posts.presence_subscription.clone(),
    });
    let presence_sync = PresenceSync::new(presence_sync::Dependencies {
        rules: Rc::new(rules(settings)),
        store: port,
        clock: shared_clock,
        presence_io: graph,
        sessions: posts.sessions.clone(),
        presence_sweep: posts.presence_sweep.clone(),
        license_check: posts.license_check.clone(),
        admission: (reading == Reading::Subscription).then(|| posts.presence_subscription.clone()),
    });

    let microsoft = SupervisorSpec::new("microsoft", Strategy::RestForOne)
        .child(token_seat.occupy(token_refresh))
        .child(user_seat.occupy(user_sync))
        .child(license_seat.occupy(license_check))
        .child(subscription_seat.occupy(presence_subscription))
        .child(sweep_seat.occupy(presence_sweep));
    let pbx = SupervisorSpec::new("pbx", Strategy::OneForOne);
    let pbx_branch = pbx.branch();
    let root = SupervisorSpec::new("root", Strategy::OneForOne)
        .child(microsoft)
        .child(pbx)
        .child(intake_seat.occupy(webhook_intake))
        .child(sync_seat.occupy(presence_sync));
    let tree = start(root, TreeSettings::default())?;
    let session_template = SessionTemplate {
        contact: settings.pbx.presence_contact.clone(),
        license: settings.pbx.license.clone(),
        dialogues: Rc::new(Dialogues::new(&settings.pbx.app, BUILD)),
    };
    Ok(Assembly {
        tree,
        posts,
        queue,
        clock,
        store,
        pbx_branch,
        session_template,
    })
}

impl Assembly {
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
            self.posts.diallers.push(seat.post());
            let dialler = PbxDialler::new(pbx_dialler::Dependencies {
                address: dial.url.clone(),
                app_object: dial.object.clone(),
                pbx: dial.pbx.clone(),
                dialled: Rc::new(socket),
                clock: Rc::new(self.clock.clone()),
            });
            self.pbx_branch.add(seat.occupy(dialler)).await?;
        }
        Ok(())
    }

    /// Starts the actor of a PBX, unless there is one; answers whether there is one now.
    pub async fn open_session(&self, pbx: PbxName) -> bool {
        let sessions = &self.posts.sessions;
        if sessions.of(&pbx).is_some() {
            return true;
        }
        let name = format!("pbx-session-{}", pbx.as_str().replace('/', "-"));
        let seat = Seat::<PbxSession>::with_capacity(name, SESSION_MAILBOX);
        sessions.register(pbx.clone(), seat.post());
        let session = PbxSession::new(pbx_session::Dependencies {
            pbx: pbx.clone(),
            contact: self.session_template.contact.clone(),
            license: self.session_template.license.clone(),
            dialogues: self.session_template.dialogues.clone(),
            clock: Rc::new(self.clock.clone()),
            sessions: sessions.clone(),
            user_sync: self.posts.user_sync.clone(),
            presence_sync: self.posts.presence_sync.clone(),
        });
        match self.pbx_branch.add(seat.occupy(session)).await {
            Ok(()) => true,
            Err(error) => {
                log::error!(pbx = pbx.as_str(); "the session of pbx {pbx} cannot be started: {error}");
                sessions.strike(&pbx);
                false
            }
        }
    }
}

/// Loads the keys for resource data; makes the first one.
async fn notification_keys(
    store: &dyn Store,
    reading: Reading,
    clock: &Rc<dyn Clock>,
) -> anyhow::Result<Vec<NotificationKey>> {
    let mut keys = store.notification_keys().await?.keys;
    if keys.is_empty() && reading != Reading::Polling {
        let now = clock.now();
        let key = tokio::task::spawn_blocking(move || m365_graph::generate_notification_key(now)).await??;
        store.put_notification_key(&key).await?;
        log::info!("a key pair for encrypted notifications was made");
        keys.push(key);
    }
    Ok(keys)
}
