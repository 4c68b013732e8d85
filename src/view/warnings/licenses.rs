//! The licenses of the PBX, when more are assigned than installed: the PBX then refuses some, and not we choose whose.

use m365_presence::light::WarningCode;

use super::Warning;
use crate::view::overview::Overview;

pub(super) fn warning(overview: &Overview) -> Option<Warning> {
    let master = overview
        .sessions
        .iter()
        .find(|session| session.role == "master" && session.state == "up")?;
    let stock = master.licenses.filter(|stock| stock.used > stock.installed)?;
    let cause = format!(
        "{} licenses are assigned to users of {}, but only {} are installed there",
        stock.used, master.pbx, stock.installed
    );
    Some(Warning::new(WarningCode::TooFewLicenses, "", &cause))
}
