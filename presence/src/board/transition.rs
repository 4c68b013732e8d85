//! What was seen of one user and what followed from it: the board hands it out, whoever keeps it stamps it.
//!
//! A look that tells nothing new is no transition: a sweep of everybody leaves no trace where nothing has changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Brake, Verdict};
use crate::identity::PbxGuid;

/// Where something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A notification of Teams.
    TeamsNotified,
    /// A read of Teams.
    TeamsRead,
    /// The user's entries at the PBX.
    PbxEntry,
    /// The user's note at the PBX, without its text.
    PbxNote,
    /// The user's calls at the PBX.
    Calls,
    /// Who is synchronised.
    Roster,
    /// A lease or a wait that ended.
    Clock,
    /// An administrator's order.
    Order,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Seen {
    /// Where.
    #[serde(rename = "where")]
    pub place: Place,
    /// What, in the words of its side.
    pub what: String,
    /// What became of a look at Teams.
    pub verdict: Option<Verdict>,
    /// When a notification was received, or a read begun.
    pub at: Option<DateTime<Utc>>,
}

/// What is written: Teams or the PBX, either in one of two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The session and the preferred presence.
    Teams,
    /// The status message in Teams.
    TeamsNote,
    /// Our entry.
    Pbx,
    /// A call of ours at the PBX.
    PbxCall,
}

/// The receipt of a write that was held back: the newest state waits and is not lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Of which side.
    pub side: Side,
    /// What is to be written.
    pub what: String,
    /// What holds it back.
    pub brake: Brake,
    /// Until when, unless the state changes again; until an administrator says otherwise where it is not told.
    pub until: Option<DateTime<Utc>>,
}

/// A write that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Of which side.
    pub side: Side,
    /// What is written.
    pub what: String,
}

/// What was seen of one user, and what was decided upon it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Whose.
    pub user: PbxGuid,
    /// What was seen, in order.
    pub seen: Vec<Seen>,
    /// Why it was decided so, as one sentence.
    pub why: String,
    /// Writes that follow; they stand in the same [`super::Due`].
    pub planned: Vec<Planned>,
    /// Writes that were held back.
    pub held: Vec<Receipt>,
}

/// More than anybody wants to read of one moment.
const MOST: usize = 8;

/// What was seen of one user since the last transition.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    seen: Vec<Seen>,
    /// Whether there is more than first looks, which tell what was there before anybody looked.
    news: bool,
}

impl Journal {
    /// Notes something; of very many things in one moment the newest are kept.
    pub(super) fn note(&mut self, seen: Seen, news: bool) {
        if self.seen.len() >= MOST {
            self.seen.remove(0);
        }
        self.seen.push(seen);
        self.news |= news;
    }

    /// Notes something that is no look at Teams.
    pub(super) fn note_plainly(&mut self, place: Place, what: impl Into<String>, news: bool) {
        let (what, verdict, at) = (what.into(), None, None);
        self.note(
            Seen {
                place,
                what,
                verdict,
                at,
            },
            news,
        );
    }

    pub(super) fn has_news(&self) -> bool {
        self.news
    }

    pub(super) fn take(&mut self) -> Vec<Seen> {
        self.news = false;
        std::mem::take(&mut self.seen)
    }
}

/// The write that is held back: each is told once.
#[derive(Clone, Debug)]
pub(super) struct HeldBack<W> {
    held: Option<(W, Receipt)>,
    told: bool,
}

impl<W> Default for HeldBack<W> {
    fn default() -> Self {
        Self {
            held: None,
            told: true,
        }
    }
}

impl<W: PartialEq> HeldBack<W> {
    pub(super) fn note(&mut self, write: W, receipt: impl FnOnce(&W) -> Receipt) {
        if self.held.as_ref().is_none_or(|(held, _)| *held != write) {
            let receipt = receipt(&write);
            self.held = Some((write, receipt));
            self.told = false;
        }
    }

    pub(super) fn end(&mut self) {
        self.held = None;
    }

    /// What is held back at this time.
    pub(super) fn receipt(&self) -> Option<&Receipt> {
        self.held.as_ref().map(|(_, receipt)| receipt)
    }

    /// What is held back, once.
    pub(super) fn take_receipt(&mut self) -> Option<Receipt> {
        let told = std::mem::replace(&mut self.told, true);
        self.receipt().filter(|_| !told).cloned()
    }
}
