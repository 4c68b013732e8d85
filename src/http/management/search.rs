//! Which users a question for the list means.

use m365_presence::matching::Reason;
use m365_presence::visibility::Unseen;
use serde::Deserialize;
use utoipa::IntoParams;

use super::parameters::{flag_or_empty, read_flag, word_or_empty};
use crate::http::problem::Problem;
use crate::view::users::Sought;

/// The question, as it was asked; everybody unless something is given.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// A part of a name or an address of either side, whatever the case.
    #[param(example = "anna")]
    search: Option<String>,
    /// Only users who are not synchronised for this reason.
    #[param(schema_with = word_or_empty::<Reason>, required = false)]
    reason: Option<String>,
    /// Only users who are synchronised, or who are not.
    #[param(schema_with = flag_or_empty, required = false)]
    synchronised: Option<String>,
    /// Only users who live at this PBX.
    #[param(example = "pbx-main")]
    pbx: Option<String>,
    /// Only users of whom the PBX does not show this.
    #[param(value_type = Unseen, required = false)]
    not_visible: Option<String>,
}

impl Search {
    /// Whom it means; an empty parameter, as an empty field of a form sends it, means nothing.
    pub(super) fn sought(&self) -> Result<Sought, Problem> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let reason = given(&self.reason).map(|name| reason_of(&name)).transpose()?;
        Ok(Sought {
            text: given(&self.search).map(|text| text.trim().to_lowercase()),
            reason,
            synchronised: read_flag("synchronised", self.synchronised.as_deref())?,
            pbx: given(&self.pbx),
            not_visible: given(&self.not_visible)
                .map(|name| unseen_of(&name))
                .transpose()?,
        })
    }
}

fn reason_of(name: &str) -> Result<Reason, Problem> {
    let found = Reason::ALL.into_iter().find(|reason| reason.as_str() == name);
    found.ok_or_else(|| {
        let all = Reason::ALL.map(Reason::as_str).join(", ");
        Problem::bad_request(format!("'{name}' is no reason; they are {all}"))
    })
}

fn unseen_of(name: &str) -> Result<Unseen, Problem> {
    let found = Unseen::ALL.into_iter().find(|unseen| unseen.as_str() == name);
    found.ok_or_else(|| {
        let all = Unseen::ALL.map(Unseen::as_str).join(", ");
        Problem::bad_request(format!(
            "'{name}' is nothing that may be not visible; that is {all}"
        ))
    })
}
