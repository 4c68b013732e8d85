//! Writes that an administrator holds back: easily forgotten.

use m365_presence::light::WarningCode;

use super::Warning;
use crate::view::overview::Overview;

pub(super) fn warning(overview: &Overview) -> Option<Warning> {
    let restraint = &overview.presence_sync.as_ref()?.restraint;
    let users = match restraint.users.len() {
        0 => None,
        1 => Some("one user is paused".to_owned()),
        number => Some(format!("{number} users are paused")),
    };
    let causes = [
        restraint
            .shadow
            .then(|| "nothing is written on either side, because sync.shadow is on".to_owned()),
        restraint
            .teams
            .then(|| "nothing is written to Teams, because that direction is paused".to_owned()),
        restraint
            .pbx
            .then(|| "nothing is written to the PBXs, because that direction is paused".to_owned()),
        users,
    ];
    let causes: Vec<String> = causes.into_iter().flatten().collect();
    (!causes.is_empty()).then(|| Warning::new(WarningCode::WritesHeldBack, "", &causes.join("; ")))
}
