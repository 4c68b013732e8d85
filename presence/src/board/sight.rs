//! What either side shows of one user, as far as we have seen it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::claim::SETTLING;
use crate::identity::PbxName;
use crate::pbx::PresenceEntry;
use crate::teams::{Source, TeamsObservation, TeamsPresence, is_older_sequence};

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
    /// Whether an entry says that the user is on the phone.
    pub phone_entry: Option<bool>,
    /// Whether the presence is followed at this time.
    pub presence_fresh: bool,
    /// The calls that each PBX tells of: the user's own one only, once it is known.
    pub calls: BTreeMap<PbxName, ToldCalls>,
    /// The activity of our own entry, empty when there is none. Unknown until first seen.
    pub own_entry: Option<String>,
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
            // what an on-the-phone entry hides is unknown: the last known choice stays
            let newest = of_others().find(|entry| !entry.activity.trim().is_empty());
            self.choice = Some(
                newest
                    .map(|entry| entry.activity.trim().to_lowercase())
                    .unwrap_or_default(),
            );
        }
        let own = entries
            .iter()
            .find(|entry| entry.contact.eq_ignore_ascii_case(own_contact));
        let own = own.map(|entry| entry.activity.clone()).unwrap_or_default();
        let shown_before = self.own_entry.replace(own.clone()).unwrap_or_default();
        let told_before = self.told_by.replace(pbx.clone());
        let left_behind =
            told_before.filter(|before| before != pbx && !shown_before.is_empty() && shown_before != own);
        self.presence_fresh = true;
        left_behind
    }

    /// Takes in the number of calls at a PBX.
    pub fn see_calls(&mut self, pbx: &PbxName, number: u32) {
        self.calls.insert(pbx.clone(), ToldCalls { number, fresh: true });
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
        }
    }

    /// Forgets the calls that other PBXs than the user's own told of.
    pub fn keep_calls_of(&mut self, home: &PbxName) {
        self.calls.retain(|pbx, _| pbx == home);
    }

    /// Whether the user is on the phone, by the last whole picture of either source.
    pub fn on_the_phone(&self) -> bool {
        self.phone_entry == Some(true) || self.calls.values().any(|calls| calls.number > 0)
    }

    /// Whether a source that is followed at this time says that the user is on the phone.
    pub fn surely_on_the_phone(&self) -> bool {
        (self.presence_fresh && self.phone_entry == Some(true))
            || self.calls.values().any(|calls| calls.fresh && calls.number > 0)
    }

    /// Whether the user's presence has been seen at all.
    pub fn known(&self) -> bool {
        self.phone_entry.is_some()
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

/// What Teams shows of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamsSight {
    /// The pair of the newest observation that was believed.
    pub presence: Option<TeamsPresence>,
    /// When that notification was received or that read begun.
    pub seen_at: Option<DateTime<Utc>>,
    /// Whether a read has been answered since the start, be it that Graph left the user out.
    pub read: bool,
    /// Whether the last read left the user out.
    pub missing: bool,
    sequence: Option<String>,
    newest_read: Option<DateTime<Utc>>,
    newest_notice: Option<(DateTime<Utc>, TeamsPresence)>,
    doubted: Option<String>,
    /// Whether something without a number was believed since the last read with one: it may be newer than what a
    /// notification with a higher number tells.
    unnumbered: bool,
}

/// What became of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is the newest truth.
    Believed,
    /// It is the newest truth as far as we can tell; a read must confirm it.
    BelievedUnconfirmed,
    /// It is older than what we know.
    Old,
    /// It may be older than what we know: another read must tell.
    Doubted,
}

impl TeamsSight {
    /// Takes in an observation and says what became of it (DESIGN 5, order). `echo` tells whether it may be a late trace
    /// of what we have released: without a number that proves the opposite, it is not shown before a read confirms it.
    pub fn see(&mut self, observation: &TeamsObservation, echo: bool) -> Verdict {
        let verdict = match observation.source {
            Source::Notified { received_at } => self.judge_notice(observation, received_at, echo),
            Source::Read { begun_at } => self.judge_read(observation, begun_at),
        };
        if matches!(verdict, Verdict::Believed | Verdict::BelievedUnconfirmed) {
            self.presence = Some(observation.presence.clone());
            self.seen_at = Some(match observation.source {
                Source::Notified { received_at } => received_at,
                Source::Read { begun_at } => begun_at,
            });
            let numbered = observation.sequence.is_some();
            match observation.source {
                Source::Read { .. } => self.unnumbered = !numbered,
                Source::Notified { .. } => self.unnumbered |= !numbered,
            }
            if numbered {
                self.sequence.clone_from(&observation.sequence);
            }
            self.doubted = None;
        }
        verdict
    }

    /// Notes that a read left the user out.
    pub fn see_missing(&mut self) {
        self.read = true;
        self.missing = true;
    }

    fn judge_notice(
        &mut self,
        observation: &TeamsObservation,
        received_at: DateTime<Utc>,
        echo: bool,
    ) -> Verdict {
        if let (Some(new), Some(known)) = (&observation.sequence, &self.sequence)
            && is_older_sequence(new, known)
        {
            return Verdict::Old;
        }
        let newest = self.newest_notice.as_ref();
        if newest.is_none_or(|(newest, _)| *newest <= received_at) {
            self.newest_notice = Some((received_at, observation.presence.clone()));
        }
        let ordered = observation.sequence.is_some() && !self.unnumbered;
        match (ordered, echo) {
            (true, _) => Verdict::Believed,
            (false, true) => Verdict::Doubted,
            (false, false) => Verdict::BelievedUnconfirmed,
        }
    }

    fn judge_read(&mut self, observation: &TeamsObservation, begun_at: DateTime<Utc>) -> Verdict {
        if self.newest_read.is_some_and(|newest| newest > begun_at) {
            return Verdict::Old;
        }
        self.newest_read = Some(begun_at);
        let older = matches!(
            (&observation.sequence, &self.sequence),
            (Some(new), Some(known)) if is_older_sequence(new, known)
        );
        // a lower number is believed when the next read repeats it
        if older && self.doubted != observation.sequence {
            self.doubted.clone_from(&observation.sequence);
            return Verdict::Doubted;
        }
        // what was notified just now, not every read shows yet
        let too_early = |(notified_at, notified): &(DateTime<Utc>, TeamsPresence)| {
            begun_at < *notified_at
                || (begun_at < *notified_at + SETTLING && *notified != observation.presence)
        };
        if observation.sequence.is_none() && self.newest_notice.as_ref().is_some_and(too_early) {
            return Verdict::Doubted;
        }
        self.read = true;
        self.missing = false;
        if older {
            // two reads may be late alike
            return Verdict::BelievedUnconfirmed;
        }
        Verdict::Believed
    }
}
