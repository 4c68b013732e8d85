//! A whole directory, built anew.

use criterion::{BenchmarkId, Criterion, Throughput};

use crate::populace::Populace;

pub fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matching");
    group.sample_size(10);
    for users in [1_000, 10_000, 50_000] {
        let populace = Populace::of(users);
        group.throughput(Throughput::Elements(users as u64));
        group.bench_function(BenchmarkId::new("directory of", users), |bench| {
            bench.iter(|| populace.matched());
        });
    }
    group.finish();
}
