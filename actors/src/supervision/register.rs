//! The register of the tree: what every node is doing, readable from any thread.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use thiserror::Error;
use tokio::time::Instant;

use super::exit::End;
use super::gate::Gate;
use super::post::Post;
use super::snapshot::{LastEnd, NodeKind, NodeSnapshot, NodeState, Restarts};
use super::supervisor::Supervisor;

/// Ends that are remembered.
const REMEMBERED_ENDS: usize = 256;

/// Why a name cannot be taken into the tree.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// Another node has it.
    #[error("the name {0} is taken")]
    Taken(String),
    /// It is empty or has a slash.
    #[error("the name {0:?} is empty or has a slash")]
    Malformed(String),
}

#[derive(Default)]
pub(super) struct Register {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    nodes: Vec<Node>,
    ends: VecDeque<LastEnd>,
    ended: u64,
}

struct Node {
    name: String,
    kind: NodeKind,
    supervisor: Option<Post<Supervisor>>,
    gate: Arc<Gate>,
    state: NodeState,
    run: u64,
    restarts: Restarts,
    last_end: Option<LastEnd>,
    started: Option<(Instant, DateTime<Utc>)>,
}

impl Register {
    /// Takes a node in.
    pub(super) fn enter(
        &self,
        kind: NodeKind,
        gate: Arc<Gate>,
        supervisor: Option<Post<Supervisor>>,
    ) -> Result<(), InvalidName> {
        let name = gate.name().to_owned();
        if name.is_empty() || name.contains('/') {
            return Err(InvalidName::Malformed(name));
        }
        let mut entries = self.lock();
        if entries.nodes.iter().any(|node| node.name == name) {
            return Err(InvalidName::Taken(name));
        }
        entries.nodes.push(Node {
            name,
            kind,
            supervisor,
            gate,
            state: NodeState::Ended,
            run: 0,
            restarts: Restarts::default(),
            last_end: None,
            started: None,
        });
        Ok(())
    }

    /// Strikes a node, and everything below it.
    pub(super) fn strike(&self, name: &str) {
        let mut entries = self.lock();
        let mut struck = vec![name.to_owned()];
        while let Some(name) = struck.pop() {
            entries.nodes.retain(|node| node.name != name);
            let below = entries
                .nodes
                .iter()
                .filter(|node| node.supervisor_name() == Some(&name));
            struck.extend(below.map(|node| node.name.clone()));
        }
    }

    /// Notes a begun run and returns its number.
    pub(super) fn begin(&self, name: &str) -> u64 {
        self.change(name, |node| {
            node.run += 1;
            node.state = NodeState::Starting;
            node.started = Some((Instant::now(), Utc::now()));
            node.run
        })
        .unwrap_or_default()
    }

    /// Notes that the present run has started.
    pub(super) fn set_running(&self, name: &str) {
        self.set_state(name, NodeState::Running);
    }

    pub(super) fn set_state(&self, name: &str, state: NodeState) {
        self.change(name, |node| {
            if !matches!(state, NodeState::Starting | NodeState::Running) {
                node.started = None;
            }
            node.state = state;
        });
    }

    /// Notes the end of a run.
    pub(super) fn end(&self, name: &str, run: u64, end: &End) {
        let mut entries = self.lock();
        entries.ended += 1;
        let last_end = LastEnd::new(entries.ended, name, run, end);
        if let Some(node) = entries.nodes.iter_mut().find(|node| node.name == name) {
            node.state = NodeState::Ended;
            node.started = None;
            node.last_end = Some(last_end.clone());
        }
        if entries.ends.len() == REMEMBERED_ENDS {
            entries.ends.pop_front();
        }
        entries.ends.push_back(last_end);
    }

    /// Counts a restart under the reason of the end before it.
    pub(super) fn count_restart(&self, name: &str) {
        self.change(name, |node| {
            if let Some(end) = &node.last_end {
                node.restarts.count(end.reason);
            }
        });
    }

    pub(super) fn ends(&self) -> Vec<LastEnd> {
        self.lock().ends.iter().cloned().collect()
    }

    /// Returns the supervisor of a node, when the node exists and is not the root.
    pub(super) fn supervisor_of(&self, name: &str) -> Option<Post<Supervisor>> {
        self.lock()
            .nodes
            .iter()
            .find(|node| node.name == name)?
            .supervisor
            .clone()
    }

    /// Returns all nodes, each before what stands below it, otherwise in the order of their start.
    pub(super) fn snapshot(&self) -> Vec<NodeSnapshot> {
        let entries = self.lock();
        let mut open: Vec<&Node> = entries.below(None).collect();
        let mut snapshot = Vec::with_capacity(entries.nodes.len());
        while let Some(node) = open.pop() {
            snapshot.push(node.snapshot());
            open.extend(entries.below(Some(&node.name)));
        }
        snapshot
    }

    fn change<T>(&self, name: &str, change: impl FnOnce(&mut Node) -> T) -> Option<T> {
        self.lock()
            .nodes
            .iter_mut()
            .find(|node| node.name == name)
            .map(change)
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// The nodes right below one, in reverse order of their start.
    fn below<'a>(&'a self, name: Option<&'a str>) -> impl Iterator<Item = &'a Node> {
        self.nodes
            .iter()
            .rev()
            .filter(move |node| node.supervisor_name() == name)
    }
}

impl Node {
    fn supervisor_name(&self) -> Option<&str> {
        self.supervisor.as_ref().map(Post::name)
    }

    fn snapshot(&self) -> NodeSnapshot {
        NodeSnapshot {
            name: self.name.clone(),
            supervisor: self.supervisor_name().map(str::to_owned),
            kind: self.kind,
            state: self.state.clone(),
            run: self.run,
            restarts: self.restarts,
            last_end: self.last_end.clone(),
            mailbox_depth: self.gate.depth(),
            undelivered: self.gate.undelivered(),
            started_at: self.started.map(|(_, at)| at),
            uptime_seconds: self.started.map(|(since, _)| since.elapsed().as_secs()),
        }
    }
}
