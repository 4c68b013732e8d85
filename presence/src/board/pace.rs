//! How often one user may be written, in one direction.
//!
//! Two brakes: a bucket against flapping, for either side, and an hourly budget against a runaway, for Teams only. What
//! a brake holds back waits as the newest state and is never lost.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::PbxGuid;

/// Writes that may follow each other at once (DESIGN 5, flapping).
const BURST: i32 = 20;

/// One further write per this time (DESIGN 5, flapping).
const REFILL: TimeDelta = TimeDelta::seconds(1);

/// Writes per hour before a runaway is slowed down (DESIGN 6).
const HOURLY: usize = 240;

/// Time over which the writes of the budget are counted (DESIGN 6).
const HOUR: TimeDelta = TimeDelta::hours(1);

/// Time between writes beyond the hourly budget (DESIGN 6).
const RUNAWAY: TimeDelta = TimeDelta::minutes(1);

/// Users of whom the paces are remembered while they are not on the board.
const REMEMBERED: usize = 10_000;

/// What holds a write back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Brake {
    /// Too many changes in a short time: one write a second leaves.
    Flapping,
    /// The user's budget of the hour is used up: one write a minute leaves.
    Budget,
    /// An administrator has paused the direction or the user.
    Paused,
    /// An administrator wants decisions to be shown only.
    Shadow,
}

/// A bucket whose level sinks with every write and rises with time, and the writes of the last hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// When the bucket would be full again.
    full_at: DateTime<Utc>,
    /// The writes that count against the hour, at most [`HOURLY`] of them; none where no budget holds.
    counted: Option<VecDeque<DateTime<Utc>>>,
}

impl Pace {
    /// Of the writes of our entry: Graph's budget does not concern the PBX.
    pub(super) fn of_the_pbx() -> Self {
        Self {
            full_at: DateTime::UNIX_EPOCH,
            counted: None,
        }
    }

    /// Of the writes to Teams.
    pub(super) fn of_teams() -> Self {
        Self {
            counted: Some(VecDeque::new()),
            ..Self::of_the_pbx()
        }
    }

    /// When the next write may leave and what holds it back until then; a time not after `now` means at once.
    pub(super) fn next(&self) -> (DateTime<Utc>, Brake) {
        self.next_within(BURST, HOURLY)
    }

    /// The same for a user's words, which leave half of everything to the presence.
    pub(super) fn next_words(&self) -> (DateTime<Utc>, Brake) {
        self.next_within(BURST / 2, HOURLY / 2)
    }

    fn next_within(&self, burst: i32, hourly: usize) -> (DateTime<Utc>, Brake) {
        let by_bucket = self.full_at - REFILL * (burst - 1);
        let by_budget = self
            .counted
            .as_ref()
            .and_then(|counted| by_budget(counted, hourly));
        match by_budget {
            Some(at) if at > by_bucket => (at, Brake::Budget),
            Some(_) | None => (by_bucket, Brake::Flapping),
        }
    }

    /// What holds the next write back at this time, and until when.
    pub(super) fn brake(&self, now: DateTime<Utc>) -> Option<(Brake, Option<DateTime<Utc>>)> {
        if_later(self.next(), now)
    }

    /// The same for a user's words.
    pub(super) fn brake_on_words(&self, now: DateTime<Utc>) -> Option<(Brake, Option<DateTime<Utc>>)> {
        if_later(self.next_words(), now)
    }

    /// Takes one write out. Renewals are not counted against the hour.
    pub(super) fn take(&mut self, now: DateTime<Utc>, renewal: bool) {
        self.forget_what_is_to_come(now);
        self.full_at = self.full_at.max(now) + REFILL;
        if let Some(counted) = self.counted.as_mut().filter(|_| !renewal) {
            if counted.len() >= HOURLY {
                counted.pop_front();
            }
            counted.push_back(now);
        }
    }

    /// Forgets writes of a time to come, which a clock has noted that was set back since.
    fn forget_what_is_to_come(&mut self, now: DateTime<Utc>) {
        if self.full_at > now + REFILL * BURST {
            self.full_at = now;
        }
        if let Some(counted) = &mut self.counted {
            counted.retain(|written_at| *written_at <= now);
        }
    }

    /// Whether nothing of the past matters any more.
    pub(super) fn is_rested(&self, now: DateTime<Utc>) -> bool {
        let counted = self.counted.as_ref().and_then(VecDeque::back);
        self.full_at <= now && counted.is_none_or(|last| *last + HOUR <= now)
    }
}

/// How often one user was written lately, in either direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paces {
    pub(super) teams: Pace,
    pub(super) pbx: Pace,
}

/// How often users were written lately: outlives the board, so that a restart is no way around the budget.
#[derive(Clone, Debug, Default)]
pub struct WritePaces(HashMap<PbxGuid, Paces>);

impl WritePaces {
    /// Takes out what is remembered of a user.
    pub(super) fn take(&mut self, user: &PbxGuid) -> Option<Paces> {
        self.0.remove(user)
    }

    /// Remembers a user who leaves the board, and forgets whoever has rested.
    pub(super) fn remember(&mut self, user: PbxGuid, paces: Paces, now: DateTime<Utc>) {
        let rests = |paces: &Paces| paces.teams.is_rested(now) && paces.pbx.is_rested(now);
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, paces| !rests(paces));
        }
        if !rests(&paces) && self.0.len() < REMEMBERED {
            self.0.insert(user, paces);
        }
    }
}

fn if_later(
    (until, brake): (DateTime<Utc>, Brake),
    now: DateTime<Utc>,
) -> Option<(Brake, Option<DateTime<Utc>>)> {
    // no brake holds for longer than a minute, unless the clock was set back since
    (until > now && until <= now + RUNAWAY).then_some((brake, Some(until)))
}

/// When a budget of so many writes lets the next one leave: once the first of the last so many is an hour old, or a
/// minute after the last one.
fn by_budget(counted: &VecDeque<DateTime<Utc>>, hourly: usize) -> Option<DateTime<Utc>> {
    let first = counted.get(counted.len().checked_sub(hourly)?)?;
    let last = counted.back()?;
    Some((*first + HOUR).min(*last + RUNAWAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    /// Writes as often as it may leave, looking every second; answers when.
    fn run(pace: &mut Pace, seconds: i64, renewal: bool) -> Vec<DateTime<Utc>> {
        let mut written = Vec::new();
        for now in (0..seconds).map(at) {
            while pace.brake(now).is_none() && written.len() < 100_000 {
                pace.take(now, renewal);
                written.push(now);
            }
        }
        written
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_back() {
        let mut pace = Pace::of_teams();
        while pace.brake(at(7_200)).is_none() {
            pace.take(at(7_200), false);
        }
        assert_eq!(pace.brake(at(0)), None);
        let written = run(&mut pace, 3, false);
        let at_once = written.iter().filter(|time| **time == at(0)).count();
        assert_eq!((at_once, written.len()), (20, 22));
    }

    #[test]
    fn twenty_writes_leave_at_once_then_one_a_second() {
        for mut pace in [Pace::of_teams(), Pace::of_the_pbx()] {
            let written = run(&mut pace, 3, false);
            let at_once = written.iter().filter(|time| **time == at(0)).count();
            assert_eq!((at_once, written.len()), (20, 22));
            assert_eq!(pace.brake(at(2)), Some((Brake::Flapping, Some(at(3)))));
        }
    }

    #[test]
    fn beyond_240_writes_of_any_hour_one_a_minute_leaves() {
        let mut pace = Pace::of_teams();
        let written = run(&mut pace, 3 * 3_600, false);
        for (place, begun) in written.iter().enumerate() {
            let hour = written
                .iter()
                .skip(place)
                .take_while(|time| **time < *begun + HOUR);
            assert!(hour.count() <= HOURLY + 60, "from {begun}");
        }
        let first_hour = written.iter().filter(|time| **time < at(3_600)).count();
        assert!(first_hour > HOURLY + 50, "{first_hour}");
        let beyond: Vec<_> = written.iter().skip(HOURLY - 1).take(50).collect();
        assert!(beyond.windows(2).all(|pair| *pair[1] - *pair[0] == RUNAWAY));
    }

    #[test]
    fn the_budget_names_itself_and_is_not_the_pbxs() {
        let mut pace = Pace::of_teams();
        run(&mut pace, 600, false);
        assert!(matches!(pace.brake(at(600)), Some((Brake::Budget, _))));
        let mut pace = Pace::of_the_pbx();
        assert_eq!(run(&mut pace, 600, false).len(), 619);
    }

    #[test]
    fn words_leave_half_of_the_bucket_and_of_the_budget_to_the_presence() {
        let mut pace = Pace::of_teams();
        let mut words = 0;
        while pace.brake_on_words(at(0)).is_none() {
            pace.take(at(0), false);
            words += 1;
        }
        assert_eq!((words, pace.brake(at(0))), (10, None));
        for second in 1..=110 {
            pace.take(at(2 * second), false);
        }
        assert_eq!(pace.brake_on_words(at(300)), None);
        pace.take(at(300), false);
        assert_eq!(pace.brake_on_words(at(330)), Some((Brake::Budget, Some(at(360)))));
        assert_eq!(pace.brake(at(330)), None);
    }

    #[test]
    fn renewals_do_not_count_against_the_hour() {
        let mut pace = Pace::of_teams();
        for second in 0..600 {
            pace.take(at(second), true);
        }
        assert_eq!(pace.brake(at(600)), None);
    }

    #[test]
    fn a_pace_is_rested_when_its_last_write_is_an_hour_old() {
        let mut pace = Pace::of_teams();
        assert!(pace.is_rested(at(0)));
        pace.take(at(0), false);
        assert!(!pace.is_rested(at(3_599)));
        assert!(pace.is_rested(at(3_600)));
    }
}
