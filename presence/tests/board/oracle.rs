//! What either side should show, written down a second time from the concept, apart from the code under test.

use m365_presence::pbx::PresenceEntry;

/// Availability and activity.
pub type Pair = (&'static str, &'static str);

/// What a user's clients may show by themselves.
pub const CLIENT_PAIRS: [Pair; 12] = [
    ("Available", "Available"),
    ("Available", "Available"),
    ("Available", "AvailableInactive"),
    ("Available", "OutOfOffice"),
    ("Away", "Away"),
    ("Away", "BeRightBack"),
    ("Busy", "Busy"),
    ("Busy", "InAMeeting"),
    ("Busy", "InACall"),
    ("Busy", "InAConferenceCall"),
    ("DoNotDisturb", "Presenting"),
    ("DoNotDisturb", "Focusing"),
];

/// What a user may prefer.
pub const PREFERRED_PAIRS: [Pair; 6] = [
    ("Available", "Available"),
    ("Busy", "Busy"),
    ("DoNotDisturb", "DoNotDisturb"),
    ("BeRightBack", "BeRightBack"),
    ("Away", "Away"),
    ("Offline", "OffWork"),
];

/// What a user may choose at the PBX; the last one has no row.
pub const CHOICES: [&str; 9] = [
    "",
    "",
    "busy",
    "dnd",
    "away",
    "lunch",
    "meeting",
    "online",
    "gardening",
];

/// The pair of the lists above with these words.
pub fn known_pair(availability: &str, activity: &str) -> Pair {
    *PREFERRED_PAIRS
        .iter()
        .find(|pair| **pair == (availability, activity))
        .unwrap_or_else(|| panic!("teams accepts no preferred {availability}/{activity}"))
}

/// Which entry of ours the PBX should carry for what Teams shows.
pub fn entry_for(pair: Pair) -> &'static str {
    match pair.1 {
        "Away" | "BeRightBack" | "OutOfOffice" => "away",
        "Busy" => "busy",
        "DoNotDisturb" | "Focusing" | "UrgentInterruptionsOnly" => "dnd",
        "InACall" | "InAConferenceCall" | "Presenting" => "on-the-phone",
        "InAMeeting" => "meeting",
        "Available" | "AvailableInactive" | "Inactive" | "Offline" | "OffWork" | "PresenceUnknown" => "",
        other => panic!("the oracle does not know {other}"),
    }
}

/// Whether Teams hides behind this pair what the preferred slot carries.
pub fn is_silent(pair: Pair) -> bool {
    matches!(pair.0, "Offline" | "PresenceUnknown")
}

/// What the connector has been told of a user by the PBX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The user's choice; unknown while an on-the-phone item hides it from the beginning.
    pub choice: Option<String>,
    pub on_the_phone: bool,
}

/// Reads a list of entries and the number of calls as the concept says; a call of the connector's is no call, and beside
/// it entries tell of none.
pub fn told(entries: &[PresenceEntry], calls: u32, ours: u32, before: Option<&Told>) -> Told {
    let foreign: Vec<&PresenceEntry> = entries
        .iter()
        .filter(|entry| !["teams:", "im:", "app:"].contains(&entry.contact.as_str()))
        .collect();
    let item = foreign.iter().any(|entry| entry.activity == "on-the-phone");
    let newest = foreign.iter().find(|entry| !entry.activity.is_empty());
    let choice = if item {
        before.and_then(|told| told.choice.clone())
    } else {
        Some(newest.map(|entry| entry.activity.clone()).unwrap_or_default())
    };
    Told {
        choice,
        on_the_phone: calls > ours || (item && ours == 0),
    }
}

/// The preferred presence that a choice at the PBX stands for.
pub fn preferred_for(choice: &str) -> Option<Pair> {
    match choice {
        "busy" | "meeting" => Some(("Busy", "Busy")),
        "dnd" => Some(("DoNotDisturb", "DoNotDisturb")),
        "away" | "vacation" => Some(("Away", "Away")),
        "lunch" => Some(("BeRightBack", "BeRightBack")),
        _ => None,
    }
}

/// What the preferred slot should carry for what the PBX shows.
pub fn wish(told: &Told, call_blocks: bool) -> Option<Pair> {
    match (told.on_the_phone, call_blocks) {
        (true, true) => Some(("DoNotDisturb", "DoNotDisturb")),
        (true, false) => None,
        (false, _) => preferred_for(told.choice.as_deref().unwrap_or_default()),
    }
}
