//! Random days of a company: calls take their time and fail, people change, subscriptions come and go.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use m365_presence::cadence::{Cadence, Call, Reading, Tempo, Watch};
use m365_presence::identity::TeamsId;
use proptest::prelude::*;

use super::{seconds, shows, user, users};

/// Calls that are under way at a time.
const CALLS: usize = 8;

/// The longest that a call takes, in milliseconds.
const LONGEST: u64 = 900;

#[derive(Clone, Debug)]
struct Day {
    seed: u64,
    people: usize,
    reading: Reading,
    sweep: Duration,
    trusted: f64,
    failing: f64,
    /// Nothing happens: no call takes anybody along who is not due.
    quiet: bool,
}

fn days() -> impl Strategy<Value = Day> {
    let readings = prop_oneof![
        Just(Reading::Subscription),
        Just(Reading::Hybrid),
        Just(Reading::Polling)
    ];
    let trusted = prop_oneof![Just(0.0), Just(0.5), Just(1.0)];
    let failing = prop_oneof![Just(0.0), 0.0..0.2];
    let people = 1..1_500_usize;
    let drawn = (
        any::<u64>(),
        people,
        readings,
        1..120_u64,
        trusted,
        failing,
        any::<bool>(),
    );
    drawn.prop_map(|(seed, people, reading, sweep, trusted, failing, quiet)| Day {
        seed,
        people,
        reading,
        sweep: seconds(sweep),
        trusted: if reading == Reading::Polling { 0.0 } else { trusted },
        failing,
        quiet,
    })
}

/// What happened to one user.
#[derive(Clone, Copy)]
struct Seen {
    watch: Watch,
    /// When the last answered read began, or when the rule that holds now began to hold.
    since: Instant,
}

struct Life {
    day: Day,
    random: fastrand::Rng,
    cadence: Cadence,
    now: Instant,
    under_way: Vec<(Instant, Call)>,
    seen: HashMap<TeamsId, Seen>,
    calls: u64,
}

impl Life {
    fn new(day: Day) -> Self {
        let now = Instant::now();
        let mut random = fastrand::Rng::with_seed(day.seed);
        let trusted = day.trusted;
        let mut draw = |_: &TeamsId| {
            if random.f64() < trusted {
                Watch::Trusted
            } else {
                Watch::Nobody
            }
        };
        let everybody = users(day.people);
        let seen: HashMap<TeamsId, Seen> = everybody
            .iter()
            .map(|id| {
                (
                    id.clone(),
                    Seen {
                        watch: draw(id),
                        since: now,
                    },
                )
            })
            .collect();
        let mut cadence = Cadence::new(Tempo::new(day.reading, day.sweep));
        cadence.set_users(&everybody, |id| seen[id].watch);
        Self {
            day,
            random,
            cadence,
            now,
            under_way: Vec::new(),
            seen,
            calls: 0,
        }
    }

    fn live(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            if !self.day.quiet {
                self.something_happens();
            }
            self.send();
            let due = self.cadence.next_due();
            let answer = self.under_way.iter().map(|(at, _)| *at).min();
            let stir = Some(self.now + Duration::from_millis(self.random.u64(50..2_000)));
            let due = due.filter(|_| self.under_way.len() < CALLS);
            let next = [due, answer, stir].into_iter().flatten().min().unwrap();
            self.now = next.max(self.now);
            self.answer();
        }
    }

    fn something_happens(&mut self) {
        let somebody = user(self.random.usize(0..self.day.people));
        match self.random.u8(0..10) {
            0 => self.cadence.note_changes([&somebody], self.now),
            1 => self.cadence.note_phone(&somebody, self.random.bool(), self.now),
            2 => self.cadence.order([somebody]),
            3 if self.day.reading != Reading::Polling => {
                let before = self.seen[&somebody];
                let watch = if before.watch == Watch::Trusted {
                    Watch::Doubted
                } else {
                    Watch::Trusted
                };
                // a user who loses the subscription may have been read long ago, and is read at once
                self.seen.insert(
                    somebody,
                    Seen {
                        watch,
                        since: self.now,
                    },
                );
                let seen = &self.seen;
                self.cadence.set_watch(|id| seen[id].watch);
            }
            _ => {}
        }
    }

    fn send(&mut self) {
        while self.under_way.len() < CALLS {
            let Some(call) = self.cadence.take_call(self.now) else {
                break;
            };
            assert!((1..=650).contains(&call.users.len()));
            self.calls += 1;
            let took = Duration::from_millis(self.random.u64(20..LONGEST));
            self.under_way.push((self.now + took, call));
        }
    }

    fn answer(&mut self) {
        let now = self.now;
        let (done, under_way) = std::mem::take(&mut self.under_way)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.under_way = under_way;
        for (_, call) in done {
            if self.random.f64() < self.day.failing {
                self.cadence.failed(call);
                continue;
            }
            for id in &call.users {
                self.judge(id, call.begun_at);
            }
            let activity = if self.day.quiet { "Away" } else { "InAMeeting" };
            let shown = shows(&call.users[0], activity);
            self.cadence.answered(&call, &[shown], now);
        }
    }

    /// Nobody is unobserved for longer than the tempo allows; failures and slow calls add what they take.
    fn judge(&mut self, id: &TeamsId, begun_at: Instant) {
        let seen = self.seen.get_mut(id).unwrap();
        let longest = match seen.watch {
            Watch::Trusted if self.day.reading == Reading::Subscription => None,
            Watch::Trusted => Some(self.day.sweep),
            _ if self.day.reading == Reading::Polling => Some(self.day.sweep),
            _ => Some(self.day.sweep.min(seconds(10))),
        };
        let slack = if self.day.failing > 0.0 { 12 } else { 2 } * Duration::from_millis(LONGEST);
        let gap = begun_at.saturating_duration_since(seen.since);
        if let Some(longest) = longest {
            assert!(gap <= longest + slack, "{id}: {gap:?} of {:?}", self.day);
        }
        seen.since = seen.since.max(begun_at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nobody_is_unobserved_for_longer_than_a_sweep_and_graph_is_not_flooded(day in days()) {
        let mut life = Life::new(day.clone());
        let time = seconds(300);
        life.live(time);
        let everybody: Vec<TeamsId> = life.seen.keys().cloned().collect();
        for id in everybody {
            let end = life.now;
            if life.seen[&id].watch != Watch::Trusted || day.reading == Reading::Hybrid {
                life.judge(&id, end);
            }
        }
        // whatever happens, a user is read every second on average at most, but for the orders and the failures
        let packed = u64::try_from(day.people.div_ceil(650)).unwrap() * time.as_secs();
        let bound = 2 * packed + time.as_secs();
        prop_assert!(life.calls < bound, "{} calls, {bound} allowed", life.calls);
    }
}
