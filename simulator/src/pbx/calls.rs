//! Calls of a user at the home PBX, as the RCC interface tells of them (reference 4).

/// Names one call of one estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(crate) u64);

/// Who began a call, seen from the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Somebody calls the user. The PBX calls the terminal, hence bit 0x80.
    Incoming,
    /// The user calls somebody.
    Outgoing,
}

/// How far a call has come; the low nibble of its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The call was placed and nothing rings yet; 1.
    Setup,
    /// The called side rings; 4.
    Alert,
    /// Both sides talk; 5.
    Connected,
    /// The call waits for anybody to take it; 8.
    Parked,
}

/// The other end of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Holds the number.
    pub e164: String,
    /// Holds the name, empty for a caller from outside.
    pub h323: String,
    /// Holds the display name, empty for a caller from outside.
    pub dn: String,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) direction: Direction,
    pub(crate) phase: Phase,
    pub(crate) held: bool,
    pub(crate) peer: Peer,
    /// A pseudo call that an App put on the user: the user is busy, but no phone is.
    pub(crate) alien: bool,
}

impl Call {
    /// Returns the state bits: the phase, 0x80 for PBX to terminal, 0x100 for hold.
    pub(crate) fn state(&self) -> u32 {
        let phase = match self.phase {
            Phase::Setup => 1,
            Phase::Alert => 4,
            Phase::Connected => 5,
            Phase::Parked => 8,
        };
        let direction = if self.direction == Direction::Incoming {
            0x80
        } else {
            0
        };
        let hold = if self.held { 0x100 } else { 0 };
        phase | direction | hold
    }

    /// Returns whether the call only rings at the user and occupies no channel yet.
    pub(crate) fn rings(&self) -> bool {
        self.direction == Direction::Incoming && matches!(self.phase, Phase::Setup | Phase::Alert)
    }

    /// Returns whether the call occupies a channel.
    pub(crate) fn occupies(&self) -> bool {
        !self.rings() && self.phase != Phase::Parked
    }
}

/// One thing that happened to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Started,
    Alerted,
    Connected,
    Held,
    Retrieved,
    Parked,
    Ended,
}

impl Step {
    /// Returns the signal: `x-` when the PBX sends it to the terminal, `r-` when the PBX receives it from there.
    pub(crate) fn msg(self, direction: Direction) -> &'static str {
        let incoming = direction == Direction::Incoming;
        match self {
            Self::Started if incoming => "x-setup",
            Self::Started => "r-setup",
            Self::Alerted if incoming => "r-alert",
            Self::Alerted => "x-alert",
            Self::Connected if incoming => "r-conn",
            Self::Connected => "x-conn",
            Self::Held => "r-hold",
            Self::Retrieved => "r-retrieve",
            Self::Parked => "x-park",
            Self::Ended => "del",
        }
    }
}
