//! What the PBX shows of one user, as far as we have seen it.
//!
//! A call of our own at the PBX, which stands for a call in Teams, must never be taken for a call of the user's. While
//! it stands, the PBX's entries say nothing of calls, and only a higher count than our own call's tells of one. While it
//! may still be counted, what only it would explain is ambiguous: the last certain state stays, and nothing is claimed
//! anew for it (DESIGN 5, further rules).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::own_call::OwnCall;
use crate::identity::PbxName;
use crate::note::StatusMessage;
use crate::pbx::PresenceEntry;

/// The activity by which the PBX tells of a call (pbx.md 3.2).
pub const ON_THE_PHONE: &str = "on-the-phone";

/// Entries that never tell what the user chose (DESIGN 5).
const NOT_A_CHOICE: [&str; 3] = ["teams:", "im:", "app:"];

/// The calls of a user at one PBX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldCalls {
    /// How many there are.
    pub number: u32,
    /// Whether they are followed at this time.
    pub fresh: bool,
}

/// What the PBX shows of a user.
///
/// Nothing here is forgotten when a source falls silent: it only stops being fresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PbxSight {
    /// The PBX that told of the presence last.
    pub told_by: Option<PbxName>,
    /// The user's own choice: an activity, or empty for none. Unknown until first seen.
    pub choice: Option<String>,
    /// The user's own note, or none. Unknown until first seen.
    pub note: Option<Option<StatusMessage>>,
    /// Whether an entry says that the user is on the phone.
    pub phone_entry: Option<bool>,
    /// Whether the presence is followed at this time.
    pub presence_fresh: bool,
    /// The calls that each PBX tells of: the user's own one only, once it is known.
    pub calls: BTreeMap<PbxName, ToldCalls>,
    /// The activity of our own entry, empty when there is none. Unknown until first seen.
    pub own_entry: Option<String>,
    /// The note of our own entry, empty when there is none.
    pub own_note: String,
    /// A call of ours that the PBX counts, or may still count.
    pub own_call: Option<OwnCall>,
    /// Whether the user was on the phone when that was last certain.
    certainly: bool,
}

/// Whether a user is on the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnTheLine {
    Yes,
    No,
    /// Our own call would explain all that is told, and may be over or not have begun.
    Ambiguous,
}

impl PbxSight {
    /// Takes in a user's whole presence. Answers the PBX at which our entry has stayed behind: it told of the presence
    /// until now and showed the entry, and this one shows another or none, so they keep presence apart.
    pub fn see_presence(
        &mut self,
        pbx: &PbxName,
        entries: &[PresenceEntry],
        own_contact: &str,
    ) -> Option<PbxName> {
        let of_others = || {
            entries
                .iter()
                .filter(|entry| is_a_choice(&entry.contact, own_contact))
        };
        let phone = of_others().any(|entry| is_phone(&entry.activity));
        self.phone_entry = Some(phone);
        if !phone {
            // what an on-the-phone entry hides is unknown: the last known choice and note stay
            let newest = of_others().find(|entry| !entry.activity.trim().is_empty());
            self.choice = Some(
                newest
                    .map(|entry| entry.activity.trim().to_lowercase())
                    .unwrap_or_default(),
            );
            self.note = Some(of_others().find_map(|entry| StatusMessage::of_note(&entry.note)));
        }
        let own = entries
            .iter()
            .find(|entry| entry.contact.eq_ignore_ascii_case(own_contact));
        let note = own.map(|entry| entry.note.clone()).unwrap_or_default();
        let note_before = std::mem::replace(&mut self.own_note, note);
        let own = own.map(|entry| entry.activity.clone()).unwrap_or_default();
        let shown_before = self.own_entry.replace(own.clone()).unwrap_or_default();
        let told_before = self.told_by.replace(pbx.clone());
        let stood = !shown_before.is_empty() || !note_before.is_empty();
        let differs = shown_before != own || note_before != self.own_note;
        let left_behind = told_before.filter(|before| before != pbx && stood && differs);
        self.presence_fresh = true;
        if let Some(own_call) = &mut self.own_call {
            own_call.see_entries(phone);
        }
        self.settle();
        left_behind
    }

    /// Takes in the number of calls at a PBX.
    pub fn see_calls(&mut self, pbx: &PbxName, number: u32) {
        let before = self.calls.insert(pbx.clone(), ToldCalls { number, fresh: true });
        if let Some(own_call) = &mut self.own_call {
            own_call.see_calls(pbx, before.map_or(0, |before| before.number), number);
        }
        self.settle();
    }

    /// A call of ours is ordered at a PBX; when the PBX has confirmed it, it stands from then on.
    pub(super) fn begin_own_call(&mut self, pbx: &PbxName, confirmed: Option<DateTime<Utc>>) {
        let here = self.own_call.take().filter(|own_call| own_call.pbx() == pbx);
        let mut own_call = here.unwrap_or_else(|| OwnCall::at(pbx));
        match confirmed {
            Some(now) => own_call.confirm(now),
            None => own_call.order(),
        }
        self.own_call = Some(own_call);
        self.settle();
    }

    /// Our call was never taken.
    pub(super) fn withdraw_own_call(&mut self) {
        if let Some(own_call) = &mut self.own_call {
            own_call.withdraw();
        }
        self.settle();
    }

    /// The end of our call is ordered.
    pub(super) fn order_end_of_own_call(&mut self) {
        if let Some(own_call) = &mut self.own_call {
            own_call.order_end();
        }
    }

    /// Our call ends with its connection, as soon as the PBX notices; until the given time it may still be told.
    pub(super) fn lose_own_call(&mut self, until: DateTime<Utc>) {
        if let Some(own_call) = &mut self.own_call {
            own_call.lose(until);
        }
        self.settle();
    }

    /// Our call is over; until the given time it may still be told.
    pub(super) fn end_own_call(&mut self, until: DateTime<Utc>) {
        if let Some(own_call) = &mut self.own_call {
            own_call.end(until);
        }
        self.settle();
    }

    /// Forgets calls of ours that nothing tells of any more.
    pub(super) fn forget_own_call(&mut self, now: DateTime<Utc>) {
        if let Some(own_call) = &mut self.own_call {
            if !own_call.remains(now) {
                self.own_call = None;
            }
            self.settle();
        }
    }

    /// Remembers from the ledger that calls of ours may still be told at a PBX until then, and whether a lease of ours
    /// stood for a call of the user's.
    pub(super) fn recall_own_call(&mut self, pbx: &PbxName, until: DateTime<Utc>, on_the_phone: bool) {
        if self.own_call.is_none() {
            let mut own_call = OwnCall::at(pbx);
            own_call.withdraw();
            self.own_call = Some(own_call);
        }
        if let Some(own_call) = self.own_call.as_mut().filter(|own_call| own_call.pbx() == pbx) {
            own_call.leave_trace(until);
        }
        self.certainly |= on_the_phone;
    }

    /// Notes that the presence is not followed any more.
    pub fn lose_presence(&mut self) {
        self.presence_fresh = false;
    }

    /// Notes that a PBX tells nothing any more.
    pub fn lose(&mut self, pbx: &PbxName) {
        if self.told_by.as_ref() == Some(pbx) {
            self.presence_fresh = false;
        }
        self.lose_calls(pbx);
    }

    /// Notes that a PBX does not tell of calls any more.
    pub fn lose_calls(&mut self, pbx: &PbxName) {
        if let Some(calls) = self.calls.get_mut(pbx) {
            calls.fresh = false;
        }
    }

    /// Forgets calls that nobody follows while the presence is followed: what was known of them has run out.
    pub(super) fn forget_unfollowed_calls(&mut self) {
        if self.presence_fresh {
            self.calls.retain(|_, calls| calls.fresh);
            self.settle();
        }
    }

    /// Forgets the calls that other PBXs than the user's own told of.
    pub fn keep_calls_of(&mut self, home: &PbxName) {
        self.calls.retain(|pbx, _| pbx == home);
        self.settle();
    }

    /// Whether the user is on the phone, by the last whole picture of either source.
    pub fn on_the_phone(&self) -> bool {
        self.certainly
    }

    /// Whether a source that is followed at this time says that the user is on the phone.
    pub fn surely_on_the_phone(&self) -> bool {
        let told =
            |(pbx, calls): (&PbxName, &ToldCalls)| calls.fresh && calls.number > self.own_calls_at(pbx);
        (self.presence_fresh && self.entry_tells()) || self.calls.iter().any(told)
    }

    fn judge(&self) -> OnTheLine {
        let told = |(pbx, calls): (&PbxName, &ToldCalls)| calls.number > self.own_calls_at(pbx);
        if self.entry_tells() || self.calls.iter().any(told) {
            return OnTheLine::Yes;
        }
        let something = self.phone_entry == Some(true) || self.calls.values().any(|calls| calls.number > 0);
        if something && self.own_call.as_ref().is_some_and(OwnCall::is_ambiguous) {
            OnTheLine::Ambiguous
        } else {
            OnTheLine::No
        }
    }

    /// Keeps what is certain.
    fn settle(&mut self) {
        match self.judge() {
            OnTheLine::Yes => self.certainly = true,
            OnTheLine::No => self.certainly = false,
            OnTheLine::Ambiguous => {}
        }
    }

    /// Whether an entry tells of a call that is not our own.
    fn entry_tells(&self) -> bool {
        self.phone_entry == Some(true) && !self.own_call.as_ref().is_some_and(OwnCall::may_be_shown)
    }

    fn own_calls_at(&self, pbx: &PbxName) -> u32 {
        self.own_call
            .as_ref()
            .map_or(0, |own_call| own_call.counted_at(pbx))
    }

    /// Whether the user's presence has been seen at all.
    pub fn known(&self) -> bool {
        self.phone_entry.is_some()
    }

    /// Whether something can be claimed for what is told: not while only a call of ours that may be over would explain it.
    pub(super) fn is_certain(&self) -> bool {
        self.known() && self.judge() != OnTheLine::Ambiguous
    }

    /// The state that the PBX shows, as one activity.
    pub fn activity(&self) -> Option<&str> {
        if self.on_the_phone() {
            Some(ON_THE_PHONE)
        } else {
            self.choice.as_deref()
        }
    }
}

fn is_a_choice(contact: &str, own_contact: &str) -> bool {
    let contact = contact.trim().to_lowercase();
    contact != own_contact.to_lowercase() && !NOT_A_CHOICE.iter().any(|prefix| contact.starts_with(prefix))
}

fn is_phone(activity: &str) -> bool {
    activity.trim().eq_ignore_ascii_case(ON_THE_PHONE)
}
