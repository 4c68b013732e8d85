//! The one rule of which write the status message needs next.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::super::pace::Pace;
use super::super::teams_side::{RENEWED_BEFORE, Scene, delta};
use super::super::transition::{Receipt, Side};
use super::{MOST_REPLACED, Message, MessageSide, Noted, UnderWay, Wish};
use crate::mapping::{Meaning, Preferred};
use crate::note::Digest;
use crate::ports::{LedgerState, PresenceChange, PresenceWrite};

/// A needed write, before it is noted as under way.
pub(super) struct Need {
    pub(super) change: PresenceChange,
    /// The text; nothing where it is taken back.
    pub(super) text: Option<Digest>,
    pub(super) renewal: bool,
    /// Whether a read must show first that what stands is still ours.
    pub(super) asks: bool,
}

/// When a message is written again, so that it does not end while the note stands.
pub(super) fn renewed_at(message: &Message) -> DateTime<Utc> {
    message.until - delta(RENEWED_BEFORE)
}

/// How long a message lives: as long as the preferred presence for what the user chose beside it, else as the shorter
/// one of those.
fn lifetime(scene: Scene) -> TimeDelta {
    let choice = scene.pbx.choice.as_deref().unwrap_or_default();
    let life: Duration = match scene.rules.pbx_to_teams.map(choice) {
        Meaning::Preferred(preferred) => preferred.lifetime(),
        Meaning::OnThePhone | Meaning::Nothing | Meaning::Unknown => Preferred::Busy.lifetime(),
    };
    delta(life)
}

impl MessageSide {
    /// Decides which write is needed next and notes that it is under way. Answers the write, the change of the ledger that
    /// must be stored before it leaves, and the read that must come before one.
    pub(in super::super) fn next_write(
        &mut self,
        scene: Scene,
        pace: &mut Pace,
    ) -> (Option<PresenceWrite>, Noted) {
        if self.under_way.is_some() {
            return (None, Noted::default());
        }
        let Some(need) = self.need(scene) else {
            self.held_back.end();
            (self.asked_at, self.assured) = (None, false);
            return (None, Noted::default());
        };
        if self.hold.stops(&need.text, scene.now) {
            return (None, Noted::default());
        }
        let braked = || pace.brake_on_words(scene.now).filter(|_| !need.renewal);
        if let Some((brake, until)) = scene.restrained().or_else(braked) {
            self.held_back.note(need.text, |_| Receipt {
                side: Side::TeamsNote,
                what: need.change.to_string(),
                brake,
                until,
            });
            return (None, Noted::default());
        }
        self.held_back.end();
        if let Some(text) = &need.text
            && self.yields_to_stranger(text)
        {
            return (None, self.give_way(text.clone(), scene));
        }
        if need.asks && !self.assured {
            return (None, self.ask(scene));
        }
        pace.take(scene.now, need.renewal);
        (self.asked_at, self.assured) = (None, false);
        self.compared = true;
        self.last_write.leaves(scene.now);
        let before = self.message.clone();
        self.intend(&need, scene);
        self.under_way = Some(UnderWay {
            text: need.text,
            renewal: need.renewal,
            before,
        });
        let write = PresenceWrite {
            user: scene.member.teams.clone(),
            change: need.change,
            renewal: need.renewal,
        };
        let noted = Noted {
            change: Some(self.row(scene)),
            ..Noted::default()
        };
        (Some(write), noted)
    }

    /// Orders the read that tells whether what stands is still ours, once.
    fn ask(&mut self, scene: Scene) -> Noted {
        let asked = self.asked_at.replace(self.asked_at.unwrap_or(scene.now));
        Noted {
            read_at: Some(scene.now).filter(|_| asked.is_none()),
            ..Noted::default()
        }
    }

    /// Whether a message that is not ours stood in Teams when the note was first seen: nobody knows which was written
    /// later, so it stays until the note changes.
    fn yields_to_stranger(&self, text: &Digest) -> bool {
        if self.compared || self.message.is_some() {
            return false;
        }
        let unchanged = self.first_noted.as_ref() == Some(&Some(text.clone()));
        let shown = self.shown.as_ref().and_then(|(shown, _)| shown.as_ref());
        unchanged && shown.is_some_and(|shown| !self.is_ours(shown) && self.restored.as_ref() != Some(shown))
    }

    /// Leaves the slot to the user until the note changes.
    pub(super) fn give_way(&mut self, text: Digest, scene: Scene) -> Noted {
        self.message = Some(Message {
            digest: text,
            state: LedgerState::Overridden,
            written_at: scene.now,
            until: scene.now + lifetime(scene),
        });
        Noted {
            change: Some(self.row(scene)),
            ..Noted::default()
        }
    }

    pub(super) fn need(&self, scene: Scene) -> Option<Need> {
        let standing = self.message.as_ref();
        let Some(wish) = Self::wish(scene) else {
            // what the pbx does not tell yet is unknown, and nothing is taken back for it
            let known = !scene.claims_notes() || scene.pbx.note.is_some();
            standing.filter(|message| known && message.holds())?;
            return Some(Need {
                change: PresenceChange::ClearMessage,
                text: None,
                renewal: false,
                asks: true,
            });
        };
        let same = standing.filter(|message| message.digest == wish.digest);
        let confirmed = same.is_some_and(|message| message.state == LedgerState::Confirmed);
        let stays = |message: &Message| !message.holds() || (confirmed && scene.now < renewed_at(message));
        if same.is_some_and(stays) {
            return None;
        }
        let Wish { digest, message } = wish;
        Some(Need {
            change: PresenceChange::SetMessage {
                message,
                until: scene.now + lifetime(scene),
            },
            text: Some(digest),
            renewal: confirmed,
            asks: confirmed,
        })
    }

    /// Notes a change as intended before it is written, so that a crash leaves a trace of it.
    fn intend(&mut self, need: &Need, scene: Scene) {
        let (Some(digest), PresenceChange::SetMessage { until, .. }) = (&need.text, &need.change) else {
            if let Some(message) = &mut self.message {
                message.state = LedgerState::Intended;
            }
            return;
        };
        let message = Message {
            digest: digest.clone(),
            state: LedgerState::Intended,
            written_at: scene.now,
            until: *until,
        };
        self.replaced.retain(|(replaced, _)| replaced != digest);
        if let Some(before) = self.message.replace(message)
            && before.holds()
            && before.digest != *digest
        {
            self.replaced.push((before.digest, before.until));
        }
        if self.replaced.len() > MOST_REPLACED {
            self.replaced.remove(0);
        }
        if !need.renewal {
            self.shown_before = self.shown.as_ref().and_then(|(shown, _)| shown.clone());
        }
    }
}
