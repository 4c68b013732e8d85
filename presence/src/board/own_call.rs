//! A pseudo call of ours at the PBX, an "alien call" in its words, and what it makes the PBX tell (pbx.md 3.4).

use chrono::{DateTime, TimeDelta, Utc};

use crate::identity::PbxName;

/// Count and entry may tell of a call of ours this long after the PBX has confirmed its end.
pub const LINGERING: TimeDelta = TimeDelta::seconds(15);

/// A call of ours ends with its connection. This long after a new one is there, the PBX may not have noticed yet that
/// the old one is dead.
pub const HAUNTING: TimeDelta = TimeDelta::minutes(5);

/// A count from before our call may be told this long after the PBX has confirmed that it stands.
pub const SINKING_IN: TimeDelta = TimeDelta::seconds(5);

/// Traces that one user may leave: more lost connections within [`HAUNTING`] would be a trouble of their own.
const TRACES: usize = 8;

/// A call of ours at one PBX, with the traces of earlier ones there, until nothing tells of them any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCall {
    pbx: PbxName,
    stands: bool,
    /// Whether the PBX has confirmed that it stands, and its end is not ordered.
    confirmed: bool,
    /// Until when a count from before it may be told.
    sinks_in: Option<DateTime<Utc>>,
    /// What was told of it since its end was ordered, which may have come about already.
    ending: Option<Told>,
    traces: Vec<Trace>,
}

/// Signs of an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    /// The number of calls has sunk.
    fewer: bool,
    /// No entry says on-the-phone.
    unshown: bool,
}

/// A call of ours that is over, while the PBX may still tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trace {
    until: DateTime<Utc>,
    /// Whether the PBX has confirmed its end.
    confirmed: bool,
    /// Whether the number of calls may count it.
    counted: bool,
    /// Whether an on-the-phone entry may be its.
    shown: bool,
}

impl OwnCall {
    /// A call that stands at a PBX.
    pub(super) fn at(pbx: &PbxName) -> Self {
        Self {
            pbx: pbx.clone(),
            stands: true,
            confirmed: false,
            sinks_in: None,
            ending: None,
            traces: Vec::new(),
        }
    }

    /// The PBX where it stands, or stood.
    pub fn pbx(&self) -> &PbxName {
        &self.pbx
    }

    /// Whether it stands, as far as we know.
    pub fn stands(&self) -> bool {
        self.stands
    }

    /// Whether it surely stands.
    pub(super) fn is_confirmed(&self) -> bool {
        self.stands && self.confirmed
    }

    /// Whether the PBX may tell of a call of ours that is over, or that has not begun.
    pub(super) fn is_ambiguous(&self) -> bool {
        let unsure = !self.confirmed || self.sinks_in.is_some();
        (self.stands && unsure) || !self.traces.is_empty()
    }

    /// It is ordered where earlier ones may have left traces.
    pub(super) fn order(&mut self) {
        self.stands = true;
        self.confirmed = false;
        self.ending = None;
    }

    /// The PBX confirms that it stands.
    pub(super) fn confirm(&mut self, now: DateTime<Utc>) {
        self.stands = true;
        self.confirmed = true;
        self.sinks_in = Some(now + SINKING_IN);
        self.ending = None;
    }

    /// It was never taken.
    pub(super) fn withdraw(&mut self) {
        self.stands = false;
        self.ending = None;
    }

    /// Its end is ordered.
    pub(super) fn order_end(&mut self) {
        self.confirmed = false;
        self.ending.get_or_insert_default();
    }

    /// An earlier one may still be told, until the given time.
    pub(super) fn leave_trace(&mut self, until: DateTime<Utc>) {
        if self.traces.len() < TRACES {
            self.traces.push(Trace {
                until,
                confirmed: false,
                counted: true,
                shown: true,
            });
        }
    }

    /// When the last trace ends by itself.
    pub(super) fn last_end(&self) -> Option<DateTime<Utc>> {
        self.traces.iter().map(|trace| trace.until).max()
    }

    /// Its connection ends, or a new one is there; until the given time it may still be told, and so may whatever ended
    /// before.
    pub(super) fn lose(&mut self, until: DateTime<Utc>) {
        for trace in &mut self.traces {
            trace.until = trace.until.max(until);
        }
        self.ending = None;
        if std::mem::take(&mut self.stands) {
            self.leave_trace(until);
        }
    }

    /// The PBX confirms its end; until the given time it may still be told.
    pub(super) fn end(&mut self, until: DateTime<Utc>) {
        let told = self.ending.take().unwrap_or_default();
        if std::mem::take(&mut self.stands) && self.traces.len() < TRACES {
            self.traces.push(Trace {
                until,
                confirmed: true,
                counted: !told.fewer,
                shown: !told.unshown,
            });
        }
        self.prune();
    }

    /// Takes in the number of calls at a PBX. Where it has sunk, calls whose end is confirmed are not counted any more; of
    /// others that says nothing, for a call of the user's may have ended.
    pub(super) fn see_calls(&mut self, pbx: &PbxName, before: u32, number: u32) {
        if self.pbx != *pbx {
            return;
        }
        let mut gone = before.saturating_sub(number);
        if let Some(told) = self.ending.as_mut().filter(|told| !told.fewer && gone > 0) {
            told.fewer = true;
            gone -= 1;
        }
        let over = self
            .traces
            .iter_mut()
            .filter(|trace| trace.confirmed && trace.counted);
        over.zip(0..gone).for_each(|(trace, _)| trace.counted = false);
        if number == 0 {
            self.traces.iter_mut().for_each(|trace| trace.counted = false);
            self.ending.iter_mut().for_each(|told| told.fewer = true);
        }
        self.prune();
    }

    /// Takes in whether an entry says on-the-phone.
    pub(super) fn see_entries(&mut self, phone: bool) {
        if !phone {
            if let Some(told) = &mut self.ending {
                told.unshown = true;
            }
            self.traces.iter_mut().for_each(|trace| trace.shown = false);
            self.prune();
        }
    }

    /// How many calls at a PBX are ours.
    pub(super) fn counted_at(&self, pbx: &PbxName) -> u32 {
        if self.pbx != *pbx {
            return 0;
        }
        let traces = self.traces.iter().filter(|trace| trace.counted).count();
        u32::from(self.stands).saturating_add(u32::try_from(traces).unwrap_or(u32::MAX))
    }

    /// Whether an on-the-phone entry may be its.
    pub(super) fn may_be_shown(&self) -> bool {
        self.stands || self.traces.iter().any(|trace| trace.shown)
    }

    /// Forgets the traces of which nothing tells any more; tells whether anything is left.
    pub(super) fn remains(&mut self, now: DateTime<Utc>) -> bool {
        self.traces.retain(|trace| trace.until > now);
        self.sinks_in = self.sinks_in.filter(|until| *until > now);
        self.stands || !self.traces.is_empty()
    }

    /// When something changes by itself next.
    pub(super) fn next_end(&self) -> Option<DateTime<Utc>> {
        let ends = self.traces.iter().map(|trace| trace.until);
        ends.chain(self.sinks_in).min()
    }

    fn prune(&mut self) {
        self.traces.retain(|trace| trace.counted || trace.shown);
    }
}
