//! How it stands with the PBX's note in Teams: one state of a closed set, for an administrator's eyes.

use super::super::pace::Pace;
use super::super::standing::{ClaimState, Wait, wait_of};
use super::super::teams_side::Scene;
use super::intent::Need;
use super::{Message, MessageSide};
use crate::ports::LedgerState;

/// How it stands with the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct NoteStanding {
    pub(in super::super) state: ClaimState,
    wait: Option<Wait>,
}

impl MessageSide {
    /// Tells how it stands; nothing where there is no note of which anything of ours stands or should.
    pub(in super::super) fn standing(&self, pace: &Pace, scene: Scene) -> Option<NoteStanding> {
        let plainly = |state| Some(NoteStanding { state, wait: None });
        if let Some(write) = self.under_way.as_ref().filter(|write| !write.renewal) {
            return plainly(match write.text {
                Some(_) => ClaimState::Writing,
                None => ClaimState::Releasing,
            });
        }
        let Some(need) = self.need(scene).filter(|need| !need.renewal) else {
            return plainly(self.stands(self.message.as_ref()?));
        };
        Some(self.waits(&need, pace, scene))
    }

    fn stands(&self, message: &Message) -> ClaimState {
        if message.state == LedgerState::Overridden {
            return ClaimState::Overridden;
        }
        let shown = self.shown.as_ref().and_then(|(shown, _)| shown.as_ref());
        if shown == Some(&message.digest) {
            ClaimState::Shown
        } else {
            ClaimState::Accepted
        }
    }

    /// A needed write that has not left, and why.
    fn waits(&self, need: &Need, pace: &Pace, scene: Scene) -> NoteStanding {
        let brake = || scene.restrained().or_else(|| pace.brake_on_words(scene.now));
        let (state, wait) = wait_of(&self.hold, &need.text, scene.now, brake);
        let state = match (state, &need.text) {
            (ClaimState::Writing, None) if self.asked_at.is_some() => ClaimState::WaitingForRead,
            (ClaimState::Writing, None) => ClaimState::Releasing,
            (state, _) => state,
        };
        NoteStanding { state, wait }
    }
}

impl NoteStanding {
    /// Tells it as a clause that goes on with a sentence about the presence.
    pub(in super::super) fn clause(&self) -> String {
        let (until, refusal) = Wait::told(self.wait.as_ref());
        match self.state {
            ClaimState::Writing => "the pbx's note is being written to teams as the status message".to_owned(),
            ClaimState::WaitingForPace | ClaimState::WaitingForBudget => {
                format!("too much was written for the user; the pbx's note is carried over at {until}")
            }
            ClaimState::WaitingForRetry => {
                format!("teams gave no answer to the write of the status message; it is repeated at {until}")
            }
            ClaimState::WaitingForRead => "the status message that stands for the pbx's note is removed as soon as a read shows that it is still there".to_owned(),
            ClaimState::Refused => {
                format!(
                    "teams refused the status message that stands for the pbx's note: {refusal}; it is tried again at {until}"
                )
            }
            ClaimState::Accepted => "teams accepted the pbx's note as the status message; the next look tells whether it is shown".to_owned(),
            ClaimState::Overridden => "the status message in teams is the user's own; it prevails until the note at the pbx changes".to_owned(),
            ClaimState::Releasing => "the status message that stood for the pbx's note is being removed".to_owned(),
            ClaimState::Paused => "the change of the status message waits: the direction or the user is paused in the settings".to_owned(),
            ClaimState::Shadow => "the status message would be changed, were sync.shadow not on".to_owned(),
            ClaimState::Shown | ClaimState::Lifted | ClaimState::NoSession | ClaimState::Masked => {
                "teams shows the pbx's note as the status message".to_owned()
            }
        }
    }
}
