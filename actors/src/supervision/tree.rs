//! The whole tree: its start, its orders, its picture, its end.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;

use super::child::Surroundings;
use super::exit::{End, ExitReason};
use super::orders::{InjectPanic, Restart, Shutdown};
use super::post::{Post, Undelivered};
use super::register::{InvalidName, Register};
use super::snapshot::{LastEnd, NodeSnapshot};
use super::spec::{ChildSpec, Settings, SupervisorSpec};
use super::supervisor::Supervisor;

/// A started tree, to be watched and ordered from any thread.
#[derive(Clone)]
pub struct TreeHandle {
    register: Arc<Register>,
    root: Post<Supervisor>,
    ended: watch::Receiver<Option<ExitReason>>,
}

/// Why an order cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OrderError {
    /// Nothing in the tree has this name, or it is the root, which nobody can restart.
    #[error("no actor is called {0}")]
    Unknown(String),
    /// The supervisor does not take the order in.
    #[error(transparent)]
    Undelivered(#[from] Undelivered),
}

/// Starts a tree on the present thread, which must run an actix system, and returns at once.
///
/// # Errors
///
/// When two nodes share a name, or a name is empty or has a slash; nothing is started then.
pub fn start(root: SupervisorSpec, settings: Settings) -> Result<TreeHandle, InvalidName> {
    let register = Arc::<Register>::default();
    let surroundings = Rc::new(Surroundings {
        settings,
        register: Arc::clone(&register),
    });
    let post = root.post();
    let root = ChildSpec::from(root).plant(&surroundings, None)?;
    let (sender, ended) = watch::channel(None);
    let run = root.begin(&register);
    let at_end = Arc::clone(&register);
    // the root's own supervisor is this task: it hears of the one end that nobody answers
    tokio::task::spawn_local(async move {
        let end: End = run.ended().await;
        at_end.end(root.name(), run.number, &end);
        root.subject(run.number).ended(&end, None);
        sender.send_replace(Some(end.reason));
    });
    Ok(TreeHandle {
        register,
        root: post,
        ended,
    })
}

impl TreeHandle {
    /// Returns all nodes, each before what stands below it, otherwise in the order of their start.
    pub fn snapshot(&self) -> Vec<NodeSnapshot> {
        self.register.snapshot()
    }

    /// Returns the last 256 ends of the tree, oldest first.
    pub fn last_ends(&self) -> Vec<LastEnd> {
        self.register.ends()
    }

    /// Orders the restart of a node at once, also when it waits or is held. A supervisor restarts all its children.
    ///
    /// # Errors
    ///
    /// When there is no such node, or its supervisor does not take the order in.
    pub fn restart(&self, name: &str) -> Result<(), OrderError> {
        Ok(self.supervisor_of(name)?.tell(Restart {
            name: name.to_owned(),
        })?)
    }

    /// Makes a running node panic inside its own context: the fault of the demonstration.
    ///
    /// # Errors
    ///
    /// As [`TreeHandle::restart`].
    pub fn inject_panic(&self, name: &str) -> Result<(), OrderError> {
        Ok(self.supervisor_of(name)?.tell(InjectPanic {
            name: name.to_owned(),
        })?)
    }

    /// Ends the whole tree in reverse order of its start and waits for its end.
    pub async fn shutdown(&self) -> ExitReason {
        // a root that is gone has ended already
        let _ending = self.root.ask(Shutdown).await;
        self.ended().await
    }

    /// Resolves with the reason when the root has ended, by order or because it gave up.
    pub fn ended(&self) -> impl Future<Output = ExitReason> + Send + use<> {
        let mut ended = self.ended.clone();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(reason) => reason.clone().unwrap_or(ExitReason::Ordered),
                Err(_broken_off) => ExitReason::bug("the thread of the tree ended"),
            }
        }
    }

    fn supervisor_of(&self, name: &str) -> Result<Post<Supervisor>, OrderError> {
        self.register
            .supervisor_of(name)
            .ok_or_else(|| OrderError::Unknown(name.to_owned()))
    }
}
