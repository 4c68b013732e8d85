//! The user's note at the PBX as the status message in Teams: which text of ours stands there, and which write comes next.
//!
//! Teams does not notify of a changed message alone, so what is known of it may be minutes old. What stands is renewed or
//! taken back only after a read, ordered for it, has shown that it is still ours; a changed note at the PBX is the later
//! choice and needs none. The slot stands beside the presence: neither waits for the other.

mod intent;
mod looks;
mod standing;

pub(super) use standing::NoteStanding;

use chrono::{DateTime, Utc};

use super::Outcome;
use super::claim::{FADING, REMEMBERED};
use super::hold::Hold;
use super::last_write::LastWrite;
use super::pace::Pace;
use super::teams_side::Scene;
use super::transition::HeldBack;
use crate::note::{Digest, StatusMessage};
use crate::ports::{LedgerChange, LedgerRow, LedgerState, Replaced, Slot};
use crate::teams::TeamsPresence;

/// Older texts of ours of which the slot may still carry one; more of them would need as many writes without an answer.
const MOST_REPLACED: usize = 8;

/// What the row of a message says where Teams has been seen to tell messages.
const SHOWN: &str = "shown";

/// A text of ours in the slot, known by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    digest: Digest,
    state: LedgerState,
    /// When Graph accepted it last; before that, when we meant to write it.
    written_at: DateTime<Utc>,
    /// When it ends by itself.
    until: DateTime<Utc>,
}

impl Message {
    /// Whether the slot still carries it, as far as we know.
    fn holds(&self) -> bool {
        self.state != LedgerState::Overridden
    }
}

#[derive(Clone, Debug)]
struct UnderWay {
    /// The text; nothing where it is taken back.
    text: Option<Digest>,
    renewal: bool,
    /// What the slot carried of ours before.
    before: Option<Message>,
}

/// A text that has left the slot by our doing, while Teams may still tell of it. Nothing stands for none.
#[derive(Clone, Debug)]
struct Trace {
    text: Option<Digest>,
    ours: bool,
    gone_at: DateTime<Utc>,
}

/// What became of a look or of a write.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) change: Option<LedgerChange>,
    /// When a read must begin that tells more.
    pub(super) read_at: Option<DateTime<Utc>>,
    /// Whether the slot is known to be empty.
    pub(super) empty: bool,
}

/// The status message of one user, with what is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct MessageSide {
    message: Option<Message>,
    /// Older texts of ours that an intent was to replace: the slot may still carry one of them.
    replaced: Vec<(Digest, DateTime<Utc>)>,
    traces: Vec<Trace>,
    under_way: Option<UnderWay>,
    last_write: LastWrite,
    /// What Teams showed last, by its digest; the text where there was one.
    shown: Option<(Option<Digest>, DateTime<Utc>)>,
    /// What the slot carried before the write that is not confirmed yet.
    shown_before: Option<Digest>,
    /// Whether a message of this user was ever read: then Teams tells of them, and none told means none.
    visible: bool,
    /// The user's note at the PBX when it was first told.
    first_noted: Option<Option<Digest>>,
    /// The note as it is, since when, and what Teams showed when it became so.
    noted: Option<Digest>,
    noted_at: DateTime<Utc>,
    shown_when_noted: Option<Digest>,
    /// What the ledger said of the slot.
    restored: Option<Digest>,
    /// Whether a note has been written since: from then on whatever changes at the PBX is a later choice.
    compared: bool,
    /// Since when a read must show that the message is still ours, before it is renewed or taken back.
    asked_at: Option<DateTime<Utc>>,
    /// Whether one has.
    assured: bool,
    /// Whether the ledger has a row that tells nothing any more.
    row_is_stale: bool,
    hold: Hold<Option<Digest>>,
    pub(super) held_back: HeldBack<Option<Digest>>,
}

/// What the PBX's note asks for.
#[derive(Clone, Debug)]
struct Wish {
    digest: Digest,
    message: StatusMessage,
}

impl MessageSide {
    /// Takes in a row of the ledger. What has ended is none of ours any more.
    pub(super) fn restore(&mut self, row: &LedgerRow, now: DateTime<Utc>) {
        let digest = Digest::stored(row.value.activity.clone());
        let until = row.until.unwrap_or(row.written_at);
        self.restored = Some(digest.clone());
        self.visible = row.stands_for == SHOWN;
        for replaced in row.replaces.iter().filter(|replaced| replaced.until > now) {
            let digest = Digest::stored(replaced.value.activity.clone());
            self.replaced.push((digest, replaced.until));
        }
        if until <= now && row.state != LedgerState::Overridden {
            self.row_is_stale = true;
            return;
        }
        self.message = Some(Message {
            digest,
            state: row.state,
            written_at: row.written_at,
            until,
        });
    }

    /// Whether nothing of ours is left.
    pub(super) fn is_clear(&self) -> bool {
        self.under_way.is_none() && !self.message.as_ref().is_some_and(Message::holds)
    }

    /// Whether the slot is the user's until the note changes.
    pub(super) fn is_given_up(&self) -> bool {
        self.message.as_ref().is_some_and(|message| !message.holds())
    }

    /// Whether a write is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether the write under way only repeats what stands.
    pub(super) fn renews(&self) -> bool {
        self.under_way.as_ref().is_some_and(|write| write.renewal)
    }

    /// Whether Teams has refused the last write.
    pub(super) fn is_refused(&self) -> bool {
        self.hold.refusal().is_some()
    }

    /// Lets every write leave at once.
    pub(super) fn end_hold(&mut self) {
        self.hold.end();
    }

    /// Lets the writes leave at once that waited because Graph could not be reached.
    pub(super) fn reach(&mut self) {
        self.hold.reach();
    }

    /// Whether a message that Teams shows is of our own making.
    pub(super) fn explains(&self, text: &str, scene: Scene) -> bool {
        let digest = scene.digest(text);
        let fades = |trace: &Trace| scene.now < trace.gone_at + FADING;
        self.is_ours(&digest) || self.has_trace(&digest, fades)
    }

    /// Whether a notified message may be a late trace of one of ours.
    pub(super) fn recalls(&self, text: &str, scene: Scene) -> bool {
        let digest = scene.digest(text);
        let remembered = |trace: &Trace| scene.now <= trace.gone_at + REMEMBERED;
        !self.is_ours(&digest) && self.has_trace(&digest, remembered)
    }

    fn is_ours(&self, digest: &Digest) -> bool {
        let before = self.under_way.as_ref().and_then(|write| write.before.as_ref());
        let held = self.message.iter().chain(before);
        held.filter(|message| message.holds())
            .any(|message| message.digest == *digest)
            || self.replaced.iter().any(|(replaced, _)| replaced == digest)
    }

    fn has_trace(&self, digest: &Digest, lasts: impl Fn(&Trace) -> bool) -> bool {
        let mut traces = self.traces.iter().filter(|trace| trace.ours && lasts(trace));
        traces.any(|trace| trace.text.as_ref() == Some(digest))
    }

    /// Follows the user's note at the PBX, and drops what has ended by itself.
    pub(super) fn follow(&mut self, scene: Scene) -> Noted {
        let mut noted = Noted::default();
        self.traces
            .retain(|trace| scene.now <= trace.gone_at + REMEMBERED);
        if std::mem::take(&mut self.row_is_stale) && self.message.is_none() {
            noted.change = Some(scene.remove(Slot::StatusMessage));
        }
        let known = scene.pbx.note.is_some();
        let wanted = Self::wish(scene).map(|wish| wish.digest);
        if !scene.claims_notes() {
            (self.first_noted, self.compared) = (None, false);
        } else if self.first_noted.is_none() && known {
            self.first_noted = Some(wanted.clone());
        }
        if known && self.noted != wanted {
            (self.noted, self.noted_at) = (wanted.clone(), scene.now);
            self.shown_when_noted = self.shown.as_ref().and_then(|(shown, _)| shown.clone());
        }
        if self.under_way.is_some() {
            return noted;
        }
        self.replaced.retain(|(_, until)| *until > scene.now);
        let ended = |message: &mut Message| message.holds() && message.until <= scene.now;
        if let Some(ended) = self.message.take_if(ended) {
            self.leave_trace(Some(ended.digest), true, scene.now);
            noted = Noted {
                change: Some(scene.remove(Slot::StatusMessage)),
                read_at: Some(scene.now),
                empty: true,
            };
        }
        let yielded = self.message.as_ref().filter(|message| !message.holds());
        if let Some(message) = yielded
            && (!scene.claims_notes() || (known && wanted.as_ref() != Some(&message.digest)))
        {
            self.message = None;
            noted.change = Some(scene.remove(Slot::StatusMessage));
        }
        noted
    }

    /// What the PBX asks Teams to say, as far as we may say it.
    fn wish(scene: Scene) -> Option<Wish> {
        if !scene.claims_notes() {
            return None;
        }
        let message = scene.pbx.note.clone().flatten()?;
        let digest = message.digest(&scene.member.pbx.guid);
        Some(Wish { digest, message })
    }

    /// Whether the PBX still asks for the text of a message.
    fn asks_for(message: &Message, scene: Scene) -> bool {
        Self::wish(scene).is_some_and(|wish| wish.digest == message.digest)
    }

    /// Takes in the outcome of the write under way.
    pub(super) fn written(&mut self, outcome: &Outcome, scene: Scene) -> Noted {
        let Some(written) = self.under_way.take() else {
            return Noted::default();
        };
        self.last_write.answered(scene.now);
        let soon = Some(scene.now + super::claim::SETTLING);
        match outcome {
            Outcome::Accepted => {}
            // where there is nobody, nothing is said
            Outcome::Refused { gone: true, .. } if written.text.is_none() => {}
            Outcome::Refused { message, .. } => {
                self.hold.refuse(written.text, scene.now, message);
                self.message = written.before;
                if let Some(message) = &self.message {
                    self.replaced.retain(|(digest, _)| *digest != message.digest);
                }
                return Noted {
                    change: Some(self.row(scene)),
                    ..Noted::default()
                };
            }
            Outcome::Failed { wait } => {
                self.hold.fail(scene.now, *wait);
                return Noted {
                    read_at: soon,
                    ..Noted::default()
                };
            }
        }
        self.hold.succeed(&written.text);
        for (digest, _) in std::mem::take(&mut self.replaced) {
            self.leave_trace(Some(digest), true, scene.now);
        }
        let Some(text) = written.text else {
            let gone = self.message.take().map(|message| message.digest);
            self.leave_trace(gone, true, scene.now);
            return Noted {
                change: Some(scene.remove(Slot::StatusMessage)),
                read_at: soon,
                empty: true,
            };
        };
        let before = self.shown_before.take();
        if before.as_ref() != Some(&text) {
            self.leave_trace(before, false, scene.now);
        }
        if let Some(message) = &mut self.message {
            message.state = LedgerState::Confirmed;
            message.written_at = scene.now;
        }
        Noted {
            change: Some(self.row(scene)),
            read_at: soon.filter(|_| !written.renewal),
            empty: false,
        }
    }

    /// Keeps one trace per text.
    fn leave_trace(&mut self, text: Option<Digest>, ours: bool, gone_at: DateTime<Utc>) {
        let known = |trace: &Trace| trace.text == text && trace.ours;
        let ours = ours || self.traces.iter().any(known);
        self.traces.retain(|trace| trace.text != text);
        self.traces.push(Trace { text, ours, gone_at });
    }

    /// When something of this side changes by itself next.
    pub(super) fn next_deadline(&self, pace: &Pace, scene: Scene) -> Option<DateTime<Utc>> {
        if self.under_way.is_some() {
            return None;
        }
        let held = self.message.iter().filter(|message| message.holds());
        let times = held.flat_map(|message| [message.until, intent::renewed_at(message)]);
        times
            .chain(self.hold.ends())
            .chain([pace.next_words().0])
            .filter(|time| *time > scene.now)
            .min()
    }

    /// The change of the ledger that makes the row what we know.
    fn row(&self, scene: Scene) -> LedgerChange {
        let Some(message) = &self.message else {
            return scene.remove(Slot::StatusMessage);
        };
        let value = |digest: &Digest| TeamsPresence::new(digest.as_str(), digest.as_str());
        let replaces = self.replaced.iter().map(|(digest, until)| Replaced {
            value: value(digest),
            stands_for: String::new(),
            until: *until,
        });
        LedgerChange::Put(LedgerRow {
            pbx_user: scene.member.pbx.guid.clone(),
            h323: scene.member.pbx.h323.clone(),
            home: scene.member.pbx.home.clone(),
            teams_user: scene.member.teams.clone(),
            slot: Slot::StatusMessage,
            state: message.state,
            value: value(&message.digest),
            stands_for: if self.visible { SHOWN } else { "" }.to_owned(),
            written_at: message.written_at,
            until: Some(message.until),
            replaces: replaces.collect(),
        })
    }
}
