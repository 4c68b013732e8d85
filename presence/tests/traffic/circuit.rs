use std::time::{Duration, Instant};

use m365_presence::traffic::{Admission, Circuit, Failure, News};

/// A circuit with its own time, told apart by families that are letters.
struct Scene {
    circuit: Circuit<char>,
    begun: Instant,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            circuit: Circuit::new(2),
            begun: now,
            now,
        }
    }

    fn pass(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }

    fn fail(&mut self, failure: Failure<char>) -> Option<News> {
        self.circuit.failed(self.now, failure, self.now, 0.0)
    }

    fn answer(&mut self) -> Option<News> {
        self.circuit.answered(self.now)
    }

    fn admit(&mut self) -> Admission {
        self.circuit.admit(self.now, 0.0)
    }

    fn is_lost(&self) -> bool {
        self.circuit.lost_since().is_some()
    }

    /// Loses the host for good.
    fn lose(&mut self) {
        for _ in 0..3 {
            self.fail(Failure::NoConnection);
        }
        assert!(self.is_lost());
    }
}

fn lost_after(failures: &[Failure<char>]) -> bool {
    let mut scene = Scene::new();
    // somebody was answered before, as usual
    scene.answer();
    scene.pass(1.0);
    for failure in failures {
        scene.fail(*failure);
    }
    scene.is_lost()
}

#[test]
fn what_makes_an_outage_and_what_does_not() {
    use Failure::{NoAnswer, NoConnection, Silence};
    for (failures, expected) in [
        (vec![NoConnection], false),
        (vec![NoConnection, NoConnection], false),
        (vec![NoConnection, NoConnection, NoConnection], true),
        (vec![NoAnswer('a'); 20], false),
        (vec![NoAnswer('a'), NoAnswer('b')], false),
        (vec![NoAnswer('a'), NoAnswer('a'), NoAnswer('b')], true),
        (vec![NoAnswer('a'), NoAnswer('a'), NoConnection], true),
        (vec![Silence('a'), Silence('a'), Silence('a')], true),
    ] {
        assert_eq!(lost_after(&failures), expected, "{failures:?}");
    }
}

#[test]
fn silence_to_one_family_is_no_outage_while_others_are_answered() {
    let mut scene = Scene::new();
    let left_at = scene.now;
    for _ in 0..5 {
        scene.pass(10.0);
        scene.answer();
    }
    for _ in 0..5 {
        scene.pass(1.0);
        scene
            .circuit
            .failed(left_at, Failure::Silence('a'), scene.now, 0.0);
    }
    assert!(!scene.is_lost());
}

#[test]
fn any_answer_begins_the_count_anew() {
    let mut scene = Scene::new();
    for _ in 0..10 {
        scene.fail(Failure::NoConnection);
        scene.fail(Failure::NoAnswer('a'));
        scene.answer();
    }
    assert!(!scene.is_lost());
}

#[test]
fn a_dead_host_costs_a_probe_at_a_time() {
    let mut scene = Scene::new();
    scene.lose();
    let (mut probes, mut last) = (Vec::new(), scene.now);
    // a thousand ask all the time
    while scene.now - scene.begun < Duration::from_secs(300) {
        match scene.admit() {
            Admission::Probe => {
                assert!(!matches!(scene.admit(), Admission::Pass | Admission::Probe));
                probes.push(scene.now - last);
                last = scene.now;
                scene.fail(Failure::NoConnection);
                scene.circuit.probe_ended();
            }
            Admission::Pass => panic!("nobody else passes"),
            Admission::Follow(wait) | Admission::Wait(wait) => assert!(wait <= Duration::from_secs(30)),
        }
        scene.pass(0.1);
    }
    assert!((18..=28).contains(&probes.len()), "{} probes", probes.len());
    assert!(
        probes[..12]
            .iter()
            .all(|apart| *apart <= Duration::from_millis(5_200))
    );
}

#[test]
fn a_probe_that_hangs_does_not_keep_the_next_one_from_leaving() {
    let mut scene = Scene::new();
    scene.lose();
    let mut probes = 0;
    for _ in 0..600 {
        probes += u32::from(scene.admit() == Admission::Probe);
        scene.pass(0.1);
    }
    assert!((12..=17).contains(&probes), "{probes} probes in a minute");
    assert!(matches!(scene.admit(), Admission::Follow(_)));
}

#[test]
fn who_comes_while_a_probe_is_under_way_may_await_its_verdict_and_then_passes() {
    let mut scene = Scene::new();
    scene.lose();
    assert!(matches!(scene.admit(), Admission::Wait(wait) if wait == Duration::from_millis(500)));
    scene.pass(0.5);
    assert_eq!(scene.admit(), Admission::Probe);
    assert!(matches!(scene.admit(), Admission::Follow(_)));
    scene.answer();
    assert_eq!(scene.admit(), Admission::Pass);
}

#[test]
fn a_failure_of_a_request_from_before_the_end_tells_nothing() {
    let mut scene = Scene::new();
    let before = scene.now;
    scene.lose();
    scene.pass(5.0);
    scene.answer();
    for _ in 0..10 {
        scene.pass(1.0);
        scene
            .circuit
            .failed(before, Failure::Silence('a'), scene.now, 0.0);
    }
    assert!(!scene.is_lost());
}

#[test]
fn begin_and_end_are_told_once_each() {
    let mut scene = Scene::new();
    assert_eq!(scene.fail(Failure::NoConnection), None);
    assert_eq!(scene.fail(Failure::NoConnection), None);
    assert_eq!(scene.fail(Failure::NoConnection), Some(News::Lost));
    for _ in 0..20 {
        scene.pass(1.0);
        scene.admit();
        assert_eq!(scene.fail(Failure::NoConnection), None);
    }
    let lasted = Duration::from_secs(20);
    assert!(
        matches!(scene.answer(), Some(News::Reached { lasted: told, probes }) if told == lasted && probes > 0)
    );
    for _ in 0..100 {
        scene.pass(1.0);
        assert_eq!(scene.answer(), None);
    }
    scene.lose();
    scene.pass(1.0);
    assert!(matches!(scene.answer(), Some(News::Reached { .. })));
}

#[test]
fn a_host_that_comes_and_goes_is_told_of_four_times_and_not_every_time() {
    let mut scene = Scene::new();
    let mut told = Vec::new();
    for _ in 0..200 {
        for _ in 0..3 {
            told.extend(scene.fail(Failure::NoConnection));
        }
        scene.pass(5.0);
        told.extend(scene.answer());
        scene.pass(5.0);
        told.extend(scene.answer());
    }
    for _ in 0..100 {
        scene.pass(1.0);
        told.extend(scene.answer());
    }
    let [
        News::Lost,
        News::Reached { .. },
        News::Unsteady,
        News::Steady {
            interruptions,
            lasted,
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(*interruptions, 200);
    assert!(*lasted > Duration::from_secs(1_900), "{lasted:?}");
}
