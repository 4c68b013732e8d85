//! Who does what, and when: a pure, endless sequence that follows from a seed and the number of people.
//!
//! Time is cut into slots; in each at most one thing happens, so the rate is bounded whatever the number of people.
//! A slot first serves what a scene that has begun still owes, else it begins the next scene from a shuffled deck that
//! holds every scene once. A deck takes about 66 slots, so that each of them is played well within two minutes.
//! A person plays one scene at a time, and rests between two, so that each state stands long enough to be seen.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use fastrand::Rng;

use super::{
    act::Act,
    day::{Scene, every_scene, script},
};

/// How often one person does something on average, in milliseconds, as long as the slots allow.
const PERSONAL_INTERVAL: u64 = 10_000;

/// The shortest mean slot, in milliseconds: 25 a second.
const SHORTEST_SLOT: u64 = 40;

/// The longest mean slot, in milliseconds, for a town of few.
const LONGEST_SLOT: u64 = 1_000;

/// How long a person rests after a scene before the next one.
const REST: Duration = Duration::from_secs(4);

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Tells when, from the start of the day; never less than before.
    pub at: Duration,
    /// Numbers the person, from zero.
    pub person: usize,
    /// Tells what.
    pub act: Act,
}

/// The endless day of a town. Without people it is empty.
#[derive(Debug)]
pub struct Life {
    rng: Rng,
    slot: u64,
    now: Duration,
    people: Vec<Condition>,
    deck: VecDeque<Scene>,
    /// What scenes that have begun still owe, by the time of their next act and the order of their last one.
    owed: BTreeMap<(Duration, u64), Begun>,
    played: u64,
}

/// A scene that has begun.
#[derive(Debug)]
struct Begun {
    person: usize,
    acts: VecDeque<(Duration, Act)>,
}

#[derive(Clone, Copy, Debug)]
enum Condition {
    Playing,
    RestingUntil(Duration),
}

impl Life {
    /// Begins the day of some people.
    #[must_use]
    pub fn new(seed: u64, people: usize) -> Self {
        let count = u64::try_from(people).unwrap_or(u64::MAX).max(1);
        Self {
            rng: Rng::with_seed(seed),
            slot: (PERSONAL_INTERVAL / count).clamp(SHORTEST_SLOT, LONGEST_SLOT),
            now: Duration::ZERO,
            people: vec![Condition::RestingUntil(Duration::ZERO); people],
            deck: VecDeque::new(),
            owed: BTreeMap::new(),
            played: 0,
        }
    }

    /// Serves what is owed by now, the oldest debt first.
    fn pay(&mut self) -> Option<Happening> {
        let entry = self
            .owed
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)?;
        let scene = entry.remove();
        self.play(scene)
    }

    /// Begins the next scene, unless nobody is free.
    fn begin(&mut self) -> Option<Happening> {
        let person = self.free_person()?;
        if self.deck.is_empty() {
            let mut scenes = every_scene();
            self.rng.shuffle(&mut scenes);
            self.deck.extend(scenes);
        }
        let scene = self.deck.pop_front()?;
        let acts = script(scene, &mut self.rng);
        self.play(Begun {
            person,
            acts: acts.into(),
        })
    }

    fn play(&mut self, mut scene: Begun) -> Option<Happening> {
        let (_, act) = scene.acts.pop_front()?;
        let person = scene.person;
        let condition = match scene.acts.front() {
            None => Condition::RestingUntil(self.now + REST),
            Some((pause, _)) => {
                self.played = self.played.saturating_add(1);
                self.owed.insert((self.now + *pause, self.played), scene);
                Condition::Playing
            }
        };
        if let Some(of_person) = self.people.get_mut(person) {
            *of_person = condition;
        }
        Some(Happening {
            at: self.now,
            person,
            act,
        })
    }

    /// Finds somebody who neither plays nor rests, beginning anywhere.
    fn free_person(&mut self) -> Option<usize> {
        let count = self.people.len();
        let first = self.rng.usize(0..count.max(1));
        (first..count)
            .chain(0..first)
            .find(|person| match self.people.get(*person) {
                Some(Condition::RestingUntil(rested)) => *rested <= self.now,
                Some(Condition::Playing) | None => false,
            })
    }
}

impl Iterator for Life {
    type Item = Happening;

    fn next(&mut self) -> Option<Happening> {
        if self.people.is_empty() {
            return None;
        }
        loop {
            let fifth = self.slot / 5;
            self.now += Duration::from_millis(self.rng.u64(self.slot - fifth..=self.slot + fifth));
            if let Some(happening) = self.pay().or_else(|| self.begin()) {
                return Some(happening);
            }
        }
    }
}
