//! What the actors are made of: adapters and settings, made anew whenever the settings change.

use std::rc::Rc;

use m365_actors::intake_queue::IntakeQueue;
use m365_actors::supervision::Fitting;
use m365_actors::token_refresh::TokensOf;
use m365_actors::user_sync::Matching;
use m365_actors::{
    license_check, notification_keys, presence_subscription, presence_sweep, presence_sync, token_refresh,
    user_sync, webhook_intake,
};
use m365_graph::{
    Endpoints, EntraIdentity, GraphClient, GraphClock, GraphSettings, HttpClient, KeyRing, WebhookOpener,
};
use m365_pbx::Dialogues;
use m365_presence::cadence::{Reading, Tempo};
use m365_presence::clock::Clock;
use m365_presence::ports::{Reachability, Store, TimelineStore};

use super::translation::{
    accounts, communication_users, identity_settings, proof_ends, reading, rules, webhook_settings,
};
use m365_store::Fence;

use crate::config::Settings;
use crate::reconfiguration::Part;
use crate::release::BUILD;
use crate::view::overview::Posts;

/// Path of change notifications below the public address.
const NOTIFICATIONS: &str = "/graph/notifications";

/// Path of lifecycle notifications below the public address.
const LIFECYCLE: &str = "/graph/lifecycle";

/// What outlives every change of the settings.
pub(super) struct Ground {
    pub(super) clock: GraphClock,
    pub(super) store: Rc<dyn Store>,
    pub(super) timeline: Rc<dyn TimelineStore>,
    pub(super) http: Rc<HttpClient>,
    pub(super) keys: Rc<KeyRing>,
    pub(super) posts: Posts,
    pub(super) queue: IntakeQueue,
    /// Whether this instance is the active one.
    pub(super) fence: Fence,
}

/// What every PBX session is made of, but for the PBX's name.
#[derive(Clone)]
pub(super) struct SessionTemplate {
    pub(super) contact: String,
    pub(super) license: String,
    pub(super) dialogues: Rc<Dialogues>,
}

/// The dependencies of all actors, as settings make them.
pub(super) struct Parts {
    token_refresh: token_refresh::Dependencies,
    user_sync: user_sync::Dependencies,
    license_check: license_check::Dependencies,
    presence_subscription: presence_subscription::Dependencies,
    presence_sweep: presence_sweep::Dependencies,
    notification_keys: notification_keys::Dependencies,
    webhook_intake: webhook_intake::Dependencies,
    presence_sync: presence_sync::Dependencies,
    pub(super) session_template: SessionTemplate,
}

impl Ground {
    /// Makes everything that depends on settings.
    ///
    /// # Errors
    /// What cannot be used: certificates, addresses.
    pub(super) fn parts(&self, settings: &Settings) -> anyhow::Result<Parts> {
        let shared_clock: Rc<dyn Clock> = Rc::new(self.clock.clone());
        let posts = &self.posts;
        let microsoft = &settings.microsoft;
        let endpoints = Endpoints::new(
            microsoft.cloud,
            microsoft.login_url.as_deref(),
            microsoft.graph_url.as_deref(),
        )?;
        let identity = Rc::new(EntraIdentity::new(
            Rc::clone(&self.http),
            endpoints.clone(),
            &identity_settings(settings)?,
        )?);
        let reading = reading(settings);
        let public_url = settings.public.url.clone().unwrap_or_default();
        let graph = Rc::new(GraphClient::new(
            Rc::clone(&self.http),
            endpoints.clone(),
            Rc::new(TokensOf(posts.token_refresh.clone())),
            Rc::clone(&self.keys),
            GraphSettings {
                client_id: microsoft.client_id.clone(),
                teams_plans: microsoft.teams_plans.clone(),
                notification_url: format!("{public_url}{NOTIFICATIONS}"),
                lifecycle_url: format!("{public_url}{LIFECYCLE}"),
            },
        ));
        let reachability: Rc<dyn Reachability> = Rc::new(self.http.reach().clone());
        let opener = Rc::new(WebhookOpener::new(
            Rc::clone(&self.http),
            endpoints,
            Rc::clone(&self.keys),
            webhook_settings(settings),
        ));
        Ok(Parts {
            token_refresh: token_refresh::Dependencies {
                identity,
                store: Rc::clone(&self.store),
                clock: Rc::clone(&shared_clock),
                ends: proof_ends(&settings.microsoft.credential),
                communication_users: communication_users(settings),
            },
            user_sync: user_sync::Dependencies {
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
            },
            license_check: license_check::Dependencies {
                store: Rc::clone(&self.store),
                clock: Rc::clone(&shared_clock),
                sessions: posts.sessions.clone(),
                user_sync: posts.user_sync.clone(),
                presence_subscription: posts.presence_subscription.clone(),
                presence_sync: posts.presence_sync.clone(),
            },
            presence_subscription: presence_subscription::Dependencies {
                subscriptions: graph.clone(),
                store: Rc::clone(&self.store),
                clock: Rc::clone(&shared_clock),
                accounts: accounts(settings),
                reading,
                presence_period: settings.timers.presence_subscription,
                users_period: settings.timers.user_subscription,
                sweep_period: settings.timers.sweep,
                license_check: posts.license_check.clone(),
                user_sync: posts.user_sync.clone(),
                presence_sweep: posts.presence_sweep.clone(),
                notification_keys: posts.notification_keys.clone(),
                presence_sync: posts.presence_sync.clone(),
                webhook_intake: posts.webhook_intake.clone(),
            },
            presence_sweep: presence_sweep::Dependencies {
                presence_io: graph.clone(),
                reachability: Rc::clone(&reachability),
                clock: Rc::clone(&shared_clock),
                tempo: Tempo::new(reading, settings.timers.sweep),
                presence_sync: posts.presence_sync.clone(),
                presence_subscription: posts.presence_subscription.clone(),
            },
            notification_keys: notification_keys::Dependencies {
                key_pairs: self.keys.clone(),
                store: Rc::clone(&self.store),
                clock: Rc::clone(&shared_clock),
                life: (reading != Reading::Polling).then_some(settings.timers.notification_key),
                presence_subscription: posts.presence_subscription.clone(),
            },
            webhook_intake: webhook_intake::Dependencies {
                queue: self.queue.clone(),
                opener,
                presence_sync: posts.presence_sync.clone(),
                user_sync: posts.user_sync.clone(),
                presence_subscription: posts.presence_subscription.clone(),
            },
            presence_sync: presence_sync::Dependencies {
                rules: Rc::new(rules(settings)),
                store: Rc::clone(&self.store),
                timeline: Rc::clone(&self.timeline),
                clock: shared_clock,
                presence_io: graph,
                reachability,
                sessions: posts.sessions.clone(),
                presence_sweep: posts.presence_sweep.clone(),
                license_check: posts.license_check.clone(),
                admission: (reading == Reading::Subscription).then(|| posts.presence_subscription.clone()),
            },
            session_template: SessionTemplate {
                contact: settings.pbx.presence_contact.clone(),
                license: settings.pbx.license.clone(),
                dialogues: Rc::new(Dialogues::new(&settings.pbx.app, BUILD)),
            },
        })
    }
}

/// Where each actor's dependencies are exchanged.
pub(super) struct Fittings {
    pub(super) token_refresh: Fitting<token_refresh::Dependencies>,
    pub(super) user_sync: Fitting<user_sync::Dependencies>,
    pub(super) license_check: Fitting<license_check::Dependencies>,
    pub(super) presence_subscription: Fitting<presence_subscription::Dependencies>,
    pub(super) presence_sweep: Fitting<presence_sweep::Dependencies>,
    pub(super) notification_keys: Fitting<notification_keys::Dependencies>,
    pub(super) webhook_intake: Fitting<webhook_intake::Dependencies>,
    pub(super) presence_sync: Fitting<presence_sync::Dependencies>,
}

impl Fittings {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            token_refresh: Fitting::new(parts.token_refresh),
            user_sync: Fitting::new(parts.user_sync),
            license_check: Fitting::new(parts.license_check),
            presence_subscription: Fitting::new(parts.presence_subscription),
            presence_sweep: Fitting::new(parts.presence_sweep),
            notification_keys: Fitting::new(parts.notification_keys),
            webhook_intake: Fitting::new(parts.webhook_intake),
            presence_sync: Fitting::new(parts.presence_sync),
        }
    }

    /// Exchanges what the concerned actors are made of; the others keep what they have, also over a restart.
    pub(super) fn exchange(&self, parts: Parts, concerned: impl Fn(Part) -> bool) {
        if concerned(Part::TokenRefresh) {
            self.token_refresh.exchange(parts.token_refresh);
        }
        if concerned(Part::UserSync) {
            self.user_sync.exchange(parts.user_sync);
        }
        if concerned(Part::LicenseCheck) {
            self.license_check.exchange(parts.license_check);
        }
        if concerned(Part::PresenceSubscription) {
            self.presence_subscription.exchange(parts.presence_subscription);
        }
        if concerned(Part::PresenceSweep) {
            self.presence_sweep.exchange(parts.presence_sweep);
        }
        if concerned(Part::NotificationKeys) {
            self.notification_keys.exchange(parts.notification_keys);
        }
        if concerned(Part::WebhookIntake) {
            self.webhook_intake.exchange(parts.webhook_intake);
        }
        if concerned(Part::PresenceSync) {
            self.presence_sync.exchange(parts.presence_sync);
        }
    }
}
