//! What somebody may see of himself: his own state and nobody else's.

use m365_actors::user_sync::GetDirectory;
use m365_presence::board::ClaimState;
use m365_presence::identity::PbxGuid;
use m365_presence::matching::{Entry, Reason};
use serde::Serialize;

use super::super::overview::{Posts, answered};
use super::{Sources, Terms};

/// Whom a login names; both are signed by the PBX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whom {
    /// Object id at the PBX.
    pub guid: PbxGuid,
    /// Name at the PBX.
    pub h323: String,
}

/// What is known of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// The users of both sides are not known yet.
    Starting,
    /// No such user is among the users of the PBXs.
    Stranger,
    /// A user, and what the administrator reads about him.
    Known(Box<OwnState>, String),
}

/// The state of one person, as the person may see it: no names of others, no accounts of the administrator's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnState {
    /// Name at the PBX.
    pub h323: String,
    /// Long name at the PBX.
    pub cn: String,
    /// Home PBX.
    pub pbx: String,
    /// Name in Teams of the user to whom this one is linked.
    pub teams_name: Option<String>,
    /// Whether the user holds the license.
    pub licensed: bool,
    /// Whether both sides are known and kept in step.
    pub synchronised: bool,
    /// Why not, one of the closed set of `GET /api/v1/users`.
    pub reason: Option<&'static str>,
    /// What Teams shows, as `availability/activity`.
    pub teams_presence: Option<String>,
    /// What the PBX shows of the user's own, empty for none.
    pub pbx_presence: Option<String>,
    /// Our entry at the PBX, empty for none.
    pub shown_at_pbx: Option<String>,
    /// What we hold in Teams.
    pub set_in_teams: Option<String>,
    /// How it stands with that.
    pub teams_claim_state: Option<&'static str>,
    /// How it stands with the person's note at the PBX as the status message in Teams; null where none is carried over.
    pub note_in_teams: Option<&'static str>,
    /// Which side decides; null while the user is not synchronised.
    pub decided_by: Option<&'static str>,
    /// Who decided, as one sentence; null while the user is not synchronised.
    pub why: Option<String>,
}

impl Posts {
    /// What is known of each of these people, in their order; `None` while nobody can tell.
    pub async fn own_states(&self, people: &[Whom], terms: &Terms) -> Option<Vec<Own>> {
        let Some(directory) = answered(self.user_sync.ask(GetDirectory)).await? else {
            return Some(vec![Own::Starting; people.len()]);
        };
        let found = people.iter().map(|whom| {
            directory
                .by_guid(&whom.guid)
                .or_else(|| directory.by_h323(&whom.h323))
        });
        let found: Vec<Option<Entry>> = found.map(Option::<&Entry>::cloned).collect();
        let entries: Vec<Entry> = found.iter().flatten().cloned().collect();
        let sources = self.sources(&directory, &entries, terms).await;
        let own = |entry: &Option<Entry>| match entry {
            Some(entry) => sources.own(entry),
            None => Own::Stranger,
        };
        Some(found.iter().map(own).collect())
    }
}

impl Sources {
    fn own(&self, entry: &Entry) -> Own {
        let Some(user) = &entry.pbx else {
            return Own::Stranger;
        };
        let item = self.item(entry);
        let view = self.views.get(&user.guid);
        let synchronised = view.filter(|_| item.synchronised);
        let state = OwnState {
            h323: user.h323.clone(),
            cn: user.cn.clone(),
            pbx: user.home.to_string(),
            teams_name: item.teams_name.filter(|_| entry.pair().is_some()),
            licensed: item.licensed,
            synchronised: item.synchronised,
            reason: item.reason,
            teams_presence: item.teams_presence,
            pbx_presence: item.pbx_presence,
            shown_at_pbx: item.shown_at_pbx,
            set_in_teams: item.set_in_teams,
            teams_claim_state: item.teams_claim_state,
            note_in_teams: item.note_in_teams,
            decided_by: synchronised.map(|view| decided_by(view.teams_claim_state)),
            why: synchronised.map(|view| view.why.clone()),
        };
        Own::Known(Box::new(state), item.explanation)
    }
}

impl OwnState {
    /// The state of somebody whose login says that he holds no license, unless the connector has learned better since:
    /// who he is and what he lacks, and nothing else.
    pub fn unlicensed(self) -> Self {
        Self {
            synchronised: false,
            reason: self.reason.or(Some(Reason::NoLicense.as_str())),
            teams_presence: None,
            pbx_presence: None,
            shown_at_pbx: None,
            set_in_teams: None,
            teams_claim_state: None,
            note_in_teams: None,
            decided_by: None,
            why: None,
            ..self
        }
    }
}

/// Whose state both sides show: the PBX's while a claim for it stands in Teams or is on its way there, else Teams'.
fn decided_by(claim: Option<ClaimState>) -> &'static str {
    match claim {
        None
        | Some(
            ClaimState::Overridden | ClaimState::Masked | ClaimState::Releasing | ClaimState::WaitingForRead,
        ) => "teams",
        Some(
            ClaimState::Writing
            | ClaimState::WaitingForPace
            | ClaimState::WaitingForBudget
            | ClaimState::WaitingForRetry
            | ClaimState::Refused
            | ClaimState::Accepted
            | ClaimState::Shown
            | ClaimState::Lifted
            | ClaimState::NoSession
            | ClaimState::Paused
            | ClaimState::Shadow,
        ) => "pbx",
    }
}
