//! The counted address of a supervised actor.

use std::future::Future;
use std::sync::Arc;

use actix::dev::channel::AddressSender;
use actix::{Handler, Message};
use thiserror::Error;
use tokio::sync::oneshot::Receiver as OneshotReceiver;

use super::SupervisedActor;
use super::gate::Gate;

/// An answer will not come: the actor is gone for good, or its run ended before it answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{actor} gave no answer: its run ended")]
pub struct Gone {
    /// Name of the actor.
    pub actor: String,
}

/// Why a message was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Undelivered {
    /// The mailbox is full; the post has counted and logged it already.
    #[error("the mailbox of {actor} is full")]
    Full {
        /// Name of the actor.
        actor: String,
    },
    /// The actor was removed from the tree.
    #[error("{actor} is gone")]
    Gone {
        /// Name of the actor.
        actor: String,
    },
}

/// The counted, bounded address of a supervised actor. Cloning is cheap; clones work from any thread.
///
/// It stays valid over restarts: what was accepted while the actor was down is handled by its next run.
pub struct Post<A: SupervisedActor> {
    entrance: Arc<Entrance<A>>,
}

/// The channel into a mailbox, and the gate before it.
pub(super) struct Entrance<A: SupervisedActor> {
    pub(super) sender: AddressSender<A>,
    pub(super) gate: Arc<Gate>,
}

type Answer<M> = OneshotReceiver<<M as Message>::Result>;

impl<A: SupervisedActor> Post<A> {
    pub(super) fn new(entrance: Arc<Entrance<A>>) -> Self {
        Self { entrance }
    }

    /// Sends a message and waits for the answer.
    ///
    /// The message is sent by the call itself when the mailbox has room, else as soon as the future, when polled, finds
    /// room. Dropping the future before the actor takes the message up takes the message back.
    ///
    /// # Errors
    ///
    /// When the actor is removed, or its run ends before it has answered.
    pub fn ask<M>(&self, message: M) -> impl Future<Output = Result<M::Result, Gone>> + use<A, M>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let entrance = Arc::clone(&self.entrance);
        let first = if entrance.gate.try_enter() {
            Ok(entrance.send(message))
        } else {
            Err(message)
        };
        async move {
            let sent = match first {
                Ok(sent) => sent,
                Err(message) => {
                    entrance.gate.enter().await.map_err(|_closed| entrance.gone())?;
                    entrance.send(message)
                }
            };
            sent?.await.map_err(|_ended| entrance.gone())
        }
    }

    /// Sends a message without waiting for anything.
    ///
    /// # Errors
    ///
    /// When the mailbox is full or the actor is removed; the message is lost then.
    pub fn tell<M>(&self, message: M) -> Result<(), Undelivered>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let Entrance { sender, gate } = &*self.entrance;
        if !gate.try_enter() {
            gate.overflow();
            return Err(Undelivered::Full {
                actor: gate.name().to_owned(),
            });
        }
        sender.try_send(message, false).map_err(|_closed| {
            gate.turn_back();
            Undelivered::Gone {
                actor: gate.name().to_owned(),
            }
        })
    }

    /// Returns the actor's name.
    pub fn name(&self) -> &str {
        self.entrance.gate.name()
    }

    /// Returns how many messages wait in the mailbox.
    pub fn depth(&self) -> usize {
        self.entrance.gate.depth()
    }

    /// Returns how many messages were accepted since the seat was made.
    pub fn accepted(&self) -> u64 {
        self.entrance.gate.accepted()
    }

    /// Returns how many messages found the mailbox full since the seat was made.
    pub fn undelivered(&self) -> u64 {
        self.entrance.gate.undelivered()
    }
}

impl<A: SupervisedActor> Entrance<A> {
    fn send<M>(&self, message: M) -> Result<Answer<M>, Gone>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        self.sender.send(message).map_err(|_closed| {
            self.gate.turn_back();
            self.gone()
        })
    }

    fn gone(&self) -> Gone {
        Gone {
            actor: self.gate.name().to_owned(),
        }
    }
}

impl<A: SupervisedActor> Clone for Post<A> {
    fn clone(&self) -> Self {
        Self {
            entrance: Arc::clone(&self.entrance),
        }
    }
}
