//! Keeping the last transitions of every user.

use super::store::Stored;
use crate::identity::PbxGuid;
use crate::timeline::Item;

/// A transition of a user.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineRow {
    /// Whose.
    pub user: PbxGuid,
    /// The transition.
    pub item: Item,
}

/// Transitions that are kept of one user.
pub const TIMELINE_PER_USER: i64 = 100;

/// Transitions that are kept of all users.
pub const TIMELINE_ALTOGETHER: i64 = 100_000;

/// How long a transition is kept, in days.
pub const TIMELINE_DAYS: i64 = 14;

/// Keeps the timeline. Nothing depends on it: whatever fails here costs history only.
pub trait TimelineStore {
    /// Adds transitions. The newest are kept, [`TIMELINE_PER_USER`] of each user and [`TIMELINE_ALTOGETHER`], and none
    /// that is more than [`TIMELINE_DAYS`] older than the newest of them.
    fn add_to_timeline<'a>(&'a self, rows: &'a [TimelineRow]) -> Stored<'a, ()>;
    /// The highest number of all, so that a clock that was set back does not put the new before the old.
    fn newest_in_timeline(&self) -> Stored<'_, Option<i64>>;
    /// A user's transitions before a number, newest first.
    fn timeline<'a>(&'a self, user: &'a PbxGuid, before: Option<i64>, limit: usize) -> Stored<'a, Vec<Item>>;
}
