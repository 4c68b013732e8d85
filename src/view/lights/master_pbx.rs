//! The light of the master PBX: whether it is connected, whichever side dials, and whether its users are known.

use chrono::{DateTime, TimeDelta, Utc};
use m365_actors::pbx_dialler::DialStatus;
use m365_actors::pbx_session::SessionStatus;
use m365_presence::identity::PbxName;
use m365_presence::light::MasterPbxCode;

use super::{Shown, Surroundings, sentence};
use crate::view::overview::Overview;

/// So long after the start a PBX that has not dialled yet is still expected.
const STARTING: TimeDelta = TimeDelta::seconds(90);

/// A refused login explains so long why the master is missing; a PBX that is still configured like that has dialled
/// again meanwhile (at most every 60 s, pbx.md 1.7).
const REFUSAL_STANDS: TimeDelta = TimeDelta::minutes(3);

/// PBXs dial one by one; so long after the first one the master may still follow.
const MASTER_FOLLOWS: TimeDelta = TimeDelta::seconds(5);

pub(super) fn master_pbx(overview: &Overview, surroundings: &Surroundings, now: DateTime<Utc>) -> Shown {
    let (code, cause) = cause(overview, surroundings, now);
    Shown {
        green: code == MasterPbxCode::Ok,
        code: code.as_str(),
        detail: sentence(&cause, code.remedy()),
    }
}

fn cause(overview: &Overview, surroundings: &Surroundings, now: DateTime<Utc>) -> (MasterPbxCode, String) {
    let name = &surroundings.master;
    let sessions = overview.sessions.iter();
    let up: Vec<_> = sessions.filter(|session| session.state == "up").collect();
    if let Some(master) = up.iter().find(|session| session.pbx == *name) {
        return connected(master);
    }
    if let Some(trouble) = overview.dials.iter().find_map(|dial| dialled(dial, name)) {
        return trouble;
    }
    // a refusal counts as long as nobody has logged in after it
    if let Some((refusal, at)) = &surroundings.refused
        && now < *at + REFUSAL_STANDS
        && up.iter().all(|session| session.since < *at)
    {
        return (
            MasterPbxCode::WrongAppPassword,
            format!("a PBX was turned away at {}: {refusal}", at.format("%H:%M:%S")),
        );
    }
    let seen_before = overview.sessions.iter().any(|session| session.pbx == *name);
    if !seen_before && up.iter().any(|session| session.since + MASTER_FOLLOWS < now) {
        let names: Vec<_> = up.iter().map(|session| session.pbx.as_str()).collect();
        return (
            MasterPbxCode::WrongMasterName,
            format!(
                "connected is {}, and none of them is called {name}",
                names.join(", ")
            ),
        );
    }
    if now < surroundings.started_at + STARTING && !seen_before {
        return (MasterPbxCode::Starting, format!("{name} has not dialled yet"));
    }
    (MasterPbxCode::NotConnected, format!("{name} is not connected"))
}

/// The master is connected: may it do what it must, and are its users known?
fn connected(master: &SessionStatus) -> (MasterPbxCode, String) {
    let name = &master.pbx;
    if !master.missing_apis.is_empty() {
        let missing: Vec<_> = master.missing_apis.iter().map(|api| api.checkmark()).collect();
        let cause = format!(
            "the App object at {name} lacks the checkmark {}",
            missing.join(", ")
        );
        return (MasterPbxCode::MissingApiRight, cause);
    }
    if let Some(trouble) = &master.table_trouble {
        return (
            MasterPbxCode::ReplicationFailed,
            format!("{name} is connected, {trouble}"),
        );
    }
    if !master.users_complete {
        let cause = format!("{name} is connected, its users are being replicated");
        return (MasterPbxCode::Starting, cause);
    }
    (
        MasterPbxCode::Ok,
        format!("{name} is connected with {} users", master.users),
    )
}

/// Why a PBX that we dial, and that is or may be the master, is not connected.
fn dialled(dial: &DialStatus, master: &PbxName) -> Option<(MasterPbxCode, String)> {
    if dial.code == MasterPbxCode::Ok || dial.pbx.as_ref().is_some_and(|pbx| pbx != master) {
        return None;
    }
    let again = match (dial.state, dial.next_attempt_at) {
        ("held", Some(at)) => format!(
            "; it is tried again at {}, and at once after POST /api/v1/actors/{}/restart",
            at.format("%H:%M:%S"),
            dial.actor
        ),
        _ => String::new(),
    };
    Some((dial.code, format!("{}{again}", dial.detail)))
}
