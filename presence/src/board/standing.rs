//! How it stands with what the PBX asks Teams to show, and how an administrator is told.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::hold::Hold;
use super::pace::Brake;
use crate::teams::TeamsPresence;

/// How far a claim of ours in Teams has come: a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// The write leaves or is under way.
    Writing,
    /// The state changed too often within seconds: the newest one waits for its turn.
    WaitingForPace,
    /// The user's writes of the hour are used up: the newest state waits for its minute.
    WaitingForBudget,
    /// Teams gave no answer; the write is repeated.
    WaitingForRetry,
    /// What is to be removed may be the user's own: a read must tell first.
    WaitingForRead,
    /// Teams refused the write.
    Refused,
    /// Teams accepted the write; no look has shown yet what became of it.
    Accepted,
    /// Teams shows it.
    Shown,
    /// Teams shows the call, and the choice is lifted while it lasts.
    Lifted,
    /// Teams accepted it, and the user has chosen another state there since.
    Overridden,
    /// Teams accepted it, and shows Offline because the user has no Teams session.
    NoSession,
    /// Teams accepted the call, and shows a stronger state of the user's own.
    Masked,
    /// Nothing asks for it any more; it is being removed.
    Releasing,
    /// An administrator has paused the direction or the user: the newest state waits.
    Paused,
    /// Decisions are shown only: nothing is written.
    Shadow,
}

impl ClaimState {
    /// Every state.
    pub const ALL: [Self; 15] = [
        Self::Writing,
        Self::WaitingForPace,
        Self::WaitingForBudget,
        Self::WaitingForRetry,
        Self::WaitingForRead,
        Self::Refused,
        Self::Accepted,
        Self::Shown,
        Self::Lifted,
        Self::Overridden,
        Self::NoSession,
        Self::Masked,
        Self::Releasing,
        Self::Paused,
        Self::Shadow,
    ];

    /// Whether something is to be written, or removed, and is not yet.
    pub fn is_pending(self) -> bool {
        match self {
            Self::Writing
            | Self::WaitingForPace
            | Self::WaitingForBudget
            | Self::WaitingForRetry
            | Self::WaitingForRead
            | Self::Refused
            | Self::Releasing
            | Self::Paused
            | Self::Shadow => true,
            Self::Accepted
            | Self::Shown
            | Self::Lifted
            | Self::Overridden
            | Self::NoSession
            | Self::Masked => false,
        }
    }

    /// The state as the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Writing => "writing",
            Self::WaitingForPace => "waiting_for_pace",
            Self::WaitingForBudget => "waiting_for_budget",
            Self::WaitingForRetry => "waiting_for_retry",
            Self::WaitingForRead => "waiting_for_read",
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::Shown => "shown",
            Self::Lifted => "lifted",
            Self::Overridden => "overridden",
            Self::NoSession => "no_session",
            Self::Masked => "masked",
            Self::Releasing => "releasing",
            Self::Paused => "paused",
            Self::Shadow => "shadow",
        }
    }
}

/// What a write waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) until: DateTime<Utc>,
    /// Teams' own words, where it refused the write.
    pub(super) refusal: Option<String>,
}

impl Wait {
    /// Until when is waited, and Teams' own words, as they are told; both are empty where nothing is waited for.
    pub(super) fn told(wait: Option<&Self>) -> (String, &str) {
        let Some(wait) = wait else {
            return (String::new(), "");
        };
        let until = wait.until.to_rfc3339_opts(SecondsFormat::Secs, true);
        (until, wait.refusal.as_deref().unwrap_or_default())
    }
}

/// Why a needed write has not left: it was refused, got no answer, or something brakes it. Where nothing does, it leaves.
pub(super) fn wait_of<W: Clone + PartialEq>(
    hold: &Hold<W>,
    write: &W,
    now: DateTime<Utc>,
    brake: impl FnOnce() -> Option<(Brake, Option<DateTime<Utc>>)>,
) -> (ClaimState, Option<Wait>) {
    if let Some((until, refusal)) = hold.holds_back(write, now) {
        let state = match refusal {
            Some(_) => ClaimState::Refused,
            None => ClaimState::WaitingForRetry,
        };
        return (state, Some(Wait { until, refusal }));
    }
    let Some((brake, until)) = brake() else {
        return (ClaimState::Writing, None);
    };
    let state = match brake {
        Brake::Flapping => ClaimState::WaitingForPace,
        Brake::Budget => ClaimState::WaitingForBudget,
        Brake::Paused => ClaimState::Paused,
        Brake::Shadow => ClaimState::Shadow,
    };
    (state, until.map(|until| Wait { until, refusal: None }))
}

/// One claim of ours, and how it stands with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: ClaimState,
    /// The pair that we set, or want to set.
    pub(super) presence: TeamsPresence,
    /// The state of the PBX for which we do.
    pub(super) stands_for: String,
    /// What Teams shows instead.
    pub(super) shown: Option<TeamsPresence>,
    pub(super) wait: Option<Wait>,
}

impl Standing {
    pub(super) fn of(state: ClaimState, presence: TeamsPresence, stands_for: &str) -> Self {
        Self {
            state,
            presence,
            stands_for: stands_for.to_owned(),
            shown: None,
            wait: None,
        }
    }

    /// Tells it as one plain sentence.
    pub(super) fn sentence(&self) -> String {
        let (set, choice) = (&self.presence, &self.stands_for);
        let (until, refusal) = Wait::told(self.wait.as_ref());
        match self.state {
            ClaimState::Writing => format!("the pbx says {choice}; {set} is being written to teams"),
            ClaimState::WaitingForPace => format!(
                "the state changed more than 20 times within seconds; the newest, {choice}, is written to teams at {until}"
            ),
            ClaimState::WaitingForBudget => format!(
                "the user's 240 writes of this hour are used up, so that one a minute leaves; the newest, {choice}, is written to teams at {until}"
            ),
            ClaimState::WaitingForRetry => {
                format!("teams gave no answer to the write of {set} for {choice}; it is repeated at {until}")
            }
            ClaimState::WaitingForRead => format!(
                "{set} was set in teams for {choice} and is to be removed, as soon as a read shows that it is still there"
            ),
            ClaimState::Refused => {
                format!("teams refused the last write for {choice}: {refusal}; it is tried again at {until}")
            }
            ClaimState::Accepted => {
                format!("teams accepted {set} for {choice}; the next look tells whether it is shown")
            }
            ClaimState::Shown => {
                "teams shows what was set there for the pbx, so the pbx needs no entry of ours".to_owned()
            }
            ClaimState::Lifted => format!(
                "teams shows the call; {choice} is lifted while it lasts, because it would hide the call, and is put back afterwards"
            ),
            ClaimState::Overridden => format!(
                "teams accepted {set}, but it is overridden by the user's own status: the user chose another state in teams after {choice} was chosen at the pbx; teams prevails until the pbx changes"
            ),
            ClaimState::NoSession => format!(
                "teams accepted {set} for {choice}, but the user has no teams session: teams shows Offline until a client signs in{}",
                self.appears_offline()
            ),
            ClaimState::Masked => format!(
                "teams accepted the call, but shows {}, a state of the user's own that hides it",
                self.shown.as_ref().unwrap_or(&self.presence)
            ),
            ClaimState::Releasing => {
                format!("{set} was set in teams for {choice} and is being removed")
            }
            ClaimState::Paused => format!(
                "a change of {set}, which stands for {choice}, waits: the direction or the user is paused in the settings"
            ),
            ClaimState::Shadow => {
                format!(
                    "a change of {set}, which stands for {choice}, would be written to teams, were sync.shadow not on"
                )
            }
        }
    }

    /// `Offline/OffWork` is also what somebody chooses who wants to appear offline.
    fn appears_offline(&self) -> &'static str {
        let off_work = |shown: &TeamsPresence| shown.activity.eq_ignore_ascii_case("OffWork");
        if self.shown.as_ref().is_some_and(off_work) {
            ", or until the user stops appearing offline"
        } else {
            ""
        }
    }
}
