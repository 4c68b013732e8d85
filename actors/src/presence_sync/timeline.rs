//! The last transitions of every user, stamped and kept in memory, bounded per user and altogether.
//!
//! What is finished is handed out to be stored. To lose some of it hurts nobody: presence never waits for it.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use m365_presence::board::{Outcome, Planned, Side, Transition};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::TimelineRow;
use m365_presence::timeline::{Decided, Hops, Item, Write, WriteOutcome};

use super::hop_times::HopTimes;

/// Transitions that are kept of one user.
const PER_USER: usize = 100;

/// Transitions that are kept of all users; the store keeps more of them.
const ALTOGETHER: usize = 20_000;

/// Where the write under way of a side is told.
#[derive(Clone, Copy)]
struct Open {
    number: i64,
    written_at: Option<DateTime<Utc>>,
}

/// The last transitions of all users.
#[derive(Default)]
pub(super) struct Timeline {
    by_user: HashMap<PbxGuid, VecDeque<Item>>,
    /// Whose item came when: the oldest of all go first. May name some that are gone already.
    order: VecDeque<(PbxGuid, i64)>,
    /// What is finished and not handed out yet.
    finished: VecDeque<(PbxGuid, i64)>,
    open: HashMap<(PbxGuid, Side), Open>,
    last_number: i64,
    /// How long the hops took, of every transition of this run.
    times: HopTimes,
}

impl Timeline {
    /// Goes on after a number that was given before.
    pub(super) fn resume(&mut self, newest: i64) {
        self.last_number = self.last_number.max(newest);
    }

    /// Keeps a transition; `opened_at` is when what was seen was at hand.
    pub(super) fn record(&mut self, transition: Transition, opened_at: DateTime<Utc>, now: DateTime<Utc>) {
        self.last_number = now.timestamp_micros().max(self.last_number + 1);
        let number = self.last_number;
        let user = transition.user;
        for write in &transition.planned {
            let written_at = None;
            self.open
                .insert((user.clone(), write.side), Open { number, written_at });
        }
        let received_at = transition.seen.iter().rev().find_map(|seen| seen.at);
        let item = Item {
            number,
            at: now,
            seen: transition.seen,
            decided: Decided {
                why: transition.why,
                held: transition.held,
            },
            written: transition.planned.into_iter().map(planned).collect(),
            hops_ms: Hops {
                received_to_opened: received_at.map(|received_at| millis(received_at, opened_at)),
                opened_to_decided: Some(millis(opened_at, now)),
                ..Hops::default()
            },
        };
        if let Some(opened) = item.hops_ms.received_to_opened {
            self.times.received_to_opened.observe(opened);
        }
        self.times.opened_to_decided.observe(millis(opened_at, now));
        if item.is_finished() {
            self.finished.push_back((user.clone(), number));
        }
        let items = self.by_user.entry(user.clone()).or_default();
        items.push_back(item);
        if items.len() > PER_USER {
            items.pop_front();
        }
        self.order.push_back((user, number));
        self.shrink();
    }

    /// Notes that a write has left.
    pub(super) fn written(&mut self, user: &PbxGuid, side: Side, now: DateTime<Utc>) {
        let Some(open) = self.open.get_mut(&(user.clone(), side)) else {
            return;
        };
        open.written_at = Some(now);
        let number = open.number;
        if let Some(item) = self.item_mut(user, number) {
            let waited = millis(item.at, now);
            slowest(&mut item.hops_ms.decided_to_written, waited);
            self.times.decided_to_written.observe(waited);
        }
    }

    /// Notes what became of a write.
    pub(super) fn answered(&mut self, user: &PbxGuid, side: Side, outcome: &Outcome, now: DateTime<Utc>) {
        let Some(open) = self.open.remove(&(user.clone(), side)) else {
            return;
        };
        let Some(item) = self.item_mut(user, open.number) else {
            return;
        };
        let Some(write) = item.written.iter_mut().find(|write| write.side == side) else {
            return;
        };
        let (outcome, detail) = match outcome {
            Outcome::Accepted => (WriteOutcome::Accepted, None),
            Outcome::Failed { .. } => (WriteOutcome::Failed, None),
            Outcome::Refused { message, .. } => (WriteOutcome::Refused, Some(message.clone())),
        };
        write.outcome = Some(outcome);
        write.detail = detail;
        write.took_ms = Some(millis(item.at, now));
        if let Some(written_at) = open.written_at {
            slowest(&mut item.hops_ms.written_to_confirmed, millis(written_at, now));
        }
        if item.is_finished() {
            self.finished.push_back((user.clone(), open.number));
        }
        if let Some(written_at) = open.written_at {
            self.times.written_to_confirmed.observe(millis(written_at, now));
        }
    }

    /// A user's transitions before a number, newest first.
    pub(super) fn of(&self, user: &PbxGuid, before: Option<i64>, limit: usize) -> Vec<Item> {
        let items = self.by_user.get(user).into_iter().flatten().rev();
        items
            .filter(|item| before.is_none_or(|before| item.number < before))
            .take(limit)
            .cloned()
            .collect()
    }

    /// Takes out what is finished, in the order in which it was.
    pub(super) fn take_finished(&mut self, limit: usize) -> Vec<TimelineRow> {
        let mut rows = Vec::new();
        while rows.len() < limit
            && let Some((user, number)) = self.finished.pop_front()
        {
            let item = self.item_mut(&user, number).map(|item| item.clone());
            rows.extend(item.map(|item| TimelineRow { user, item }));
        }
        rows
    }

    /// Whether something is finished and not handed out yet.
    pub(super) fn has_finished(&self) -> bool {
        !self.finished.is_empty()
    }

    /// How long the hops took.
    pub(super) fn times(&self) -> &HopTimes {
        &self.times
    }

    /// Number of transitions that are kept.
    pub(super) fn len(&self) -> usize {
        self.by_user.values().map(VecDeque::len).sum()
    }

    fn shrink(&mut self) {
        while self.order.len() > ALTOGETHER
            && let Some((user, number)) = self.order.pop_front()
        {
            let Some(items) = self.by_user.get_mut(&user) else {
                continue;
            };
            items.pop_front_if(|oldest| oldest.number == number);
            if items.is_empty() {
                self.by_user.remove(&user);
            }
        }
        while self.finished.len() > ALTOGETHER {
            self.finished.pop_front();
        }
    }

    fn item_mut(&mut self, user: &PbxGuid, number: i64) -> Option<&mut Item> {
        let items = self.by_user.get_mut(user)?;
        items.iter_mut().rev().find(|item| item.number == number)
    }
}

fn planned(planned: Planned) -> Write {
    Write {
        side: planned.side,
        what: planned.what,
        outcome: None,
        detail: None,
        took_ms: None,
    }
}

fn slowest(hop: &mut Option<f64>, took: f64) {
    *hop = Some(hop.map_or(took, |known| known.max(took)));
}

fn millis(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    let micros = (to - from).num_microseconds().unwrap_or(i64::MAX).max(0);
    f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1_000.0
}

#[cfg(test)]
mod tests {
    use m365_presence::board::{Place, Seen};

    use super::*;

    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap()
    }

    fn transition(user: usize, planned: &[(Side, &str)]) -> Transition {
        let seen = Seen {
            place: Place::TeamsNotified,
            what: "Busy/Busy".to_owned(),
            verdict: None,
            at: Some(at(0)),
        };
        let write = |(side, what): &(Side, &str)| Planned {
            side: *side,
            what: (*what).to_owned(),
        };
        Transition {
            user: PbxGuid::new(user.to_string()),
            seen: vec![seen],
            why: "because".to_owned(),
            planned: planned.iter().map(write).collect(),
            held: Vec::new(),
        }
    }

    #[test]
    fn every_hop_is_stamped_and_what_is_under_way_is_not_handed_out() {
        let (mut timeline, user) = (Timeline::default(), PbxGuid::new("1"));
        timeline.record(transition(1, &[(Side::Pbx, "busy")]), at(3_000), at(3_500));
        timeline.written(&user, Side::Pbx, at(5_000));
        assert!(!timeline.has_finished());
        let told = timeline.of(&user, None, 10).remove(0);
        assert_eq!(told.written.first().unwrap().outcome, None);
        timeline.answered(&user, Side::Pbx, &Outcome::Accepted, at(25_000));
        let row = timeline.take_finished(10).remove(0);
        let expected = Hops {
            received_to_opened: Some(3.0),
            opened_to_decided: Some(0.5),
            decided_to_written: Some(1.5),
            written_to_confirmed: Some(20.0),
        };
        assert_eq!(row.item.hops_ms, expected);
        assert_eq!(row.item.written.first().unwrap().took_ms, Some(21.5));
        assert!(!timeline.has_finished());
    }

    #[test]
    fn of_two_writes_both_are_awaited_and_the_slower_counts() {
        let (mut timeline, user) = (Timeline::default(), PbxGuid::new("1"));
        let both = [(Side::Pbx, ""), (Side::Teams, "session cleared")];
        timeline.record(transition(1, &both), at(0), at(0));
        timeline.written(&user, Side::Pbx, at(0));
        timeline.answered(&user, Side::Pbx, &Outcome::Accepted, at(9_000));
        assert!(!timeline.has_finished());
        timeline.written(&user, Side::Teams, at(2_000));
        let refused = Outcome::Refused {
            message: "no".to_owned(),
            gone: false,
        };
        timeline.answered(&user, Side::Teams, &refused, at(4_000));
        let item = timeline.take_finished(10).remove(0).item;
        assert_eq!(item.hops_ms.written_to_confirmed, Some(9.0));
        let last = item.written.last().unwrap();
        assert_eq!(
            (last.outcome, last.detail.as_deref()),
            (Some(WriteOutcome::Refused), Some("no"))
        );
    }

    #[test]
    fn a_user_keeps_the_last_hundred_and_numbers_are_unique() {
        let (mut timeline, user) = (Timeline::default(), PbxGuid::new("1"));
        for _ in 0..250 {
            timeline.record(transition(1, &[]), at(0), at(0));
        }
        let told = timeline.of(&user, None, 1_000);
        assert_eq!(told.len(), 100);
        assert!(told.windows(2).all(|pair| pair[0].number == pair[1].number + 1));
        let older = timeline.of(&user, Some(told[10].number), 5);
        assert_eq!(older.first().unwrap().number, told[11].number);
    }

    #[test]
    fn all_users_together_are_bounded_and_the_oldest_go_first() {
        let mut timeline = Timeline::default();
        let first = PbxGuid::new("0");
        for number in 0..2 * ALTOGETHER {
            timeline.record(transition(number % 1_000, &[]), at(0), at(0));
        }
        assert_eq!(timeline.len(), ALTOGETHER);
        assert_eq!(timeline.of(&first, None, 1_000).len(), 20);
        // whoever changes all the time pushes others out, but is bounded as well
        for _ in 0..ALTOGETHER {
            timeline.record(transition(7, &[]), at(0), at(0));
        }
        assert_eq!(timeline.len(), 100);
        assert!(timeline.of(&first, None, 1_000).is_empty());
        assert!(timeline.finished.len() <= ALTOGETHER && timeline.order.len() <= ALTOGETHER);
    }

    #[test]
    fn a_write_without_a_transition_leaves_no_trace() {
        let (mut timeline, user) = (Timeline::default(), PbxGuid::new("1"));
        timeline.written(&user, Side::Teams, at(0));
        timeline.answered(&user, Side::Teams, &Outcome::Accepted, at(1));
        assert_eq!(timeline.len(), 0);
    }
}
