//! The PBXs beside the master: the lights know of the master only.

use chrono::{DateTime, TimeDelta, Utc};
use m365_actors::pbx_dialler::DialStatus;
use m365_actors::pbx_session::SessionStatus;
use m365_presence::light::{MasterPbxCode, WarningCode};

use super::Warning;
use crate::view::overview::Overview;

/// A session is there before its connection is attached, and again after a restart; that takes moments.
const OVERDUE: TimeDelta = TimeDelta::seconds(15);

pub(super) fn warnings(overview: &Overview, now: DateTime<Utc>) -> Vec<Warning> {
    let slaves = || {
        let sessions = overview.sessions.iter();
        sessions.filter(|session| session.role == "slave")
    };
    let away = slaves().filter_map(|slave| away(slave, now));
    let lacking = slaves().filter_map(lacking);
    let unreached = overview.dials.iter().filter_map(|dial| unreached(dial, overview));
    away.chain(lacking).chain(unreached).collect()
}

fn away(slave: &SessionStatus, now: DateTime<Utc>) -> Option<Warning> {
    let is_missed = slave.has_been_up || now - slave.since >= OVERDUE;
    (slave.state == "down" && is_missed).then(|| {
        let cause = format!(
            "the slave PBX {} is not connected since {} UTC",
            slave.pbx,
            slave.since.format("%Y-%m-%d %H:%M:%S")
        );
        Warning::new(WarningCode::SlavePbxAway, slave.pbx.as_str(), &cause)
    })
}

fn lacking(slave: &SessionStatus) -> Option<Warning> {
    if slave.missing_apis.is_empty() {
        return None;
    }
    let missing: Vec<_> = slave.missing_apis.iter().map(|api| api.checkmark()).collect();
    let cause = format!(
        "the App object at the slave PBX {} lacks the checkmark {}",
        slave.pbx,
        missing.join(", ")
    );
    let code = WarningCode::SlavePbxMissingApiRight;
    Some(Warning::new(code, slave.pbx.as_str(), &cause))
}

/// While the master is away, its light tells of every way that may lead to it.
fn unreached(dial: &DialStatus, overview: &Overview) -> Option<Warning> {
    let is_well = matches!(dial.code, MasterPbxCode::Ok | MasterPbxCode::Starting);
    let master = overview.sessions.iter().find(|session| session.role == "master");
    let told_by_the_light = match master {
        Some(master) if master.state == "up" => false,
        Some(master) => dial.pbx.as_ref().is_none_or(|pbx| *pbx == master.pbx),
        None => true,
    };
    if is_well || told_by_the_light {
        return None;
    }
    let code = WarningCode::DialledPbxNotReached;
    Some(Warning::new(code, dial.actor.as_str(), &dial.detail))
}

#[cfg(test)]
mod tests {
    use m365_presence::identity::PbxName;
    use std::collections::BTreeMap;

    use super::*;

    fn begun() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn slave(state: &'static str, has_been_up: bool) -> SessionStatus {
        SessionStatus {
            pbx: PbxName::new("pbx-branch"),
            role: "slave",
            state,
            since: begun(),
            has_been_up,
            app_objects: Vec::new(),
            connections: Vec::new(),
            version: None,
            apis: Vec::new(),
            missing_apis: Vec::new(),
            test_mode: false,
            service_licenses: None,
            licenses: None,
            users: 0,
            users_complete: false,
            table_trouble: None,
            followed: 0,
            told: 0,
            presence_hidden: 0,
            calls_hidden: 0,
            lines_complete: false,
            lines_trouble: None,
            frames_received: 0,
            frames_sent: 0,
            ignored: BTreeMap::new(),
            refusal: None,
        }
    }

    #[test]
    fn a_slave_is_missed_at_once_when_it_was_there_and_after_a_while_when_it_was_not_yet() {
        for (state, has_been_up, seconds, missed) in [
            ("down", false, 0, false),
            ("down", false, 14, false),
            ("down", false, 15, true),
            ("down", true, 0, true),
            ("up", true, 60, false),
        ] {
            let told = away(&slave(state, has_been_up), begun() + TimeDelta::seconds(seconds));
            assert_eq!(told.is_some(), missed, "{state}, {has_been_up}, {seconds} s");
        }
    }
}
