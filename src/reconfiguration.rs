//! Changes of the configuration while the connector runs.
//!
//! The [`Desk`] stands on the actors' thread. It judges a change as a whole, with every rule that a start applies,
//! stores it together with its record in the audit, and says whom it concerns; whoever wires the tree exchanges what
//! those are made of and restarts them. HTTP threads hold a [`Counter`]: they read the picture of the settings in force
//! there, and hand orders in.

pub mod concern;
mod desk;
pub mod patch;
mod picture;

use std::sync::Arc;

use chrono::Utc;
use m365_presence::ports::{AuditRecord, NumberedRecord};
use tokio::sync::{mpsc, oneshot, watch};

pub use concern::{Part, concerned};
pub use desk::{Changed, Desk};
pub use patch::{NoPatch, Patch};
pub use picture::{Item, Picture};

use crate::config::Problem;

/// Orders that may wait; each takes milliseconds.
const WAITING: usize = 16;

/// What is ordered at the desk.
pub enum Order {
    /// A change.
    Change(ChangeOrder),
    /// To keep a record of something else that was ordered.
    Record(AuditRecord),
    /// To read the audit.
    Audit {
        /// Before this number.
        before: Option<i64>,
        /// So many records at most.
        limit: usize,
        /// Told what was found.
        done: oneshot::Sender<Result<Vec<NumberedRecord>, Refused>>,
    },
}

/// A change that somebody wants.
pub struct ChangeOrder {
    /// What.
    pub patch: Patch,
    /// The picture that it was decided upon; any unless given.
    pub etag: Option<String>,
    /// Who, for the audit.
    pub who: String,
    /// Told what became of it.
    pub done: oneshot::Sender<Result<Changed, Refused>>,
}

/// Why a change is not made. Nothing has changed then.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// Somebody else has changed the settings meanwhile.
    #[error("the settings have changed since they were read; read them anew and decide again")]
    Stale,
    /// The environment has the last word on this key.
    #[error(
        "{key} is set by the environment variable {variable}, which prevails over what is stored; change or remove it there"
    )]
    SetByEnvironment {
        /// The key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// Keys that say where the stored settings themselves are found.
    #[error(
        "{key} says where stored settings are kept, so it cannot be one of them; set it in the file or the environment"
    )]
    NotStorable {
        /// The key.
        key: String,
    },
    /// A masked secret came back.
    #[error("{key} is the mask that stands for a secret; leave the key out to keep the secret")]
    Masked {
        /// The key.
        key: String,
    },
    /// The configuration as a whole would not be valid.
    #[error("{}", joined(.0))]
    Invalid(Vec<Problem>),
    /// Several things at once, of which the first decides what kind of refusal it is.
    #[error("{}", joined(.0))]
    Several(Vec<Refused>),
    /// The store does not take it.
    #[error("the change cannot be stored: {0}")]
    NotStored(String),
    /// The adapters cannot be made of it.
    #[error("the change is stored, but cannot be applied before the next start: {0}")]
    NotApplied(String),
    /// The connector is ending.
    #[error("the connector is ending")]
    Ending,
}

fn joined(causes: &[impl ToString]) -> String {
    let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
    causes.join("; ")
}

impl Refused {
    /// Makes one of several: what no other value would mend comes first.
    fn all(mut refusals: Vec<Self>) -> Self {
        refusals.sort_by_key(|refused| matches!(refused, Self::Masked { .. } | Self::Invalid(_)));
        match <[Self; 1]>::try_from(refusals) {
            Ok([single]) => single,
            Err(refusals) => Self::Several(refusals),
        }
    }
}

/// Where HTTP threads read settings and hand changes in; clones are the same counter.
#[derive(Clone)]
pub struct Counter {
    orders: mpsc::Sender<Order>,
    picture: watch::Receiver<Arc<Picture>>,
}

impl Counter {
    /// Makes a counter in front of a desk, and the orders that come in over it.
    pub fn new(desk: &Desk) -> (Self, mpsc::Receiver<Order>) {
        let (orders, received) = mpsc::channel(WAITING);
        let picture = desk.watch();
        (Self { orders, picture }, received)
    }

    /// The settings in force.
    pub fn picture(&self) -> Arc<Picture> {
        Arc::clone(&self.picture.borrow())
    }

    /// Hands a change in and waits for what becomes of it.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn change(&self, patch: Patch, etag: Option<String>, who: String) -> Result<Changed, Refused> {
        let (done, outcome) = oneshot::channel();
        let order = ChangeOrder {
            patch,
            etag,
            who,
            done,
        };
        let ordered = self.orders.send(Order::Change(order)).await;
        ordered.map_err(|_ending| Refused::Ending)?;
        outcome.await.map_err(|_ending| Refused::Ending)?
    }

    /// Has a record kept of something that was ordered elsewhere.
    pub async fn record(&self, who: String, what: impl Into<String>) {
        let record = AuditRecord {
            at: Utc::now(),
            who,
            what: what.into(),
            before: None,
            after: None,
        };
        // what ends meanwhile keeps no records
        let _ending = self.orders.send(Order::Record(record)).await;
    }

    /// Reads the newest records of the audit before a number, newest first.
    ///
    /// # Errors
    /// [`Refused::NotStored`] and [`Refused::Ending`].
    pub async fn audit(&self, before: Option<i64>, limit: usize) -> Result<Vec<NumberedRecord>, Refused> {
        let (done, found) = oneshot::channel();
        let order = Order::Audit { before, limit, done };
        self.orders.send(order).await.map_err(|_ending| Refused::Ending)?;
        found.await.map_err(|_ending| Refused::Ending)?
    }
}
