//! What every connection of one PBX shares, whichever side opened it.

use std::time::Duration;

use tokio::sync::watch;

use super::{estate::Estate, frame::Frame, outbox::SharedFaults};
use crate::journal::Journal;

/// What a PBX does about its connections at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Dial,
    Rest,
    Stop,
}

/// One PBX, as its connections see it.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) estate: Estate,
    pub(crate) exchange: u64,
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) faults: SharedFaults,
    pub(crate) journal: Journal<Frame>,
    pub(crate) orders: watch::Receiver<Order>,
}
