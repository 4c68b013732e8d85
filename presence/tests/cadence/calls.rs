//! Whom a call asks for.

use m365_presence::cadence::{Cadence, Reading, Refusal, Tempo, Watch};

use super::{Desk, seconds, user, users};

fn sizes(desk: &mut Desk) -> Vec<usize> {
    desk.read().iter().map(|call| call.users.len()).collect()
}

#[test]
fn everybody_is_read_at_once_in_calls_of_650_at_most() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 1_400, Watch::Nobody);
    assert_eq!(desk.cadence.counts(desk.now).unread, 1_400);
    assert_eq!(sizes(&mut desk), [650, 650, 100]);
    assert_eq!(desk.cadence.counts(desk.now).unread, 0);
    assert_eq!(sizes(&mut desk), [0; 0]);
}

#[test]
fn a_call_for_one_takes_along_who_is_due_next() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 2_000, Watch::Nobody);
    desk.read();
    desk.show(&user(7), "InACall");
    let calls = desk.pass(seconds(3));
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].1.users.len(), 650);
    assert_eq!(calls[0].1.users[0], user(7));
}

#[test]
fn a_call_takes_along_nobody_who_was_read_a_moment_ago() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 2_000, Watch::Nobody);
    desk.read();
    desk.now += seconds(1);
    desk.cadence.order([user(7)]);
    assert_eq!(sizes(&mut desk), [1]);
}

#[test]
fn a_call_takes_along_those_whom_a_subscription_watches_when_half_of_the_sweep_is_over() {
    let mut desk = Desk::new(Reading::Hybrid, seconds(300), 100, Watch::Trusted);
    desk.read();
    desk.now += seconds(100);
    desk.cadence.order([user(7)]);
    assert_eq!(sizes(&mut desk), [1]);
    desk.now += seconds(100);
    desk.cadence.order([user(7)]);
    assert_eq!(sizes(&mut desk), [100]);
}

#[test]
fn where_notifications_are_all_that_counts_an_ordered_read_takes_nobody_along() {
    let mut desk = Desk::new(Reading::Subscription, seconds(10), 100, Watch::Trusted);
    desk.read();
    desk.now += seconds(3_600);
    desk.cadence.order([user(7)]);
    assert_eq!(sizes(&mut desk), [1]);
}

#[test]
fn what_is_ordered_goes_first_and_is_no_surprise() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 2_000, Watch::Nobody);
    desk.read();
    desk.now += seconds(60);
    desk.cadence.order([user(1_999), user(1_999)]);
    let calls = desk.read();
    assert_eq!(calls[0].users[0], user(1_999));
    assert_eq!(calls[0].ordered.len(), 1);
    assert!(calls[1..].iter().all(|call| call.ordered.is_empty()));
    let all: usize = calls.iter().map(|call| call.users.len()).sum();
    assert_eq!(all, 2_000, "nobody is asked for twice");
}

#[test]
fn a_read_may_be_ordered_while_an_older_one_is_under_way() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 1, Watch::Nobody);
    desk.read();
    desk.now += seconds(10);
    let older = desk.cadence.take_call(desk.now).unwrap();
    desk.now += seconds(1);
    assert_eq!(desk.cadence.take_call(desk.now), None);
    desk.cadence.order([user(0)]);
    let newer = desk.cadence.take_call(desk.now).unwrap();
    desk.cadence.answered(&newer, &[], desk.now);
    desk.cadence.answered(&older, &[], desk.now);
    assert_eq!(desk.cadence.next_due(), Some(newer.begun_at + seconds(10)));
}

#[test]
fn who_is_leaving_can_still_be_read_by_order() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 1, Watch::Nobody);
    desk.read();
    desk.cadence.set_users(&users(0), |_| Watch::Nobody);
    desk.cadence.order([user(0)]);
    assert_eq!(sizes(&mut desk), [1]);
    assert_eq!(desk.pass(seconds(100)), []);
}

#[test]
fn a_call_that_brought_nothing_is_due_at_once() {
    let mut desk = Desk::new(Reading::Hybrid, seconds(300), 2, Watch::Trusted);
    let call = desk.cadence.take_call(desk.now).unwrap();
    assert_eq!(call.ordered.len(), 2);
    desk.cadence.failed(call.clone());
    let again = desk.cadence.take_call(desk.now).unwrap();
    assert_eq!(again, call, "what was ordered stays ordered");
    desk.cadence.answered(&again, &[], desk.now);
    desk.now += seconds(300);
    let swept = desk.cadence.take_call(desk.now).unwrap();
    assert!(swept.ordered.is_empty());
    desk.cadence.failed(swept);
    assert_eq!(desk.cadence.counts(desk.now).waiting, 2);
}

#[test]
fn an_order_to_sweep_reads_everybody_even_where_nobody_is_swept() {
    let mut desk = Desk::new(Reading::Subscription, seconds(300), 1_000, Watch::Trusted);
    desk.read();
    desk.now += seconds(60);
    desk.cadence.order_everybody(desk.now);
    let calls = desk.read();
    assert!(calls.iter().all(|call| call.ordered.is_empty()));
    assert_eq!(calls.iter().map(|call| call.users.len()).sum::<usize>(), 1_000);
    assert_eq!(desk.pass(seconds(3_600)), []);
}

#[test]
fn a_full_sweep_lasts_from_its_first_call_to_its_last_user() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 1_300, Watch::Nobody);
    assert_eq!(desk.cadence.last_full_sweep(), None);
    let begun_at = desk.now;
    let first = desk.cadence.take_call(desk.now).unwrap();
    let second = desk.cadence.take_call(desk.now).unwrap();
    desk.now += seconds(1);
    desk.cadence.answered(&second, &[], desk.now);
    desk.now += seconds(1);
    assert_eq!(desk.cadence.last_full_sweep(), None);
    desk.cadence.answered(&first, &[], desk.now);
    let sweep = desk.cadence.last_full_sweep().unwrap();
    assert_eq!((sweep.begun_at, sweep.took), (begun_at, seconds(2)));
    desk.pass(seconds(9));
    assert!(desk.cadence.last_full_sweep().unwrap().begun_at > begun_at);
}

#[test]
fn the_counts_tell_who_is_read_how() {
    let mut cadence = Cadence::new(Tempo::new(Reading::Hybrid, seconds(300)));
    let trusted = user(0);
    let watch = |id: &_| {
        if *id == trusted {
            Watch::Trusted
        } else {
            Watch::Nobody
        }
    };
    cadence.set_users(&users(4), watch);
    let now = std::time::Instant::now();
    let call = cadence.take_call(now).unwrap();
    cadence.answered(&call, &[], now);
    cadence.note_phone(&user(1), true, now);
    let counts = cadence.counts(now);
    assert_eq!((counts.users, counts.uncovered), (4, 3));
    assert_eq!((counts.hot, counts.idle), (1, 2));
    assert_eq!((counts.unread, counts.waiting), (0, 0));
}

/// Lets Graph refuse every call that asks for somebody of these; answers how many calls were made.
fn refuse(desk: &mut Desk, disliked: &[usize]) -> usize {
    let mut calls = 0;
    while let Some(call) = desk.cadence.take_call(desk.now) {
        calls += 1;
        if disliked.iter().any(|number| call.users.contains(&user(*number))) {
            desk.cadence.refused(call, desk.now);
        } else {
            desk.cadence.answered(&call, &[], desk.now);
        }
    }
    calls
}

#[test]
fn an_id_that_graph_refuses_costs_nobody_else_the_observation() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 1_300, Watch::Nobody);
    let calls = refuse(&mut desk, &[7, 1_299]);
    assert!(calls < 60, "{calls}");
    assert_eq!(desk.cadence.counts(desk.now).waiting, 0);
    // from now on they are asked for alone, once a minute, and the others together
    desk.now += seconds(30);
    assert_eq!(refuse(&mut desk, &[7, 1_299]), 2);
    desk.now += seconds(30);
    assert_eq!(refuse(&mut desk, &[7, 1_299]), 4);
    // one that is answered again is read like everybody else
    desk.now += seconds(60);
    assert_eq!(refuse(&mut desk, &[7]), 4);
    desk.now += seconds(30);
    assert_eq!(refuse(&mut desk, &[]), 2);
}

#[test]
fn where_graph_refuses_everything_it_is_asked_little() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 10_000, Watch::Nobody);
    let mut calls = 0;
    loop {
        let call = desk.cadence.take_call(desk.now).unwrap();
        calls += 1;
        if desk.cadence.refused(call, desk.now) == Refusal::Everything {
            break;
        }
    }
    assert_eq!(calls, 13);
    let again = desk.cadence.take_call(desk.now).unwrap();
    assert_eq!(desk.cadence.refused(again, desk.now), Refusal::Everything);
}

#[test]
fn a_small_company_whose_every_read_is_refused_is_told_so() {
    let mut desk = Desk::new(Reading::Polling, seconds(10), 3, Watch::Nobody);
    let mut refusals = Vec::new();
    for _ in 0..40 {
        let call = desk.cadence.take_call(desk.now).unwrap();
        refusals.push(desk.cadence.refused(call, desk.now));
    }
    assert!(!refusals.contains(&Refusal::Alone), "{refusals:?}");
    assert!(
        refusals[13..]
            .iter()
            .all(|refusal| *refusal == Refusal::Everything)
    );
}
