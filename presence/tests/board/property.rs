//! Ten thousand random lives keep every invariant; without one of the rules, some life does not.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::invariants::{Breach, Rule};
use crate::life::Life;
use crate::sabotage::Sabotage;

const SEEDS: Range<u64> = 0..10_000;

/// Lives other seeds and shows all that break a rule:
/// `BOARD_SEEDS=10000..30000 cargo test -p m365-presence --test board random_lives`.
const OTHER_SEEDS: &str = "BOARD_SEEDS";

/// Reruns one seed and shows its life: `BOARD_SEED=42 cargo test -p m365-presence --test board random_lives`.
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

struct Broken {
    seed: u64,
    breach: Breach,
    trace: Vec<String>,
}

/// Lives the seeds on all cores; answers those that broke a rule, in order, or no more than the smallest.
fn broken(seeds: Range<u64>, sabotage: Sabotage, only_first: bool) -> Vec<Broken> {
    let next = AtomicU64::new(seeds.start);
    let end = AtomicU64::new(seeds.end);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut broken = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end.load(Ordering::Relaxed) {
                return broken;
            }
            if let Err((breach, trace)) = judge(seed, sabotage) {
                if only_first {
                    end.fetch_min(seed, Ordering::Relaxed);
                }
                broken.push(Broken { seed, breach, trace });
            }
        }
    };
    let mut broken: Vec<Broken> = thread::scope(|scope| {
        let lives: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        lives.into_iter().flat_map(|life| life.join().unwrap()).collect()
    });
    broken.sort_by_key(|life| life.seed);
    broken.truncate(if only_first { 1 } else { usize::MAX });
    broken
}

fn live_range(range: &str) {
    let (start, end) = range.split_once("..").expect("a range of seeds as 10000..30000");
    let broken = broken(
        start.parse().unwrap()..end.parse().unwrap(),
        Sabotage::None,
        false,
    );
    for life in &broken {
        eprintln!(
            "seed {} breaks {:?}: {}",
            life.seed, life.breach.rule, life.breach.text
        );
    }
    assert!(
        broken.is_empty(),
        "{} lives of {range} break a rule",
        broken.len()
    );
}

#[test]
fn random_lives_keep_every_invariant() {
    if let Ok(seed) = std::env::var(ONE_SEED) {
        if let Err((breach, trace)) = judge(seed.parse().unwrap(), Sabotage::None) {
            panic!("{}\n{breach:?}", trace.join("\n"));
        }
        return;
    }
    if let Ok(range) = std::env::var(OTHER_SEEDS) {
        return live_range(&range);
    }
    if let Some(life) = broken(SEEDS, Sabotage::None, true).first() {
        panic!(
            "{}\nseed {} breaks {:?}: {}",
            life.trace.join("\n"),
            life.seed,
            life.breach.rule,
            life.breach.text
        );
    }
}

/// Shows the seed that fails without a rule.
fn expect_breach(sabotage: Sabotage, rules: &[Rule]) {
    let broken = broken(SEEDS, sabotage, true);
    let Broken { seed, breach, .. } = broken
        .first()
        .expect("the property notices that the rule is missing");
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
    expect_breach(Sabotage::UnknownIsEmpty, &[Rule::Justified, Rule::NoRepeat]);
}

#[test]
fn without_the_ledger_a_restart_forgets_what_stands() {
    expect_breach(
        Sabotage::NoLedger,
        &[Rule::Converged, Rule::LaterChoice, Rule::Released],
    );
}

#[test]
fn if_a_row_told_one_claim_only_a_crash_before_a_write_would_leave_the_older_one_behind() {
    expect_breach(
        Sabotage::OneClaimPerRow,
        &[Rule::Converged, Rule::Released, Rule::NoEcho],
    );
}
