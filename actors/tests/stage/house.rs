//! The house: all actors in their tree, before worlds that a test has set up.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use m365_actors::intake_queue::{IntakeQueue, Raw};
use m365_actors::license_check::LicenseCheck;
use m365_actors::notification_keys::NotificationKeys;
use m365_actors::pbx_session::{Dialler, PbxSession};
use m365_actors::presence_subscription::PresenceSubscription;
use m365_actors::presence_sweep::PresenceSweep;
use m365_actors::presence_sync::PresenceSync;
use m365_actors::sessions::Sessions;
use m365_actors::supervision::stage::{self, Stage};
use m365_actors::supervision::{ExitKind, Fitting, Post, Seat, Settings, Strategy, SupervisorSpec};
use m365_actors::token_refresh::{CommunicationUser, ProofEnds, TokenRefresh};
use m365_actors::user_sync::{Matching, UserSync};
use m365_actors::webhook_intake::{Arrived, WebhookIntake};
use m365_actors::{
    license_check, notification_keys, pbx_session, presence_subscription, presence_sweep, presence_sync,
    token_refresh, user_sync, webhook_intake,
};
use m365_presence::board::{Direction, OnThePhone, Restraint, Rules, TeamsCalls};
use m365_presence::cadence::{Reading, Tempo};
use m365_presence::clock::Clock;
use m365_presence::identity::{Account, PbxName};
use m365_presence::mapping::{PbxToTeams, TeamsToPbx};
use m365_presence::pbx::PbxApi;
use m365_presence::sign_in::Way;

use super::clock::PausedClock;
use super::entra::Entra;
use super::graph::{Reach, Teams};
use super::journal::Journal;
use super::opener::Opener;
use super::pbx::{ALL_APIS, Dialogues, Estate, Line};
use super::people::{ANNA, MASTER, SLAVE, guid, pbx_user, teams_user};
use super::ring::Ring;
use super::shelf::Shelf;
use super::subscriptions::Registry;
use super::{minutes, pass, seconds};

/// The settings and worlds of a scene.
pub struct House {
    pub reading: Reading,
    pub accounts: Vec<CommunicationUser>,
    pub presence_period: Duration,
    pub users_period: Duration,
    pub sweep: Duration,
    /// How long an encryption key is current.
    pub key_life: Duration,
    pub journal: Journal,
    pub clock: Rc<PausedClock>,
    pub shelf: Rc<Shelf>,
    pub entra: Rc<Entra>,
    pub teams: Rc<Teams>,
    pub reach: Rc<Reach>,
    pub registry: Rc<Registry>,
    pub opener: Rc<Opener>,
    pub ring: Rc<Ring>,
    pub estate: Rc<Estate>,
    pub queue: IntakeQueue,
    pub teams_calls: TeamsCalls,
}

/// A house with the posts of its actors.
pub struct Cast {
    pub house: House,
    pub token_refresh: Post<TokenRefresh>,
    pub user_sync: Post<UserSync>,
    pub license_check: Post<LicenseCheck>,
    pub subscription: Post<PresenceSubscription>,
    pub sweep: Post<PresenceSweep>,
    pub keys: Post<NotificationKeys>,
    pub intake: Post<WebhookIntake>,
    pub sync: Post<PresenceSync>,
    pub sessions: Sessions,
    subscribing: OnceCell<Fitting<presence_subscription::Dependencies>>,
}

impl House {
    /// A house with Anna as communication user, and this many matched and licensed people.
    fn new(shelf: Rc<Shelf>, people: usize) -> Self {
        let journal = shelf.journal.clone();
        let clock = Rc::new(PausedClock::new());
        let teams = Teams::new(Rc::clone(&clock), journal.clone());
        let estate = Estate::new(journal.clone());
        for number in 1..=people {
            teams.users.borrow_mut().push(teams_user(number));
            estate.users.borrow_mut().push(pbx_user(number, MASTER));
            estate.licensed.borrow_mut().insert(guid(number));
        }
        Self {
            reading: Reading::Hybrid,
            accounts: vec![CommunicationUser {
                account: Account::new(ANNA),
                way: Way::Password,
                ends: ProofEnds::default(),
            }],
            presence_period: minutes(10),
            users_period: minutes(60),
            sweep: minutes(5),
            key_life: Duration::from_hours(300 * 24),
            entra: Rc::new(Entra::new(Rc::clone(&clock), journal.clone())),
            registry: Rc::new(Registry::new(Rc::clone(&clock), journal.clone())),
            opener: Rc::new(Opener::new(journal.clone())),
            ring: Rc::new(Ring::new(journal.clone())),
            teams: Rc::new(teams),
            reach: Rc::new(Reach::new()),
            estate: Rc::new(estate),
            queue: IntakeQueue::default(),
            teams_calls: TeamsCalls::Entry,
            journal,
            clock,
            shelf,
        }
    }

    /// One more person on both sides, who is not told yet.
    pub fn join(&self, number: usize, home: &str) {
        self.teams.users.borrow_mut().push(teams_user(number));
        self.estate.users.borrow_mut().push(pbx_user(number, home));
        self.estate.licensed.borrow_mut().insert(guid(number));
    }

    fn settle(self) -> (SupervisorSpec, Cast) {
        let token_seat = Seat::<TokenRefresh>::new("token-refresh");
        let user_seat = Seat::<UserSync>::new("user-sync");
        let license_seat = Seat::<LicenseCheck>::new("license-check");
        let subscription_seat = Seat::<PresenceSubscription>::new("presence-subscription");
        let sweep_seat = Seat::<PresenceSweep>::new("presence-sweep");
        let key_seat = Seat::<NotificationKeys>::new("notification-keys");
        let intake_seat = Seat::<WebhookIntake>::new("webhook-intake");
        let sync_seat = Seat::<PresenceSync>::new("presence-sync");
        let cast = Cast {
            token_refresh: token_seat.post(),
            user_sync: user_seat.post(),
            license_check: license_seat.post(),
            subscription: subscription_seat.post(),
            sweep: sweep_seat.post(),
            keys: key_seat.post(),
            intake: intake_seat.post(),
            sync: sync_seat.post(),
            sessions: Sessions::new(PbxName::new(MASTER)),
            subscribing: OnceCell::new(),
            house: self,
        };
        let mut pbx = SupervisorSpec::new("pbx", Strategy::OneForOne);
        for name in [MASTER, SLAVE] {
            let seat = Seat::<PbxSession>::new(name);
            cast.sessions.register(PbxName::new(name), seat.post());
            pbx = pbx.child(seat.occupy(cast.pbx_session(name)));
        }
        let microsoft = SupervisorSpec::new("microsoft", Strategy::RestForOne)
            .child(token_seat.occupy(cast.token_actor()))
            .child(user_seat.occupy(cast.user_actor()))
            .child(license_seat.occupy(cast.license_actor()))
            .child(subscription_seat.occupy(cast.subscription_actor()))
            .child(sweep_seat.occupy(cast.sweep_actor()));
        let root = SupervisorSpec::new("root", Strategy::OneForOne)
            .child(microsoft)
            .child(pbx)
            .child(key_seat.occupy(cast.key_actor()))
            .child(intake_seat.occupy(cast.intake_actor()))
            .child(sync_seat.occupy(cast.sync_actor()));
        (root, cast)
    }
}

impl Cast {
    fn clock(&self) -> Rc<dyn Clock> {
        self.house.clock.clone()
    }

    fn token_actor(&self) -> TokenRefresh {
        TokenRefresh::new(token_refresh::Dependencies {
            identity: self.house.entra.clone(),
            store: self.house.shelf.clone(),
            clock: self.clock(),
            ends: ProofEnds::default(),
            communication_users: self.house.accounts.clone(),
        })
    }

    fn user_actor(&self) -> UserSync {
        UserSync::new(user_sync::Dependencies {
            users: self.house.teams.clone(),
            clock: self.clock(),
            matching: Rc::new(Matching::default()),
            period: self.house.users_period,
            sessions: self.sessions.clone(),
            license_check: self.license_check.clone(),
        })
    }

    fn license_actor(&self) -> LicenseCheck {
        LicenseCheck::new(license_check::Dependencies {
            store: self.house.shelf.clone(),
            clock: self.clock(),
            sessions: self.sessions.clone(),
            user_sync: self.user_sync.clone(),
            presence_subscription: self.subscription.clone(),
            presence_sync: self.sync.clone(),
        })
    }

    fn subscription_actor(&self) -> PresenceSubscription {
        let fitting = self
            .subscribing
            .get_or_init(|| Fitting::new(self.subscription_dependencies()));
        PresenceSubscription::new(fitting.clone())
    }

    fn subscription_dependencies(&self) -> presence_subscription::Dependencies {
        presence_subscription::Dependencies {
            subscriptions: self.house.registry.clone(),
            store: self.house.shelf.clone(),
            clock: self.clock(),
            accounts: self
                .house
                .accounts
                .iter()
                .map(|user| user.account.clone())
                .collect(),
            reading: self.house.reading,
            presence_period: self.house.presence_period,
            users_period: self.house.users_period,
            sweep_period: self.house.sweep,
            license_check: self.license_check.clone(),
            user_sync: self.user_sync.clone(),
            presence_sweep: self.sweep.clone(),
            notification_keys: self.keys.clone(),
            presence_sync: self.sync.clone(),
            webhook_intake: self.intake.clone(),
        }
    }

    /// Has the next run of the subscriptions carried by one more account.
    pub fn add_account(&self, account: &str) {
        let fitting = self.subscribing.get().unwrap();
        let mut dependencies = fitting.current();
        dependencies.accounts.push(Account::new(account));
        fitting.exchange(dependencies);
    }

    fn key_actor(&self) -> NotificationKeys {
        NotificationKeys::new(notification_keys::Dependencies {
            key_pairs: self.house.ring.clone(),
            store: self.house.shelf.clone(),
            clock: self.clock(),
            life: (self.house.reading != Reading::Polling).then_some(self.house.key_life),
            presence_subscription: self.subscription.clone(),
        })
    }

    fn sweep_actor(&self) -> PresenceSweep {
        PresenceSweep::new(presence_sweep::Dependencies {
            presence_io: self.house.teams.clone(),
            reachability: self.house.reach.clone(),
            clock: self.clock(),
            tempo: Tempo::new(self.house.reading, self.house.sweep),
            presence_sync: self.sync.clone(),
            presence_subscription: self.subscription.clone(),
        })
    }

    fn intake_actor(&self) -> WebhookIntake {
        WebhookIntake::new(webhook_intake::Dependencies {
            queue: self.house.queue.clone(),
            opener: self.house.opener.clone(),
            presence_sync: self.sync.clone(),
            user_sync: self.user_sync.clone(),
            presence_subscription: self.subscription.clone(),
        })
    }

    fn sync_actor(&self) -> PresenceSync {
        PresenceSync::new(presence_sync::Dependencies {
            rules: Rc::new(Rules {
                teams_to_pbx: TeamsToPbx::default(),
                pbx_to_teams: PbxToTeams::default(),
                contact: "teams:".to_owned(),
                direction: Direction {
                    teams_to_pbx: true,
                    pbx_to_teams: true,
                },
                on_the_phone: OnThePhone::InACall,
                teams_calls: self.house.teams_calls,
                notes_to_pbx: false,
                notes_to_teams: false,
                renewal: minutes(5),
                restraint: Restraint::default(),
            }),
            store: self.house.shelf.clone(),
            timeline: self.house.shelf.clone(),
            clock: self.clock(),
            presence_io: self.house.teams.clone(),
            reachability: self.house.reach.clone(),
            sessions: self.sessions.clone(),
            presence_sweep: self.sweep.clone(),
            license_check: self.license_check.clone(),
            admission: (self.house.reading == Reading::Subscription).then(|| self.subscription.clone()),
        })
    }

    fn pbx_session(&self, name: &str) -> PbxSession {
        PbxSession::new(pbx_session::Dependencies {
            pbx: PbxName::new(name),
            contact: "teams:".to_owned(),
            license: "App(test)".to_owned(),
            dialogues: Rc::new(Dialogues),
            clock: self.clock(),
            sessions: self.sessions.clone(),
            user_sync: self.user_sync.clone(),
            presence_sync: self.sync.clone(),
            license_check: self.license_check.clone(),
            permit: Rc::new(m365_presence::tenure::Always),
        })
    }

    pub fn session(&self, pbx: &str) -> Post<PbxSession> {
        self.sessions.of(&PbxName::new(pbx)).unwrap()
    }

    /// A PBX dials with one App object that may do everything.
    pub async fn dial(&self, pbx: &str) -> Line {
        self.dial_as(pbx, "connector", &ALL_APIS).await
    }

    /// A PBX dials with an App object that may use these APIs.
    pub async fn dial_as(&self, pbx: &str, object: &str, apis: &[PbxApi]) -> Line {
        self.house.estate.dial(pbx, object, apis, self.session(pbx)).await
    }

    /// We dial a PBX as an App object; it does not say which APIs that may use.
    pub async fn reach_out(&self, pbx: &str, object: &str) -> Line {
        let session = self.session(pbx);
        self.house
            .estate
            .connect(pbx, object, &PbxApi::ALL, Dialler::Connector, session)
            .await
    }

    /// The master dials, and everything that follows from it settles.
    pub async fn settle(&self) -> Line {
        let line = self.dial(MASTER).await;
        pass(seconds(3)).await;
        line
    }

    /// A notification arrives at the public listener.
    pub fn notify(&self, body: &str) {
        let raw = Raw {
            body: body.as_bytes().to_vec().into(),
            received_at: self.house.clock.now(),
        };
        if self.house.queue.push(raw).unwrap() {
            self.intake.tell(Arrived).unwrap();
        }
    }

    pub fn journal(&self) -> &Journal {
        &self.house.journal
    }
}

/// Restarts an actor by order; no other one may end by that.
pub async fn restart(stage: &Stage, name: &str) {
    stage.expect_end(name, ExitKind::Ordered);
    stage.tree().restart(name).unwrap();
    pass(seconds(2)).await;
}

/// Plays a scene in a house with this many people.
pub fn play(people: usize, set_up: impl FnOnce(&mut House), scene: impl AsyncFnOnce(&Stage, Cast)) {
    play_on(Rc::default(), people, set_up, scene);
}

/// Plays a scene on a store that an earlier one may have filled: a new start of the service.
pub fn play_on(
    shelf: Rc<Shelf>,
    people: usize,
    set_up: impl FnOnce(&mut House),
    scene: impl AsyncFnOnce(&Stage, Cast),
) {
    let root = || {
        let mut house = House::new(shelf, people);
        set_up(&mut house);
        house.settle()
    };
    stage::play(root, Settings::default(), scene);
}
