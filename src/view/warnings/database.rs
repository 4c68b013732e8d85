//! The database, while it does not take what it is given.

use m365_presence::light::WarningCode;
use m365_store::Condition;

use super::Warning;
use crate::view::overview::Overview;

pub(super) fn warning(overview: &Overview) -> Option<Warning> {
    let Condition::Away {
        since,
        detail,
        unsaved,
    } = &overview.database
    else {
        return None;
    };
    let cause = format!(
        "{detail}; {unsaved} rows wait since {}",
        since.format("%H:%M:%S UTC")
    );
    Some(Warning::new(WarningCode::DatabaseAway, "", &cause))
}
