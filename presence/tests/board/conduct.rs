//! What the connector has done for one user, judged at every write by the invariants.

mod at_the_pbx;

use std::collections::BTreeMap;
use std::time::Duration;

use m365_presence::board::{OnThePhone, Outcome};
use m365_presence::ports::PresenceChange;

use crate::invariants::{Check, Rule, ensure};
use crate::oracle::{self, Pair, Told};
use crate::teams_world::{CALL, Shown};

/// A preferred presence of ours that Graph has accepted.
#[derive(Clone, Copy, Debug)]
struct Standing {
    pair: Pair,
    /// How often the choice had changed when it was lifted for a call.
    lifted: Option<u64>,
    /// When it was accepted, or lifted.
    since: i64,
}

/// An accepted write, and how often the user's state at the PBX had changed by then.
#[derive(Clone, Debug)]
struct Accepted {
    change: PresenceChange,
    at: i64,
    told_changes: u64,
}

/// A choice of the user that a read has shown, and the state of the PBX for which we had filled the slot.
#[derive(Clone, Copy, Debug)]
struct Seen {
    choice_changes: u64,
    told_changes: u64,
    on_the_phone: bool,
}

/// The record of one user.
#[derive(Debug, Default)]
pub struct Conduct {
    /// Since when the connector knows the user without a gap.
    pub since: i64,
    pub in_roster: bool,
    pub told: Option<Told>,
    pub fresh: bool,
    /// Changes of what the PBX told.
    told_changes: u64,
    /// Changes of the user's choice.
    pub choice_changes: u64,
    /// When the PBX said so; it is heard a little later.
    pub choice_changed_at: i64,
    last_choice: Option<String>,
    /// With how often the state at the PBX had changed by then.
    under_way: Option<(PresenceChange, u64)>,
    entry_under_way: Option<String>,
    accepted: BTreeMap<bool, Accepted>,
    accepted_entry: Option<String>,
    /// The last accepted write of each slot, also over a restart.
    stands: BTreeMap<bool, PresenceChange>,
    alien_call_under_way: Option<bool>,
    accepted_alien_call: Option<bool>,
    last_touch: i64,
    /// When the last write left, and when the one before was answered.
    left_at: i64,
    touch_before: i64,
    session_since: Option<i64>,
    standing: Option<Standing>,
    /// How often the choice had changed when we last filled the preferred slot.
    pub filled_at_change: Option<u64>,
    filled_at_told_change: u64,
    /// The same before the write under way.
    filled_before: (Option<u64>, u64),
    /// Whether a crash since the last fill took what the connector had learnt of the choice: it happened during a call,
    /// which may have ended or may have hidden something, or before the ledger was told.
    pub uncertain: bool,
    seen: Option<Seen>,
    /// When a read last showed that the user had taken the slot back.
    pub recognised_at: i64,
    believed: Option<(Pair, bool)>,
    believed_from: i64,
    /// When the last read that was believed had begun.
    read_from: i64,
    /// When each pair of ours was released or replaced; far ahead while it is set.
    released: BTreeMap<Pair, i64>,
    pub writes: u64,
}

impl Conduct {
    pub fn member() -> Self {
        Self {
            in_roster: true,
            ..Self::default()
        }
    }

    /// The connector begins anew with this user.
    pub fn begin(&mut self, now: i64) {
        self.since = now;
        self.uncertain |= self.on_the_phone();
        self.told = None;
        self.fresh = false;
        self.under_way = None;
        self.entry_under_way = None;
        self.accepted.clear();
        self.accepted_entry = None;
        self.alien_call_under_way = None;
        self.accepted_alien_call = None;
        self.believed = None;
        self.standing = self.standing.filter(|standing| standing.lifted.is_none());
    }

    /// An intent was left by a crash or got no answer: what the user had chosen before it counts as replaced.
    pub fn count_as_set(&mut self) {
        self.seen = None;
        self.standing = None;
    }

    /// The user comes into the roster: every choice counts as a new one.
    pub fn join(&mut self, now: i64) {
        self.in_roster = true;
        self.since = now;
        self.choice_changes += 1;
        self.told_changes += 1;
        self.accepted_entry = None;
        self.standing = None;
    }

    pub fn tell(&mut self, told: Told, mode: OnThePhone, said_at: i64) {
        // where a call takes the slot, its end is no new choice, nor is what was not known before it
        let unknown = match &self.told {
            Some(before) => before.choice.is_none(),
            None => self.uncertain,
        };
        if unknown && mode == OnThePhone::DoNotDisturb {
            self.last_choice.clone_from(&told.choice);
        }
        if self.told.as_ref() != Some(&told) {
            self.told_changes += 1;
        }
        if told.choice.is_some() && told.choice != self.last_choice {
            self.choice_changes += 1;
            self.choice_changed_at = said_at;
            self.last_choice.clone_from(&told.choice);
            // what was taken back is not ours any more
            self.standing = self.standing.filter(|_| self.seen.is_none());
        }
        self.told = Some(told);
        self.fresh = true;
    }

    fn on_the_phone(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.on_the_phone)
    }

    /// Judges a write to Teams when it leaves.
    pub fn leave(&mut self, change: &PresenceChange, now: i64, mode: OnThePhone, renewal: Duration) -> Check {
        self.writes += 1;
        ensure(self.under_way.is_none(), Rule::OneAtATime, || {
            format!("{change:?} leaves during {:?}", self.under_way)
        })?;
        self.under_way = Some((change.clone(), self.told_changes));
        let blocks = mode == OnThePhone::DoNotDisturb;
        let wish = self
            .told
            .as_ref()
            .filter(|_| self.in_roster)
            .and_then(|told| oracle::wish(told, blocks));
        let session_wanted = self.in_roster && self.on_the_phone() && !blocks;
        let told = self.told.clone();
        let justified = |holds| ensure(holds, Rule::Justified, || format!("{change:?} at {told:?}"));
        match change {
            PresenceChange::SetSession { presence, lifetime } => {
                justified(session_wanted && self.fresh && presence.activity == "InACall")?;
                check_lease(*lifetime, renewal)?;
            }
            PresenceChange::ClearSession => justified(!session_wanted)?,
            PresenceChange::SetPreferred { presence, lifetime } => {
                let pair = oracle::known_pair(&presence.availability, &presence.activity);
                justified(wish == Some(pair) && (self.fresh || !self.on_the_phone()))?;
                if self.on_the_phone() {
                    check_lease(*lifetime, renewal)?;
                }
                // where a call is a state of the slot, it takes the slot; its end does not
                let kept = self.seen.is_some_and(|seen| {
                    let hung_up = seen.on_the_phone && !self.on_the_phone();
                    seen.choice_changes == self.choice_changes
                        && (!blocks || self.told_changes == seen.told_changes + u64::from(hung_up))
                });
                ensure(!kept, Rule::LaterChoice, || {
                    format!("{change:?} overwrites what the user chose later")
                })?;
                self.standing = None;
                self.filled_before = (self.filled_at_change, self.filled_at_told_change);
                self.filled_at_change = Some(self.choice_changes);
                self.uncertain = false;
                self.filled_at_told_change = self.told_changes;
            }
            PresenceChange::ClearPreferred => {
                justified(wish.is_none())?;
                ensure(self.seen.is_none(), Rule::LaterChoice, || {
                    "clears what the user chose later".to_owned()
                })?;
            }
            PresenceChange::SetMessage { .. } | PresenceChange::ClearMessage => {}
        }
        self.touch_before = self.last_touch;
        self.left_at = now;
        self.check_repeat(change, now, renewal)
    }

    fn check_repeat(&self, change: &PresenceChange, now: i64, renewal: Duration) -> Check {
        let Some(before) = self.accepted.get(&is_session(change)) else {
            return Ok(());
        };
        let renewal = i64::try_from(renewal.as_millis()).unwrap();
        let reason = before.change != *change
            || before.told_changes != self.told_changes
            || now - before.at >= renewal;
        ensure(reason, Rule::NoRepeat, || format!("{change:?} again"))
    }

    /// Takes in the outcome of the write under way.
    pub fn answer(&mut self, outcome: &Outcome, now: i64) {
        let Some((change, told_changes)) = self.under_way.take() else {
            return;
        };
        self.last_touch = now;
        let session = is_session(&change);
        self.note_release(&change, *outcome == Outcome::Accepted, now);
        if matches!(outcome, Outcome::Refused { .. }) && !session {
            (self.filled_at_change, self.filled_at_told_change) = self.filled_before;
        }
        if *outcome != Outcome::Accepted {
            self.accepted.remove(&session);
            if matches!(outcome, Outcome::Failed { .. }) {
                self.stands.remove(&session);
            }
            if session {
                self.session_since = None;
            } else if matches!(change, PresenceChange::SetPreferred { .. }) {
                self.count_as_set();
            } else {
                self.standing = None;
            }
            return;
        }
        match &change {
            PresenceChange::SetSession { .. } => self.session_since = Some(self.session_since.unwrap_or(now)),
            PresenceChange::ClearSession => self.session_since = None,
            PresenceChange::SetPreferred { presence, .. } => {
                self.seen = None;
                let pair = oracle::known_pair(&presence.availability, &presence.activity);
                self.standing = Some(Standing {
                    pair,
                    lifted: None,
                    since: now,
                });
            }
            PresenceChange::ClearPreferred => {
                self.standing = self
                    .standing
                    .filter(|_| self.on_the_phone() && self.in_roster)
                    .map(|standing| Standing {
                        lifted: Some(self.choice_changes),
                        since: now,
                        ..standing
                    });
            }
            PresenceChange::SetMessage { .. } | PresenceChange::ClearMessage => {}
        }
        self.stands.insert(session, change.clone());
        self.accepted.insert(
            session,
            Accepted {
                change,
                at: now,
                told_changes,
            },
        );
    }

    fn note_release(&mut self, change: &PresenceChange, accepted: bool, now: i64) {
        let session = is_session(change);
        for (_, released) in self
            .released
            .iter_mut()
            .filter(|(pair, _)| accepted && (**pair == CALL) == session)
        {
            *released = now.min(*released);
        }
        match change {
            PresenceChange::SetSession { .. } => {
                self.released.insert(CALL, i64::MAX);
            }
            PresenceChange::SetPreferred { presence, .. } => {
                let pair = oracle::known_pair(&presence.availability, &presence.activity);
                self.released.insert(pair, i64::MAX);
            }
            PresenceChange::ClearSession
            | PresenceChange::ClearPreferred
            | PresenceChange::SetMessage { .. }
            | PresenceChange::ClearMessage => {}
        }
    }

    /// The lease of a call has ended at Teams, and nobody asked for that.
    pub fn end_call_by_itself(&mut self, now: i64) {
        if let Some(released) = self.released.get_mut(&CALL) {
            *released = now.min(*released);
        }
    }

    /// Notes an observation that was believed; a read of it may show what the user chose.
    pub fn believe(&mut self, shown: Shown, read_begun: Option<i64>, now: i64) {
        self.believed = Some((shown.pair, shown.ours));
        self.believed_from = read_begun.unwrap_or(now);
        self.read_from = read_begun.unwrap_or(self.read_from);
        let (Some(begun), Some(standing)) = (read_begun, self.standing) else {
            return;
        };
        let cleared = matches!(self.under_way, Some((PresenceChange::ClearPreferred, _)));
        let settled = if begun < self.left_at {
            !cleared && begun >= self.touch_before.max(standing.since).saturating_add(1_000)
        } else {
            self.under_way.is_none() && begun >= self.last_touch.saturating_add(1_000)
        };
        if !settled || !shown.taken || oracle::is_silent(shown.pair) || !self.in_roster {
            return;
        }
        let recognised = if let Some(lifted) = standing.lifted {
            let call_shown = self.session_since.is_some_and(|since| begun >= since + 1_000);
            let only_preferred = matches!(shown.pair.0, "Available" | "Away" | "BeRightBack")
                || shown.pair == ("DoNotDisturb", "DoNotDisturb");
            call_shown && only_preferred && self.on_the_phone() && lifted == self.choice_changes
        } else {
            oracle::entry_for(shown.pair) != oracle::entry_for(standing.pair)
        };
        if recognised {
            if self.seen.is_none() {
                self.recognised_at = now;
            }
            self.seen = Some(Seen {
                choice_changes: self.filled_at_change.unwrap_or_default(),
                told_changes: self.filled_at_told_change,
                on_the_phone: self.on_the_phone(),
            });
        }
    }

    /// Whether a write to Teams only repeats what was accepted last.
    pub fn repeats(&self, change: &PresenceChange) -> bool {
        self.stands.get(&is_session(change)) == Some(change)
    }

    /// Whether a write of either side is under way.
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some() || self.entry_under_way.is_some() || self.alien_call_under_way.is_some()
    }
}

fn is_session(change: &PresenceChange) -> bool {
    matches!(
        change,
        PresenceChange::SetSession { .. } | PresenceChange::ClearSession
    )
}

fn check_lease(lifetime: Duration, renewal: Duration) -> Check {
    let bounds = Duration::from_secs(300)..=Duration::from_secs(4 * 3_600);
    let right =
        lifetime > renewal && bounds.contains(&lifetime) && lifetime <= (renewal * 2).max(*bounds.start());
    ensure(right, Rule::Lease, || {
        format!("a lease of {lifetime:?} with a renewal every {renewal:?}")
    })
}
