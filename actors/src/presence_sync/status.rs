//! What the board is like, as the API tells it.

use std::collections::BTreeMap;

use actix::{Handler, Message, MessageResult};
use m365_presence::board::{Brake, ClaimState, Restraint, Side};
use serde::Serialize;
use utoipa::ToSchema;

use super::PresenceSync;
use super::hop_times::HopTimes;

/// A count of either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BySide {
    /// Writes to Teams.
    pub teams: u64,
    /// Entries at the PBX.
    pub pbx: u64,
}

/// What the board is like.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = PresenceSyncStatus)]
pub struct Status {
    /// Users on the board.
    pub people: usize,
    /// Users whose two sides are known.
    pub synchronised: usize,
    /// Users who are being released.
    pub leaving: usize,
    /// Notifications that were believed.
    pub notified: u64,
    /// Read observations that were believed.
    pub read: u64,
    /// Observations that were older than what was known.
    pub outdated: u64,
    /// Writes to Teams that were accepted.
    pub teams_accepted: u64,
    /// Writes to Teams without an answer, to be repeated.
    pub teams_failed: u64,
    /// Writes to Teams that were refused.
    pub teams_refused: u64,
    /// What Graph says while writes are refused because the app lacks the permission.
    pub lacks_permission: Option<String>,
    /// Writes to Teams that wait for their turn.
    pub teams_waiting: usize,
    /// Writes to Teams a second that are allowed at this time.
    pub teams_rate: f64,
    /// Entries at the PBX that were accepted.
    pub entries_accepted: u64,
    /// Entries at the PBX without an answer, to be repeated.
    pub entries_failed: u64,
    /// Entries at the PBX that were refused.
    pub entries_refused: u64,
    /// Entries that the PBXs have taken and do not show.
    pub entries_unseen: usize,
    /// Calls of ours that the PBXs put on users or took off.
    pub alien_calls_accepted: u64,
    /// The same without an answer, to be repeated.
    pub alien_calls_failed: u64,
    /// The same that were refused.
    pub alien_calls_refused: u64,
    /// States that waited because one changed too often within seconds, by side.
    pub held_by_flapping: BySide,
    /// States that waited because the budget of the hour was used up.
    pub held_by_budget: u64,
    /// What an administrator holds back.
    pub restraint: Restraint,
    /// How long the hops of transitions took.
    pub hop_times: HopTimes,
    /// Looks at Teams that showed nothing but what was set there for the PBX, and are not shown at the PBX.
    pub echoes: u64,
    /// Users of whom a side does not show what was decided, because a write waits or was refused.
    pub divergent: usize,
    /// Transitions that are kept in memory.
    pub transitions: usize,
    /// Transitions that could not be stored.
    pub transitions_lost: u64,
    /// How the claims in Teams stand, by number of users.
    pub claims: BTreeMap<ClaimState, usize>,
    /// States without a row in the mapping, by number.
    pub unmapped: BTreeMap<String, u64>,
}

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

impl Handler<GetStatus> for PresenceSync {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        let tally = self.board.tally(self.dependencies.clock.now());
        MessageResult(Status {
            people: tally.people,
            synchronised: tally.synchronised,
            leaving: tally.leaving,
            teams_waiting: self.waiting_writes(),
            teams_rate: self.pace.rate(),
            held_by_flapping: BySide {
                teams: self.board.held_back(Side::Teams, Brake::Flapping)
                    + self.board.held_back(Side::TeamsNote, Brake::Flapping),
                pbx: self.board.held_back(Side::Pbx, Brake::Flapping)
                    + self.board.held_back(Side::PbxCall, Brake::Flapping),
            },
            held_by_budget: self.board.held_back(Side::Teams, Brake::Budget)
                + self.board.held_back(Side::TeamsNote, Brake::Budget),
            restraint: self.dependencies.rules.restraint.clone(),
            hop_times: self.timeline.times().clone(),
            echoes: self.board.echoes(),
            divergent: tally.divergent,
            transitions: self.timeline.len(),
            entries_unseen: tally.entries_unseen,
            claims: tally.claims,
            unmapped: self.board.unmapped().clone(),
            ..self.status.clone()
        })
    }
}
