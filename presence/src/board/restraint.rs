//! Writes that an administrator holds back: all of them for a look, or those of one direction or one user for a while.
//!
//! What is held back is decided and told all the same. Nothing is released either: what stands stays, until a lease of
//! ours ends by itself, and the ledger remembers it.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::transition::Side;
use super::{Brake, Member};

/// Which writes are held back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Restraint {
    /// All of them: decisions are shown only.
    pub shadow: bool,
    /// Those to Teams.
    pub teams: bool,
    /// Those to the PBXs.
    pub pbx: bool,
    /// Those of these users, by their names at the PBX, in lower case.
    pub users: BTreeSet<String>,
}

impl Restraint {
    /// What holds back a user's writes of one side; `None` when they may leave.
    pub(super) fn of(&self, member: &Member, side: Side) -> Option<Brake> {
        let direction = match side {
            Side::Teams | Side::TeamsNote => self.teams,
            Side::Pbx | Side::PbxCall => self.pbx,
        };
        let paused = || direction || self.users.contains(&member.pbx.h323.to_lowercase());
        if self.shadow {
            Some(Brake::Shadow)
        } else if paused() {
            Some(Brake::Paused)
        } else {
            None
        }
    }
}
