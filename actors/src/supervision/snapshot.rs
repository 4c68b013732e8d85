//! What the tree looks like from outside.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::exit::{End, ExitKind};

/// One supervisor or worker, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct NodeSnapshot {
    /// Unique name.
    pub name: String,
    /// Name of its supervisor; none for the root.
    pub supervisor: Option<String>,
    /// Supervisor or worker.
    pub kind: NodeKind,
    /// What it is doing.
    #[serde(flatten)]
    pub state: NodeState,
    /// Number of its present or last run, from 1; 0 before the first.
    pub run: u64,
    /// Ends that were followed by a restart, by reason.
    pub restarts: Restarts,
    /// How its last run ended.
    pub last_end: Option<LastEnd>,
    /// Messages that wait in its mailbox.
    pub mailbox_depth: usize,
    /// Messages that found its mailbox full.
    pub undelivered: u64,
    /// When the present run began.
    pub started_at: Option<DateTime<Utc>>,
    /// How long the present run has lasted, in seconds.
    pub uptime_seconds: Option<u64>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// It restarts others.
    Supervisor,
    /// It does the work.
    Worker,
}

/// What a node is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum NodeState {
    /// Its run has begun, its `started` has not returned yet.
    Starting,
    /// It runs.
    Running,
    /// It waits for its restart.
    Waiting {
        /// When the restart follows.
        until: DateTime<Utc>,
        /// Why it waits.
        reason: String,
    },
    /// It is held until somebody orders it to go on, or until its probe.
    Held {
        /// When the probe follows.
        probe_at: DateTime<Utc>,
        /// Why it is held.
        reason: String,
    },
    /// It does not run and nothing is planned.
    Ended,
}

/// Counts ends by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Restarts {
    /// After bugs.
    pub bug: u64,
    /// After losses.
    pub lost: u64,
    /// After refusals.
    pub refused: u64,
    /// After orders, those of its supervisor included.
    pub ordered: u64,
}

impl Restarts {
    pub(super) fn count(&mut self, kind: ExitKind) {
        let count = match kind {
            ExitKind::Bug => &mut self.bug,
            ExitKind::Lost => &mut self.lost,
            ExitKind::Refused => &mut self.refused,
            ExitKind::Ordered => &mut self.ordered,
        };
        *count = count.saturating_add(1);
    }

    /// Returns the sum.
    pub fn total(&self) -> u64 {
        [self.bug, self.lost, self.refused, self.ordered].iter().sum()
    }
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastEnd {
    /// Number of this end in the tree, from 1.
    pub sequence: u64,
    /// Whose run it was.
    pub actor: String,
    /// Which run.
    pub run: u64,
    /// Kind of the reason.
    pub reason: ExitKind,
    /// The reason in words, at most 200 characters.
    pub text: String,
    /// What the actor was doing, with `file:line` where known.
    pub place: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl LastEnd {
    pub(super) fn new(sequence: u64, actor: &str, run: u64, end: &End) -> Self {
        Self {
            sequence,
            actor: actor.to_owned(),
            run,
            reason: end.reason.kind(),
            text: end.reason.text().to_owned(),
            place: end.place.to_string(),
            at: Utc::now(),
        }
    }
}
