//! Recognises what the user wrote in Teams after us, or that he took away what we had written.
//!
//! Only a read tells: a notification may be older than our write. A text that has left the slot by our doing may be read
//! for some time more, and says nothing then.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::claim::{FADING, SETTLING};
use super::super::teams_side::Scene;
use super::{MessageSide, Noted};
use crate::note::Digest;
use crate::ports::{LedgerState, Slot};
use crate::teams::TeamsObservation;

impl MessageSide {
    /// Takes in a notification that was believed; tells whether a read must follow.
    pub(in super::super) fn see_notice(&self, observation: &TeamsObservation, scene: Scene) -> bool {
        let text = observation.note.as_deref().filter(|text| !text.is_empty());
        let foreign = text.is_some_and(|text| !self.is_ours(&scene.digest(text)));
        foreign && self.message.as_ref().is_some_and(super::Message::holds)
    }

    /// Takes in a read that was believed.
    pub(in super::super) fn see_read(
        &mut self,
        observation: &TeamsObservation,
        begun_at: DateTime<Utc>,
        scene: Scene,
    ) -> Noted {
        let Some(text) = &observation.note else {
            return Noted::default();
        };
        let told = (!text.is_empty()).then(|| scene.digest(text));
        let unknown = |word: &str| word.eq_ignore_ascii_case("PresenceUnknown");
        let asked = self.asked_at.is_some_and(|asked_at| begun_at >= asked_at);
        if told.is_none() && unknown(&observation.presence.availability) {
            // whose message is not told can hardly be harmed by taking ours back
            self.assured |= asked && Self::wish(scene).is_none();
            return Noted::default();
        }
        let first_told = told.is_some() && !self.visible;
        self.visible |= first_told;
        let again = |at: DateTime<Utc>| Noted {
            read_at: Some(at.max(begun_at)),
            ..Noted::default()
        };
        if !self.last_write.lets_judge(begun_at) {
            return if asked {
                again(scene.now + SETTLING)
            } else {
                Noted::default()
            };
        }
        let late = |trace: &&super::Trace| trace.text == told && begun_at < trace.gone_at + FADING;
        let late = self.traces.iter().find(late).map(|trace| trace.gone_at + FADING);
        if let Some(at) = late.filter(|_| !self.carries(told.as_ref())) {
            return again(at);
        }
        if self.shown.replace((told.clone(), begun_at)).is_none() {
            self.shown_when_noted.clone_from(&told);
        }
        let mut noted = match self.under_way {
            Some(_) => Noted::default(),
            None => self.judge(told.as_ref(), begun_at, asked, scene),
        };
        if first_told && noted.change.is_none() && self.message.is_some() {
            noted.change = Some(self.row(scene));
        }
        noted
    }

    /// Notes that a read left the user out: it will tell nothing more.
    pub(in super::super) fn see_missing(&mut self, begun_at: DateTime<Utc>) {
        self.assured |= self.asked_at.is_some_and(|asked_at| begun_at >= asked_at);
    }

    /// Whether this is the text that should stand.
    fn carries(&self, told: Option<&Digest>) -> bool {
        let held = self.message.as_ref().filter(|message| message.holds());
        held.is_some_and(|message| Some(&message.digest) == told)
    }

    fn judge(&mut self, told: Option<&Digest>, begun_at: DateTime<Utc>, asked: bool, scene: Scene) -> Noted {
        let older_of_ours = told.is_some_and(|told| self.replaced.iter().any(|(digest, _)| digest == told));
        if self.message.is_none() {
            return self.judge_while_waiting(told, begun_at, scene);
        }
        let Some(message) = self.message.as_mut().filter(|message| message.holds()) else {
            return Noted::default();
        };
        let confirmed = message.state == LedgerState::Confirmed;
        if Some(&message.digest) == told {
            self.assured |= asked;
            // what is not confirmed was found after a crash, or its answer was lost
            message.state = LedgerState::Confirmed;
            return Noted {
                change: (!confirmed).then(|| self.row(scene)),
                ..Noted::default()
            };
        }
        let settled = message.written_at + if confirmed { SETTLING } else { TimeDelta::zero() };
        if begun_at < settled {
            // what was looked up before the write tells nothing of it
            return Noted::default();
        }
        if older_of_ours || (told.is_none() && confirmed && !self.visible) {
            self.assured |= asked;
            return Noted::default();
        }
        let wanted = Self::asks_for(message, scene) || (scene.claims_notes() && scene.pbx.note.is_none());
        // an intent may never have left: what stood before it is no later choice, and an empty slot is nobody's
        let stood_before = told.is_none() || self.shown_before.as_ref() == told;
        if !confirmed && wanted && stood_before {
            return Noted::default();
        }
        if wanted {
            message.state = LedgerState::Overridden;
            self.replaced.clear();
            return Noted {
                change: Some(self.row(scene)),
                ..Noted::default()
            };
        }
        self.message = None;
        self.replaced.clear();
        (self.asked_at, self.assured) = (None, false);
        let yielded = self.judge_while_waiting(told, begun_at, scene);
        Noted {
            change: yielded.change.or_else(|| Some(scene.remove(Slot::StatusMessage))),
            ..yielded
        }
    }

    /// A write may wait for long. What the user writes in Teams meanwhile is later than the note that waits.
    fn judge_while_waiting(&mut self, told: Option<&Digest>, begun_at: DateTime<Utc>, scene: Scene) -> Noted {
        let foreign = told.is_some_and(|told| !self.is_ours(told)) && told != self.shown_when_noted.as_ref();
        match Self::wish(scene) {
            Some(wish)
                if foreign && begun_at >= self.noted_at && self.noted.as_ref() == Some(&wish.digest) =>
            {
                self.give_way(wish.digest, scene)
            }
            Some(_) | None => Noted::default(),
        }
    }
}
