//! Children that come and go at run time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use thiserror::Error;

use super::orders::{Admit, Arrival, Remove};
use super::post::{Gone, Post};
use super::register::InvalidName;
use super::spec::ChildSpec;
use super::supervisor::Supervisor;

/// Children that wait to be taken in. They stay on their thread, so their dependencies need not be `Send`.
pub(super) type Nursery = Rc<RefCell<VecDeque<ChildSpec>>>;

/// Why a child was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotAdmitted {
    /// Its name does not fit.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The supervisor is gone or ended before it answered.
    #[error(transparent)]
    Gone(#[from] Gone),
}

/// Adds and removes the children of one supervisor, on the thread of the tree; [`Branch::remote`] works from any thread.
#[derive(Clone)]
pub struct Branch {
    supervisor: Post<Supervisor>,
    nursery: Nursery,
}

/// Adds and removes the children of one supervisor, from any thread.
#[derive(Clone)]
pub struct RemoteBranch {
    supervisor: Post<Supervisor>,
}

impl Branch {
    pub(super) fn new(supervisor: Post<Supervisor>, nursery: Nursery) -> Self {
        Self { supervisor, nursery }
    }

    /// Adds a child after the others and starts it.
    ///
    /// # Errors
    ///
    /// When its name is taken or malformed, or the supervisor is gone.
    pub async fn add(&self, child: impl Into<ChildSpec>) -> Result<(), NotAdmitted> {
        self.admit(child.into(), false).await
    }

    /// Ends and removes the child of the same name, if there is one, then adds this one. The old mailbox is lost.
    ///
    /// # Errors
    ///
    /// When its name is taken elsewhere in the tree or malformed, or the supervisor is gone.
    pub async fn replace(&self, child: impl Into<ChildSpec>) -> Result<(), NotAdmitted> {
        self.admit(child.into(), true).await
    }

    /// Ends and removes a child; says whether there was one.
    ///
    /// # Errors
    ///
    /// When the supervisor is gone.
    pub async fn remove(&self, name: &str) -> Result<bool, Gone> {
        self.remote().remove(name).await
    }

    /// Returns the handle for other threads.
    pub fn remote(&self) -> RemoteBranch {
        RemoteBranch {
            supervisor: self.supervisor.clone(),
        }
    }

    async fn admit(&self, child: ChildSpec, replaces: bool) -> Result<(), NotAdmitted> {
        let name = child.name().to_owned();
        self.nursery.borrow_mut().push_back(child);
        self.supervisor
            .ask(Admit {
                arrival: Arrival::InNursery(name),
                replaces,
            })
            .await??;
        Ok(())
    }
}

impl RemoteBranch {
    /// Adds a child that is made on the thread of the tree; `replaces` as in [`Branch::replace`].
    ///
    /// # Errors
    ///
    /// As [`Branch::add`].
    pub async fn add(
        &self,
        make: impl FnOnce() -> ChildSpec + Send + 'static,
        replaces: bool,
    ) -> Result<(), NotAdmitted> {
        self.supervisor
            .ask(Admit {
                arrival: Arrival::Made(Box::new(make)),
                replaces,
            })
            .await??;
        Ok(())
    }

    /// As [`Branch::remove`].
    ///
    /// # Errors
    ///
    /// When the supervisor is gone.
    pub async fn remove(&self, name: &str) -> Result<bool, Gone> {
        self.supervisor
            .ask(Remove {
                name: name.to_owned(),
            })
            .await
    }
}
