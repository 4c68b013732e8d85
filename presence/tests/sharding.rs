//! Which communication user's subscription watches whom.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, BTreeSet};

use m365_presence::identity::{Account, TeamsId};
use m365_presence::sharding::{Assignment, CAPACITY};
use proptest::prelude::*;

fn accounts(count: usize) -> Vec<Account> {
    (1..=count)
        .map(|number| Account::new(format!("presence{number}@contoso.com")))
        .collect()
}

fn users(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<TeamsId> {
    numbers
        .into_iter()
        .map(|number| TeamsId::new(format!("user{number:04}")))
        .collect()
}

fn fresh(accounts: &[Account], wanted: &BTreeSet<TeamsId>, capacity: usize) -> Assignment {
    Assignment::default().next(accounts, wanted, capacity)
}

fn sizes(assignment: &Assignment) -> Vec<usize> {
    assignment.shards.values().map(BTreeSet::len).collect()
}

fn changed(before: &Assignment, after: &Assignment) -> Vec<Account> {
    let differs = |account: &&Account| before.shards.get(*account) != after.shards.get(*account);
    after.shards.keys().filter(differs).cloned().collect()
}

#[test]
fn a_communication_user_carries_650_users_and_the_next_one_the_rest() {
    let assignment = fresh(&accounts(3), &users(0..1_000), CAPACITY);
    assert_eq!(sizes(&assignment), [650, 350, 0]);
    assert_eq!(assignment.overflow, []);
}

#[test]
fn an_account_that_was_away_for_a_while_takes_nobody_back() {
    let accounts = accounts(2);
    let end = |hour: i64| chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(hour);
    let stored = [
        (accounts[0].clone(), end(1), users(0..10)),
        (accounts[1].clone(), end(5), users(1..11)),
    ];
    let before = Assignment::from_stored(stored);
    let after = before.next(&accounts, &users(0..12), 10);
    assert_eq!(after.shards[&accounts[1]], users(1..11));
    assert_eq!(after.shards[&accounts[0]], users([0, 11]));
}

#[test]
fn who_finds_no_place_is_named() {
    let assignment = fresh(&accounts(1), &users(0..653), CAPACITY);
    assert_eq!(sizes(&assignment), [650]);
    assert_eq!(
        assignment.overflow,
        users(650..653).into_iter().collect::<Vec<_>>()
    );
}

#[test]
fn without_a_communication_user_everybody_is_overflow() {
    let assignment = fresh(&[], &users(0..3), CAPACITY);
    assert!(assignment.shards.is_empty());
    assert_eq!(assignment.overflow.len(), 3);
}

#[test]
fn who_leaves_frees_a_place_for_the_one_who_waits_longest() {
    let accounts = accounts(1);
    let mut wanted = users(0..12);
    let before = fresh(&accounts, &wanted, 10);
    assert_eq!(before.overflow, users([10, 11]).into_iter().collect::<Vec<_>>());
    wanted.retain(|user| user.as_str() != "user0003");
    // sorts before everybody who waits
    wanted.insert(TeamsId::new("newcomer"));
    let after = before.next(&accounts, &wanted, 10);
    assert!(after.shards[&accounts[0]].contains(&TeamsId::new("user0010")));
    assert_eq!(
        after.overflow,
        [TeamsId::new("user0011"), TeamsId::new("newcomer")]
    );
}

#[test]
fn a_newcomer_goes_where_somebody_has_left() {
    let accounts = accounts(3);
    let before = fresh(&accounts, &users(0..25), 10);
    assert_eq!(sizes(&before), [10, 10, 5]);
    let mut wanted = users(0..26);
    wanted.remove(&TeamsId::new("user0012"));
    let after = before.next(&accounts, &wanted, 10);
    assert_eq!(changed(&before, &after), [accounts[1].clone()]);
    assert_eq!(after.account_of(&TeamsId::new("user0025")), Some(&accounts[1]));
}

#[test]
fn a_newcomer_joins_a_shard_before_an_idle_account_is_used() {
    let accounts = accounts(3);
    let before = fresh(&accounts, &users(0..15), 10);
    let after = before.next(&accounts, &users(0..16), 10);
    assert_eq!(changed(&before, &after), [accounts[1].clone()]);
}

#[test]
fn users_of_a_removed_account_move_and_nobody_else_does() {
    let three = accounts(3);
    let before = fresh(&three, &users(0..24), 10);
    let after = before.next(&[three[0].clone(), three[2].clone()], &users(0..24), 10);
    assert_eq!(before.shards[&three[0]], after.shards[&three[0]]);
    assert!(after.shards[&three[2]].is_superset(&before.shards[&three[2]]));
    assert_eq!(sizes(&after), [10, 10]);
    assert_eq!(after.overflow.len(), 4);
    // those who have lost their place come first when there is one again
    let again = after.next(&three, &users(0..24), 10);
    assert_eq!(again.overflow, []);
}

#[test]
fn a_stored_subscription_is_taken_as_it_is() {
    let accounts = accounts(2);
    let stored = Assignment {
        shards: BTreeMap::from([(accounts[1].clone(), users(0..5))]),
        overflow: Vec::new(),
    };
    let assignment = stored.next(&accounts, &users(0..5), CAPACITY);
    assert_eq!(sizes(&assignment), [0, 5]);
}

#[test]
fn a_smaller_capacity_moves_only_those_who_are_too_many() {
    let accounts = accounts(2);
    let before = fresh(&accounts, &users(0..10), 10);
    let after = before.next(&accounts, &users(0..10), 6);
    assert_eq!(sizes(&after), [6, 4]);
    assert!(after.shards[&accounts[0]].is_subset(&before.shards[&accounts[0]]));
}

#[derive(Clone, Debug)]
struct Wish {
    accounts: Vec<Account>,
    wanted: BTreeSet<TeamsId>,
    capacity: usize,
}

fn wish() -> impl Strategy<Value = Wish> {
    let chosen = prop::sample::subsequence(accounts(4), 0..=4).prop_shuffle();
    (
        chosen,
        prop::collection::btree_set(0..40_usize, 0..40),
        1..8_usize,
    )
        .prop_map(|(accounts, wanted, capacity)| Wish {
            accounts,
            wanted: users(wanted),
            capacity,
        })
}

proptest! {
    #[test]
    fn an_assignment_is_whole_stable_and_fair(wishes in prop::collection::vec(wish(), 1..6)) {
        let mut before = Assignment::default();
        for Wish { accounts, wanted, capacity } in wishes {
            let after = before.next(&accounts, &wanted, capacity);

            // whole: everybody once, nobody else, no shard too large, nobody waits beside a free place
            let listed: Vec<&TeamsId> = after.shards.values().flatten().chain(&after.overflow).collect();
            prop_assert_eq!(listed.len(), wanted.len());
            prop_assert_eq!(listed.into_iter().cloned().collect::<BTreeSet<_>>(), wanted.clone());
            prop_assert!(sizes(&after).iter().all(|size| *size <= capacity));
            prop_assert!(after.overflow.is_empty() || sizes(&after).iter().all(|size| *size == capacity));
            prop_assert_eq!(after.shards.keys().cloned().collect::<BTreeSet<_>>(), accounts.iter().cloned().collect());

            // stable: who may stay stays, and asking again changes nothing
            for account in &accounts {
                let empty = BTreeSet::new();
                let may_stay: Vec<_> =
                    before.shards.get(account).unwrap_or(&empty).intersection(&wanted).take(capacity).collect();
                prop_assert!(may_stay.into_iter().all(|user| after.shards[account].contains(user)));
            }
            prop_assert_eq!(after.next(&accounts, &wanted, capacity), after.clone());

            // fair: no newcomer passes one who has waited before
            let known: BTreeSet<&TeamsId> = before.shards.values().flatten().chain(&before.overflow).collect();
            let still_waiting = before.overflow.iter().any(|user| after.overflow.contains(user));
            let newcomer_placed = after.shards.values().flatten().any(|user| !known.contains(user));
            prop_assert!(!(still_waiting && newcomer_placed));

            before = after;
        }
    }

    #[test]
    fn one_newcomer_disturbs_at_most_one_shard(first in wish(), newcomer in 100..110_usize) {
        let before = fresh(&first.accounts, &first.wanted, first.capacity);
        let mut wanted = first.wanted.clone();
        wanted.extend(users([newcomer]));
        let after = before.next(&first.accounts, &wanted, first.capacity);
        prop_assert!(changed(&before, &after).len() <= 1);
    }

    #[test]
    fn one_leaver_disturbs_only_the_own_shard(first in wish(), at in any::<prop::sample::Index>()) {
        prop_assume!(!first.wanted.is_empty());
        let before = fresh(&first.accounts, &first.wanted, first.capacity);
        let leaver = first.wanted.iter().nth(at.index(first.wanted.len())).unwrap();
        let mut wanted = first.wanted.clone();
        wanted.remove(leaver);
        let after = before.next(&first.accounts, &wanted, first.capacity);
        let disturbed: Vec<Account> = before.account_of(leaver).cloned().into_iter().collect();
        prop_assert_eq!(changed(&before, &after), disturbed);
    }
}
