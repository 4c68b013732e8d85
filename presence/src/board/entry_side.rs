//! Our entry at the PBX of one user: what it should show, and when it is written.
//!
//! The PBX tells what it shows, so the wanted activity is compared with the told one. A list without our entry proves
//! that it is gone only if it was seen there before: the right to see it may be missing, and a write that can never be
//! seen must not be repeated for ever.

use chrono::{DateTime, Utc};

use super::hold::Hold;
use super::pace::Pace;
use super::pbx_sight::PbxSight;
use super::transition::{HeldBack, Receipt, Side};
use super::{Brake, EntryWrite, Member, Outcome};
use crate::ports::{LedgerChange, LedgerRow, LedgerState, Slot};
use crate::teams::TeamsPresence;

/// What our entry carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) activity: String,
    pub(super) note: String,
}

impl Shown {
    /// Whether there is no entry.
    fn is_nothing(&self) -> bool {
        self.activity.is_empty() && self.note.is_empty()
    }
}

/// Our entry at the PBX of one user.
#[derive(Clone, Debug)]
pub(super) struct EntrySide {
    /// What the entry's activity is, as far as we know; empty for none.
    shown: Option<String>,
    /// The note that we wrote, or that was told first; a PBX may tell it in another form.
    note: Option<String>,
    /// Whether a note of ours was ever seen, so that we have the right to see it.
    note_visible: bool,
    /// Whether it may be another: a write was left unanswered, or only the ledger tells of the entry.
    unsure: bool,
    /// Whether the entry was seen at the PBX since it was written.
    seen: bool,
    /// Whether any entry of ours was ever seen at the PBX, so that we have the right to see it.
    visible: bool,
    /// Whether the ledger has a row of it.
    stored: bool,
    under_way: Option<Shown>,
    pub(super) hold: Hold<Shown>,
    pub(super) pace: Pace,
    pub(super) held_back: HeldBack<Shown>,
}

impl EntrySide {
    pub(super) fn new() -> Self {
        Self {
            shown: None,
            note: None,
            note_visible: false,
            unsure: false,
            seen: false,
            visible: false,
            stored: false,
            under_way: None,
            hold: Hold::default(),
            pace: Pace::of_the_pbx(),
            held_back: HeldBack::default(),
        }
    }

    /// Takes in a row of the ledger.
    pub(super) fn restore(&mut self, row: &LedgerRow) {
        self.shown = Some(row.value.activity.clone());
        self.unsure = true;
        self.stored = true;
    }

    /// What the entry is, as far as we know.
    pub(super) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// Whether nothing of ours is left at the PBX.
    pub(super) fn is_clear(&self) -> bool {
        self.under_way.is_none() && !self.unsure && !self.stands()
    }

    /// Whether there is an entry, as far as we know.
    fn stands(&self) -> bool {
        let says = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        says(&self.shown) || says(&self.note)
    }

    /// Whether a write is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether the PBX has taken an entry of ours and does not show it: the right to see it is missing.
    pub(super) fn is_unseen(&self) -> bool {
        self.stands() && !self.visible && !self.unsure && self.under_way.is_none()
    }

    /// Whether the PBX shows another entry than the one that we wrote.
    pub(super) fn contradicts(&self, own_entry: &str) -> bool {
        self.under_way.is_none() && self.seen && self.shown.as_deref() != Some(own_entry)
    }

    /// Doubts an entry that the PBX never shows us: it is written again, for it cannot be compared.
    pub(super) fn doubt(&mut self) {
        self.unsure |= !self.visible && self.stands();
    }

    /// Takes in what the PBX shows as our entry.
    pub(super) fn see(&mut self, own_entry: &str, own_note: &str) {
        let present = !own_entry.is_empty() || !own_note.is_empty();
        self.note_visible |= !own_note.is_empty();
        self.visible |= present;
        if let Some(written) = &self.under_way {
            self.seen |= present && own_entry == written.activity;
            return;
        }
        let removed = self.note_visible && own_note.is_empty();
        if removed || self.note.is_none() {
            self.note = Some(own_note.to_owned());
        }
        if present || self.seen || self.unsure || self.shown.is_none() {
            self.shown = Some(own_entry.to_owned());
            self.unsure &= !self.visible;
            self.seen = present;
        }
    }

    /// Decides whether the entry must be written and notes that it is under way. Answers the write, and the change of
    /// the ledger that must be stored before it leaves.
    pub(super) fn next_write(
        &mut self,
        wanted: Option<&Shown>,
        member: &Member,
        pbx: &PbxSight,
        leaving: bool,
        restrained: Option<Brake>,
        now: DateTime<Utc>,
    ) -> (Option<EntryWrite>, Option<LedgerChange>) {
        let told = pbx.presence_fresh || leaving;
        let (Some(wanted), Some(shown)) = (wanted, &self.shown) else {
            return (None, None);
        };
        if self.under_way.is_some() || !told {
            return (None, None);
        }
        let noted = self.note.as_deref().unwrap_or_default() == wanted.note;
        if *shown == wanted.activity && noted && !self.unsure {
            self.held_back.end();
            let gone = wanted.is_nothing() && std::mem::take(&mut self.stored);
            return (None, gone.then(|| no_row(member)));
        }
        if self.hold.stops(wanted, now) {
            return (None, None);
        }
        let order = restrained.map(|brake| (brake, None));
        if let Some((brake, until)) = order.or_else(|| self.pace.brake(now)) {
            self.held_back.note(wanted.clone(), |what| Receipt {
                side: Side::Pbx,
                what: what.activity.clone(),
                brake,
                until,
            });
            return (None, None);
        }
        self.held_back.end();
        self.pace.take(now, false);
        self.under_way = Some(wanted.clone());
        self.seen = false;
        // while a user moves, the PBX that tells of him is known before the roster names his new home
        let followed_at = pbx.told_by.clone().filter(|_| pbx.presence_fresh);
        let write = EntryWrite {
            user: member.pbx.guid.clone(),
            h323: member.pbx.h323.clone(),
            pbx: followed_at.unwrap_or_else(|| member.pbx.home.clone()),
            activity: wanted.activity.clone(),
            note: wanted.note.clone(),
        };
        let before =
            (!wanted.is_nothing()).then(|| row(member, &wanted.activity, LedgerState::Intended, now));
        self.stored |= before.is_some();
        (Some(write), before)
    }

    /// Takes in the outcome of the write under way. Answers the change of the ledger.
    pub(super) fn written(
        &mut self,
        outcome: &Outcome,
        member: &Member,
        now: DateTime<Utc>,
    ) -> Option<LedgerChange> {
        let written = self.under_way.take()?;
        match outcome {
            Outcome::Accepted => {}
            // where there is nobody, there is no entry
            Outcome::Refused { gone: true, .. } if written.is_nothing() => {}
            Outcome::Refused { message, .. } => {
                self.hold.refuse(written, now, message);
                return None;
            }
            Outcome::Failed { wait } => {
                self.unsure = true;
                self.hold.fail(now, *wait);
                return None;
            }
        }
        self.hold.succeed(&written);
        self.unsure = false;
        let change = if written.is_nothing() {
            self.stored = false;
            no_row(member)
        } else {
            row(member, &written.activity, LedgerState::Confirmed, now)
        };
        self.shown = Some(written.activity);
        self.note = Some(written.note);
        Some(change)
    }

    /// When something of this side may change by itself next.
    pub(super) fn next_deadline(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.under_way.is_some() {
            return None;
        }
        self.hold
            .ends()
            .chain([self.pace.next().0])
            .filter(|time| *time > now)
            .min()
    }
}

fn no_row(member: &Member) -> LedgerChange {
    LedgerChange::Remove {
        pbx_user: member.pbx.guid.clone(),
        slot: Slot::PbxEntry,
    }
}

fn row(member: &Member, activity: &str, state: LedgerState, now: DateTime<Utc>) -> LedgerChange {
    LedgerChange::Put(LedgerRow {
        pbx_user: member.pbx.guid.clone(),
        h323: member.pbx.h323.clone(),
        home: member.pbx.home.clone(),
        teams_user: member.teams.clone(),
        slot: Slot::PbxEntry,
        state,
        value: TeamsPresence::new(activity, activity),
        stands_for: String::new(),
        written_at: now,
        until: None,
        replaces: Vec::new(),
    })
}
