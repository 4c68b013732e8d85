//! `[sync]`: what is synchronised, and how.

use crate::config::choice::{Choice, choice};
use crate::config::reader::Reader;

choice! {
    /// Which side follows the other.
    Direction {
        /// Both follow each other.
        Both = "both",
        /// The PBX shows what Teams shows; nothing is written into Teams.
        TeamsToPbx = "teams-to-pbx",
        /// Teams shows what the PBX shows; nothing is written into the PBX.
        PbxToTeams = "pbx-to-teams",
    }
}

choice! {
    /// How the Teams presences reach us.
    Read {
        /// Microsoft notifies us.
        Subscription = "subscription",
        /// We ask at short intervals.
        Polling = "polling",
        /// Microsoft notifies us, and a slow sweep checks it.
        Hybrid = "hybrid",
    }
}

choice! {
    /// What Teams shows while a user is on the phone at the PBX.
    OnThePhone {
        /// Busy, in a call: display only.
        InACall = "in-a-call",
        /// Do not disturb: Teams blocks calls.
        DoNotDisturb = "do-not-disturb",
    }
}

choice! {
    /// Which notes are carried over.
    Notes {
        /// None.
        Off = "off",
        /// The status message of Teams becomes the note of our entry at the PBX.
        TeamsToPbx = "teams-to-pbx",
        /// The user's note at the PBX becomes the status message of Teams.
        PbxToTeams = "pbx-to-teams",
        /// Either becomes the other.
        Both = "both",
    }
}

/// What is synchronised, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Which side follows the other.
    pub direction: Direction,
    /// How the Teams presences reach us.
    pub read: Read,
    /// What Teams shows while a user is on the phone at the PBX.
    pub on_the_phone: OnThePhone,
    /// Which notes are carried over.
    pub notes: Notes,
    /// Whether decisions are shown only, and nothing is written on either side.
    pub shadow: bool,
    /// Directions in which nothing is written for a while, and nothing released.
    pub paused_directions: Vec<Direction>,
    /// Users, by their names at the PBX, for whom nothing is written for a while, and nothing released.
    pub paused_users: Vec<String>,
}

/// What other sections must provide for the chosen way of reading; unset or wrong words count as their defaults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    pub(super) direction: Direction,
    pub(super) read: Read,
}

impl Needs {
    /// Whether Microsoft must reach us (INTERFACE 2: polling needs no public address).
    pub(super) fn public_url(self) -> bool {
        self.read != Read::Polling
    }

    /// Whether presence subscriptions are made, each of which a communication user carries.
    pub(super) fn presence_subscription(self) -> bool {
        self.read != Read::Polling && self.direction != Direction::PbxToTeams
    }
}

/// Looks ahead at the section that others depend on.
pub(super) fn needs(reader: &Reader) -> Needs {
    let peek = |path: &str| reader.peek(path).unwrap_or_default();
    Needs {
        direction: Direction::parse(&peek("sync.direction")).unwrap_or(Direction::Both),
        read: Read::parse(&peek("sync.read")).unwrap_or(Read::Hybrid),
    }
}

pub(super) fn read(reader: &mut Reader) -> Option<Sync> {
    let direction = reader.choice("sync.direction");
    let read = reader.choice("sync.read");
    let on_the_phone = reader.choice("sync.on_the_phone");
    let notes = reader.choice("sync.notes");
    let shadow = reader.flag("sync.shadow");
    let paused_directions = paused_directions(reader);
    let paused_users = reader.list_or("sync.paused_users", &[]);
    if let (Some(direction), Some(notes)) = (direction, notes) {
        warn_of_closed_way(reader, direction, notes);
    }
    Some(Sync {
        direction: direction?,
        read: read?,
        on_the_phone: on_the_phone?,
        notes: notes?,
        shadow: shadow?,
        paused_directions: paused_directions?,
        paused_users: paused_users?,
    })
}

/// Notes go the way of their direction, where it is open.
fn warn_of_closed_way(reader: &mut Reader, direction: Direction, notes: Notes) {
    let closed = match (direction, notes) {
        (Direction::TeamsToPbx, Notes::PbxToTeams | Notes::Both) => "from the PBX to Teams",
        (Direction::PbxToTeams, Notes::TeamsToPbx | Notes::Both) => "from Teams to the PBX",
        _ => return,
    };
    let cause = format!("no note is carried over {closed}, for sync.direction closes that way");
    reader.warn(
        "sync.notes",
        cause,
        "open the way with sync.direction, or leave it out in sync.notes",
    );
}

fn paused_directions(reader: &mut Reader) -> Option<Vec<Direction>> {
    const PAUSED: &str = "sync.paused_directions";
    let words = reader.list_or(PAUSED, &[])?;
    let read = |word: &String| Direction::parse(word);
    for word in words.iter().filter(|word| read(word).is_none()) {
        reader.refuse(PAUSED, format!("has {word:?} in it, which is no direction"));
    }
    Some(words.iter().filter_map(read).collect())
}
