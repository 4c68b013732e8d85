//! The settings that every decision of the board depends on.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Restraint;
use crate::mapping::{PbxToTeams, TeamsToPbx};

/// Which way presence flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Direction {
    /// Whether the PBX shows what Teams shows.
    pub teams_to_pbx: bool,
    /// Whether Teams shows what the PBX shows.
    pub pbx_to_teams: bool,
}

/// How a phone call is shown in Teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnThePhone {
    /// As a session Busy/InACall: displayed, blocks nothing.
    InACall,
    /// As a preferred DoNotDisturb: Teams blocks calls.
    DoNotDisturb,
}

/// How a call in Teams is shown at the PBX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TeamsCalls {
    /// As our entry: displayed, callers get through.
    Entry,
    /// As a call of ours: the PBX treats the user as busy. Where it takes none, as an entry.
    AlienCall,
}

/// The settings that decisions depend on.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What Teams' pairs mean at the PBX.
    pub teams_to_pbx: TeamsToPbx,
    /// What the PBX's activities mean in Teams.
    pub pbx_to_teams: PbxToTeams,
    /// The contact of our entry at the PBX.
    pub contact: String,
    /// Which way presence flows.
    pub direction: Direction,
    /// How a call is shown in Teams.
    pub on_the_phone: OnThePhone,
    /// How a call in Teams is shown at the PBX.
    pub teams_calls: TeamsCalls,
    /// Whether the status message of Teams is the note of our entry.
    pub notes_to_pbx: bool,
    /// Whether the user's note at the PBX is the status message of Teams.
    pub notes_to_teams: bool,
    /// How often the lease of a call is renewed; at most 2 h, for Graph's longest lease is 4 h.
    pub renewal: Duration,
    /// What an administrator holds back.
    pub restraint: Restraint,
}
