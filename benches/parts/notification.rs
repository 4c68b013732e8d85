//! A notification from its raw body to what it truly says, as the simulated cloud writes it.
//!
//! The validation token is known after the first time, as in a day's work: Microsoft sends the same one for hours.

use criterion::{Criterion, Throughput};

use crate::post::{FULL, Post};

pub fn measure(criterion: &mut Criterion) {
    let system = actix_rt::System::new();
    let post = system.block_on(async { Post::new() });
    let mut group = criterion.benchmark_group("notification");
    for (name, count, rich) in [
        ("basic, alone", 1, false),
        ("basic, fifty together", FULL, false),
        ("rich, alone", 1, true),
        ("rich, fifty together", FULL, true),
    ] {
        let body = post.caught(count, rich);
        let opened = system.block_on(post.open(&body));
        assert_eq!(opened.notices.len(), count, "{:?}", opened.discarded);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(name, |bench| bench.iter(|| system.block_on(post.open(&body))));
    }
    group.finish();
}
