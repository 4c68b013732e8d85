//! The life of a key pair for resource data.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::rotation::{KeyRecord, Plan, plan};
use proptest::prelude::*;

const LIFE: Duration = Duration::from_hours(300 * 24);

fn day(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::days(number)
}

/// A key made on one day and named last on another.
fn key(id: &str, made: i64, named: i64) -> KeyRecord {
    KeyRecord {
        id: id.to_owned(),
        made_at: day(made),
        named_at: day(named),
    }
}

fn planned(keys: &[KeyRecord], today: i64) -> Plan {
    plan(keys, LIFE, day(today))
}

#[test]
fn without_a_key_one_is_made() {
    let plan = planned(&[], 0);
    assert!(plan.make && plan.current.is_none() && plan.drop.is_empty());
}

#[test]
fn a_key_is_replaced_well_before_a_year_is_over() {
    let keys = [key("a", 0, 299)];
    assert!(!planned(&keys, 299).make);
    assert_eq!(planned(&keys, 299).replace_at, Some(day(300)));
    assert!(planned(&keys, 300).make);
    // until there is another one it is used on
    assert_eq!(planned(&keys, 364).current.as_deref(), Some("a"));
}

#[test]
fn the_newest_key_is_named_and_the_old_one_stays_until_nothing_has_named_it_for_a_day() {
    let keys = |named| [key("old", 0, named), key("new", 300, 300)];
    for (named, today, dropped) in [
        (300, 300, false),
        (300, 301, true),
        (305, 305, false),
        (305, 306, true),
    ] {
        let plan = planned(&keys(named), today);
        assert_eq!(plan.current.as_deref(), Some("new"));
        assert!(!plan.make);
        assert_eq!(plan.drop.iter().any(|id| id == "old"), dropped, "{named} {today}");
    }
}

#[test]
fn an_old_key_stays_for_a_day_after_the_change_even_when_nothing_ever_named_it() {
    let keys = [key("old", 0, 0), key("new", 300, 300)];
    assert!(planned(&keys, 300).drop.is_empty());
    assert_eq!(planned(&keys, 301).drop, ["old"]);
}

#[test]
fn a_key_from_a_wrong_clock_is_replaced_at_once_and_named_no_more() {
    let mad = key("mad", 9_000, 0);
    let before = planned(std::slice::from_ref(&mad), 0);
    assert!(before.make);
    assert_eq!(before.current.as_deref(), Some("mad"), "better than none");
    let after = planned(&[mad, key("sane", 0, 0)], 0);
    assert!(!after.make);
    assert_eq!(after.current.as_deref(), Some("sane"));
}

#[test]
fn keys_do_not_pile_up_however_short_their_life() {
    let keys: Vec<_> = (0..8).map(|number| key(&number.to_string(), number, 8)).collect();
    let plan = plan(&keys, Duration::from_secs(1), day(8));
    assert!(!plan.make);
    assert_eq!(plan.current.as_deref(), Some("7"));
}

proptest! {
    #[test]
    fn whatever_there_is_the_current_key_is_never_dropped_and_something_is_always_usable(
        ages in prop::collection::vec((-400_i64..400, -400_i64..1), 0..12),
    ) {
        let keys: Vec<_> = ages
            .iter()
            .enumerate()
            .map(|(number, (made, named))| key(&number.to_string(), *made, *named))
            .collect();
        let plan = planned(&keys, 0);
        prop_assert_eq!(plan.current.is_some(), !keys.is_empty());
        prop_assert!(plan.make || plan.current.is_some());
        if let Some(current) = &plan.current {
            prop_assert!(!plan.drop.contains(current));
        }
        for id in &plan.drop {
            let dropped = keys.iter().find(|key| key.id == *id).unwrap();
            prop_assert!(dropped.named_at <= day(-1));
        }
    }
}
