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

/// Tells whether the PBXs show their users to the App objects.
pub(super) fn visibility(overview: &Overview) -> Vec<Finding> {
    let connected = overview.sessions.iter().filter(|session| session.state == "up");
    let mut findings: Vec<Finding> = connected.flat_map(visibility_at).collect();
    let unseen = overview
        .presence_sync
        .as_ref()
        .map_or(0, |sync| sync.entries_unseen);
    if unseen > 0 {
        let found = format!("{unseen} entries of the connector are taken and not shown");
        findings.push(
            Finding::warn("visibility of entries", found)
                .because("these users let the App object see no entries, and so not what they choose either")
                .remedied_by(
                    "grant Presence at their Visibility; GET /api/v1/users?not_visible=entries names them",
                ),
        );
    }
    findings
}

fn visibility_at(session: &SessionStatus) -> Vec<Finding> {
    let (pbx, objects) = (&session.pbx, session.app_objects.join(" and "));
    let place = format!(
        "to {objects}, or to @ for everybody, at PBX > Objects > the user > Visibility or in the template"
    );
    let presence = format!("visibility of presence at {pbx}");
    let calls = format!("visibility of calls at {pbx}");
    let of_followed = |hidden: usize| format!("{hidden} of {} followed users", session.followed);
    vec![
        if session.presence_hidden > 0 {
            let found = format!("nothing is told of {}", of_followed(session.presence_hidden));
            Finding::warn(presence, found)
                .because("their visibility does not let the App object see their presence, or they are unknown to this PBX")
                .remedied_by(format!("grant Online, Presence and On the phone {place}; GET /api/v1/users?not_visible=presence names them"))
        } else {
            Finding::pass(
                presence,
                format!("{} of {} followed users are told", session.told, session.followed),
            )
        },
        if session.calls_hidden > 0 {
            let found = format!(
                "of {} it is not known whether they are on the phone",
                of_followed(session.calls_hidden)
            );
            Finding::warn(calls, found)
                .because("neither the line states (RCC) nor an on-the-phone entry has told of their calls")
                .remedied_by(format!("set the checkmark {} at PBX > Objects > {objects} and give the users access to the App, or grant On the phone {place}; GET /api/v1/users?not_visible=on_the_phone names them", PbxApi::Rcc.checkmark()))
        } else {
            Finding::pass(calls, "the calls of everybody are told")
        },
    ]
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
