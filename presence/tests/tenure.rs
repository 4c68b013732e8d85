//! Never may two instances write at once, whatever is stopped, cut or slow.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use m365_presence::tenure::{BootTime, FRESH, SILENCE, SOLITUDE, Tenure, UNDISTURBED};
use proptest::prelude::*;

fn at(seconds: u64) -> BootTime {
    BootTime::new(Duration::from_secs(seconds))
}

fn millis(millis: u64) -> BootTime {
    BootTime::new(Duration::from_millis(millis))
}

#[test]
fn an_answer_permits_for_three_seconds_since_its_question_left() {
    let mut tenure = Tenure::begin(at(100), Some(1));
    assert_eq!(tenure.permitted_until(), at(103));
    tenure.confirm(at(101), Some(1));
    assert_eq!(tenure.permitted_until(), at(104));
    // an answer that comes late, or twice, takes nothing away
    tenure.confirm(at(100), Some(1));
    assert_eq!(tenure.permitted_until(), at(104));
}

#[test]
fn in_company_a_lost_database_permits_nothing() {
    let mut tenure = Tenure::begin(at(100), Some(0));
    tenure.confirm(at(101), Some(1));
    tenure.confirm(at(102), Some(0));
    tenure.nobody_there(at(104));
    assert_eq!(tenure.permitted_until(), at(105));
    assert!(!tenure.is_alone(at(104)));
}

#[test]
fn whoever_is_alone_goes_on_without_the_database() {
    let mut tenure = Tenure::begin(at(100), Some(0));
    tenure.nobody_there(at(104));
    assert_eq!(tenure.permitted_until(), at(104).after(UNDISTURBED));
    let mut tenure = Tenure::begin(at(100), Some(1));
    let later = at(101).after(SOLITUDE);
    assert!(tenure.is_alone(later));
    tenure.nobody_there(later);
    assert_eq!(tenure.permitted_until(), later.after(UNDISTURBED));
}

#[test]
fn whoever_cannot_tell_yet_whether_others_are_there_reckons_with_them() {
    let mut tenure = Tenure::begin(at(100), None);
    tenure.nobody_there(at(102));
    assert_eq!(tenure.permitted_until(), at(103));
    tenure.confirm(at(104), Some(0));
    tenure.nobody_there(at(106));
    assert_eq!(tenure.permitted_until(), at(106).after(UNDISTURBED));
}

#[test]
fn an_attempt_that_was_begun_before_a_stop_permits_nothing_after_it() {
    let mut tenure = Tenure::begin(at(100), Some(0));
    let (tried_at, woken_at) = (at(103), at(163));
    tenure.nobody_there(tried_at);
    assert!(tenure.permitted_until() < woken_at);
}

proptest! {
    /// The holder asks at times of its own, each question reaches the server some time later, some never; the process
    /// may be stopped at any point. The server frees the lock five seconds after the last question that reached it.
    #[test]
    fn the_permission_ends_before_the_lock_is_free(
        gaps in proptest::collection::vec((0..20_000_u64, proptest::option::of(0..8_000_u64)), 1..30)
    ) {
        let mut asked = 1_000_000;
        let mut tenure = Tenure::begin(millis(asked), Some(1));
        let mut freed = asked + u64::try_from(SILENCE.as_millis()).unwrap();
        for (gap, way) in gaps {
            asked += gap;
            let Some(way) = way else { continue };
            let reached = asked + way;
            if reached >= freed {
                break;
            }
            freed = reached + u64::try_from(SILENCE.as_millis()).unwrap();
            // the answer may come any time later, or never: both are no later than this
            tenure.confirm(millis(asked), Some(1));
            prop_assert!(tenure.permitted_until() < millis(freed));
        }
        prop_assert!(tenure.permitted_until() <= millis(asked).after(FRESH));
    }
}
