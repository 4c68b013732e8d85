//! What people do.

use std::fmt;

/// A pair of availability and activity as Graph spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TeamsState {
    /// Holds the availability.
    pub availability: &'static str,
    /// Holds the activity.
    pub activity: &'static str,
}

const fn pair(availability: &'static str, activity: &'static str) -> TeamsState {
    TeamsState {
        availability,
        activity,
    }
}

/// The fifteen activities that the connector's table maps, each with its usual availability.
pub const ACTIVITIES: [TeamsState; 15] = [
    pair("Available", "Available"),
    pair("Away", "Away"),
    pair("BeRightBack", "BeRightBack"),
    pair("Busy", "Busy"),
    pair("DoNotDisturb", "DoNotDisturb"),
    pair("Busy", "InACall"),
    pair("Busy", "InAConferenceCall"),
    pair("Busy", "InAMeeting"),
    pair("Away", "Inactive"),
    pair("Offline", "Offline"),
    pair("Offline", "OffWork"),
    pair("Available", "OutOfOffice"),
    pair("PresenceUnknown", "PresenceUnknown"),
    pair("DoNotDisturb", "Presenting"),
    pair("DoNotDisturb", "UrgentInterruptionsOnly"),
];

/// The states that a user can prefer over what the client sees.
pub const PREFERABLE: [TeamsState; 6] = [
    pair("Available", "Available"),
    pair("Busy", "Busy"),
    pair("DoNotDisturb", "DoNotDisturb"),
    pair("BeRightBack", "BeRightBack"),
    pair("Away", "Away"),
    pair("Offline", "OffWork"),
];

/// What a person does, wherever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Something in Teams.
    Teams(TeamsAct),
    /// Something at the PBX.
    Phone(PhoneAct),
}

/// What a person's Teams client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamsAct {
    /// The client reports this state of its session.
    Show(TeamsState),
    /// The user chooses this state, whatever the client sees.
    Prefer(TeamsState),
    /// The user takes the choice back.
    Forget,
}

/// What a person does at the PBX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneAct {
    /// The user sets the own presence; an empty activity clears it.
    Presence {
        /// Holds the PBX activity.
        activity: &'static str,
        /// Holds the note.
        note: &'static str,
    },
    /// The chat client comes online or goes offline.
    Chat {
        /// Tells which of the two.
        online: bool,
    },
    /// The phone does something.
    Call(CallAct),
}

/// The steps of a telephone call; a person has one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallAct {
    /// Somebody calls.
    Ring,
    /// The person calls somebody.
    Dial,
    /// The called side rings.
    Alert,
    /// Both talk.
    Connect,
    /// The call is put on hold.
    Hold,
    /// The call is taken off hold.
    Retrieve,
    /// The call ends.
    End,
}

/// A kind of act, for counting; displays as `teams InACall`, `preferred Busy`, `pbx lunch` or `call connect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// Names where it happens: `teams`, `preferred`, `pbx`, `chat` or `call`.
    pub place: &'static str,
    /// Names the state or step; `none` where something is cleared.
    pub name: &'static str,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.place, self.name)
    }
}

impl Act {
    /// Returns the kind under which the act is counted.
    #[must_use]
    pub fn kind(self) -> Kind {
        let (place, name) = match self {
            Self::Teams(TeamsAct::Show(state)) => ("teams", state.activity),
            Self::Teams(TeamsAct::Prefer(state)) => ("preferred", state.activity),
            Self::Teams(TeamsAct::Forget) => ("preferred", "none"),
            Self::Phone(PhoneAct::Presence { activity: "", .. }) => ("pbx", "none"),
            Self::Phone(PhoneAct::Presence { activity, .. }) => ("pbx", activity),
            Self::Phone(PhoneAct::Chat { online: true }) => ("chat", "online"),
            Self::Phone(PhoneAct::Chat { online: false }) => ("chat", "offline"),
            Self::Phone(PhoneAct::Call(step)) => ("call", step.name()),
        };
        Kind { place, name }
    }
}

impl CallAct {
    fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Dial => "dial",
            Self::Alert => "alert",
            Self::Connect => "connect",
            Self::Hold => "hold",
            Self::Retrieve => "retrieve",
            Self::End => "end",
        }
    }
}
