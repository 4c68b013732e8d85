//! The PBXs beside the master: the lights know of the master only.

use m365_actors::pbx_dialler::DialStatus;
use m365_actors::pbx_session::SessionStatus;
use m365_presence::light::{MasterPbxCode, WarningCode};

use super::Warning;
use crate::view::overview::Overview;

pub(super) fn warnings(overview: &Overview) -> Vec<Warning> {
    let slaves = || {
        let sessions = overview.sessions.iter();
        sessions.filter(|session| session.role == "slave")
    };
    let away = slaves().filter_map(away);
    let lacking = slaves().filter_map(lacking);
    let unreached = overview.dials.iter().filter_map(|dial| unreached(dial, overview));
    away.chain(lacking).chain(unreached).collect()
}

fn away(slave: &SessionStatus) -> Option<Warning> {
    let cause = format!("the slave PBX {} is not connected", slave.pbx);
    let warning = || Warning::new(WarningCode::SlavePbxAway, slave.pbx.as_str(), &cause);
    (slave.state == "down").then(warning)
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
