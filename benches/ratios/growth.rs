//! Matching must grow no faster than the number of users, but for what larger tables cost the processor's caches; neither
//! its time nor its memory.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use crate::median;
use crate::populace::Populace;

const SIZES: [usize; 3] = [1_000, 10_000, 50_000];

const ROUNDS: usize = 7;

pub fn measure() {
    let populaces = SIZES.map(Populace::of);
    let memory = populaces.each_ref().map(highest_of_matching);
    let mut times = SIZES.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (populace, times) in populaces.iter().zip(&mut times) {
            let began = Instant::now();
            black_box(populace.matched());
            times.push(began.elapsed());
        }
    }
    let mut least = None;
    for (users, times) in SIZES.into_iter().zip(times) {
        let took = median(times);
        let each = took.as_secs_f64() * 1e6 / users as f64;
        let least = *least.get_or_insert(each);
        println!(
            "| matching {users} users | {:.1} ms, {each:.2} µs each | {:.2} | |",
            took.as_secs_f64() * 1e3,
            each / least
        );
    }
    let mut least = None;
    for (users, kibibytes) in SIZES.into_iter().zip(memory) {
        let each = kibibytes as f64 / users as f64;
        let least = *least.get_or_insert(each);
        println!(
            "| memory of matching {users} users | {:.1} MiB, {each:.2} KiB each | {:.2} | |",
            kibibytes as f64 / 1024.0,
            each / least
        );
    }
}

/// The highest resident memory while a directory is matched and kept, beyond what was resident before, in KiB. What an
/// earlier one has left to the allocator counts as resident before, so the sizes must be ascending.
fn highest_of_matching(populace: &Populace) -> u64 {
    fs::write("/proc/self/clear_refs", "5").expect("the kernel lets a process forget its highest mark");
    let before = status("VmRSS:");
    let matched = black_box(populace.matched());
    let highest = status("VmHWM:");
    drop(matched);
    highest.saturating_sub(before)
}

fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("procfs is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("the kernel counts in KiB")
}
