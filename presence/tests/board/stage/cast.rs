//! Who stands on the stage and by which rules, and what is written for that user.

use std::time::Duration;

use m365_presence::board::{Direction, Member, OnThePhone, Restraint, Rules, TeamsCalls};
use m365_presence::identity::{PbxGuid, PbxName, TeamsId};
use m365_presence::mapping::{PbxToTeams, TeamsToPbx};
use m365_presence::pbx::PbxUser;
use m365_presence::ports::PresenceChange;
use m365_presence::teams::TeamsPresence;

pub const DAY: Duration = Duration::from_hours(24);
pub const WEEK: Duration = Duration::from_hours(7 * 24);
pub const RENEWAL: Duration = Duration::from_mins(5);
pub const LEASE: Duration = Duration::from_mins(10);

pub fn rules() -> Rules {
    Rules {
        teams_to_pbx: TeamsToPbx::default(),
        pbx_to_teams: PbxToTeams::default(),
        contact: "teams:".to_owned(),
        direction: Direction {
            teams_to_pbx: true,
            pbx_to_teams: true,
        },
        on_the_phone: OnThePhone::InACall,
        teams_calls: TeamsCalls::Entry,
        notes_to_pbx: false,
        notes_to_teams: false,
        renewal: RENEWAL,
        restraint: Restraint::default(),
    }
}

pub fn blocking() -> Rules {
    Rules {
        on_the_phone: OnThePhone::DoNotDisturb,
        ..rules()
    }
}

/// Status messages of Teams are notes at the PBX.
pub fn noting() -> Rules {
    Rules {
        notes_to_pbx: true,
        ..rules()
    }
}

/// Notes at the PBX are status messages in Teams.
pub fn saying() -> Rules {
    Rules {
        notes_to_teams: true,
        ..rules()
    }
}

/// Calls in Teams are calls at the PBX.
pub fn alien() -> Rules {
    Rules {
        teams_calls: TeamsCalls::AlienCall,
        ..rules()
    }
}

pub fn member() -> Member {
    Member {
        pbx: PbxUser {
            guid: guid(),
            h323: "alice".to_owned(),
            cn: "Alice".to_owned(),
            home: home(),
        },
        teams: teams(),
    }
}

pub fn guid() -> PbxGuid {
    PbxGuid::new("a1")
}

pub fn home() -> PbxName {
    PbxName::new("pbx")
}

pub fn teams() -> TeamsId {
    TeamsId::new("alice-id")
}

pub fn pair(availability: &str, activity: &str) -> TeamsPresence {
    TeamsPresence::new(availability, activity)
}

/// A preferred presence whose two words are the same.
pub fn set_preferred(state: &str, lifetime: Duration) -> PresenceChange {
    PresenceChange::SetPreferred {
        presence: pair(state, state),
        lifetime,
    }
}

pub fn set_call() -> PresenceChange {
    PresenceChange::SetSession {
        presence: pair("Busy", "InACall"),
        lifetime: LEASE,
    }
}
