//! Which users are looked for.

use m365_presence::matching::{Entry, Reason};
use m365_presence::visibility::Unseen;

use super::UserItem;

/// Which users are looked for; everybody unless something is given.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// A part of a name or an address of either side, in lower case.
    pub text: Option<String>,
    /// Users who are not synchronised for this reason.
    pub reason: Option<Reason>,
    /// Users who are synchronised, or who are not.
    pub synchronised: Option<bool>,
    /// Users who live at this PBX.
    pub pbx: Option<String>,
    /// Users of whom the PBX does not show this.
    pub not_visible: Option<Unseen>,
}

impl Sought {
    /// Whether everybody is looked for.
    pub fn is_everybody(&self) -> bool {
        self.text.is_none()
            && self.reason.is_none()
            && self.synchronised.is_none()
            && self.pbx.is_none()
            && self.not_visible.is_none()
    }

    /// Whether the names and the home fit, which is cheap to tell.
    pub(super) fn fits_names(&self, entry: &Entry) -> bool {
        let home = entry.pbx.as_ref().map(|user| user.home.as_str());
        let at_home = self.pbx.as_deref().is_none_or(|pbx| home == Some(pbx));
        at_home && self.text.as_deref().is_none_or(|text| has_text(entry, text))
    }

    /// Whether the state fits, which must be asked for.
    pub(super) fn fits_state(&self, item: &UserItem) -> bool {
        let reason = self
            .reason
            .is_none_or(|reason| item.reason == Some(reason.as_str()));
        let hides = |unseen| item.not_visible.iter().any(|hidden| hidden.what == unseen);
        reason
            && self.not_visible.is_none_or(hides)
            && self
                .synchronised
                .is_none_or(|synchronised| item.synchronised == synchronised)
    }
}

fn has_text(entry: &Entry, text: &str) -> bool {
    let pbx = entry
        .pbx
        .iter()
        .flat_map(|user| [Some(&user.h323), Some(&user.cn)]);
    let teams = entry.teams.iter().flat_map(|user| {
        [
            user.display_name.as_ref(),
            user.user_principal_name.as_ref(),
            user.mail.as_ref(),
        ]
    });
    pbx.chain(teams)
        .flatten()
        .any(|name| name.to_lowercase().contains(text))
}
