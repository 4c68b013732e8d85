//! What a supervisor can be ordered to do.

use actix::Message;

use super::register::InvalidName;
use super::spec::ChildSpec;

/// Orders a restart at once: of a running child, or of one that waits or is held.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Restart {
    pub(super) name: String,
}

/// Makes a child panic when it is polled next.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct InjectPanic {
    pub(super) name: String,
}

/// Takes a child in at run time.
#[derive(Message)]
#[rtype(result = "Result<(), InvalidName>")]
pub(super) struct Admit {
    pub(super) arrival: Arrival,
    pub(super) replaces: bool,
}

/// Where the new child is.
pub(super) enum Arrival {
    /// In the nursery, under this name.
    InNursery(String),
    /// Not made yet.
    Made(Box<dyn FnOnce() -> ChildSpec + Send>),
}

/// Ends and removes a child; answers whether there was one.
#[derive(Message)]
#[rtype(result = "bool")]
pub(super) struct Remove {
    pub(super) name: String,
}

/// Ends the supervisor and all its children.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Shutdown;
