use std::time::{Duration, Instant};

use m365_presence::traffic::{Limit, Window};

const LIMIT: Limit = Limit {
    units: 25,
    period: Duration::from_secs(20),
};

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn the_limit_is_free_at_once_and_the_next_waits_a_period_from_the_answer() {
    let begun = Instant::now();
    let mut window = Window::new(LIMIT);
    for _ in 0..25 {
        assert_eq!(window.leave(1, begun), Ok(()));
    }
    assert_eq!(window.leave(1, begun), Err(Duration::ZERO), "all are under way");
    window.answered(1, begun + seconds(2.0));
    let now = begun + seconds(5.0);
    assert_eq!(window.leave(1, now), Err(seconds(17.0)));
    assert_eq!(window.leave(1, begun + seconds(22.0)), Ok(()));
}

#[test]
fn a_costly_request_waits_until_enough_is_free_and_never_for_ever() {
    let begun = Instant::now();
    let mut window = Window::new(LIMIT);
    for second in 0..3_u8 {
        let now = begun + seconds(second.into());
        assert_eq!(window.leave(8, now), Ok(()));
        window.answered(8, now);
    }
    let now = begun + seconds(3.0);
    assert_eq!(window.leave(1, now), Ok(()));
    window.give_back(1);
    assert_eq!(
        window.leave(9, now),
        Err(seconds(17.0)),
        "until the first eight are free"
    );
    assert_eq!(window.leave(20, now), Err(seconds(19.0)), "until all are");
    assert_eq!(
        window.leave(1_000, begun + seconds(60.0)),
        Ok(()),
        "counts as the whole limit"
    );
    window.answered(1_000, begun + seconds(61.0));
    assert_eq!(window.leave(25, begun + seconds(81.0)), Ok(()));
}

/// Whatever the ways take, the other side never sees more than the limit in any span of the period.
#[test]
fn no_span_of_the_other_side_s_clock_holds_more_than_the_limit() {
    let mut random = fastrand::Rng::with_seed(25);
    let begun = Instant::now();
    let mut window = Window::new(LIMIT);
    let mut under_way: Vec<Instant> = Vec::new();
    let mut arrivals: Vec<Instant> = Vec::new();
    let mut now = begun;
    while now - begun < Duration::from_secs(600) {
        let (answered, still): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|at| *at <= now);
        under_way = still;
        for at in answered {
            window.answered(1, at);
        }
        while random.f64() < 0.7 && window.leave(1, now).is_ok() {
            let (there, back) = (seconds(random.f64() * 3.0), seconds(random.f64() * 3.0));
            arrivals.push(now + there);
            under_way.push(now + there + back);
        }
        now += seconds(random.f64());
    }
    arrivals.sort_unstable();
    assert!(arrivals.len() > 300, "{} requests prove little", arrivals.len());
    for span in arrivals.windows(26) {
        assert!(span[25] - span[0] >= LIMIT.period, "{:?}", span[25] - span[0]);
    }
}
