//! The side of the PBXs, as the running instance knows it: the master, every App object's rights, licenses and users.

use m365_actors::pbx_session::SessionStatus;
use m365_presence::pbx::PbxApi;

use super::Finding;
use crate::view::licenses::Licenses;
use crate::view::lights::Light;
use crate::view::overview::Overview;
use crate::view::status::Counts;

/// Tells how the master PBX's light comes about.
pub(super) fn master(light: &Light) -> Finding {
    const CHECK: &str = "connection of the master PBX";
    match light.code {
        "ok" => Finding::pass(CHECK, light.detail.clone()),
        "starting" | "standby" => Finding::skipped(CHECK, light.detail.clone()),
        code => {
            let (cause, remedy) = light.detail.split_once(". ").unwrap_or((&light.detail, ""));
            Finding::fail(CHECK, code).because(cause).remedied_by(remedy)
        }
    }
}

/// Tells what each PBX's App objects may and may not do.
pub(super) fn rights(overview: &Overview) -> Vec<Finding> {
    overview.sessions.iter().map(right).collect()
}

fn right(session: &SessionStatus) -> Finding {
    let check = format!("App object at {}", session.pbx);
    if session.state != "up" {
        return Finding::fail(check, "not connected")
            .because("this PBX has been connected before and is not now")
            .remedied_by(
                "check the PBX and its network; presence of its users goes through the master meanwhile",
            );
    }
    let missing: Vec<_> = session.missing_apis.iter().map(|api| api.checkmark()).collect();
    if !missing.is_empty() {
        return Finding::fail(check, format!("lacks the checkmark {}", missing.join(", ")))
            .because("the App object may not use an API that is needed")
            .remedied_by(format!(
                "set it at PBX > Objects > {}",
                session.app_objects.join(", ")
            ));
    }
    Finding::pass(check, format!("connected as {}", session.app_objects.join(", ")))
}

/// Tells where calls in Teams can be calls at the PBX, which makes users busy for callers.
pub(super) fn alien_calls(overview: &Overview) -> Vec<Finding> {
    let connected = overview.sessions.iter().filter(|session| session.state == "up");
    connected.map(alien_calls_at).collect()
}

fn alien_calls_at(session: &SessionStatus) -> Finding {
    let check = format!("calls of Teams at {}", session.pbx);
    if session.apis.contains(&PbxApi::PbxImpersonation) {
        return Finding::pass(
            check,
            "whoever is in a call in Teams is busy for callers at this PBX",
        );
    }
    let objects = session.app_objects.join(", ");
    Finding::warn(check, "shown as an entry only, callers find the user free")
        .because(format!(
            "pbx.teams_calls is \"alien-call\", and the App object {objects} may not use PbxImpersonation"
        ))
        .remedied_by(format!(
            "set the checkmark {} at PBX > Objects > {objects}, or pbx.teams_calls = \"entry\"",
            PbxApi::PbxImpersonation.checkmark()
        ))
}

/// Compares licenses with users.
pub(super) fn licenses(licenses: &Licenses, counts: &Counts) -> Vec<Finding> {
    const MATCHED: &str = "matching of the users";
    const LICENSED: &str = "licenses of the users";
    let matched = format!(
        "{} of {} users of the PBX match one of {} in Teams",
        counts.matched, counts.pbx, counts.teams
    );
    if counts.pbx == 0 || counts.teams == 0 {
        return vec![Finding::skipped(MATCHED, "the users of one side are not known")];
    }
    let matching = if counts.matched == 0 {
        Finding::fail(MATCHED, matched)
            .because("no user of the PBX equals one of Teams by the fields that are compared")
            .remedied_by("choose other fields: GET /api/v1/matching/preview tells what each would bring")
    } else {
        Finding::pass(MATCHED, matched)
    };
    let held = format!("{} matched users hold {}", licenses.held, licenses.license);
    let licensing = if licenses.test_mode {
        Finding::warn(
            LICENSED,
            "the PBX is in license test mode: everybody counts as licensed",
        )
        .remedied_by("install licenses before the test mode ends")
    } else if licenses.held == 0 && counts.matched > 0 {
        Finding::fail(LICENSED, held)
            .because("the license is assigned at the user object or its template, and nobody matched has it")
            .remedied_by(format!(
                "assign {} at PBX > Objects > the user > Licenses",
                licenses.license
            ))
    } else if licenses.held > licenses.places && licenses.places > 0 {
        Finding::warn(
            LICENSED,
            format!("{held}, but the communication users carry {}", licenses.places),
        )
        .because("each communication user carries 650")
        .remedied_by("add a communication user for every further 650 users")
    } else {
        Finding::pass(LICENSED, held)
    };
    vec![matching, licensing]
}
