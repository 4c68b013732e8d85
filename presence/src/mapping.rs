//! Which state of one side means which state of the other.
//!
//! Both tables are total: every text that either world may send has an answer, and "we do not know this word" is an
//! answer of its own, apart from "this word means nothing to show". The difference matters: an unknown word keeps what
//! is shown, a meaningless one removes it.
//!
//! Words are compared trimmed and without case, because Graph's documentation and its traffic disagree about case
//! (graph.md 5.1) and an administrator's table should not fail over it. `Offwork` of the concept's table is `OffWork`
//! of the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::teams::TeamsPresence;

/// The rows of the concept's mapping table, then the activities that Teams has learnt since (DESIGN 5).
const TEAMS_ROWS: [(&str, &str); 17] = [
    ("Away", "away"),
    ("BeRightBack", "away"),
    ("Busy", "busy"),
    ("DoNotDisturb", "dnd"),
    ("InACall", "on-the-phone"),
    ("InAMeeting", "meeting"),
    ("Inactive", "online"),
    ("PresenceUnknown", "online"),
    ("Available", "online"),
    ("Offline", "online"),
    ("OffWork", "online"),
    ("OutOfOffice", "away"),
    ("UrgentInterruptionsOnly", "dnd"),
    ("Presenting", "on-the-phone"),
    ("InAConferenceCall", "on-the-phone"),
    ("Focusing", "dnd"),
    ("AvailableInactive", "online"),
];

/// Every availability (graph.md 5.1), and the row that answers for an activity without a row of its own.
const AVAILABILITIES: [(&str, &str); 10] = [
    ("Available", "Available"),
    ("AvailableIdle", "Available"),
    ("Away", "Away"),
    ("BeRightBack", "BeRightBack"),
    ("Busy", "Busy"),
    ("BusyIdle", "Busy"),
    ("DoNotDisturb", "DoNotDisturb"),
    ("Offline", "Offline"),
    ("PresenceUnknown", "PresenceUnknown"),
    ("OutOfOffice", "OutOfOffice"),
];

/// What the PBX's activities mean in Teams (DESIGN 5).
const PBX_ROWS: [(&str, Meaning); 9] = [
    ("online", Meaning::Nothing),
    ("available", Meaning::Nothing),
    ("on-the-phone", Meaning::OnThePhone),
    ("busy", Meaning::Preferred(Preferred::Busy)),
    ("meeting", Meaning::Preferred(Preferred::Busy)),
    ("dnd", Meaning::Preferred(Preferred::DoNotDisturb)),
    ("away", Meaning::Preferred(Preferred::Away)),
    ("vacation", Meaning::Preferred(Preferred::Away)),
    ("lunch", Meaning::Preferred(Preferred::BeRightBack)),
];

const ONE_DAY: Duration = Duration::from_hours(24);
const SEVEN_DAYS: Duration = Duration::from_hours(7 * 24);

/// What a Teams pair means at the PBX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PbxShown {
    /// Our entry is removed: `online`, or an empty value.
    Nothing,
    /// Our entry carries this activity.
    Activity(String),
    /// Neither the activity nor the availability is known: what is shown stays.
    Unknown,
}

impl PbxShown {
    fn of_value(value: &str) -> Self {
        match folded(value).as_str() {
            // the PBX would take the words, but its clients show them as a state (pbx.md 3.2)
            "" | "online" | "available" => Self::Nothing,
            activity => Self::Activity(activity.to_owned()),
        }
    }
}

/// The table from Teams to the PBX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsToPbx {
    rows: BTreeMap<String, TeamsRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TeamsRow {
    activity: String,
    shown: PbxShown,
}

impl Default for TeamsToPbx {
    fn default() -> Self {
        let empty = Self {
            rows: BTreeMap::new(),
        };
        TEAMS_ROWS
            .iter()
            .fold(empty, |table, (activity, value)| table.with_row(activity, value))
    }
}

impl TeamsToPbx {
    /// Replaces rows and adds new ones: Teams activity to PBX activity, where `online` and an empty value remove our
    /// entry.
    pub fn with_overrides(self, rows: &BTreeMap<String, String>) -> Self {
        rows.iter()
            .fold(self, |table, (activity, value)| table.with_row(activity, value))
    }

    fn with_row(mut self, activity: &str, value: &str) -> Self {
        let row = TeamsRow {
            activity: activity.trim().to_owned(),
            shown: PbxShown::of_value(value),
        };
        self.rows.insert(folded(activity), row);
        self
    }

    /// Tells what a pair means at the PBX: by its activity, else by its availability.
    pub fn map(&self, presence: &TeamsPresence) -> PbxShown {
        self.row(&presence.activity)
            .or_else(|| self.row(row_of_availability(&presence.availability)?))
            .cloned()
            .unwrap_or(PbxShown::Unknown)
    }

    /// Lists the table for display: Teams activity and PBX activity, `online` where our entry is removed.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows
            .values()
            .map(|row| (row.activity.as_str(), row.shown_as()))
    }

    fn row(&self, activity: &str) -> Option<&PbxShown> {
        self.rows.get(&folded(activity)).map(|row| &row.shown)
    }
}

impl TeamsRow {
    fn shown_as(&self) -> &str {
        match &self.shown {
            PbxShown::Activity(activity) => activity,
            PbxShown::Nothing | PbxShown::Unknown => "online",
        }
    }
}

fn row_of_availability(availability: &str) -> Option<&'static str> {
    let availability = availability.trim();
    AVAILABILITIES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(availability))
        .map(|(_, row)| *row)
}

/// A state that a user may prefer in Teams; its availability and activity make one of the six accepted pairs
/// (graph.md 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Preferred {
    /// Available/Available.
    Available,
    /// Busy/Busy.
    Busy,
    /// DoNotDisturb/DoNotDisturb.
    DoNotDisturb,
    /// BeRightBack/BeRightBack.
    BeRightBack,
    /// Away/Away.
    Away,
    /// Offline/OffWork.
    OffWork,
}

impl Preferred {
    /// Every state that may be preferred.
    pub const ALL: [Self; 6] = [
        Self::Available,
        Self::Busy,
        Self::DoNotDisturb,
        Self::BeRightBack,
        Self::Away,
        Self::OffWork,
    ];

    /// The name, as configured and as Graph spells the activity.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::Busy => "Busy",
            Self::DoNotDisturb => "DoNotDisturb",
            Self::BeRightBack => "BeRightBack",
            Self::Away => "Away",
            Self::OffWork => "OffWork",
        }
    }

    /// Reads a name; `None` when it is not one of the six.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim();
        Self::ALL
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(name))
    }

    /// The pair that Graph accepts for it.
    pub fn presence(self) -> TeamsPresence {
        let availability = if self == Self::OffWork {
            "Offline"
        } else {
            self.as_str()
        };
        TeamsPresence::new(availability, self.as_str())
    }

    /// How long it lives: 1 day for DoNotDisturb and Busy, 7 days otherwise (graph.md 5.2, as in Teams itself).
    pub fn lifetime(self) -> Duration {
        match self {
            Self::Busy | Self::DoNotDisturb => ONE_DAY,
            Self::Available | Self::BeRightBack | Self::Away | Self::OffWork => SEVEN_DAYS,
        }
    }
}

/// What a PBX activity means in Teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// The user has chosen nothing: what we set is cleared.
    Nothing,
    /// The user has a call.
    OnThePhone,
    /// The user has chosen a state.
    Preferred(Preferred),
    /// No row: nothing is claimed, and the word is counted.
    Unknown,
}

impl Meaning {
    /// Reads a configured value: one of the six preferred states, `InACall` or `on-the-phone`, and `online` or an empty
    /// value for nothing; `None` for any other.
    pub fn parse(value: &str) -> Option<Self> {
        match folded(value).as_str() {
            "" | "online" => Some(Self::Nothing),
            "inacall" | "on-the-phone" => Some(Self::OnThePhone),
            other => Preferred::parse(other).map(Self::Preferred),
        }
    }

    /// The value as configured; empty for nothing and for the unknown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing | Self::Unknown => "",
            Self::OnThePhone => "InACall",
            Self::Preferred(state) => state.as_str(),
        }
    }
}

/// The table from the PBX to Teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PbxToTeams {
    rows: BTreeMap<String, Meaning>,
}

impl Default for PbxToTeams {
    fn default() -> Self {
        let rows = PBX_ROWS
            .iter()
            .map(|(activity, meaning)| ((*activity).to_owned(), *meaning));
        Self { rows: rows.collect() }
    }
}

impl PbxToTeams {
    /// Replaces rows and adds new ones: PBX activity to what [`Meaning::parse`] reads. A row whose value it does not
    /// read makes the activity an unknown one; the configuration refuses such rows beforehand.
    pub fn with_overrides(mut self, rows: &BTreeMap<String, String>) -> Self {
        let meant = |value: &str| Meaning::parse(value).unwrap_or(Meaning::Unknown);
        self.rows.extend(
            rows.iter()
                .map(|(activity, value)| (folded(activity), meant(value))),
        );
        self
    }

    /// Tells what an activity means in Teams.
    pub fn map(&self, activity: &str) -> Meaning {
        match folded(activity).as_str() {
            "" => Meaning::Nothing,
            activity => self.rows.get(activity).copied().unwrap_or(Meaning::Unknown),
        }
    }

    /// Lists the table for display: PBX activity and its meaning.
    pub fn rows(&self) -> impl Iterator<Item = (&str, Meaning)> {
        self.rows
            .iter()
            .map(|(activity, meaning)| (activity.as_str(), *meaning))
    }
}

fn folded(word: &str) -> String {
    word.trim().to_lowercase()
}
