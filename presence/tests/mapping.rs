//! Which state of one side means which state of the other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::time::Duration;

use m365_presence::mapping::{Meaning, PbxShown, PbxToTeams, Preferred, TeamsToPbx};
use m365_presence::teams::TeamsPresence;

const DAY: Duration = Duration::from_hours(24);

fn shown(activity: &str) -> PbxShown {
    PbxShown::Activity(activity.to_owned())
}

fn at_the_pbx(availability: &str, activity: &str) -> PbxShown {
    TeamsToPbx::default().map(&TeamsPresence::new(availability, activity))
}

fn overrides(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    rows.iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn the_concepts_fifteen_rows_are_the_default() {
    let table = [
        ("Away", shown("away")),
        ("BeRightBack", shown("away")),
        ("Busy", shown("busy")),
        ("DoNotDisturb", shown("dnd")),
        ("InACall", shown("on-the-phone")),
        ("InAMeeting", shown("meeting")),
        ("Inactive", PbxShown::Nothing),
        ("PresenceUnknown", PbxShown::Nothing),
        ("Available", PbxShown::Nothing),
        ("Offline", PbxShown::Nothing),
        ("Offwork", PbxShown::Nothing),
        ("OutOfOffice", shown("away")),
        ("UrgentInterruptionsOnly", shown("dnd")),
        ("Presenting", shown("on-the-phone")),
        ("InAConferenceCall", shown("on-the-phone")),
    ];
    for (activity, expected) in table {
        // the availability must not matter where the activity has a row
        for availability in ["Available", "Busy", "Offline", "Whatever", ""] {
            assert_eq!(
                at_the_pbx(availability, activity),
                expected,
                "{availability}/{activity}"
            );
        }
    }
}

#[test]
fn activities_that_teams_has_learnt_since_have_rows_too() {
    assert_eq!(at_the_pbx("DoNotDisturb", "Focusing"), shown("dnd"));
    assert_eq!(at_the_pbx("Busy", "Focusing"), shown("dnd"));
    assert_eq!(at_the_pbx("Available", "AvailableInactive"), PbxShown::Nothing);
}

#[test]
fn activities_are_compared_without_case_and_blanks() {
    for spelling in ["inACall", "INACALL", " InACall ", "inacall"] {
        assert_eq!(at_the_pbx("", spelling), shown("on-the-phone"), "{spelling:?}");
    }
}

#[test]
fn an_activity_without_a_row_falls_back_to_the_availability() {
    let table = [
        ("Available", PbxShown::Nothing),
        ("AvailableIdle", PbxShown::Nothing),
        ("availableidle", PbxShown::Nothing),
        ("Away", shown("away")),
        ("BeRightBack", shown("away")),
        ("Busy", shown("busy")),
        ("BusyIdle", shown("busy")),
        ("DoNotDisturb", shown("dnd")),
        ("Offline", PbxShown::Nothing),
        ("PresenceUnknown", PbxShown::Nothing),
        ("OutOfOffice", shown("away")),
    ];
    for (availability, expected) in table {
        assert_eq!(
            at_the_pbx(availability, "Daydreaming"),
            expected,
            "{availability}"
        );
        assert_eq!(at_the_pbx(availability, ""), expected, "{availability}");
    }
}

#[test]
fn what_nobody_knows_is_unknown_and_not_nothing() {
    assert_eq!(at_the_pbx("Sleeping", "Daydreaming"), PbxShown::Unknown);
    assert_eq!(at_the_pbx("", ""), PbxShown::Unknown);
    // an activity's name is no availability
    assert_eq!(at_the_pbx("InACall", "Daydreaming"), PbxShown::Unknown);
}

#[test]
fn an_override_replaces_one_row_and_leaves_the_others() {
    let rows = overrides(&[
        ("berightback", "Lunch"),
        ("Daydreaming", "vacation"),
        ("Away", ""),
        ("Busy", "online"),
    ]);
    let table = TeamsToPbx::default().with_overrides(&rows);
    let map = |availability, activity| table.map(&TeamsPresence::new(availability, activity));
    assert_eq!(map("Away", "BeRightBack"), shown("lunch"));
    assert_eq!(map("Busy", "Daydreaming"), shown("vacation"));
    assert_eq!(map("Away", "Away"), PbxShown::Nothing);
    assert_eq!(map("Busy", "Busy"), PbxShown::Nothing);
    assert_eq!(map("Busy", "InAMeeting"), shown("meeting"));
}

#[test]
fn the_fallback_follows_an_overridden_row() {
    let table = TeamsToPbx::default().with_overrides(&overrides(&[("Busy", "meeting")]));
    assert_eq!(
        table.map(&TeamsPresence::new("BusyIdle", "Daydreaming")),
        shown("meeting")
    );
}

#[test]
fn the_table_can_be_displayed() {
    let table = TeamsToPbx::default().with_overrides(&overrides(&[("inacall", "busy"), ("Daydreaming", "")]));
    let rows: BTreeMap<&str, &str> = table.rows().collect();
    assert_eq!(rows.len(), 18);
    assert_eq!(rows["inacall"], "busy");
    assert_eq!(rows["Daydreaming"], "online");
    assert_eq!(rows["Available"], "online");
    assert_eq!(PbxToTeams::default().rows().count(), 9);
}

#[test]
fn pbx_activities_become_what_the_user_would_choose_in_teams() {
    let table = [
        ("", Meaning::Nothing),
        ("online", Meaning::Nothing),
        ("available", Meaning::Nothing),
        ("on-the-phone", Meaning::OnThePhone),
        ("busy", Meaning::Preferred(Preferred::Busy)),
        ("meeting", Meaning::Preferred(Preferred::Busy)),
        ("dnd", Meaning::Preferred(Preferred::DoNotDisturb)),
        ("away", Meaning::Preferred(Preferred::Away)),
        ("vacation", Meaning::Preferred(Preferred::Away)),
        ("lunch", Meaning::Preferred(Preferred::BeRightBack)),
        (" Lunch ", Meaning::Preferred(Preferred::BeRightBack)),
        ("   ", Meaning::Nothing),
        ("gone-fishing", Meaning::Unknown),
    ];
    for (activity, expected) in table {
        assert_eq!(PbxToTeams::default().map(activity), expected, "{activity:?}");
    }
}

#[test]
fn pbx_rows_can_be_overridden() {
    let rows = overrides(&[
        ("vacation", "offwork"),
        ("Gone-Fishing", "BeRightBack"),
        ("meeting", ""),
        ("busy", "InACall"),
        ("dnd", "nonsense"),
    ]);
    let table = PbxToTeams::default().with_overrides(&rows);
    assert_eq!(table.map("vacation"), Meaning::Preferred(Preferred::OffWork));
    assert_eq!(
        table.map("gone-fishing"),
        Meaning::Preferred(Preferred::BeRightBack)
    );
    assert_eq!(table.map("meeting"), Meaning::Nothing);
    assert_eq!(table.map("busy"), Meaning::OnThePhone);
    assert_eq!(table.map("dnd"), Meaning::Unknown);
    assert_eq!(table.map("lunch"), Meaning::Preferred(Preferred::BeRightBack));
    assert_eq!(table.map(""), Meaning::Nothing);
}

#[test]
fn preferred_states_write_only_pairs_that_graph_accepts() {
    let accepted = [
        ("Available", "Available"),
        ("Busy", "Busy"),
        ("DoNotDisturb", "DoNotDisturb"),
        ("BeRightBack", "BeRightBack"),
        ("Away", "Away"),
        ("Offline", "OffWork"),
    ];
    let written = Preferred::ALL.map(Preferred::presence);
    assert_eq!(
        written,
        accepted.map(|(availability, activity)| TeamsPresence::new(availability, activity))
    );
}

#[test]
fn preferred_states_live_as_long_as_in_teams() {
    for state in Preferred::ALL {
        let days = if matches!(state, Preferred::Busy | Preferred::DoNotDisturb) {
            1
        } else {
            7
        };
        assert_eq!(state.lifetime(), DAY * days, "{state:?}");
    }
}

#[test]
fn the_names_of_preferred_states_read_back() {
    for state in Preferred::ALL {
        assert_eq!(Preferred::parse(state.as_str()), Some(state));
        assert_eq!(Preferred::parse(&state.as_str().to_lowercase()), Some(state));
        assert_eq!(
            Meaning::parse(Meaning::Preferred(state).as_str()),
            Some(Meaning::Preferred(state))
        );
    }
    assert_eq!(Preferred::parse("Offwork"), Some(Preferred::OffWork));
    assert_eq!(Preferred::parse("InAMeeting"), None);
    assert_eq!(Meaning::parse("InAMeeting"), None);
}
