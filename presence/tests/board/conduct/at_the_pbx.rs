//! What the connector has done at the PBX: its entry and its call.

use m365_presence::board::{EntryWrite, Outcome};

use super::Conduct;
use crate::invariants::{Check, Rule, ensure};
use crate::oracle;

impl Conduct {
    /// Judges a write to the PBX when it leaves.
    pub fn leave_entry(&mut self, write: &EntryWrite, delays: i64, now: i64) -> Check {
        self.writes += 1;
        let activity = &write.activity;
        ensure(self.entry_under_way.is_none(), Rule::OneAtATime, || {
            format!("entry {activity:?} during another")
        })?;
        ensure(
            self.accepted_entry.as_ref() != Some(activity),
            Rule::NoRepeat,
            || format!("entry {activity:?} again"),
        )?;
        self.entry_under_way = Some(activity.clone());
        if activity.is_empty() {
            return Ok(());
        }
        self.check_shown(activity, delays, now)
    }

    /// Judges what is about to be shown at the PBX.
    fn check_shown(&self, activity: &str, delays: i64, now: i64) -> Check {
        ensure(self.in_roster, Rule::Justified, || {
            format!("entry {activity:?} of a leaving user")
        })?;
        let Some((pair, ours)) = self.believed else {
            return ensure(false, Rule::Justified, || {
                format!("entry {activity:?} without a look at Teams")
            });
        };
        ensure(oracle::entry_for(pair) == activity, Rule::Justified, || {
            format!("entry {activity:?} for {pair:?}")
        })?;
        // a late echo of what was set before the start cannot be told from a new state before the read that confirms
        let remembers = self.believed_from - self.since > delays;
        // a released claim explains for 15 s at most, although no read may have told since what lies beneath
        let released = self.released.get(&pair).copied().unwrap_or(i64::MAX);
        let starved =
            self.read_from < released.saturating_add(1_000) && now > released.saturating_add(14_999);
        ensure(!ours || !remembers || starved, Rule::NoEcho, || {
            format!("entry {activity:?} for our own {pair:?}")
        })
    }

    pub fn answer_entry(&mut self, outcome: &Outcome) {
        let written = self.entry_under_way.take();
        self.accepted_entry = written.filter(|_| *outcome == Outcome::Accepted);
    }

    /// Judges a write of our call when it leaves.
    pub fn leave_alien_call(&mut self, on: bool, delays: i64, now: i64) -> Check {
        self.writes += 1;
        ensure(self.alien_call_under_way.is_none(), Rule::OneAtATime, || {
            format!("alien call {on} during another")
        })?;
        ensure(self.accepted_alien_call != Some(on), Rule::NoRepeat, || {
            format!("alien call {on} again")
        })?;
        self.alien_call_under_way = Some(on);
        if on {
            self.check_shown("on-the-phone", delays, now)
        } else {
            Ok(())
        }
    }

    pub fn answer_alien_call(&mut self, outcome: &Outcome) {
        let written = self.alien_call_under_way.take();
        self.accepted_alien_call = written.filter(|_| *outcome == Outcome::Accepted);
    }

    /// Calls of ours ended with their connection.
    pub fn lose_alien_call(&mut self) {
        self.accepted_alien_call = None;
    }

    /// Somebody ordered a look at everything: an entry that the PBX never shows is written again.
    pub fn doubt_entry(&mut self) {
        self.accepted_entry = None;
    }
}
