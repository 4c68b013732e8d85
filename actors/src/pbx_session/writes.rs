//! Writes of one kind on their way to the PBX: how many may be unanswered, and who waits for each.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use m365_presence::board::{AlienCallWrite, EntryWrite, Outcome};
use m365_presence::identity::PbxGuid;
use tokio::sync::oneshot;

use super::PbxSession;

/// A write that is not answered in this time after it left has failed.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// Writes that may be unanswered: a whole department that goes to lunch must not time out behind itself.
const UNDER_WAY: usize = 100;

/// A write that is not permitted is tried again after this time.
const UNPERMITTED_PAUSE: Duration = Duration::from_secs(1);

/// Who wants to know what became of a write.
type Asker = oneshot::Sender<Outcome>;

/// A write for one user.
pub(super) trait UserWrite {
    /// Whose.
    fn user(&self) -> &PbxGuid;
}

impl UserWrite for EntryWrite {
    fn user(&self) -> &PbxGuid {
        &self.user
    }
}

impl UserWrite for AlienCallWrite {
    fn user(&self) -> &PbxGuid {
        &self.user
    }
}

/// The writes of one kind that a session carries out.
pub(super) struct Writes<W> {
    under_way: HashMap<PbxGuid, (u64, Asker)>,
    waiting: VecDeque<(W, Asker)>,
    next_number: u64,
}

impl<W> Default for Writes<W> {
    fn default() -> Self {
        Self {
            under_way: HashMap::new(),
            waiting: VecDeque::new(),
            next_number: 0,
        }
    }
}

impl<W: UserWrite> Writes<W> {
    pub(super) fn ask(&mut self, write: W) -> oneshot::Receiver<Outcome> {
        let (asker, outcome) = oneshot::channel();
        self.waiting.push_back((write, asker));
        outcome
    }

    /// Takes out the next write that may leave now, with a number of its own.
    pub(super) fn next(&mut self) -> Option<(W, u64)> {
        if self.under_way.len() >= UNDER_WAY {
            return None;
        }
        let (write, asker) = self.waiting.pop_front()?;
        self.next_number += 1;
        self.under_way
            .insert(write.user().clone(), (self.next_number, asker));
        Some((write, self.next_number))
    }

    pub(super) fn give_up(&mut self, user: &PbxGuid, number: u64) {
        if self.under_way.get(user).is_some_and(|(late, _)| *late == number) {
            self.under_way.remove(user);
        }
    }

    /// Tells what became of a user's write.
    pub(super) fn end(&mut self, user: &PbxGuid, outcome: Outcome) {
        if let Some((_, asker)) = self.under_way.remove(user) {
            // who asked may be gone by now
            let _gone = asker.send(outcome);
        }
    }

    /// Nobody will answer any more: whoever waits learns that the write failed.
    pub(super) fn fail(&mut self) {
        self.under_way.clear();
        self.waiting.clear();
    }
}

impl PbxSession {
    /// What becomes of every write while this instance is not permitted to write; unlike a lost connection, that passes
    /// without anybody telling of it.
    pub(super) fn unpermitted(&self) -> Option<Outcome> {
        (!self.dependencies.permit.is_granted()).then_some(Outcome::Failed {
            wait: Some(UNPERMITTED_PAUSE),
        })
    }
}
