//! How soon a user is read again.

use std::time::Duration;

use crate::teams::TeamsPresence;

/// Who is on a call or has just changed is read again after this.
const BRISK: Duration = Duration::from_secs(3);

/// Users whom no live subscription watches are read this often, or once a sweep where that is more often.
const POLLING: Duration = Duration::from_secs(10);

/// A user at rest is read again after this part of the time that the rest has lasted.
const PART_OF_REST: u32 = 10;

/// Activities during which the next change is near: whoever is in a call or a meeting leaves it (graph.md 5.1).
const LIVELY: [&str; 4] = ["InACall", "InAConferenceCall", "InAMeeting", "Presenting"];

/// How the Teams presences reach us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// By subscriptions, without a periodic sweep.
    Subscription,
    /// By subscriptions, checked by a slow sweep.
    Hybrid,
    /// In bulk only: nothing is subscribed.
    Polling,
}

/// Whether notifications tell of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// No live subscription watches the user.
    #[default]
    Nobody,
    /// A live one does, but whether its notifications arrive is not proven.
    Doubted,
    /// A live one does.
    Trusted,
}

/// The pauses between two reads of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tempo {
    /// Of a user whom a subscription watches; `None` when notifications are all that counts.
    compared: Option<Duration>,
    /// The longest one of a user whom none watches.
    calm: Duration,
    /// The shortest one of a user whom none watches.
    brisk: Duration,
}

impl Tempo {
    /// Makes the tempo of a way of reading. `sweep` is the period of a full comparison, at least 1 s; when polling, it
    /// is the period of the polling.
    pub fn new(reading: Reading, sweep: Duration) -> Self {
        let calm = match reading {
            Reading::Polling => sweep,
            Reading::Subscription | Reading::Hybrid => sweep.min(POLLING),
        };
        Self {
            compared: (reading == Reading::Hybrid).then_some(sweep),
            calm,
            brisk: calm.min(BRISK),
        }
    }

    /// The pause after a read; `None` when no other one follows by itself. `rest` is the time since the user's last
    /// known change.
    pub(super) fn pause(&self, watch: Watch, on_a_call: bool, rest: Option<Duration>) -> Option<Duration> {
        if watch == Watch::Trusted {
            return self.compared;
        }
        if on_a_call {
            return Some(self.brisk);
        }
        Some(rest.map_or(self.calm, |rest| {
            (rest / PART_OF_REST).clamp(self.brisk, self.calm)
        }))
    }

    /// Whether a pause is shorter than that of users at rest.
    pub(super) fn is_hot(&self, pause: Duration) -> bool {
        pause < self.calm
    }

    /// A call takes along whom it can, but nobody who was read a moment ago: this long the last read must lie back.
    pub(super) fn fresh(&self, watch: Watch) -> Duration {
        match watch {
            Watch::Trusted => self.compared.unwrap_or(self.calm) / 2,
            Watch::Doubted | Watch::Nobody => self.brisk / 2,
        }
    }
}

/// Tells whether a presence is one of those that end soon.
pub(super) fn is_on_a_call(presence: &TeamsPresence) -> bool {
    LIVELY
        .iter()
        .any(|activity| presence.activity.trim().eq_ignore_ascii_case(activity))
}
