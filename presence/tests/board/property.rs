//! Ten thousand random lives keep every invariant; without one of the rules, some life does not.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::conduct::{Breach, Rule};
use crate::life::Life;
use crate::sabotage::Sabotage;

/// Which lives are lived, unless [`SEEDS`] says otherwise.
const ALL: Range<u64> = 0..10_000;

/// Lives other seeds: `BOARD_SEEDS=10000..30000 cargo test -p m365-presence --test board random_lives`.
const SEEDS: &str = "BOARD_SEEDS";

/// Reruns one seed: `BOARD_SEED=42 cargo test -p m365-presence --test board lives`.
const ONE_SEED: &str = "BOARD_SEED";

/// More than any life needs: people act some fifty times, and every act may lead to a few writes, most of which may
/// have to be repeated.
const MOST_WRITES: u64 = 800;

fn judge(seed: u64, sabotage: Sabotage) -> Result<(), (Breach, Vec<String>)> {
    let mut life = Life::new(seed, sabotage);
    match life.live() {
        Ok(writes) => {
            assert!(writes <= MOST_WRITES, "seed {seed}: {writes} writes");
            Ok(())
        }
        Err(breach) => Err((breach, life.trace)),
    }
}

fn seeds() -> Range<u64> {
    let Ok(range) = std::env::var(SEEDS) else {
        return ALL;
    };
    let (start, end) = range.split_once("..").expect("a range of seeds as 10000..30000");
    start.parse().unwrap()..end.parse().unwrap()
}

/// Lives the seeds on all cores; answers the smallest seed that broke a rule.
fn first_breach(seeds: &Range<u64>, sabotage: Sabotage) -> Option<(u64, Breach, Vec<String>)> {
    let next = AtomicU64::new(seeds.start);
    let found = AtomicU64::new(u64::MAX);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut first = None;
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || seed > found.load(Ordering::Relaxed) {
                return first;
            }
            if let Err((breach, trace)) = judge(seed, sabotage) {
                found.fetch_min(seed, Ordering::Relaxed);
                first = Some((seed, breach, trace));
            }
        }
    };
    thread::scope(|scope| {
        let lives: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        lives
            .into_iter()
            .filter_map(|life| life.join().unwrap())
            .min_by_key(|(seed, ..)| *seed)
    })
}

#[test]
fn random_lives_keep_every_invariant() {
    if let Ok(seed) = std::env::var(ONE_SEED) {
        if let Err((breach, trace)) = judge(seed.parse().unwrap(), Sabotage::None) {
            panic!("{}\n{breach:?}", trace.join("\n"));
        }
        return;
    }
    if let Some((seed, breach, trace)) = first_breach(&seeds(), Sabotage::None) {
        panic!(
            "{}\nseed {seed} breaks {:?}: {}",
            trace.join("\n"),
            breach.rule,
            breach.text
        );
    }
}

/// Shows the seed that fails without a rule.
fn expect_breach(sabotage: Sabotage, rules: &[Rule]) {
    let (seed, breach, _) =
        first_breach(&ALL, sabotage).expect("the property notices that the rule is missing");
    eprintln!(
        "{sabotage:?}: seed {seed} breaks {:?}: {}",
        breach.rule, breach.text
    );
    assert!(rules.contains(&breach.rule), "seed {seed}: {breach:?}");
}

#[test]
fn without_the_echo_rule_our_own_writes_come_back() {
    expect_breach(Sabotage::NoEcho, &[Rule::NoEcho]);
}

#[test]
fn without_the_override_rule_the_later_choice_is_lost() {
    expect_breach(Sabotage::NoOverride, &[Rule::LaterChoice]);
}

#[test]
fn if_unknown_were_empty_a_lost_session_would_clear_what_stands() {
    expect_breach(Sabotage::UnknownIsEmpty, &[Rule::Justified]);
}

#[test]
fn without_the_ledger_a_restart_forgets_what_stands() {
    expect_breach(
        Sabotage::NoLedger,
        &[Rule::Converged, Rule::LaterChoice, Rule::Released],
    );
}
