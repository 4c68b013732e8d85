//! Matching must grow no faster than the number of users, but for what larger tables cost the processor's caches.

use std::hint::black_box;
use std::time::Instant;

use crate::median;
use crate::populace::Populace;

const SIZES: [usize; 3] = [1_000, 10_000, 50_000];

const ROUNDS: usize = 7;

pub fn measure() {
    let populaces = SIZES.map(Populace::of);
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
}
