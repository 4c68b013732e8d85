//! One look at all actors.
//!
//! Every actor answers for itself; one that is being restarted is simply missing in the overview, so that a page never
//! waits for it.

use std::future::Future;
use std::time::Duration;

use m365_actors::license_check::{self, LicenseCheck};
use m365_actors::notification_keys::{self, NotificationKeys};
use m365_actors::pbx_dialler::{self, DialStatus, PbxDialler};
use m365_actors::pbx_session::{self, SessionStatus};
use m365_actors::presence_subscription::{self, PresenceSubscription};
use m365_actors::presence_sweep::{self, PresenceSweep};
use m365_actors::presence_sync::{self, PresenceSync};
use m365_actors::sessions::Sessions;
use m365_actors::supervision::{Gone, Post};
use m365_actors::token_refresh::{self, TokenRefresh};
use m365_actors::user_sync::{self, UserSync};
use m365_actors::webhook_intake::{self, WebhookIntake};
use m365_store::{Condition, StoreHealth};
use serde::Serialize;
use utoipa::ToSchema;

/// An actor that does not answer in this time is left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// The posts of all actors.
#[derive(Clone)]
pub struct Posts {
    /// The access tokens.
    pub token_refresh: Post<TokenRefresh>,
    /// The directory.
    pub user_sync: Post<UserSync>,
    /// The licenses.
    pub license_check: Post<LicenseCheck>,
    /// The Graph subscriptions.
    pub presence_subscription: Post<PresenceSubscription>,
    /// The bulk reads.
    pub presence_sweep: Post<PresenceSweep>,
    /// The key pairs for resource data.
    pub notification_keys: Post<NotificationKeys>,
    /// The notifications.
    pub webhook_intake: Post<WebhookIntake>,
    /// The board.
    pub presence_sync: Post<PresenceSync>,
    /// The PBXs.
    pub sessions: Sessions,
    /// The PBXs that are dialled, in the order of the configuration.
    pub diallers: Vec<Post<PbxDialler>>,
    /// How it is with the database.
    pub database: StoreHealth,
}

/// What every actor says of itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Overview {
    /// The access tokens.
    pub token_refresh: Option<token_refresh::Status>,
    /// The directory.
    pub user_sync: Option<user_sync::Status>,
    /// The licenses.
    pub license_check: Option<license_check::Status>,
    /// The Graph subscriptions.
    pub presence_subscription: Option<presence_subscription::Status>,
    /// The bulk reads.
    pub presence_sweep: Option<presence_sweep::Status>,
    /// The key pairs for resource data.
    pub notification_keys: Option<notification_keys::Status>,
    /// The notifications.
    pub webhook_intake: Option<webhook_intake::Status>,
    /// The board.
    pub presence_sync: Option<presence_sync::Status>,
    /// The PBXs, by name.
    pub sessions: Vec<SessionStatus>,
    /// The PBXs that are dialled, in the order of the configuration.
    pub dials: Vec<DialStatus>,
    /// How it is with the database.
    pub database: Condition,
}

impl Overview {
    /// What there is to see while no actor runs.
    pub fn of_nobody(database: Condition) -> Self {
        Self {
            token_refresh: None,
            user_sync: None,
            license_check: None,
            presence_subscription: None,
            presence_sweep: None,
            notification_keys: None,
            webhook_intake: None,
            presence_sync: None,
            sessions: Vec::new(),
            dials: Vec::new(),
            database,
        }
    }
}

impl Posts {
    /// Asks everybody at once.
    pub async fn look(&self) -> Overview {
        let sessions = self
            .sessions
            .all()
            .into_iter()
            .map(|(_, session)| answered(session.ask(pbx_session::GetStatus)));
        let sessions = futures_util::future::join_all(sessions);
        let dials = self
            .diallers
            .iter()
            .map(|dialler| answered(dialler.ask(pbx_dialler::GetStatus)));
        let dials = futures_util::future::join_all(dials);
        let (token_refresh, user_sync, license_check, presence_subscription) = futures_util::join!(
            answered(self.token_refresh.ask(token_refresh::GetStatus)),
            answered(self.user_sync.ask(user_sync::GetStatus)),
            answered(self.license_check.ask(license_check::GetStatus)),
            answered(self.presence_subscription.ask(presence_subscription::GetStatus)),
        );
        let (presence_sweep, notification_keys, webhook_intake, presence_sync, sessions, dials) = futures_util::join!(
            answered(self.presence_sweep.ask(presence_sweep::GetStatus)),
            answered(self.notification_keys.ask(notification_keys::GetStatus)),
            answered(self.webhook_intake.ask(webhook_intake::GetStatus)),
            answered(self.presence_sync.ask(presence_sync::GetStatus)),
            sessions,
            dials,
        );
        Overview {
            token_refresh,
            user_sync,
            license_check,
            presence_subscription,
            presence_sweep,
            notification_keys,
            webhook_intake,
            presence_sync,
            sessions: sessions.into_iter().flatten().collect(),
            dials: dials.into_iter().flatten().collect(),
            database: self.database.now(),
        }
    }
}

/// The answer, if it comes in time.
pub(crate) async fn answered<T>(question: impl Future<Output = Result<T, Gone>>) -> Option<T> {
    tokio::time::timeout(PATIENCE, question).await.ok()?.ok()
}
