//! What the board and its caller hand each other: who is synchronised, what must be done, and what became of it.

use std::time::Duration;

use super::Transition;
use crate::identity::{PbxGuid, PbxName, TeamsId};
use crate::pbx::PbxUser;
use crate::ports::{LedgerChange, PresenceWrite};

/// A matched and licensed pair of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user at the PBX.
    pub pbx: PbxUser,
    /// The user in Teams.
    pub teams: TeamsId,
}

/// A write of our entry at the PBX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryWrite {
    /// Whose.
    pub user: PbxGuid,
    /// By which name.
    pub h323: String,
    /// Where: the PBX that tells of the user's presence, else the one where he lives.
    pub pbx: PbxName,
    /// The activity; empty, and without a note, removes the entry.
    pub activity: String,
    /// The note, empty for none.
    pub note: String,
}

/// A write of our call at the PBX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlienCallWrite {
    /// Whose.
    pub user: PbxGuid,
    /// By which name.
    pub h323: String,
    /// The PBX that must do it: calls are local.
    pub pbx: PbxName,
    /// Whether to put it on the user, or to take it off.
    pub on: bool,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Accepted,
    /// There was no answer, or a call for patience: it may or may not have been done.
    Failed {
        /// The patience asked for.
        wait: Option<Duration>,
    },
    /// It was refused; a repeat alone changes nothing.
    Refused {
        /// The other side's text.
        message: String,
        /// Whether there is no such user.
        gone: bool,
    },
}

/// What must be done now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Changes of the ledger, to be stored before the writes leave.
    pub ledger: Vec<LedgerChange>,
    /// Writes to Teams, at most one per user of the presence, to be answered by [`super::Board::teams_written`], and one of
    /// the status message, to be answered by [`super::Board::message_written`].
    pub teams: Vec<(PbxGuid, PresenceWrite)>,
    /// Writes to the PBX, at most one per user; each must be answered by [`super::Board::entry_written`].
    pub entries: Vec<EntryWrite>,
    /// What happened since the last time, for the timeline.
    pub transitions: Vec<Transition>,
    /// Writes of our calls at the PBX, at most one per user; each must be answered by [`super::Board::alien_call_written`].
    pub alien_calls: Vec<AlienCallWrite>,
    /// Users whose presence must be read in Teams, by reads that begin now or later; whoever takes this list sees to it.
    pub reads: Vec<TeamsId>,
}
