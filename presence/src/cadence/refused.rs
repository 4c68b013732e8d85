//! Whom Graph refuses to read is found by halving: one id that it does not like must not cost the other 649 their read.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::schedule::Call;
use crate::identity::TeamsId;

/// Whoever was refused alone is tried again after this at the earliest.
pub(super) const AGAIN: Duration = Duration::from_secs(60);

/// 650 are halved ten times. After more refusals in a row it is not one of the users that Graph does not like.
const IN_A_ROW: u32 = 12;

/// What became of a refused call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its halves are asked for next.
    Halved,
    /// It was for one user, of whom alone Graph says nothing.
    Alone,
    /// Graph refuses whatever it is asked; the call is due again.
    Everything,
}

/// A half of a refused call.
#[derive(Clone, Debug)]
struct Half {
    users: Vec<TeamsId>,
    ordered: BTreeSet<TeamsId>,
    /// Calls that had been answered when the first one with these users was refused.
    answered: u64,
}

/// Refused calls, and users who were refused alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused {
    halves: VecDeque<Half>,
    /// What is known of the halves that are under way, by their first user.
    under_way: Vec<(TeamsId, u64)>,
    alone: BTreeSet<TeamsId>,
    answered: u64,
    in_a_row: u32,
}

impl Refused {
    /// Takes in a call that was refused. That it lies with a user is believed only when others were answered meanwhile.
    pub(super) fn note(&mut self, call: &Call) -> Refusal {
        self.in_a_row = self.in_a_row.saturating_add(1);
        let answered = self.answered_before(call);
        if self.in_a_row > IN_A_ROW {
            return Refusal::Everything;
        }
        if let [user] = call.users.as_slice() {
            if self.is_alone(user) {
                return Refusal::Alone;
            }
            if self.answered == answered {
                return Refusal::Everything;
            }
            self.alone.insert(user.clone());
            return Refusal::Alone;
        }
        let (one, other) = call.users.split_at(call.users.len() / 2);
        self.halves.extend([one, other].map(|half| {
            let ordered = half.iter().filter(|user| call.ordered.contains(*user));
            Half {
                users: half.to_vec(),
                ordered: ordered.cloned().collect(),
                answered,
            }
        }));
        Refusal::Halved
    }

    /// Takes in that a call was answered.
    pub(super) fn end(&mut self, call: &Call) {
        self.answered_before(call);
        self.answered += 1;
        self.in_a_row = 0;
        if let [user] = call.users.as_slice() {
            self.alone.remove(user);
        }
    }

    /// Takes in that a call brought nothing for another reason.
    pub(super) fn drop_half(&mut self, call: &Call) {
        self.answered_before(call);
    }

    /// How many calls had been answered before the first one with these users was refused.
    fn answered_before(&mut self, call: &Call) -> u64 {
        let is_half = |(first, _): &(TeamsId, u64)| call.users.first() == Some(first);
        match self.under_way.iter().position(is_half) {
            Some(position) => self.under_way.swap_remove(position).1,
            None => self.answered,
        }
    }

    /// The next half that is to be asked for.
    pub(super) fn next(&mut self, now: Instant) -> Option<Call> {
        let half = self.halves.pop_front()?;
        let first = half.users.first()?.clone();
        self.under_way.push((first, half.answered));
        Some(Call {
            users: half.users,
            ordered: half.ordered,
            begun_at: now,
        })
    }

    /// Whether a half waits.
    pub(super) fn waits(&self) -> bool {
        !self.halves.is_empty()
    }

    /// Whether a user is asked for alone.
    pub(super) fn is_alone(&self, user: &TeamsId) -> bool {
        self.alone.contains(user)
    }

    /// Everybody who is asked for alone.
    pub(super) fn alone(&self) -> impl Iterator<Item = &TeamsId> {
        self.alone.iter()
    }

    /// Forgets who is not to be read any more.
    pub(super) fn forget(&mut self, user: &TeamsId) {
        self.alone.remove(user);
    }
}
