//! Leads accepted PBX connections to the actor of their PBX, and remembers who was turned away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use m365_actors::pbx_session::{ConnectionId, PbxSession};
use m365_actors::sessions::Sessions;
use m365_actors::supervision::Post;
use m365_pbx::{Refusal, SessionKind};
use m365_presence::identity::PbxName;
use m365_presence::tenure::Permit;
use m365_store::Fence;
use tokio::sync::{mpsc, oneshot};

/// Sessions that may be started and not be there yet.
const ORDERS: usize = 64;

/// An order to start the actor of a PBX.
pub struct OpenSession {
    /// Which PBX.
    pub pbx: PbxName,
    /// Told when the actor is registered, or dropped when it cannot be.
    pub opened: oneshot::Sender<()>,
}

/// What was turned away.
#[derive(Default)]
struct Refusals {
    by_reason: BTreeMap<&'static str, u64>,
    last: Option<(Refusal, DateTime<Utc>)>,
}

/// The doorkeeper; clones share their memory.
#[derive(Clone)]
pub struct Doorkeeper {
    sessions: Sessions,
    orders: mpsc::Sender<OpenSession>,
    connections: Arc<AtomicU64>,
    refusals: Arc<Mutex<Refusals>>,
    fence: Fence,
}

impl Doorkeeper {
    /// Makes the doorkeeper, and the orders that somebody on the actors' thread must carry out.
    pub fn new(sessions: Sessions, fence: Fence) -> (Self, mpsc::Receiver<OpenSession>) {
        let (orders, received) = mpsc::channel(ORDERS);
        (
            Self {
                sessions,
                orders,
                connections: Arc::default(),
                refusals: Arc::default(),
                fence,
            },
            received,
        )
    }

    /// The actor of a PBX, started if need be; `None` when it cannot be started.
    pub async fn session_of(&self, pbx: &PbxName) -> Option<Post<PbxSession>> {
        if let Some(session) = self.sessions.of(pbx) {
            return Some(session);
        }
        let (opened, done) = oneshot::channel();
        self.orders
            .send(OpenSession {
                pbx: pbx.clone(),
                opened,
            })
            .await
            .ok()?;
        done.await.ok()?;
        self.sessions.of(pbx)
    }

    /// Whether this instance is the active one, which alone converses with PBXs.
    pub fn is_active(&self) -> bool {
        self.fence.is_granted()
    }

    /// A number that no other connection of this process bears.
    pub(super) fn next_connection(&self) -> ConnectionId {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes a refused login. That of a person's client tells nothing about the PBXs, and is counted by itself.
    pub fn refused(&self, refusal: Refusal, claimed: SessionKind) {
        let is_pbx = claimed == SessionKind::PbxObject;
        let mut refusals = self.lock();
        let reason = if is_pbx { spelling(refusal) } else { "user_client" };
        let count = refusals.by_reason.entry(reason).or_default();
        *count += 1;
        if count.is_power_of_two() {
            let count = *count;
            if is_pbx {
                log::warn!(count; "a pbx connection was turned away: {refusal}");
            } else {
                log::warn!(count; "a person's client was turned away: its login was not signed for this app and password");
            }
        }
        // a malformed login says nothing about the configuration
        if is_pbx && refusal != Refusal::Malformed {
            refusals.last = Some((refusal, Utc::now()));
        }
    }

    /// The last login that was refused for its password or app.
    pub fn last_refusal(&self) -> Option<(Refusal, DateTime<Utc>)> {
        self.lock().last
    }

    /// Refused logins since the start, by reason.
    pub fn refusals(&self) -> BTreeMap<&'static str, u64> {
        self.lock().by_reason.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spelling(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::WrongPassword => "wrong_password",
        Refusal::UnknownApp => "unknown_app",
        Refusal::Malformed => "malformed",
    }
}
