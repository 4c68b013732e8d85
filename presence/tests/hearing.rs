//! Whether the notifications of a living subscription arrive.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::time::{Duration, Instant};

use m365_presence::hearing::Hearing;
use m365_presence::identity::TeamsId;

const SWEEP: Duration = Duration::from_secs(300);

fn anna() -> TeamsId {
    TeamsId::new("anna")
}

fn bert() -> TeamsId {
    TeamsId::new("bert")
}

/// A shard, and a clock that counts in seconds.
struct Scene {
    hearing: Hearing,
    begin: Instant,
}

impl Scene {
    fn new() -> Self {
        Self {
            hearing: Hearing::default(),
            begin: Instant::now(),
        }
    }

    fn at(&self, second: u64) -> Instant {
        self.begin + Duration::from_secs(second)
    }

    fn find(&mut self, user: TeamsId, second: u64) {
        self.hearing.find(user, self.at(second));
    }

    fn hear(&mut self, user: &TeamsId, second: u64) {
        self.hearing.hear(user, self.at(second));
    }

    fn is_to_be_told(&self, second: u64) -> bool {
        self.hearing.is_to_be_told(self.at(second))
    }

    /// Looks every five seconds; answers the second in which the shard is to be made anew.
    fn judge_until(&mut self, from: u64, to: u64) -> Option<u64> {
        (from..=to)
            .step_by(5)
            .find(|second| self.hearing.judge(SWEEP, self.at(*second)))
    }
}

#[test]
fn silence_alone_proves_nothing() {
    let mut scene = Scene::new();
    assert_eq!(scene.judge_until(0, 100_000), None);
    assert!(!scene.hearing.is_doubted());
}

#[test]
fn a_change_that_only_a_read_showed_and_then_silence_for_half_a_sweep_is_deafness() {
    let mut scene = Scene::new();
    scene.find(anna(), 1_000);
    assert_eq!(scene.judge_until(1_000, 2_000), Some(1_150));
    assert_eq!(scene.hearing.missed(), 1);
    assert!(scene.hearing.is_doubted() && !scene.hearing.is_deaf());
}

#[test]
fn a_late_notification_was_not_missed() {
    let mut scene = Scene::new();
    scene.find(anna(), 1_000);
    scene.hear(&anna(), 1_050);
    assert_eq!(scene.judge_until(1_055, 2_000), None);
    assert_eq!(scene.hearing.missed(), 0);
}

#[test]
fn a_notification_of_an_earlier_change_does_not_tell_of_a_later_one() {
    let mut scene = Scene::new();
    scene.hear(&anna(), 990);
    scene.find(anna(), 1_000);
    assert_eq!(scene.judge_until(1_000, 1_145), None);
    assert_eq!(scene.hearing.missed(), 1);
}

#[test]
fn one_lost_notification_is_missed_but_is_no_deafness_while_others_arrive() {
    let mut scene = Scene::new();
    scene.find(anna(), 1_000);
    scene.hear(&bert(), 1_100);
    assert_eq!(scene.judge_until(1_100, 5_000), None);
    assert_eq!(scene.hearing.missed(), 1);
    assert!(!scene.hearing.is_doubted());
}

#[test]
fn what_was_found_after_the_last_notification_still_counts() {
    let mut scene = Scene::new();
    scene.find(anna(), 1_000);
    scene.find(bert(), 1_020);
    scene.hear(&anna(), 1_010);
    assert_eq!(scene.judge_until(1_020, 2_000), Some(1_170));
}

#[test]
fn a_doubted_shard_is_trusted_with_its_first_notification() {
    let mut scene = Scene::new();
    scene.find(anna(), 1_000);
    scene.judge_until(1_000, 1_150);
    scene.hearing.begin_anew();
    assert!(scene.hearing.is_doubted() && scene.is_to_be_told(1_160));
    scene.hear(&bert(), 1_160);
    assert!(!scene.hearing.is_doubted() && !scene.is_to_be_told(1_160));
    assert_eq!(scene.judge_until(1_165, 5_000), None);
}

#[test]
fn a_deaf_shard_is_told_of_long_enough_to_be_seen_although_it_is_made_anew_at_once() {
    let mut scene = Scene::new();
    scene.find(anna(), 1_000);
    assert_eq!(scene.judge_until(1_000, 2_000), Some(1_150));
    scene.hearing.begin_anew();
    assert!(!scene.hearing.is_deaf());
    assert!(scene.is_to_be_told(1_209));
    assert!(!scene.is_to_be_told(1_210));
    assert!(scene.hearing.is_doubted());
}

#[test]
fn a_shard_that_stays_deaf_is_made_anew_every_five_minutes_at_most_and_said_to_be_deaf() {
    let mut scene = Scene::new();
    scene.find(anna(), 1_000);
    assert_eq!(scene.judge_until(1_000, 2_000), Some(1_150));
    scene.hearing.begin_anew();
    scene.find(anna(), 1_160);
    assert_eq!(scene.judge_until(1_160, 1_445), None);
    assert!(scene.hearing.is_deaf() && scene.hearing.is_doubted());
    assert_eq!(scene.judge_until(1_450, 1_450), Some(1_450));
    assert_eq!(scene.hearing.missed(), 2);
}

#[test]
fn a_shard_that_was_made_anew_for_other_users_is_not_judged_by_what_was_found_before() {
    let mut scene = Scene::new();
    scene.find(anna(), 1_000);
    scene.hearing.begin_anew();
    assert_eq!(scene.judge_until(1_005, 5_000), None);
    assert!(!scene.hearing.is_doubted());
}
