use std::time::{Duration, Instant};

use m365_presence::traffic::Outage;

#[test]
fn attempts_are_five_seconds_apart_at_most_for_a_minute_and_then_thirty() {
    for chance in [0.0, 0.5, 1.0] {
        let begun = Instant::now();
        let (mut now, mut outage) = (begun, Outage::default());
        let (mut young, mut old) = (0, 0);
        while now - begun < Duration::from_secs(600) {
            let wait = outage.fail(now, chance);
            if now - begun < Duration::from_secs(60) {
                young += 1;
                assert!(wait <= Duration::from_secs(5));
            } else {
                old += 1;
                assert!(wait <= Duration::from_secs(30) && wait >= Duration::from_secs(22));
            }
            now += wait;
        }
        assert!((12..=20).contains(&young), "{young} in the first minute");
        assert!((18..=25).contains(&old), "{old} in the next nine");
    }
}

#[test]
fn the_first_attempt_follows_soon_and_an_end_begins_anew() {
    let now = Instant::now();
    let mut outage = Outage::default();
    let waits: Vec<_> = (0..5).map(|_| outage.fail(now, 0.0).as_millis()).collect();
    assert_eq!(waits, [500, 1000, 2000, 4000, 5000]);
    outage.end();
    assert_eq!((outage.failures(), outage.fail(now, 0.0).as_millis()), (0, 500));
}
