//! The App object, and which state means which.

use crate::program::{and, check, with};

#[test]
fn a_dns_name_is_no_pbx_name() {
    let answer = check(&with("\"pbx-main\"", "\"pbx-main.example.com\""));
    answer.refuses(
        "pbx.master",
        &[
            "DNS name",
            "\"pbx-main.example.com\" (file)",
            "\"pbx-main\"",
            "example",
            "\"pbx\"",
        ],
    );
}

#[test]
fn an_address_is_no_pbx_name() {
    check(&with("\"pbx-main\"", "\"https://pbx\"")).refuses("pbx.master", &["address"]);
    check(&with("\"pbx-main\"", "\"192.168.0.1\"")).refuses("pbx.master", &["IP address"]);
}

#[test]
fn a_license_has_the_form_app_name() {
    for license in [
        "innovaphone-microsoft365",
        "PBX-App(innovaphone-microsoft365)13",
        "App()",
    ] {
        check(&and("").replace("[pbx]\n", &format!("[pbx]\nlicense = \"{license}\"\n"))).refuses(
            "pbx.license",
            &["form App(name)", license, "App(innovaphone-microsoft365)"],
        );
    }
}

#[test]
fn the_app_is_the_last_component_of_its_url() {
    let url = "https://connector.example.com/pbx/innovaphone-microsoft365";
    let answer = check(&with("[pbx]\n", &format!("[pbx]\napp = \"{url}\"\n")));
    answer.refuses(
        "pbx.app",
        &["URL", "use its last component: \"innovaphone-microsoft365\""],
    );
    check(&with("[pbx]\n", "[pbx]\napp = \"m365.htm\"\n")).refuses("pbx.app", &[".htm", "\"m365\""]);
}

#[test]
fn the_presence_contact_is_nobody_elses() {
    for contact in ["im:", "app:", "calendar:", "cal:"] {
        let answer = check(&with(
            "[pbx]\n",
            &format!("[pbx]\npresence_contact = \"{contact}\"\n"),
        ));
        answer.refuses("pbx.presence_contact", &["another app", contact]);
    }
    let own_choice = check(&with("[pbx]\n", "[pbx]\npresence_contact = \"tel:\"\n"));
    own_choice.warns("pbx.presence_contact", &["overwrite"]);
}

#[test]
fn only_what_teams_accepts_is_set_there() {
    for value in [
        "InAMeeting",
        "OutOfOffice",
        "Presenting",
        "Offline",
        "Focusing",
        "Busy/Busy",
    ] {
        let answer = check(&and(&format!("[mapping.pbx_to_teams]\nlunch = \"{value}\"")));
        let possible = "Available, Busy, DoNotDisturb, BeRightBack, Away, OffWork, InACall";
        answer.refuses(
            "mapping.pbx_to_teams.lunch",
            &[&format!("\"{value}\""), possible, "online"],
        );
    }
    check(&and(
        "[mapping.pbx_to_teams]\nlunch = \"Away\"\nmeeting = \"InACall\"\nbusy = \"\"",
    ))
    .is_fine();
}

#[test]
fn unknown_activities_are_taken_with_a_warning() {
    check(&and("[mapping.teams_to_pbx]\nDaydreaming = \"away\""))
        .warns("mapping.teams_to_pbx", &["\"Daydreaming\"", "Teams activity"]);
    check(&and("[mapping.teams_to_pbx]\nAway = \"asleep\""))
        .warns("mapping.teams_to_pbx", &["\"asleep\"", "PBX activity"]);
    check(&and("[mapping.pbx_to_teams]\nasleep = \"Away\""))
        .warns("mapping.pbx_to_teams", &["\"asleep\"", "PBX activity"]);
}

#[test]
fn notes_that_no_direction_carries_are_taken_with_a_warning() {
    for (direction, notes, closed) in [
        ("teams-to-pbx", "pbx-to-teams", "from the PBX to Teams"),
        ("teams-to-pbx", "both", "from the PBX to Teams"),
        ("pbx-to-teams", "teams-to-pbx", "from Teams to the PBX"),
    ] {
        check(&and(&format!(
            "[sync]\ndirection = \"{direction}\"\nnotes = \"{notes}\""
        )))
        .warns("sync.notes", &[closed, "sync.direction"]);
    }
    check(&and("[sync]\nnotes = \"both\"")).is_fine();
}

#[test]
fn a_row_changes_one_row_of_the_default_table() {
    let answer = check(&and("[mapping.teams_to_pbx]\naway = \"\""));
    answer.is_fine();
    assert_eq!(answer.value("mapping.teams_to_pbx.Away"), ("\"\"", "file"));
    assert_eq!(
        answer.value("mapping.teams_to_pbx.Focusing"),
        ("\"dnd\"", "default")
    );
    assert_eq!(
        answer.value("mapping.pbx_to_teams.lunch"),
        ("\"BeRightBack\"", "default")
    );
}
